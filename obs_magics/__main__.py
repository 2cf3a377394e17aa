"""`python -m obs_magics`: the command line."""

from __future__ import annotations

import sys

from obs_magics.cli import main

if __name__ == "__main__":
    sys.exit(main())
