"""What a finished run leaves behind: the saved and the exported model, metrics, figures and the report."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

import zoo.recipes  # noqa: F401, so that Keras knows the schedules that a model may hold
from zoo.autoencoder import Autoencoder
from zoo.data import Data
from zoo.runs.files import read_json, replacing, write_json
from zoo.runs.run_config import RunConfig
from zoo.runs.run_folder import RunFolder

# Probes need no more, and their time grows with it.
_PROBED_ROWS = 10_000


def save_model(model: Autoencoder, path: Path) -> None:
    """Save a model so that a kill leaves the old file or the new one."""
    with replacing(path) as temporary:
        model.save(temporary)


def load_model(path: str | os.PathLike[str]) -> Autoencoder:
    """Load a .keras file.

    Raises:
        ValueError: where it is missing, truncated, no model of the zoo, or needs a plugin that is not
            there.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> model.save("model.keras")
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> np.array_equal(zoo.load_model("model.keras").encode(x), model.encode(x))
        True
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"There is no model {str(path)!r}. Name a .keras file; a run writes its own when it ends."
        )
    try:
        model = keras.saving.load_model(path)
    except Exception as error:  # a damaged archive fails in many ways
        raise ValueError(f"Cannot load the model {str(path)!r}: {error}") from error
    if not isinstance(model, Autoencoder):
        raise ValueError(f"{str(path)!r} holds a {type(model).__name__}, which is no Autoencoder.")
    return model


def write_artefacts(
    folder: RunFolder,
    model: Autoencoder,
    config: RunConfig,
    data: Data,
    held_out: Data,
    history: dict[str, list[float]],
    export: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Evaluate a trained model on held-out data, and write figures, SavedModel, report and metrics.

    Args:
        folder: the run folder; config.json is there already.
        model: the trained model.
        config: the run's settings.
        data: what it was trained on.
        held_out: what it was not.
        history: term -> values by epoch.
        export: whether to write the SavedModel.
        say: told of every stage as it begins.

    Returns:
        What metrics.json holds: group -> metric -> value.
    """
    from zoo.visualization import draw, figures_for, save_figures, write_report

    say("evaluation")
    metrics = measure(model, data, held_out, config.seed)
    say("figures")
    drawn = figures_for(
        model,
        held_out.inputs,
        labels=held_out.labels,
        factors=held_out.factors,
        factor_names=held_out.factor_names or None,
        history=history,
        seed=config.seed,
        tsne=True,
        animate=True,
    )
    figures = draw(drawn)
    save_figures(folder.figures, figures)
    if export:
        say("export")
        try:
            model.export(folder.saved_model)
        except ValueError as error:  # what was measured is worth keeping all the same
            warnings.warn(f"The model is not exported: {error}", stacklevel=2)
    content = read_json(folder.config, "The run's configuration")
    write_report(
        folder.report,
        title=f"{config.model} on {held_out.name}",
        objective=model.formula,
        config=content,
        history=history,
        metrics=metrics,
        figures=figures,
        next_steps=next_steps(folder),
    )
    write_json(folder.metrics, metrics)
    return metrics


def measure(model: Autoencoder, data: Data, held_out: Data, seed: int) -> dict[str, Any]:
    """The terms of the loss, and every metric that the data allow, on held-out data.

    Args:
        model: the model.
        data: what it was trained on; probes are fitted to it.
        held_out: what is measured.
        seed: of every draw.

    Returns:
        group -> metric -> value, the group "loss" first.
    """
    from zoo.evaluation import evaluate

    terms = model.evaluate(held_out, verbose=0, return_dict=True)
    probed = data.take(slice(_PROBED_ROWS))
    scores = evaluate(model, held_out, x_train=probed, seed=seed, verbose=False)
    ordered = [name for name in model.term_names if name in terms]
    return {"loss": {name: float(terms[name]) for name in ordered}, **_plain(scores)}


def next_steps(folder: RunFolder) -> list[tuple[str, str]]:
    """What to do with a finished run: a text and a command each."""
    path = folder.path
    return [
        ("Measure it again", f"python launch.py evaluate --run_dir={path}"),
        ("Export it for serving", f"python launch.py export --run_dir={path} --output=exported"),
        ("Compare it with another run", f"python launch.py compare {path} ANOTHER_RUN"),
        ("Train another model", "python launch.py train --model=vae --dataset=digits"),
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value
