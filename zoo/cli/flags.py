"""Every flag of the command line, one line each: here it gets its name, its help and its place.

A setting, a part or an option of `train` needs no other line: `configured` puts it where it belongs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags

from zoo.cli import settings


class Flag(NamedTuple):
    """A flag.

    Attributes:
        name: without the two dashes.
        kind: of its value: str, int, float, bool, or list where the flag may be repeated.
        text: its line of help.
        commands: that take it, with blanks between them; "" for all.
        place: where `train` puts it: "setting", the field of its name of a run's settings; "part", the same
            for the text of a part with its options; "option", the option of its name of the model; "" where
            the command itself reads it.
    """

    name: str
    kind: type
    text: str
    commands: str
    place: str = ""


def _setting(name: str, kind: type, text: str, others: str = "") -> Flag:
    return Flag(name, kind, text, f"train sweep {others}", "setting")


FLAGS = (
    _setting("model", str, "Model, see 'list models'. Default: laplace_vae."),
    _setting(
        "dataset", str, "A set's name, a folder, or a file of arrays or a table. Default: digits."
    ),
    _setting("limit", int, "At most so many examples of each split."),
    _setting("epochs", int, "Passes over the data. Default: about 4,000 steps."),
    _setting("batch_size", int, "Rows of a batch. Default: 32, or 128 for a large set."),
    _setting("optimizer", str, "Keras's name of an optimizer. Default: adam."),
    _setting("learning_rate", float, "Of the optimizer. Default: its own."),
    _setting("precision", str, "float32 (default) or mixed_bfloat16.", "reproduce"),
    _setting("seed", int, "Of the weights, the noise and the order of training. Default: 0."),
    _setting("data_seed", int, "Of the held-out rows, and of sets that are drawn. Default: 0."),
    _setting(
        "start_at_mean", bool, "Let a code without hidden layers be of deviations from the mean."
    ),
    _setting("slices", int, "Slices of a batch, one a core. Default: as the machine allows."),
    _setting("skip_nonfinite", bool, "Leave out updates that are not finite, and count them."),
    _setting("strategy", str, "auto (default), none, mirrored or multi_worker."),
    _setting("virtual_devices", int, "Logical processors to mirror over, for tests."),
    _setting("data_dir", str, "TFDS's folder of prepared sets.", "reproduce"),
    _setting("manual_dir", str, "TFDS's folder of files fetched by hand.", "reproduce"),
    _setting(
        "evaluate",
        str,
        "What is measured and drawn: none, quick (default of train) or full (of evaluate).",
        "evaluate",
    ),
    Flag("standardize", bool, "Bring columns and channels to one scale.", "train sweep", "option"),
    Flag(
        "set",
        list,
        "Option, name=value; repeat it. A sweep: name=1,4 or 5..20.",
        "train reproduce sweep",
    ),
    Flag("regularizer", list, "name or name:option=value,...; repeat it for more.", "train sweep"),
    Flag("fit_prior", str, "Prior to fit at the end, name:option=value,...", "train sweep", "part"),
    Flag("data", list, "Option of the data set, name=value; repeat it for more.", "train sweep"),
    Flag(
        "run_dir", str, "Run folder. Default of train: a new one in runs/.", "train evaluate export"
    ),
    Flag("logger", list, "wandb, mlflow, trackio or tensorboard; repeat it for more.", "train"),
    Flag("resume", bool, "Go on with the run in --run_dir.", "train"),
    Flag("output", str, "Where the command writes.", "export compare reproduce sweep"),
    Flag("import", list, "Module or .py file that registers own parts; repeat it for more.", ""),
    Flag(
        "format",
        str,
        "tf_saved_model, onnx or litert. Default: by the ending of --output, or the first.",
        "export",
    ),
    Flag("quantize", str, "int8, for litert: weights of 8 bits.", "export"),
    Flag("quick", bool, "A small version of the experiment.", "reproduce"),
    Flag("seeds", int, "How many seeds. Default: 3, or 1 with --quick.", "reproduce sweep"),
    Flag(
        "metric", str, "What a sweep compares: psnr, elbo, mig, udr (without labels), ...", "sweep"
    ),
    Flag("jobs", int, "Processes at once. Default: 1.", "sweep"),
    Flag("trials", int, "Search by optuna with so many points, in place of a grid.", "sweep"),
    Flag("prune", str, "Column by which a search gives points up: val_loss, ...", "sweep"),
    Flag("storage", str, "Optuna's database, for a search over machines.", "sweep"),
    Flag("first_seed", int, "Where the seeds begin. Default: 0.", "reproduce"),
    Flag("pictures", str, "Folder of natural pictures, for experiments on patches.", "reproduce"),
    Flag("debug", bool, "Show the traceback of an error.", ""),
    Flag("help", bool, "Show this help.", ""),
)
_DEFINE = {
    str: flags.DEFINE_string,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    list: flags.DEFINE_multi_string,
    bool: flags.DEFINE_boolean,
}


def define() -> flags.FlagValues:
    """The flags of all commands, for absl to parse."""
    known = flags.FlagValues()
    for flag in FLAGS:
        default = {list: [], bool: False}.get(flag.kind)
        _DEFINE[flag.kind](flag.name, default, flag.text, flag_values=known)
    known.set_gnu_getopt(True)
    return known


def taken_by(command: str) -> list[str]:
    """The names of the flags that a command takes."""
    return [flag.name for flag in FLAGS if not flag.commands or command in flag.commands.split()]


def configured(known: flags.FlagValues, base: Any) -> Any:
    """A run's settings, a `zoo.runs.RunConfig`, with those that the command line gives."""
    values, given = known.flag_values_dict(), {}
    options = settings.named_values(values["set"], "set")
    for name, _, _, _, place in FLAGS:
        if not place or not known[name].present:
            continue
        value = values[name]
        if place == "option":
            options[name] = value
        else:
            given[name] = settings.part(value, name) if place == "part" else value
    _add(given, "options", base.options, options)
    data_options = settings.named_values(values["data"], "data")
    _add(given, "data_options", base.data_options, data_options)
    if values["regularizer"]:
        given["regularizers"] = [
            settings.part(text, "regularizer") for text in values["regularizer"]
        ]
    if values["import"]:
        given["imports"] = values["import"]
    path = Path(given.get("dataset", ""))
    if path.is_file() or (path.is_dir() and path != Path()):
        from zoo.registry import names

        # A name of a set stays one: `zoo.data.load` takes it first, and says so.
        if given["dataset"] not in names("dataset"):
            given["dataset"] = str(path.resolve())
    return dataclasses.replace(base, **given)


def _add(
    given: dict[str, Any], field: str, before: Mapping[str, Any], options: Mapping[str, Any]
) -> None:
    if options:
        given[field] = {**before, **options}
