"""SD-VIS: sparse dictionaries of what a convolutional network makes of sprites, whose factors are known."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import PCA

import zoo
from zoo.data import sprites
from zoo.data.activations import record
from zoo.evaluation.dictionary import correlations, matched, tally
from zoo.evaluation.splicing import attach
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.training import QUIET, train
from zoo.recipes.dictionaries import start
from zoo.visualization.drawing.style import SEQUENTIAL, styled

LAYER = "middle"
# Factor -> its column in the sprites' factors and the number of classes that the network tells apart.
# Orientation is left out: a square and an ellipse look the same after a part of a turn.
FACTORS = {"shape": (0, 3), "scale": (1, 6), "x": (3, 8), "y": (4, 8)}
DICTIONARIES = ("top_k", "batch_top_k", "matryoshka")
METHODS = (*DICTIONARIES, "neurons", "pca", "k_means")
COLUMNS = ("mcc", *(f"mcc_{factor}" for factor in FACTORS))


def classes(indices: np.ndarray) -> dict[str, np.ndarray]:
    """The class of every sprite in each factor, (n,) each; positions are cut in eighths.

    Example:
        >>> from zoo.experiments.dictionaries.sprites import classes
        >>> {name: int(values[0]) for name, values in classes(np.array([737_279])).items()}
        {'shape': 2, 'scale': 5, 'x': 7, 'y': 7}
    """
    factors = sprites.factors_of(indices)
    sizes = sprites.FACTOR_SIZES
    return {
        name: factors[:, column] * count // sizes[column]
        for name, (column, count) in FACTORS.items()
    }


def network(width: int) -> keras.Model:
    """Three convolutions and a dense layer, which is taken apart, under one classifier a factor."""
    layers: Any = keras.layers
    inputs = keras.Input((sprites.SIZE, sprites.SIZE, 1))
    hidden = layers.Rescaling(1 / 255)(inputs)
    for filters in (16, 32, 32):
        hidden = layers.Conv2D(filters, 4, 2, "same", activation="relu")(hidden)
    hidden = layers.Dense(width, activation="relu", name=LAYER)(layers.Flatten()(hidden))
    logits = [layers.Dense(count, name=name)(hidden) for name, (_, count) in FACTORS.items()]
    return keras.Model(inputs, layers.Concatenate()(logits))


def cross_entropy(logits: Any, labels: np.ndarray) -> float:
    """The sum over the factors of -log p(class), mean over examples; labels as 0 and 1, all factors'."""
    total, first = 0.0, 0
    for _, count in FACTORS.values():
        part = np.asarray(logits, np.float64)[:, first : first + count]
        part = part - part.max(axis=1, keepdims=True)
        logs = part - np.log(np.exp(part).sum(axis=1, keepdims=True))
        total -= float((logs * labels[:, first : first + count]).sum(axis=1).mean())
        first += count
    return total


def _loss(labels: Any, logits: Any) -> Any:
    losses, first = [], 0
    for _, count in FACTORS.values():
        cut = slice(first, first + count)
        losses.append(
            keras.losses.categorical_crossentropy(labels[:, cut], logits[:, cut], from_logits=True)
        )
        first += count
    return sum(losses)


def run(
    seed: int,
    sources: Sources,
    *,
    examples: int,
    epochs: int,
    width: int,
    atoms: int,
    active: int,
    passes: int,
    points: int,
) -> Outcome:
    """Train the network, then dictionaries of its last hidden layer, beside other ways to find directions.

    Args:
        seed: of sprites, network and dictionaries.
        sources: unused, the sprites are rendered.
        examples: sprites to train on.
        epochs: passes of the network over them.
        width: units of the layer that is taken apart.
        atoms: of a dictionary; as many clusters has k-means.
        active: the L0 that is asked for.
        passes: of a dictionary over the activations.
        points: fresh sprites to measure on.

    Returns:
        For each method the mean |correlation| of the best one-to-one pairs of units and values of factors, of
        all and of each factor, 0 for a value for which no unit is left; for dictionaries also the share of
        variance explained, L0 and the share of the network's loss recovered.
    """
    del sources
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(sprites.COUNT)[: examples + points]
    x, labels = sprites.render(chosen), _indicators(classes(chosen))
    taken = network(width)
    taken.compile("adam", _loss)
    taken.fit(x[:examples], labels[:examples], batch_size=128, epochs=epochs, verbose=QUIET)
    with tempfile.TemporaryDirectory() as folder:
        rows = np.array(record(taken, LAYER, x[:examples], folder, "float32", verbose=False).inputs)
    fresh, truth = x[examples:], labels[examples:]
    inner = np.asarray(attach(taken, LAYER, None).activations(fresh))
    logits = taken.predict(fresh, verbose=QUIET)
    measures: dict[str, float] = {
        "asked_l0": float(active),
        **{f"accuracy_{k}": v for k, v in _accuracies(logits, truth).items()},
    }
    pca = PCA(min(width, truth.shape[1])).fit(rows)
    means: Any = MiniBatchKMeans  # whose stubs know "auto" only
    k_means = means(atoms, n_init=3, random_state=seed)
    codes = {
        "neurons": inner,
        "pca": pca.transform(inner),
        "k_means": np.eye(atoms)[k_means.fit(rows).predict(inner)],
    }
    for name in DICTIONARIES:
        model = zoo.create(f"{name}_sae", (width,), latents=atoms, target_l0=active, seed=seed)
        start(model, rows, verbose=False)
        train(model, rows, epochs=passes, batch_size=256)
        codes[name] = model.encode(inner)
        scores: Any = tally(model, inner, top=0).scores()
        measures[f"{name}/explained"] = float(scores["explained_variance"])
        measures[f"{name}/l0"] = float(scores["dictionary_l0"])
        spliced = attach(taken, LAYER, model)
        measures[f"{name}/recovered"] = spliced.loss_recovered(
            fresh, lambda logits: cross_entropy(logits, truth)
        )
    arrays: dict[str, Any] = {}
    for name in METHODS:
        found = np.abs(correlations(codes[name], truth))  # (units, values)
        measures |= {f"{name}/{key}": value for key, value in _matches(found).items()}
        arrays[f"{name}/best"] = found.max(axis=0)
    shown = np.abs(correlations(codes["matryoshka"], truth))
    units = shown.argmax(axis=0)  # the one that follows each value best
    arrays["correlation"] = shown[units]
    top = np.argsort(-codes["matryoshka"][:, units], axis=0, kind="stable")[:6]
    arrays["top"] = fresh[top.T]
    return Outcome(measures, arrays)


