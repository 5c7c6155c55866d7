"""From the words of a command line to an exit code."""

from __future__ import annotations

import importlib
import os
import shlex
import sys
import time
from pathlib import Path
from types import ModuleType

from absl import flags

from zoo.cli.call import Call, short, typed
from zoo.cli.flags import FLAGS, define, taken_by
from zoo.registry import KINDS, one_of, suggest

COMMANDS = ("train", "evaluate", "export", "list", "compare", "reproduce", "sweep")
BAD_INPUT, TRY_AGAIN, INTERRUPTED, UNREAD = 2, 75, 130, 141
# They are through at once without TensorFlow, which modules of others are likely to import.
_LIGHT = ("list", "compare")
_EXAMPLES = """\
Examples:
  {0} train --model=vae --dataset=mnist --epochs=20 --batch_size=128 --run_dir=runs/a
  {0} train --set latents=10 --set hidden=500,500 --regularizer=lp_norm:p=0.5,weight=0.01
  {0} train --set "beta=linear:start=0,end=1,steps=2000" --dataset=pictures/
  {0} train --import=my_parts.py --model=mine --dataset=my_set --data n=100
  {0} train --run_dir=runs/a --resume
  {0} sweep --model=beta_vae --set beta=1,4,16 --set latents=5..8 --metric=psnr --output=sweeps/a
  {0} evaluate --run_dir=runs/a
  {0} export --run_dir=runs/a --output=exported --format=litert
"""


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the words of the command line, the program first; `sys.argv` by default.

    Returns:
        The exit code: 0; 2 for bad input, or a loss that is not a finite number; 75 where another worker is
        lost; 130 after Ctrl-C; 141 where nobody reads the output any more.

    Raises:
        ValueError: for bad input where --debug asks for the traceback.

    Example:
        >>> from zoo import cli
        >>> cli.main(["latent-zoo", "list", "objectives"])
        elbo ...
        0
    """
    argv = list(sys.argv if argv is None else argv)
    program = typed(argv[0])
    known = define()
    try:
        typed_words = known(argv)[1:]
        name, *words = typed_words or ["train"]
        if known["help"].value or name == "help":
            asked = [word for word in typed_words if word != "help"][:1]
            about = one_of(asked[0], "command", COMMANDS) if asked else None
            print(help_text(program, about), flush=True)
            return 0
        command = _command(one_of(name, "command", COMMANDS))
        allowed = taken_by(name)
        for flag in known:
            if known[flag].present and flag not in allowed:
                raise ValueError(f"{name!r} takes no --{flag}.{suggest(flag, allowed)}")
        line = f"{program} {shlex.join(argv[1:])}".rstrip()
        call = Call(known, words, line, program, time.monotonic())
        _import_modules(call, quietly=name not in _LIGHT)
        code = command.run(call)
        sys.stdout.flush()  # here, where a reader that is gone does no harm
        return code
    except KeyboardInterrupt as stop:
        print(f"\nStopped. {stop}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # who reads the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what is flushed at the end
        return UNREAD
    except ConnectionError as error:
        _say(program, f"{error} Start all workers again with --resume.")
        return TRY_AGAIN
    except (ValueError, ImportError, OSError, flags.Error) as error:
        if known.is_parsed() and known["debug"].value:
            raise
        _say(program, str(error))
        return BAD_INPUT


def help_text(program: str, name: str | None = None) -> str:
    """What a command does and its flags mean, or all of them, for a program that is started so."""
    names = COMMANDS if name is None else (name,)
    usages = {_command(each).USAGE: (_command(each).__doc__ or "").strip() for each in names}
    width = max(map(len, usages))
    examples = _EXAMPLES.format(program)
    allowed = {flag.name for flag in FLAGS} if name is None else set(taken_by(name))
    if name is not None:
        own = [line for line in examples.splitlines() if f" {name} " in line]
        examples = "\n".join(["Examples:", *own, ""]) if own else ""
    whole = [
        "Train, measure, export and compare autoencoders.\n",
        f"  {program}\n      train the Laplace-prior VAE on the embedded digits",
    ]
    more = "" if name is None else next(iter(usages.values())).partition("\n\n")[2]
    kinds = f"\nA KIND is one of {', '.join(f'{kind}s' for kind in KINDS)}."
    return "\n".join(
        [
            *(whole if name is None else []),
            *(f"  {program} {usage:<{width}}  {_line(text)}" for usage, text in usages.items()),
            *([f"\n{more}"] if more else []),
            *([kinds] if name in (None, "list") else []),
            f"\n{examples}\nFlags:" if examples else "\nFlags:",
            *(f"  --{flag.name:<16} {flag.text}" for flag in FLAGS if flag.name in allowed),
            *([] if name else [f"\n{program} COMMAND --help shows the flags of one command."]),
        ]
    )


def _line(text: str) -> str:
    """The first line of a docstring, as part of a list."""
    line = text.splitlines()[0].removesuffix(".")
    return line[0].lower() + line[1:]


def _say(program: str, text: str) -> None:
    print(f"{short(program)}: {' '.join(text.split())}", file=sys.stderr)


def _command(name: str) -> ModuleType:
    return importlib.import_module(f"zoo.cli.{name}")


def _import_modules(call: Call, quietly: bool) -> None:
    """The modules of --import, and those that the run of --run_dir was trained with."""
    from zoo.runs.modules import import_modules
    from zoo.runs.run_config import RunConfig

    given = call.flags.flag_values_dict()
    names, run_dir = list(given["import"]), given["run_dir"]
    if run_dir and (Path(run_dir) / "config.json").is_file():
        names = [*RunConfig.read(run_dir).imports, *names]
    if names and quietly:
        call.import_quietly()
    call.flags["import"].value = import_modules(names)
