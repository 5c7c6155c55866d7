"""GEN-M2: digits of which few have labels (Kingma et al. 2014, table 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.autoencoder import Autoencoder
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.training import (
    BATCH,
    QUIET,
    falling,
    labels_of,
    mnist,
    start_at_frequencies,
    train,
    unit,
)
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import panels, styled

CLASSES = 10
COUNTS = (100, 1000, 3000)
# Of the rows of a batch, which without it would hold one labelled row in several hundred. A row without a
# label gains nothing by a decoder that reads it: log 10 less the entropy of q(y|x) is what the digit costs in
# z, too. So labelled rows alone teach the decoder to read the label.
LABELLED = 0.5
RATE = 3e-3
# Digits of the training set behind the examples, whose labels choose the weight of the classification.
HELD_OUT = 1000
# Of the paper's figures, those of M2 and M1+M2 for 100 and 1,000 labels were compared with what others quote
# from it (github.com/Response777/Semi-supervised-VAE, github.com/jonemeth/generative-models); those for 3,000
# and the network's are from memory.
PAPER = {
    "network": (25.81, 10.70, 6.04),
    "m2": (11.97, 3.60, 3.92),
    "m1_m2": (3.33, 2.40, 2.18),
}


def some_labels(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Rows that keep their labels, as many of each class, (count,)."""
    rng = np.random.default_rng(seed)
    each = count // CLASSES
    rows = [rng.permutation(np.flatnonzero(labels == k))[:each] for k in range(CLASSES)]
    return np.concatenate(rows)


