"""What a finished run leaves behind: the saved and the exported model, metrics, figures and the report."""

from __future__ import annotations

import os
import shlex
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

import zoo.recipes  # noqa: F401, so that Keras knows the schedules that a model may hold
from zoo import models
from zoo.autoencoder import Autoencoder
from zoo.data import Data
from zoo.data.storage import cache_folder
from zoo.exporting.card import card
from zoo.exporting.hub import is_address
from zoo.files import discard, read_json, replacing, write_json, write_text
from zoo.runs.measuring import measure
from zoo.runs.run_config import RunConfig
from zoo.runs.run_folder import RunFolder
from zoo.serialization import MissingPartError
from zoo.values import number_text

# Held-out examples among which those with the largest codes are looked for.
_LOOKED_AT = 5000
# What a report says of each level of evaluation, and of the command that measures in full.
_LEVELS = {
    "none": "the terms of the loss alone",
    "quick": "quick: few rows and draws, no t-SNE",
    "full": "full, with the settings of the sources",
}
_MEASURE = {
    "none": "Measure it in full and draw the figures, which were left out",
    "quick": "Measure it in full: all rows and draws, the protocol of disentanglement, the t-SNE",
    "full": "Measure it again",
}


def save_model(model: Autoencoder, path: Path) -> None:
    """Save a model so that a kill leaves the old file or the new one."""
    with replacing(path) as temporary:
        model.save(temporary)


def load_model(path: str | os.PathLike[str], safe_mode: bool = True) -> Autoencoder:
    """Load a .keras file, or "hf://user/name" from the Hugging Face Hub.

    Args:
        path: of the file, or an address.
        safe_mode: as of `keras.saving.load_model`: False also runs code that the file brings, as that of a
            `keras.layers.Lambda`. Only for files that you trust.

    Returns:
        The model, with its optimizers and critics.

    Raises:
        ImportError: for the hub without the package huggingface_hub.
        ValueError: where it is missing, truncated, no model of the zoo, or needs a plugin that is not
            there.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> model.save("model.keras")
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> np.array_equal(zoo.load_model("model.keras").encode(x), model.encode(x))
        True
    """
    if not is_address(path):
        path = Path(path)
    # The weights of a model that was saved unzipped lie beside its configuration.
    if isinstance(path, Path) and not any(
        file.is_file() for file in (path, path / "model.weights.h5")
    ):
        raise ValueError(_no_file(path))
    try:
        model = keras.saving.load_model(path, safe_mode=safe_mode)
    except ImportError:
        raise
    except Exception as error:  # a damaged archive fails in many ways
        raise ValueError(f"Cannot load the model {str(path)!r}: {_reason(error)}") from error
    if not isinstance(model, Autoencoder):
        raise ValueError(
            f"{str(path)!r} holds a {type(model).__name__}, which is not an Autoencoder."
        )
    return model


def _no_file(path: Path) -> str:
    if (path / "model.keras").is_file():
        return (
            f"{str(path)!r} is the folder of a run. Load its model, {str(path / 'model.keras')!r}."
        )
    if (path / "saved_model.pb").is_file():
        return (
            f"{str(path)!r} is a SavedModel, which tf.saved_model.load reads; expected a .keras file, as "
            "model.save writes it."
        )
    if path.name == "model.keras" and (path.parent / "config.json").is_file():
        return (
            f"There is no model in {str(path.parent)!r} yet: the run did not come to its end. Go on with it "
            f"by train --run_dir={shlex.quote(str(path.parent))} --resume."
        )
    return (
        f"There is no model {str(path)!r}. Name a .keras file; a run writes its own when it ends."
    )


