"""TensorFlow's chatter, kept from the user of a command."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys
import tempfile
import warnings
from typing import Any


def import_quietly(program: str) -> None:
    """Import TensorFlow without what it writes before a program can ask it not to.

    Its later messages are left out too, unless TF_CPP_MIN_LOG_LEVEL is set; warnings that are meant for
    users become one line on standard error. Nothing happens where TensorFlow is imported already.

    The 900,000 objects of these modules stay to the end, so they are not looked through for garbage: that
    took 2 of the 14 seconds of the default job, half of it after its last line.

    Args:
        program: what the lines of warnings begin with.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    def show(message: Any, category: type[Warning], *_: Any) -> None:
        if issubclass(category, UserWarning):
            print(f"{program}: {' '.join(str(message).split())}", file=sys.stderr)

    warnings.showwarning = show
    sys.stderr.flush()
    kept = os.dup(2)
    gc.disable()
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            importlib.import_module("zoo.autoencoder")
        except BaseException:
            chatter.seek(0)
            os.write(kept, chatter.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            gc.freeze()
            gc.enable()
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
