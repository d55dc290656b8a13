"""Lets ``python -m healthtariff`` run the command line."""

import sys

from healthtariff.cli import main

if __name__ == "__main__":
    sys.exit(main())