def _reason(error: BaseException) -> BaseException:
    """The error that says most: Keras tells the whole configuration before a part that is missing."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, MissingPartError):
            return found
        found = found.__cause__ or found.__context__
    return error


def write_artefacts(
    folder: RunFolder,
    model: Autoencoder,
    config: RunConfig,
    data: Data,
    held_out: Data,
    history: dict[str, list[float]],
    export: bool = True,
    say: Callable[[str], None] = lambda text: None,
    seconds: float | None = None,
    level: str = "quick",
    program: str = "latent-zoo",
) -> dict[str, Any]:
    """Evaluate a trained model on held-out data, and write metrics, SavedModel, figures and report.

    What was measured and what serves come first. A figure that cannot be drawn costs that figure: there is
    a warning, and the report names it.

    Args:
        folder: the run folder; config.json is there already.
        model: the trained model.
        config: the run's settings.
        data: what it was trained on.
        held_out: what it was not.
        history: term -> values by epoch.
        export: whether to write the SavedModel.
        say: told of every stage as it begins.
        seconds: that the training took; where it is not known, what an earlier metrics.json says.
        level: "quick", by which an evaluation costs about as much as a short training; "full", with the
            sources' settings and the t-SNE of the codes; "none" for the terms of the loss alone, and no
            figures but the learning curves.
        program: how the command line is started, for the next steps that the report names.

    Returns:
        What metrics.json holds: what `zoo.runs.measuring.measure` returns, under "training" the seconds that
        it took, where they are known, and under "prior" what its fit found, where it was fitted.
    """
    from zoo.visualization import save_figures, write_report

    folder.begin_artefacts()
    say("evaluation")
    metrics = measure(model, data, held_out, cache_folder(config.data_dir), level)
    metrics["training"] = _training(folder, seconds)
    prior: Any = model.prior
    if getattr(prior, "report", None):
        metrics["prior"] = {"name": type(prior).zoo_name, **prior.report}
    write_json(folder.metrics, metrics)
    if export:
        say("export")
        try:
            model.export(folder.saved_model)
            if held_out.columns is not None:
                held_out.columns.save(folder.saved_model / folder.columns.name)
        except ValueError as error:  # what was measured is worth keeping all the same
            warnings.warn(f"The model is not exported: {error}", stacklevel=2)
    say("figures")
    figures, failed = {}, {}
    if level != "none":
        figures, failed = _figures(model, held_out, history, tsne=level == "full")
    for name, reason in failed.items():
        warnings.warn(f"The figure {name!r} is not drawn: {reason}", stacklevel=2)
    _remove_stale(folder.figures, figures)
    save_figures(folder.figures, figures)
    write_report(
        folder.report,
        title=f"{config.model} on {held_out.name}",
        objective=model.formula,
        config=read_json(folder.config, "The run's configuration"),
        history=history,
        metrics=metrics,
        figures=figures,
        next_steps=next_steps(folder, program, level),
        facts=_facts(model, config, data, held_out, history, metrics),
        failed=failed,
        features=_features(model, held_out) if level != "none" else (),
        columns=held_out.columns,
    )
    _write_card(folder, model, held_out, metrics)
    folder.end_artefacts()
    return metrics


def _features(model: Autoencoder, held_out: Data) -> Any:
    """Some units of a sparse dictionary on held-out examples; none of another model."""
    from zoo.evaluation.dictionary import has_atoms
    from zoo.visualization.pages.features import features

    plain = has_atoms(model) and model.target_shape is None and model.condition is None
    return features(model, held_out.inputs[:_LOOKED_AT]) if plain else ()


def _write_card(
    folder: RunFolder, model: Autoencoder, held_out: Data, metrics: dict[str, Any]
) -> None:
    """Write card.md; its figures are those of the folder."""
    settings = read_json(folder.config, "The run's configuration")
    for name in ("command", "data_dir", "manual_dir"):  # folders of this machine
        settings.pop(name, None)
    pictures = sorted(folder.figures.glob("*"))  # no folder where none was drawn
    figures = {path.stem: path.relative_to(folder.path).as_posix() for path in pictures}
    title = f"{settings['model']} on {held_out.name}"
    write_text(folder.card, card(model, settings, metrics, title=title, figures=figures))


def _figures(
    model: Autoencoder, held_out: Data, history: dict[str, list[float]], tsne: bool
) -> tuple[dict[str, tuple[bytes, str]], dict[str, str]]:
    """Name -> picture and caption of what can be drawn, and name -> reason of what cannot."""
    from zoo.visualization import draw, figures_for

    drawn: dict[str, tuple[bytes, str]] = {}
    failed: dict[str, str] = {}

    def fails(name: str, error: Exception) -> None:
        failed[name] = " ".join(f"{type(error).__name__}: {error}".split())

    try:
        found = figures_for(
            model,
            held_out.inputs,
            labels=held_out.labels,
            factors=held_out.factors,
            factor_names=held_out.factor_names or None,
            class_names=held_out.classes,
            column_names=held_out.columns.names if held_out.columns else held_out.column_names,
            history=history,
            tsne=tsne,
            animate=True,
            on_failure=fails,
        )
    except Exception as error:  # not even the codes are to be had
        fails("every_figure", error)
        return drawn, failed
    for name, figure in found.items():
        try:
            drawn.update(draw({name: figure}))
        except Exception as error:  # of a layout, a font, a memory limit
            fails(name, error)
    return drawn, failed


def _remove_stale(folder: Path, figures: dict[str, Any]) -> None:
    """Remove the pictures of an earlier evaluation that this one has not drawn, and nothing else."""
    from zoo.visualization.selection import FIGURES

    for name in set(FIGURES) - set(figures):
        for ending in (".png", ".gif"):
            discard(folder / f"{name}{ending}")


def _facts(
    model: Autoencoder,
    config: RunConfig,
    data: Data,
    held_out: Data,
    history: dict[str, list[float]],
    metrics: dict[str, Any],
) -> dict[str, str]:
    """What a reader asks first of a run, for the top of its report."""
    options = {**models.options(config.model), **config.options}
    weights = sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)
    epochs = max((len(series) for series in history.values()), default=0)
    rate = "" if config.learning_rate is None else f", learning rate {config.learning_rate:g}"
    seconds = metrics["training"].get("seconds")
    time = "" if seconds is None else f", {_duration(seconds)}"
    shape = " x ".join(map(str, data.event_shape))
    found = {
        "Model": f"{config.model}: "
        + ", ".join(
            f"{name} {_short(value)}"
            for name, value in options.items()
            if value not in (None, (), False)
        ),
        "Weights": f"{weights:,} trained",
        "Data": f"{data.name}: {len(data):,} examples of {shape} to train, {len(held_out):,} held out",
        "Training": f"{epochs} epochs of batches of {config.batch_size}, {config.optimizer}{rate}{time}",
        "Evaluation": _LEVELS[metrics["measured_on"]["level"]],
    }
    if data.columns is not None:
        found["Columns"] = ", ".join(f"{each.name} ({each.kind})" for each in data.columns.columns)
    if getattr(model.prior, "report", None):
        found["Fitted prior"] = _prior_in_words(model)
    if "disentanglement: protocol" in metrics.get("skipped", {}):
        found["Evaluation"] += "; disentanglement not by the protocol"
    if model.standardization is not None:
        found["Units"] = (
            "the terms of the loss are those of standardized data; all other metrics, and what the figures "
            "show, are in the data's units"
        )
    return found


def _short(value: Any) -> Any:
    """An option as the top of a report has it: of a table's likelihood the name, since columns follow."""
    return value["name"] if isinstance(value, dict) and "groups" in value else value


