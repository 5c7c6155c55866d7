#!/usr/bin/env python
"""The command line from a checkout: `python launch.py` does what `latent-zoo` does, see zoo/cli."""

import sys

from zoo.cli import main

if __name__ == "__main__":
    sys.exit(main())
