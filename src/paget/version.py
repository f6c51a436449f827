"""The version of paget, kept apart so that a reader of results need not load the rest."""

__version__ = "0.2.0"
