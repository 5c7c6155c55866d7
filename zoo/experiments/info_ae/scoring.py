"""What models that cluster digits without labels are measured by, a row of a table for each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from zoo.autoencoder import Autoencoder
from zoo.data import Data
from zoo.evaluation import clustering, merging, unlabelled
from zoo.experiments.experiment import Outcome, Sources
from zoo.experiments.shelf import kept
from zoo.experiments.training import labels_of, mnist
from zoo.visualization.drawing.style import panels, styled

CLASSES = 10
LINKED = 15_000  # training digits that say which clusters lie together
Row = dict[str, float]
# The rows of each experiment but IA-T1: name -> (x, seed=, epochs=) -> a trained model.
Rows = Mapping[str, Callable[..., Autoencoder]]


def score(model: Autoencoder, test: Data, x: np.ndarray, near: Callable[[], np.ndarray]) -> Row:
    """How well a model clusters the test digits.

    Args:
        model: that clusters, into ten classes or more.
        test: digits with labels, which name the clusters.
        x: training digits that `near` is of, for a model of more classes.
        near: () -> (n, k) neighbours of x.

    Returns:
        Test error in % with one-to-one and with majority names, normalised mutual information, and
        ``merged_error``, one-to-one where the clusters are merged to ten classes by what lies next to each
        other in the training set, for a model of more than ten. And two signs of x that need no label,
        of the merged clusters where there are more than ten: ``neighbours`` and ``balance``, see
        `zoo.evaluation.unlabelled`.
    """
    clusters, own = model.cluster(test.inputs), model.cluster(x)
    found: dict[str, Any] = clustering.compare(labels_of(test), clusters)
    row = {
        "error": 100 * (1 - float(found["one_to_one_accuracy"])),
        "majority_error": 100 * (1 - float(found["majority_accuracy"])),
        "nmi": float(found["nmi"]),
    }
    names = names_of(own, near(), getattr(model.prior, "classes", CLASSES))
    if len(names) > CLASSES:
        right = clustering.one_to_one_accuracy(labels_of(test), names[clusters])
        row["merged_error"] = 100 * (1 - right)
    own = names[own]
    row["neighbours"] = unlabelled.neighbour_agreement(own, near())
    row["balance"] = unlabelled.balance(own, CLASSES)
    return row


def names_of(clusters: np.ndarray, near: np.ndarray, total: int) -> np.ndarray:
    """The class of every cluster, by what lies next to each other where there are more than ten.

    Args:
        clusters: (n,) cluster of each example.
        near: (n, k) neighbours of each.
        total: number of clusters, of which some may hold none of these examples.

    Returns:
        (total,) from 0 to 9; 0 for clusters that hold none.
    """
    used = np.unique(clusters)
    if len(used) > CLASSES:
        return merging.absorb_clusters(clusters, near, CLASSES, total)
    names = np.zeros(total, np.int64)
    names[used] = np.arange(len(used))
    return names


def promise(row: Row) -> float:
    """What models are chosen by where no label may be seen: neighbours x balance of a row of `score`.

    Neighbours alone would prefer two kinds of digits in one class; the balance is smaller then.
    """
    return row["neighbours"] * row["balance"]


def best_error(row: Row) -> float:
    """The error of a row of `score`, of merged classes where it has more than ten."""
    return row.get("merged_error", row["error"])


def rank_correlation(criterion: Sequence[float], errors: Sequence[float]) -> float:
    """Spearman's, -1 where the criterion puts all models in the order of their errors."""
    found: Any = spearmanr(criterion, errors)
    return float(found.statistic)


def run_rows(
    seed: int,
    sources: Sources,
    *,
    makes: Rows,
    shown: str = "majority_error",
    **settings: Any,
) -> Outcome:
    """The score of some models, each trained by itself.

    Args:
        seed: of weights, noise and order.
        sources: of MNIST.
        makes: for every row, (x, seed=, epochs=) -> a trained model.
        shown: the error that is drawn; of a row without it, its "error".
        **settings: ``examples``, and the epochs of every row, 0 to leave it out.

    Returns:
        For each row what `score` gives.
    """
    x, test = mnist("train", sources, settings["examples"]).inputs, mnist("test", sources)
    judge = functools.partial(score, test=test, **linked(x))
    rows = {
        row: judge(kept_row(row, make, x, seed, sources, settings[row]))
        for row, make in makes.items()
        if settings[row]
    }
    return Outcome(flat(rows), drawn(rows, shown))


def kept_row(
    row: str,
    make: Callable[..., Autoencoder],
    x: np.ndarray,
    seed: int,
    sources: Sources,
    epochs: int,
) -> Autoencoder:
    """The trained model of a row, from the folder where it is kept if it is there.

    Args:
        row: its name.
        make: (x, seed=, epochs=) -> a trained model.
        x: (n, 28, 28, 1).
        seed: of the model.
        sources: their folder.
        epochs: passes over x.

    Returns:
        The model.
    """
    train = functools.partial(make, x, seed=seed, epochs=epochs)
    return kept(sources.models, f"{row}-{seed}-{epochs}x{len(x)}", train)


def linked(x: np.ndarray) -> dict[str, Any]:
    """What `score` needs to merge clusters: digits, and their neighbours, found when first asked for."""
    some = x[:LINKED]
    return {"x": some, "near": functools.cache(lambda: merging.nearest(some))}


def drawn(rows: Mapping[str, Row], shown: str) -> dict[str, np.ndarray]:
    """What `draw_errors` draws: the measure `shown` of each row, or its "error" where it has none."""
    errors = [[row, values.get(shown, values["error"])] for row, values in rows.items()]
    return {"rows": np.array(errors)}


def flat(rows: Mapping[str, Row]) -> dict[str, float]:
    """The measures "row/name"."""
    return {f"{row}/{name}": value for row, found in rows.items() for name, value in found.items()}


@styled
def draw_errors(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """A bar for each row."""
    names, errors = arrays["rows"][:, 0], arrays["rows"][:, 1].astype(float)
    figure, (axes,) = panels(1, 1, 0.5 + 0.4 * len(names))
    bars = axes.barh(names, errors, color="#0072B2")
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set(xlabel="test error in %, no label used in training")
    axes.margins(x=0.1)  # room for the numbers
    axes.invert_yaxis()
    return {"errors": figure}
