"""``python -m paget`` is the same as ``paget``."""

import sys

from paget.cli import main

if __name__ == "__main__":
    sys.exit(main())
