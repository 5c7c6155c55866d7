"""The sets of the leaderboard: what is trained on, and what is measured on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import zoo
from zoo.data import sprites as shapes
from zoo.data.loading import Data
from zoo.experiments.experiment import Sources
from zoo.experiments.training import labels_of, mnist, unit


class Set(NamedTuple):
    """Rows to train on and rows to measure on.

    Attributes:
        x: (n, *event) float32, to train on.
        fresh: (m, *event), to measure on.
        labels: (n,) classes of x, or None.
        classes: (m,) those of fresh, or None.
        factors: (m, factors) factors of variation of fresh, or None.
        real: whether values lie on the whole line, so that the likelihood is Normal; else in [0, 1].
        natural: whether new examples can be told from old ones by a classifier of the labels.
    """

    x: np.ndarray
    fresh: np.ndarray
    labels: np.ndarray | None = None
    classes: np.ndarray | None = None
    factors: np.ndarray | None = None
    real: bool = False
    natural: bool = False


def _labelled(train: Data, test: Data) -> Set:
    return Set(unit(train), unit(test), labels_of(train), labels_of(test), natural=True)


def digits(seed: int, sources: Sources, rows: int) -> Set:
    """Scikit-learn's 1,797 digits of 8 x 8."""
    del seed, sources, rows
    return _labelled(zoo.data.load("digits"), zoo.data.load("digits", "test"))


def handwritten(seed: int, sources: Sources, rows: int) -> Set:
    """MNIST, the first `rows` digits and 2,000 test digits."""
    del seed
    return _labelled(mnist("train", sources, rows), mnist("test", sources, 2000))


def natural(seed: int, sources: Sources, rows: int) -> Set:
    """Grey crops of 12 x 12 of CIFAR-10, or of a folder of colour pictures."""
    place = {"path": sources.pictures} if sources.pictures else {}
    folders = {"data_dir": sources.data_dir, "manual_dir": sources.manual_dir}
    train, test = (
        zoo.data.load("cifar10_patches", split, limit=limit, seed=seed, **place, **folders)
        for split, limit in (("train", rows), ("test", 2000))
    )
    return Set(unit(train), unit(test))


def sprites(seed: int, sources: Sources, rows: int) -> Set:
    """Random sprites at half of their size, 32 x 32, with their five factors."""
    del sources
    chosen = np.random.default_rng(seed).permutation(shapes.COUNT)[: rows + 5000]
    whole = shapes.render(chosen).astype(np.float32) / shapes.render(chosen[:1]).max()
    half = whole.reshape(len(chosen), 32, 2, 32, 2, 1).mean(axis=(2, 4))
    return Set(half[:rows], half[rows:], factors=shapes.factors_of(chosen[rows:]))


def bases(seed: int, sources: Sources, rows: int) -> Set:
    """Patches of 5 x 5 that mix five basis functions (Pyle, section 3)."""
    del sources
    train, test = (
        zoo.data.load("basis_patches", split, n=n, seed=seed)
        for split, n in (("train", rows), ("test", 2000))
    )
    return Set(train.inputs, test.inputs, real=True)


def table(seed: int, sources: Sources, rows: int) -> Set:
    """Scikit-learn's table of 569 tumours with 30 numbers each, standardised; a quarter is held out."""
    from sklearn.datasets import load_breast_cancer

    del sources, rows
    whole: Any = load_breast_cancer()
    order = np.random.default_rng(seed).permutation(len(whole.data))
    x, labels = whole.data[order], whole.target[order]
    cut = len(x) * 3 // 4
    x = ((x - x[:cut].mean(axis=0)) / x[:cut].std(axis=0)).astype(np.float32)
    return Set(x[:cut], x[cut:], labels[:cut], labels[cut:], real=True)


SETS: dict[str, Callable[[int, Sources, int], Set]] = {
    "mnist": handwritten,
    "sprites": sprites,
    "table": table,
    "digits": digits,
    "bases": bases,
    "cifar": natural,
}