def _prior_in_words(model: Autoencoder) -> str:
    """A fitted prior, the options that the fit chose, and what it found."""
    prior: Any = model.prior
    count = {"components": prior.components} if hasattr(prior, "components") else {}
    report = {  # of what was tried, the best, which was taken
        name: max(value.values()) if isinstance(value, dict) else value
        for name, value in prior.report.items()
    }
    numbers = {**count, **report}
    found = ", ".join(f"{name} {number_text(value)}" for name, value in numbers.items())
    return f"{type(prior).zoo_name}: {found}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _training(folder: RunFolder, seconds: float | None) -> dict[str, Any]:
    """What metrics.json keeps of the training itself."""
    if seconds is not None:
        return {"seconds": round(seconds, 2)}
    try:
        return dict(read_json(folder.metrics, "What was measured before").get("training", {}))
    except ValueError:
        return {}


def next_steps(
    folder: RunFolder, program: str = "latent-zoo", level: str = "quick"
) -> list[tuple[str, str]]:
    """What to do with a finished run: a text and a command each, for a program that is started so."""
    path = shlex.quote(str(folder.path))
    return [
        (_MEASURE[level], f"{program} evaluate --run_dir={path}"),
        ("Export it for serving", f"{program} export --run_dir={path} --output=exported"),
        ("Compare it with another run", f"{program} compare {path} ANOTHER_RUN"),
        ("Train another model", f"{program} train --model=vae --dataset=digits"),
    ]
