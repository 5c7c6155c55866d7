"""The pictures on the pages of models: what each makes of some data after a short training.

python -m website.pictures            all models, some seconds each
python -m website.pictures vae iwae   these
"""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

import zoo
from website.reference import PICTURE_OPTIONS, PICTURES, own
from zoo.recipes import dictionaries

FOLDER = Path(__file__).parents[1] / "docs" / PICTURES
COLUMNS = 12
LARGE = 8  # times that networks for 64x64 pictures get a digit enlarged
DICTIONARIES = ("_sae", "sparse_dictionary")


class Trained(NamedTuple):
    """A model and what it is shown."""

    model: Any
    x: np.ndarray


def digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Digits and their labels."""
    data = zoo.data.load("digits", split)
    return data.inputs, np.asarray(data.labels)


def trained(
    name: str,
    x: np.ndarray,
    y: Any = None,
    epochs: int = 80,
    rate: float = 2e-3,
    start: bool = False,
    **options: Any,
) -> Any:
    """A model after some thousand steps on x, small where its options allow; `start` is of dictionaries."""
    known = zoo.models.options(name)
    small = (
        {"hidden": (256,)} if known.get("hidden", ()) is None and known["networks"] == "mlp" else {}
    )
    model = zoo.create(
        name, x.shape[1:], seed=0, **{**small, **PICTURE_OPTIONS.get(name, {}), **options}
    )
    model.compile(zoo.trainer.Adam(rate))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the short training
        if start:
            dictionaries.start(model, x, verbose=False)
        model.fit(x, y, epochs=epochs, batch_size=64, verbose=0)
    return model


def of_digits(name: str) -> list[tuple[str, np.ndarray]]:
    """Digits, reconstructions, and new ones or, of a sparse dictionary, atoms."""
    x, _ = digits("train")
    shown = digits("test")[0][:COLUMNS]
    if any(mark in name for mark in DICTIONARIES):
        x, shown = x.reshape(len(x), -1), shown.reshape(len(shown), -1)  # atoms of whole pictures
        few = {"target_l0": 8} if "target_l0" in zoo.models.options(name) else {}
        model = trained(name, x, start=True, latents=64, **few)
        codes = model.encode(x)
        often = np.argsort(-(codes != 0).mean(axis=0))[:COLUMNS]
        atoms = model.decode(np.eye(codes.shape[1], dtype="float32")[often])
        atoms = atoms - model.decode(np.zeros((1, codes.shape[1]), "float32"))
        return [("data", shown), ("model", model.reconstruct(shown)), ("atoms", atoms)]
    model = trained(name, x)
    return [("data", shown), ("model", model.reconstruct(shown)), *_new(model)]


def _new(model: Any) -> list[tuple[str, np.ndarray]]:
    """New examples, where the model has a prior to draw their codes from.

    The prior of the L_P autoencoder is its penalty's; its codes lie far from where that draws.
    """
    if model.prior is None or any(term.name == "lp_norm" for term in model.regularizers):
        return []
    return [("new", model.generate(COLUMNS, seed=0))]


def of_large_digits(name: str) -> list[tuple[str, np.ndarray]]:
    """For networks that are made for pictures of 64x64, of which a step takes a second."""
    x, shown = (
        np.kron(each, np.ones((1, LARGE, LARGE, 1), "float32"))
        for each in (digits("train")[0][:512], digits("test")[0][:COLUMNS])
    )
    none = (
        np.full(len(x), -1) if name == "dc_ign" else None
    )  # digits have no factors that are known
    model = trained(name, x, none, epochs=20, rate=1e-3)
    rows = [("data", shown), ("model", model.reconstruct(shown)), *_new(model)]
    return [(label, row[:, LARGE // 2 :: LARGE, LARGE // 2 :: LARGE]) for label, row in rows]


def of_classes(name: str) -> list[tuple[str, np.ndarray]]:
    """New digits of each class; a semi-supervised model knows one label in ten."""
    x, labels = digits("train")
    shown, of_shown = (each[:COLUMNS] for each in digits("test"))
    classes = np.arange(COLUMNS) % 10
    if name == "semi_supervised_vae":
        known = np.where(np.arange(len(labels)) % 10 == 0, labels, -1)
        model = trained(name, x, known, latents=10)
        again, word = model.reconstruct(shown), "label"
    else:
        model = trained(name, x, labels)
        again, word = model.reconstruct(shown, condition=of_shown), "condition"
    new = [model.generate(1, seed=7, **{word: int(c)})[0] for c in classes]
    return [("data", shown), ("model", again), ("0 to 9, 0, 1", np.stack(new))]


def of_pairs(name: str) -> list[tuple[str, np.ndarray]]:
    """Pairs of digits of one class."""
    x, labels = digits("train")
    random = np.random.default_rng(0)
    partners = np.empty(len(x), np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        partners[rows] = random.permutation(rows)
    model = trained(name, x, x[partners])
    shown = digits("test")[0][:COLUMNS]
    return [("data", shown), ("model", model.reconstruct(shown)), *_new(model)]


def of_layers(name: str) -> list[tuple[str, np.ndarray]]:
    """A dictionary between layers: digits stand for one layer, mirrored ones for the other."""
    x, shown = digits("train")[0], digits("test")[0][:COLUMNS]
    first, second, given, wanted = (
        each.reshape(len(each), 64) for each in (x, x[:, :, ::-1], shown, shown[:, :, ::-1])
    )
    if name == "crosscoder":
        model = trained(name, np.stack([first, second], axis=1), latents=64)
        again = model.reconstruct(np.stack([given, wanted], axis=1))
        return [
            *[("first layer", given), ("second layer", wanted)],
            *[("first, model", again[:, 0]), ("second, model", again[:, 1])],
        ]
    model = trained(name, first, second, latents=64, target_shape=(64,), target_l0=8)
    return [("layer", given), ("target", wanted), ("model", model.reconstruct(given))]


def of_noisy(name: str) -> list[tuple[str, np.ndarray]]:
    """Digits of which a pixel in five is missing, and what the model makes of them."""
    shown = digits("test")[0][:COLUMNS]
    noisy = shown * (np.random.default_rng(0).random(shown.shape) >= 0.2).astype("float32")
    model = trained(name, digits("train")[0])
    return [("data", shown), ("noisy", noisy), ("model", model.reconstruct(noisy))]


def of_templates(name: str) -> list[tuple[str, np.ndarray]]:
    """The set of its paper: sums of two templates."""
    data = zoo.data.load("two_templates", n=2000)
    model = trained(name, data.inputs)
    shown = data.inputs[:COLUMNS]
    return [("data", shown), ("model", model.reconstruct(shown)), *_new(model)]


MAKERS: dict[str, Callable[[str], list[tuple[str, np.ndarray]]]] = {
    **dict.fromkeys(("beta_vae_chairs", "beta_vae_shapes", "dc_ign"), of_large_digits),
    **dict.fromkeys(("conditional_vae", "semi_supervised_vae"), of_classes),
    **dict.fromkeys(("crosscoder", "transcoder"), of_layers),
    "ada_gvae": of_pairs,
    "denoising_autoencoder": of_noisy,
    "two_template_vae": of_templates,
}


def picture(name: str) -> Figure:
    """Train a model for a few seconds, and draw what it gives."""
    if name == "uniform_to_gaussian_vae":
        return _plane(name)
    return drawn(MAKERS.get(name, of_digits)(name))


def drawn(rows: Sequence[tuple[str, np.ndarray]]) -> Figure:
    """Rows of grey pictures, ink on white, the name of each at its left.

    Atoms have both signs: white is 0, dark what an atom adds, and what it takes away is left white.
    """
    figure = Figure(figsize=(6.4, 0.5 * len(rows)))
    axes = figure.subplots(len(rows), COLUMNS, squeeze=False)
    for places, (label, pictures) in zip(axes, rows, strict=True):
        pictures = np.asarray(pictures)
        side = int(np.sqrt(pictures[0].size))
        top = 1.0 if label != "atoms" else float(np.abs(pictures).max()) or 1.0
        places[0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
        for place, image in zip(places, pictures, strict=True):
            place.imshow(image.reshape(side, side), cmap="gray_r", vmin=0, vmax=top)
    for place in axes.flat:
        place.set(xticks=[], yticks=[])
        place.spines[:].set_color("#cccccc")
    figure.subplots_adjust(left=0.15, right=0.995, top=0.98, bottom=0.02, wspace=0.08, hspace=0.1)
    return figure


def _plane(name: str) -> Figure:
    """Points of the unit square, their codes, and new points."""
    data = zoo.data.load("uniform_square", n=2000)
    model = trained(name, data.inputs, epochs=60, beta=0.005)
    figure = Figure(figsize=(6.4, 2.2), layout="constrained")
    points, labels = data.inputs[:600], np.asarray(data.labels)[:600]
    shown = [("data", points), ("code", model.encode(points))]
    shown.append(("new", model.generate(600, seed=0)))
    for place, (label, points) in zip(figure.subplots(1, 3), shown, strict=True):
        place.scatter(*points.T, s=2, c=labels if label != "new" else "#777777")
        place.set_title(label, fontsize=8)
        place.tick_params(labelsize=6)
    return figure


def _save(figure: Figure, path: Path) -> None:
    """As a PNG of 64 colours, which is a third of the size."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=110)
    Image.open(buffer).convert("RGB").quantize(64).save(path, optimize=True)


def main(names: list[str]) -> None:
    """Draw those that are named, or all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or own("model"):
        _save(picture(name), FOLDER / f"{name}.png")
        print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
