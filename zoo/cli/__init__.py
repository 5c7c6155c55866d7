"""The command line: `latent-zoo`, `python -m zoo`, or `python launch.py` in a checkout.

A command is a file of this folder with a `run`; a flag is a line of flags.py. Nothing here imports TensorFlow
before a command needs it.
"""

from zoo.cli.command_line import COMMANDS, main

__all__ = ["COMMANDS", "main"]
