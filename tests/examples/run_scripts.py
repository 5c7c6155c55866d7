"""Run scripts one after the other in one process, and write what each printed or raised as JSON.

run_scripts.py whole TARGET SCRIPT...    as a user runs them
run_scripts.py short TARGET SCRIPT...    every training stops after an epoch, and nothing is compiled
"""

import contextlib
import io
import json
import runpy
import sys
import traceback
from pathlib import Path


def shorten():
    """Let every `fit` run one epoch, without XLA."""
    from zoo.trainer import BlockTrainer, compilation

    whole = BlockTrainer.fit
    BlockTrainer.fit = lambda *args, **options: whole(*args, **{**options, "epochs": 1})
    compilation.JIT_WEIGHTS = 0


def run(path):
    """(what the script printed, its traceback or None)."""
    printed = io.StringIO()
    sys.argv = [path]
    try:
        with contextlib.redirect_stdout(printed):
            runpy.run_path(path, run_name="__main__")
    except (Exception, SystemExit):
        return printed.getvalue(), traceback.format_exc()
    return printed.getvalue(), None


if __name__ == "__main__":
    size, target, *scripts = sys.argv[1:]
    if size == "short":
        shorten()
    Path(target).write_text(json.dumps({Path(path).stem: run(path) for path in scripts}))