def _indicators(found: Mapping[str, np.ndarray]) -> np.ndarray:
    """(n, values) float32: 1 for the class of each factor."""
    parts = [np.eye(count)[found[name]] for name, (_, count) in FACTORS.items()]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _spans() -> dict[str, slice]:
    """Where each factor's values are."""
    edges = np.cumsum([0, *(count for _, count in FACTORS.values())])
    return {name: slice(*edges[i : i + 2]) for i, name in enumerate(FACTORS)}


def _matches(correlation: np.ndarray) -> dict[str, float]:
    """The match of all values with units, and of the values of each factor; (units, values)."""

    def match(part: np.ndarray) -> float:  # a value for which no unit is left counts as 0
        return matched(part.T) * min(part.shape) / part.shape[1]

    found = {"mcc": match(correlation)}
    return found | {f"mcc_{name}": match(correlation[:, s]) for name, s in _spans().items()}


def _accuracies(logits: Any, truth: np.ndarray) -> dict[str, float]:
    return {
        name: float(np.mean(logits[:, s].argmax(axis=1) == truth[:, s].argmax(axis=1)))
        for name, s in _spans().items()
    }


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """How closely the best unit follows each value of a factor; what makes the followers fire."""
    names = [f"{name} {i}" for name, (_, count) in FACTORS.items() for i in range(count)]
    followed = Figure(figsize=(8, 2.6))
    place = followed.subplots()
    table = np.array([arrays[f"{name}/best"] for name in METHODS])
    image = place.imshow(table, cmap=SEQUENTIAL, vmin=0, vmax=1, aspect="auto")
    place.set_yticks(range(len(METHODS)), [name.replace("_", " ") for name in METHODS])
    place.set_xticks(range(len(names)), names, rotation=90)
    place.set_title("|correlation| of each value with the unit that follows it best")
    followed.colorbar(image, ax=place)
    pictures = Figure(figsize=(8, 8))
    shown, axes = arrays["top"], pictures.subplots(9, 3).ravel()
    for index, place in enumerate(axes):
        place.axis("off")
        if index < len(names):
            row = np.concatenate([*shown[index, :, :, :, 0]], axis=1)
            place.imshow(row, cmap="gray", vmin=0, vmax=255)
            most = arrays["correlation"][index].max()
            own = arrays["correlation"][index, index]
            place.set_title(
                f"{names[index]}: {own:.2f}" + (" (another more)" if own < most else "")
            )
    return {"followed": followed, "top_examples": pictures}


CLAIMS = (
    Claim(
        "Units of every dictionary follow values of factors more closely than PCA and k-means do",
        lambda m: min(m[f"{n}/mcc"] for n in DICTIONARIES) > max(m["pca/mcc"], m["k_means/mcc"]),
        tuple(f"{n}/mcc" for n in (*DICTIONARIES, "pca", "k_means")),
    ),
    Claim(
        "And than the layer's own units",
        lambda m: min(m[f"{n}/mcc"] for n in DICTIONARIES) > m["neurons/mcc"],
        tuple(f"{n}/mcc" for n in (*DICTIONARIES, "neurons")),
    ),
    Claim(
        "Every dictionary has the L0 that was asked for, within 5 %, on fresh sprites",
        lambda m: all(abs(m[f"{n}/l0"] / m["asked_l0"] - 1) < 0.05 for n in DICTIONARIES),
        tuple(f"{n}/l0" for n in DICTIONARIES),
    ),
    Claim(
        "In the layer's place they keep nine tenths of what the network knows",
        lambda m: min(m[f"{n}/recovered"] for n in DICTIONARIES) > 0.9,
        tuple(f"{n}/recovered" for n in DICTIONARIES),
    ),
)
_SHARED = {"atoms": 128, "active": 6}
_QUICK = {"examples": 20_000, "epochs": 4, "passes": 20, "points": 5000, **_SHARED}
_FULL = {"examples": 60_000, "epochs": 8, "passes": 30, "points": 10_000, **_SHARED}


EXPERIMENTS = (
    Experiment(
        id="SD-VIS",
        paper="sparse_dictionaries",
        title="A convolutional network on sprites, taken apart",
        run=run,
        draw=draw,
        claims=CLAIMS,
        quick={**_QUICK, "width": 64},
        full={**_FULL, "width": 64},
    ),
    Experiment(
        id="SD-VIS-16",
        paper="sparse_dictionaries",
        title="The same, where the layer has fewer units than there are values",
        run=run,
        draw=draw,
        claims=CLAIMS,
        quick={**_QUICK, "width": 16},
        full={**_FULL, "width": 16},
    ),
)
