"""The version of paget, kept apart so that a reader of results need not load the rest."""

__version__ = "0.1.0"
