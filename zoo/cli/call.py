"""A command line as the commands see it, and what several of them do with it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags

from zoo.cli.quiet import import_quietly


class Call(NamedTuple):
    """A command line.

    Attributes:
        flags: their values.
        words: that follow the command.
        line: all of it as text.
        program: what it begins with, as typed: "latent-zoo", "python -m zoo", "python launch.py".
        started: of `time.monotonic`.
    """

    flags: flags.FlagValues
    words: list[str]
    line: str
    program: str
    started: float

    def expect(self, count: int, usage: str) -> None:
        """See that so many words follow the command.

        Args:
            count: of the words.
            usage: the command and its words, for the message.

        Raises:
            ValueError: where there are more or fewer.
        """
        if len(self.words) != count:
            received = " ".join(self.words) or "nothing"
            raise ValueError(f"Expected '{self.program} {usage}' and flags; received {received!r}.")

    def require(self, command: str, *names: str) -> None:
        """See that flags are given.

        Args:
            command: that needs them.
            *names: of the flags.

        Raises:
            ValueError: where one is not.
        """
        for name in names:
            if self.flags[name].value is None:
                raise ValueError(f"{command!r} needs --{name}=...")

    def import_quietly(self) -> None:
        """Import TensorFlow without its chatter."""
        import_quietly(short(self.program))

    def farewell(self, outcome: Any) -> None:
        """Say how a run came out, where its report is, and what to do next."""
        from zoo.runs.artefacts import next_steps
        from zoo.values import number_text

        if outcome.metrics:
            terms, measured = (
                outcome.metrics["loss"].items(),
                outcome.metrics.get("measured_on", {}),
            )
            data = "held-out data, standardized" if "loss" in measured else "held-out data"
            shown = ", ".join(f"{name} {number_text(value)}" for name, value in terms)
            seconds = time.monotonic() - self.started
            print(f"{data}: {shown}\n{seconds:.0f} s in all\n\nReport: {outcome.folder.report}")
            for text, command in next_steps(
                outcome.folder, self.program, measured.get("level", "full")
            ):
                print(f"{text}:\n  {command}")


def typed(argument: str) -> str:
    """How the program was started, so that it can be started again.

    Args:
        argument: the first word of `sys.argv`.

    Returns:
        The words to type before a command.

    Example:
        >>> from zoo.cli.call import typed
        >>> typed("launch.py"), typed("/opt/zoo/__main__.py")
        ('python launch.py', 'python -m zoo')
    """
    path = Path(argument)
    if path.name == "__main__.py":
        return "python -m zoo"
    if path.suffix == ".py":
        return f"python {argument}"
    found = shutil.which(path.stem)  # the folder of a command on the PATH was not typed
    same = found is not None and Path(found).with_suffix("") == path.absolute().with_suffix("")
    return path.stem if same or path == Path(path.name) else argument


def short(program: str) -> str:
    """The name that lines on standard error begin with.

    Example:
        >>> from zoo.cli.call import short
        >>> short("python /opt/launch.py"), short("latent-zoo"), short("python -m zoo")
        ('launch.py', 'latent-zoo', 'python -m zoo')
    """
    if program == "python -m zoo":
        return program
    return Path(program.removeprefix("python ")).name
