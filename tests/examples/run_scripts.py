"""Run scripts one after the other in one process, and write what each printed or raised as JSON."""

import contextlib
import io
import json
import runpy
import sys
import traceback
from pathlib import Path


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
    target, *scripts = sys.argv[1:]
    Path(target).write_text(json.dumps({Path(path).stem: run(path) for path in scripts}))