def with_few(
    x: np.ndarray, labels: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Rows without labels, and those with one as often as makes them half.

    Returns:
        x, labels (-1 for none), and the share of rows with a label.
    """
    without = np.delete(np.arange(len(x)), rows)
    again = np.resize(rows, max(len(rows), round(LABELLED / (1 - LABELLED) * len(without))))
    order = np.concatenate([without, again])
    known = np.concatenate([np.full(len(without), -1), labels[again]])
    return x[order], known, len(again) / len(order)


def semi_supervised(
    x: np.ndarray,
    labels: np.ndarray,
    rows: np.ndarray,
    *,
    epochs: int,
    weight: float,
    seed: int,
    **options: Any,
) -> Autoencoder:
    """M2, trained. `weight` is that of the classification in the mean over all rows, 0.1 in the paper."""
    examples, known, share = with_few(x, labels, rows)
    model = zoo.create(
        "semi_supervised_vae", x.shape[1:], latents=50, weight=weight / share, seed=seed, **options
    )
    if len(x.shape) > 2:
        start_at_frequencies(model, x)
    epochs = max(
        1, round(epochs * len(x) / len(examples))
    )  # as many steps for every number of labels
    rate = falling(RATE, epochs, len(examples))
    train(model, examples, beside=known, epochs=epochs, learning_rate=rate)
    return model


def chosen(
    x: np.ndarray,
    labels: np.ndarray,
    rows: np.ndarray,
    held_out: tuple[np.ndarray, np.ndarray],
    weights: Sequence[float],
    **options: Any,
) -> tuple[Autoencoder, float]:
    """The M2 of the weight with the smallest error on held-out labels, and the weight."""
    models = [semi_supervised(x, labels, rows, weight=weight, **options) for weight in weights]
    errors = [float(np.mean(model.cluster(held_out[0]) != held_out[1])) for model in models]
    best = int(np.argmin(errors))
    return models[best], weights[best]


def network(x: np.ndarray, labels: np.ndarray, hidden: int, steps: int, seed: int) -> keras.Model:
    """The classifier of M2 by itself, trained on the labelled rows alone."""
    keras.utils.set_random_seed(seed)
    layers = [
        keras.layers.Flatten(data_format="channels_last"),
        keras.layers.Dense(hidden, activation="relu"),
        keras.layers.Dense(CLASSES, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile("adam", "sparse_categorical_crossentropy")
    epochs = max(1, steps * BATCH // len(x))
    model.fit(x, labels, batch_size=BATCH, epochs=epochs, verbose=QUIET)
    return model


def run(
    seed: int,
    sources: Sources,
    *,
    labels: Sequence[int],
    examples: int,
    epochs: int,
    stacked_epochs: int,
    hidden: int,
    weight: Sequence[float],
    stacked_weight: Sequence[float],
) -> Outcome:
    """Train a classifier, M2, and M2 on the codes of a VAE (M1), with some labels.

    The weights of the classification are chosen by 1,000 further labels, of digits outside the training.

    Args:
        seed: of the models, and of the rows that keep their labels.
        sources: of MNIST.
        labels: how many rows have one.
        examples: of the training set; 50,000 in the paper.
        epochs: of M1 and of M2; about 3,000 in the paper.
        stacked_epochs: of the M2 on codes.
        hidden: units of M2's hidden layer; 500 in the paper.
        weight: of M2's classification in the mean over all rows, to choose from; 0.1 in the paper.
        stacked_weight: those of the M2 on codes.

    Returns:
        ``network/<labels>``, ``m2/<labels>`` and ``m1_m2/<labels>``, errors on the test digits in per cent;
        ``weight/<labels>`` and ``stacked_weight/<labels>``, what was chosen for M2 and for M1+M2; and
        ``reads/<labels>``, how far M2's generated pixels differ between labels, over how far they differ
        between styles: 0 where the decoder does not read the label.
    """
    source, test = mnist("train", sources, examples + HELD_OUT), mnist("test", sources)
    x, known = unit(source)[:examples], labels_of(source)[:examples]
    spare, spared = unit(source)[examples:], labels_of(source)[examples:]
    fresh, truth = unit(test), labels_of(test)
    m1 = zoo.create("vae", (28, 28, 1), latents=50, hidden=(600, 600), seed=seed)
    start_at_frequencies(m1, x)
    train(m1, x, epochs=epochs, learning_rate=falling(1e-3, epochs, len(x)))
    codes = m1.encode(x)
    scale = codes.std(axis=0).max()
    codes, spare_codes, fresh_codes = (
        z / scale for z in (codes, m1.encode(spare), m1.encode(fresh))
    )
    shared: dict[str, Any] = {"seed": seed, "hidden": (hidden,)}
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {}

    def judge(row: str, count: int, found: np.ndarray) -> None:
        measures[f"{row}/{count}"] = 100 * float(np.mean(found != truth))

    for count in labels:
        rows = some_labels(known, count, seed)
        alone = network(x[rows], known[rows], hidden, 2000 * epochs // 50 + 20, seed)
        judge("network", count, alone.predict(fresh, verbose=QUIET).argmax(axis=1))
        m2, best = chosen(x, known, rows, (spare, spared), weight, epochs=epochs, **shared)
        judge("m2", count, m2.cluster(fresh))
        stacked, stacked_best = chosen(
            codes,
            known,
            rows,
            (spare_codes, spared),
            stacked_weight,
            epochs=stacked_epochs,
            likelihood={"name": "normal", "scale": "learned"},
            **shared,
        )
        judge("m1_m2", count, stacked.cluster(fresh_codes))
        measures |= {f"weight/{count}": best, f"stacked_weight/{count}": stacked_best}
        style = [m2.generate(CLASSES, seed=seed, label=k) for k in range(CLASSES)]
        spread = [float(np.std(style, axis=axis).mean()) for axis in (0, 1)]
        measures[f"reads/{count}"] = spread[0] / spread[1]
        arrays[f"styles/{count}"] = np.concatenate(style)
    return Outcome(measures, arrays)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """What M2 generates: a row for each label, a column for each style."""
    figure, axes = panels(len(arrays), 3, 2.2)
    for place, (name, pictures) in zip(axes, arrays.items(), strict=True):
        show_mosaic(place, pictures[..., 0], CLASSES, (0, 1))
        place.set_title(f"{name.split('/')[1]} labels")
    return {"styles": figure}


def _paper(row: str) -> str:
    return ", ".join(f"{value:.2f} %" for value in PAPER[row])


def _errors(row: str) -> tuple[str, ...]:
    return tuple(f"{row}/{count}" for count in COUNTS)


EXPERIMENTS = (
    Experiment(
        id="GEN-M2",
        paper="generative",
        title="Digits of which few have labels",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "M2 has a smaller error than its classifier by itself, at 100, 1,000 and 3,000 labels",
                lambda m: all(m[f"m2/{n}"] < m[f"network/{n}"] for n in COUNTS),
                (*_errors("network"), *_errors("m2")),
                f"{_paper('network')}; {_paper('m2')}",
            ),
            Claim(
                "M1+M2 has a smaller error than M2",
                lambda m: all(m[f"m1_m2/{n}"] < m[f"m2/{n}"] for n in COUNTS),
                (*_errors("m2"), *_errors("m1_m2")),
                f"{_paper('m2')}; {_paper('m1_m2')}",
            ),
            Claim(
                "M1+M2 has an error of at most 3.33 % with 100 labels",
                lambda m: m["m1_m2/100"] <= 3.33,
                ("m1_m2/100",),
                "3.33 %",
            ),
        ),
        quick={
            "labels": [100, 1000, 3000],
            "examples": 5000,
            "epochs": 4,
            "stacked_epochs": 20,
            "hidden": 100,
            "weight": [10.0],
            "stacked_weight": [10.0],
        },
        full={
            "labels": [100, 1000, 3000],
            "examples": 50_000,
            "epochs": 100,
            "stacked_epochs": 200,
            "hidden": 500,
            "weight": [0.1, 1.0, 10.0],
            "stacked_weight": [0.1, 1.0, 10.0],
        },
    ),
)
