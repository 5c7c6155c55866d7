"""Run programs, each in a process that has imported TensorFlow and Keras but nothing of the zoo.

    python -m tests.fresh programs.json answers.json

The first file holds {name: [code, *arguments]}, the second gets {name: [exit code, output]}. Every process is
a fork of this one: that takes no time, where importing TensorFlow takes five seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run(programs: Mapping[str, list[str]], folder: Path) -> dict[str, tuple[int, str]]:
    """Name -> (exit code, what it printed, errors included), for programs [code, *arguments]."""
    asked, answered = folder / "programs.json", folder / "answers.json"
    asked.write_text(json.dumps(programs))
    command = [sys.executable, "-m", "tests.fresh", str(asked), str(answered)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return {name: tuple(answer) for name, answer in json.loads(answered.read_text()).items()}


def _answer(code: str, arguments: list[str], output: Path) -> tuple[int, str]:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with output.open("w") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            sys.argv = ["-c", *arguments]
            exec(compile(code, "<program>", "exec"), {"__name__": "__main__"})
            status = 0
        except BaseException:
            sys.stdout.flush()  # what was printed stands before the traceback
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), output.read_text()


def main(asked: str, answered: str) -> None:
    import keras  # noqa: F401
    import tensorflow_probability  # noqa: F401

    assert not [name for name in sys.modules if name.partition(".")[0] in ("zoo", "zoo_plugins")]
    programs = json.loads(Path(asked).read_text())
    output = Path(answered).with_suffix(".txt")
    answers = {name: _answer(code, rest, output) for name, (code, *rest) in programs.items()}
    Path(answered).write_text(json.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
