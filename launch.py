#!/usr/bin/env python
"""Train, measure, export and compare autoencoders.

  python launch.py                       train the Laplace-prior VAE on the embedded digits
  python launch.py train                 train a model on a data set (without --model and --dataset
                                         from the settings of the line above: 60 epochs, batch 64,
                                         rate 2e-3, Normal likelihood)
  python launch.py evaluate              measure a trained model again
  python launch.py export                write a trained model for serving
  python launch.py list KIND             models, datasets, regularizers, priors, posteriors, likelihoods,
                                         bottlenecks, objectives, networks, experiments
  python launch.py compare RUN RUN ...   several runs on one page
  python launch.py reproduce EXPERIMENT  a figure or table of a paper, or 'all' of them

Examples:
  python launch.py train --model=vae --dataset=mnist --epochs=20 --batch_size=128 --run_dir=runs/a
  python launch.py train --set latents=10 --set hidden=500,500 --regularizer=lp_norm:p=0.5,weight=0.01
  python launch.py train --set "beta=linear:start=0,end=1,steps=2000" --dataset=pictures/
  python launch.py train --import=my_parts.py --model=mine --dataset=my_set --data n=100
  python launch.py train --run_dir=runs/a --resume
  python launch.py evaluate --run_dir=runs/a
  python launch.py export --run_dir=runs/a --output=exported --format=litert
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags

from zoo.registry import names, one_of, suggest
from zoo.runs import settings
from zoo.runs.quiet import import_quietly

BAD_INPUT, TRY_AGAIN, INTERRUPTED = 2, 75, 130
_STARTED = time.monotonic()
_DEFINE = {
    str: flags.DEFINE_string,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    list: flags.DEFINE_multi_string,
    bool: flags.DEFINE_boolean,
}
# Settings of a run that are flags of the same name.
_SETTINGS = {
    "model": (str, "Model, see 'list models'. Default: laplace_vae."),
    "dataset": (
        str,
        "A set's name, a folder of pictures, a .npy, .npz or .csv file. Default: digits.",
    ),
    "limit": (int, "At most so many examples of each split."),
    "epochs": (int, "Passes over the data. Default: about 4,000 steps."),
    "batch_size": (int, "Rows of a batch. Default: 32, or 128 for a large set."),
    "optimizer": (str, "Keras's name of an optimizer. Default: adam."),
    "learning_rate": (float, "Of the optimizer. Default: its own."),
    "precision": (str, "float32 (default) or mixed_bfloat16."),
    "seed": (int, "Of the weights, the noise and the order of training. Default: 0."),
    "data_seed": (int, "Of the held-out rows, and of sets that are drawn. Default: 0."),
    "start_at_mean": (
        bool,
        "Let the code of a model without hidden layers begin as that of deviations from the mean.",
    ),
    "skip_nonfinite": (bool, "Leave out updates that are not finite numbers, and count them."),
    "strategy": (str, "auto (default), none, mirrored or multi_worker."),
    "virtual_devices": (int, "Logical processors to mirror over, for tests."),
    "data_dir": (str, "TFDS's folder of prepared sets."),
    "manual_dir": (str, "TFDS's folder of files fetched by hand."),
}
_OTHERS = {
    "set": (
        list,
        "Option of the model, or setting of the experiment, name=value; repeat it for more.",
    ),
    "regularizer": (list, "name or name:option=value,...; repeat it for more."),
    "data": (list, "Option of the data set, name=value; repeat it for more."),
    "fit_prior": (
        str,
        "Prior to fit to the training codes at the end, name or name:option=value,...",
    ),
    "run_dir": (str, "Run folder. Default: a new one in runs/."),
    "resume": (bool, "Go on with the run in --run_dir."),
    "output": (str, "Where export, compare and reproduce write."),
    "import": (
        list,
        "Module or .py file that registers parts of your own; repeat it for more.",
    ),
    "format": (str, "Of export: tf_saved_model (default), onnx or litert."),
    "quick": (bool, "A small version of the experiment."),
    "seeds": (int, "How many seeds an experiment runs over. Default: 3, or 1 with --quick."),
    "first_seed": (int, "Where its seeds begin. Default: 0."),
    "pictures": (str, "Folder of natural pictures, for the experiments on patches of them."),
    "debug": (bool, "Show the traceback of an error."),
    "help": (bool, "Show this help."),
}
_FLAGS = {**_SETTINGS, **_OTHERS}


class Call(NamedTuple):
    """A command line: its flags, the words that follow the command, and all of it as text."""

    flags: flags.FlagValues
    words: list[str]
    line: str


def define_flags() -> flags.FlagValues:
    """The flags of all commands."""
    known = flags.FlagValues()
    for name, (kind, text) in _FLAGS.items():
        default = {list: [], bool: False}.get(kind)
        _DEFINE[kind](name, default, text, flag_values=known)
    known.set_gnu_getopt(True)
    return known


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the words of the command line, the program's name first; `sys.argv` by default.

    Returns:
        The exit code: 0; 2 for bad input, or a loss that is not a finite number; 75 where another worker is
        lost; 130 after Ctrl-C.
    """
    argv = list(sys.argv if argv is None else argv)
    known = define_flags()
    try:
        name, *words = known(argv)[1:] or ["train"]
        if known.help or name == "help":
            lines = (f"  --{flag:<16} {text}" for flag, (_, text) in _FLAGS.items())
            print(__doc__, "Flags:", *lines, sep="\n")
            return 0
        command, allowed = COMMANDS[one_of(name, "command", COMMANDS)]
        for flag in _FLAGS:
            if known[flag].present and flag not in (*allowed, *_EVERYWHERE):
                raise ValueError(f"{name!r} takes no --{flag}.{suggest(flag, allowed)}")
        _import_modules(known, quietly=name not in ("list", "compare"))
        return command(Call(known, words, f"python {shlex.join(argv)}"))
    except KeyboardInterrupt as stop:
        print(f"\nStopped. {stop}", file=sys.stderr)
        return INTERRUPTED
    except ConnectionError as error:
        print(f"launch.py: {error} Start all workers again with --resume.", file=sys.stderr)
        return TRY_AGAIN
    except (ValueError, ImportError, OSError, flags.Error) as error:
        if known.is_parsed() and known.debug:
            raise
        print(f"launch.py: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT


def train(call: Call) -> int:
    """Train a model and leave a run folder."""
    _expect(call.words, 0, "train")
    if call.flags.resume and not call.flags.run_dir:
        raise ValueError("--resume needs --run_dir, the folder of the run to go on with.")
    if os.environ.get("TF_CONFIG") and not call.flags.run_dir:
        raise ValueError("Several workers (TF_CONFIG is set) need one --run_dir, the same for all.")
    from zoo.runs.run_config import RunConfig, main_job
    from zoo.runs.run_folder import new_folder

    there = call.flags.resume and (Path(call.flags.run_dir) / "config.json").exists()
    config = main_job()
    if there:
        config = RunConfig.read(call.flags.run_dir)
    elif call.flags["model"].present or call.flags["dataset"].present:
        config = RunConfig()
    config = _configured(call.flags, config)
    one_of(config.model, "model", names("model"))  # without the import of it
    data = Path(config.dataset).stem or "data"
    run_dir = call.flags.run_dir or str(new_folder("runs", f"{config.model}-{data}"))
    import_quietly("launch.py")
    from zoo.runs import train as run

    try:
        outcome = run(config, run_dir, resume=call.flags.resume, command=call.line)
    except KeyboardInterrupt:
        again = f"python launch.py train --run_dir={shlex.quote(run_dir)} --resume"
        raise KeyboardInterrupt(f"To go on: {again}") from None
    if outcome.bad_term:
        raise ValueError(
            f"The term {outcome.bad_term!r} of the loss is not a finite number any more. "
            f"{outcome.folder.model} has the last good weights. Try a lower --learning_rate."
        )
    if outcome.repeated:
        print(f"The run in {run_dir} is finished. To go on with it, add more --epochs=N.")
    _farewell(outcome)
    return 0


def evaluate(call: Call) -> int:
    """Measure a trained model again, and write its metrics, figures and report anew."""
    _expect(call.words, 0, "evaluate")
    _require(call.flags, "evaluate", "run_dir")
    import_quietly("launch.py")
    from zoo.evaluation.table import table
    from zoo.runs.run import evaluate as measure

    outcome = measure(call.flags.run_dir, print)
    print(table(outcome.metrics))
    _farewell(outcome)
    return 0


def export(call: Call) -> int:
    """Write a trained model for serving."""
    _expect(call.words, 0, "export")
    _require(call.flags, "export", "run_dir", "output")
    from zoo.runs.run_config import RunConfig

    RunConfig.read(call.flags.run_dir)
    import_quietly("launch.py")
    from zoo.runs.artefacts import load_model

    model = load_model(Path(call.flags.run_dir) / "model.keras")
    model.export(call.flags.output, format=call.flags.format or "tf_saved_model")
    print(f"The model is in {call.flags.output}.")
    return 0


def show_list(call: Call) -> int:
    """Show what there is of a kind, with a line on each."""
    from zoo.runs.listing import KINDS, describe

    _expect(call.words, 1, f"list {'|'.join(KINDS)}")
    lines = describe(call.words[0])
    width = max(map(len, lines), default=0)
    print("\n".join(f"{name:<{width}}  {line}" for name, line in lines.items()))
    return 0


def compare(call: Call) -> int:
    """Write one page that shows several runs side by side."""
    from zoo.visualization import write_comparison

    path = write_comparison(call.flags.output or "comparison.html", call.words)
    print(f"The comparison is in {path}.")
    return 0


def reproduce(call: Call) -> int:
    """Run an experiment of a paper, or all."""
    _expect(call.words, 1, "reproduce EXPERIMENT")
    from zoo.experiments.catalogue import known

    given = call.flags
    name = "all" if call.words[0] == "all" else known(call.words[0])
    changes = settings.named_values(given.set, "set")
    if name == "all" and changes:
        raise ValueError("'reproduce all' takes no --set: experiments have different settings.")
    if name == "all" and given.first_seed is not None:
        raise ValueError("'reproduce all' takes no --first_seed.")
    import_quietly("launch.py")
    from zoo.experiments.experiment import Sources
    from zoo.experiments.reproduce import reproduce as run
    from zoo.experiments.reproduce import reproduce_all

    sources = Sources(given.data_dir, given.manual_dir, given.pictures)
    shared = (given.quick, given.output, given.seeds, sources)
    try:
        if name == "all":
            errors = reproduce_all(*shared, precision=given.precision)
            if errors:
                raise ValueError(
                    f"These could not run: {', '.join(errors)}; the reasons stand above."
                )
            return 0
        path = run(
            name,
            *shared,
            changes=changes,
            precision=given.precision,
            first_seed=given.first_seed or 0,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("The same command goes on after the last seed.") from None
    print(f"The results are in {path}.")
    return 0


_TRAIN_FLAGS = (*_SETTINGS, "set", "regularizer", "fit_prior", "data", "run_dir", "resume")
_REPRODUCE_FLAGS = (
    "quick",
    "set",
    "precision",
    "seeds",
    "first_seed",
    "output",
    "data_dir",
    "manual_dir",
    "pictures",
)
_EVERYWHERE = ("import", "debug")
COMMANDS: dict[str, tuple[Callable[[Call], int], tuple[str, ...]]] = {
    "train": (train, _TRAIN_FLAGS),
    "evaluate": (evaluate, ("run_dir",)),
    "export": (export, ("run_dir", "output", "format")),
    "list": (show_list, ()),
    "compare": (compare, ("output",)),
    "reproduce": (reproduce, _REPRODUCE_FLAGS),
}


def _import_modules(known: flags.FlagValues, quietly: bool) -> None:
    """The modules of --import, and those that the run of --run_dir was trained with."""
    from zoo.runs.modules import import_modules
    from zoo.runs.run_config import RunConfig

    names = list(known["import"].value)
    if known.run_dir and (Path(known.run_dir) / "config.json").is_file():
        names = [*RunConfig.read(known.run_dir).imports, *names]
    if names and quietly:  # they are likely to import TensorFlow
        import_quietly("launch.py")
    known["import"].value = import_modules(names)


def _configured(known: flags.FlagValues, base: Any) -> Any:
    """The settings of `base` with those that the command line gives."""
    given = {name: known[name].value for name in _SETTINGS if known[name].present}
    if known.set:
        given["options"] = {**base.options, **settings.named_values(known.set, "set")}
    if known.data:
        given["data_options"] = {**base.data_options, **settings.named_values(known.data, "data")}
    if known.regularizer:
        given["regularizers"] = [settings.part(text, "regularizer") for text in known.regularizer]
    if known.fit_prior:
        given["fit_prior"] = settings.part(known.fit_prior, "fit_prior")
    if known["import"].value:
        given["imports"] = known["import"].value
    path = Path(given.get("dataset", ""))
    if path.is_file() or (path.is_dir() and path != Path()):
        given["dataset"] = str(path.resolve())
    return dataclasses.replace(base, **given)


def _farewell(outcome: Any) -> None:
    """Where the report is, and what to do next."""
    from zoo.runs.artefacts import next_steps
    from zoo.values import number_text

    if outcome.metrics:
        terms = outcome.metrics["loss"].items()
        print(
            "held-out data: " + ", ".join(f"{name} {number_text(value)}" for name, value in terms)
        )
        print(f"{time.monotonic() - _STARTED:.0f} s in all\n\nReport: {outcome.folder.report}")
        for text, command in next_steps(outcome.folder):
            print(f"{text}:\n  {command}")


def _expect(words: list[str], count: int, usage: str) -> None:
    if len(words) != count:
        received = " ".join(words) or "nothing"
        raise ValueError(f"Expected 'python launch.py {usage}' and flags; received {received!r}.")


def _require(known: flags.FlagValues, command: str, *names: str) -> None:
    for name in names:
        if known[name].value is None:
            raise ValueError(f"{command!r} needs --{name}=...")


if __name__ == "__main__":
    sys.exit(main())
