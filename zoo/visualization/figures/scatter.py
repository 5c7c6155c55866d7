"""Codes of data as points: as they are, on their principal components, or by t-SNE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zoo.registry import one_of
from zoo.values import counted
from zoo.visualization.drawing.inputs import as_codes, as_labels, class_name
from zoo.visualization.drawing.style import PALETTE, SEQUENTIAL, WIDTH, class_style, literal, styled
from zoo.visualization.drawing.units import robust_limits

_TSNE_LIMIT = 1000  # points; t-SNE of more takes longer than a reader waits
_CLASSES = 20  # more different labels are read as a quantity
METHODS = ("auto", "pca", "tsne")


@styled
def code_scatter(
    codes: Any,
    labels: Any = None,
    method: str = "auto",
    seed: int = 0,
    names: Sequence[str] | None = None,
) -> Figure:
    """Codes as points of a plane, coloured by label.

    Codes of 1 unit lie on a line, spread at random across it, in a row for each class. Far
    outliers, as a Cauchy posterior has, are left outside of the frame and counted in the title.

    Args:
        codes: (n, units).
        labels: (n,), up to 20 classes, or numbers to show as a colour scale. Optional.
        method: "auto" shows 1 and 2 units as they are and more on their 2 first principal components;
            "pca" and "tsne" ask for those; t-SNE takes 1000 codes at most, drawn by `seed`.
        seed: of the draw, of t-SNE, and of the spread of 1 unit.
        names: the name of each label, where labels are 0, 1, ... Optional.

    Returns:
        A figure; its first axes holds the points.

    Raises:
        ValueError: for an unknown method, labels that do not match, or fewer codes than the method
            needs.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(60, 5))
        >>> figure = zoo.visualization.code_scatter(codes, labels=np.arange(60) % 3, method="pca")
        >>> figure.savefig("codes.png")
    """
    z = as_codes(codes)
    classes = as_labels(labels, len(z))
    one_of(method, "method", METHODS)
    rng = np.random.default_rng(seed)
    if method == "tsne" and len(z) > _TSNE_LIMIT:
        kept = np.sort(rng.choice(len(z), _TSNE_LIMIT, replace=False))
        z, classes = z[kept], None if classes is None else classes[kept]
    if z.shape[1] == 1 and method != "tsne":
        points, axis_names = _line(z, classes, rng), ("unit 0", "")
        title = "one unit, spread at random across"
    else:
        points, axis_names, title = _project(z, method, seed)
    figure = Figure(figsize=(WIDTH, 5.0 if z.shape[1] > 1 else 3.6))
    axes = figure.subplots()
    _points(figure, axes, points, classes, names)
    left, right = robust_limits(points[:, 0])
    low, high = robust_limits(points[:, 1])
    axes.set(xlabel=axis_names[0], ylabel=axis_names[1], xlim=(left, right), ylim=(low, high))
    if z.shape[1] == 2 and 0.25 < (high - low) / (right - left) < 4:
        axes.set_aspect("equal")
    if not axis_names[1]:
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    x, y = points.T
    outside = int(np.sum((x < left) | (x > right) | (y < low) | (y > high)))
    beyond = f", {outside} of them far outside" if outside else ""
    figure.suptitle(f"Codes of {counted(len(z), 'example')}{beyond}: {title}", x=0.01, ha="left")
    return figure


def _line(z: np.ndarray, classes: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    spread = rng.uniform(-0.35, 0.35, len(z))
    if classes is not None and len(np.unique(classes)) <= _CLASSES:
        spread += np.unique(classes, return_inverse=True)[1]
    return np.stack([z[:, 0], spread], axis=1)


def _project(z: np.ndarray, method: str, seed: int) -> tuple[np.ndarray, tuple[str, str], str]:
    if method == "tsne":
        from sklearn.manifold import TSNE
        from threadpoolctl import threadpool_limits

        if len(z) < 4:
            raise ValueError(f"t-SNE needs at least 4 codes; received {len(z)}.")
        perplexity = min(30.0, (len(z) - 1) / 3)
        start = "pca" if np.count_nonzero(z.var(axis=0)) > 1 else "random"
        tsne = TSNE(perplexity=perplexity, init=start, random_state=seed)
        # On a busy machine its many small parallel loops wait for each other fifty times as long.
        with threadpool_limits(1, user_api="openmp"):
            points = tsne.fit_transform(z)
        return points, ("t-SNE 1", "t-SNE 2"), f"t-SNE of {z.shape[1]} units"
    if z.shape[1] == 2 and method == "auto":
        return z, ("unit 0", "unit 1"), "both units"
    from sklearn.decomposition import PCA

    if len(z) < 2:
        raise ValueError(f"Principal components need at least 2 codes; received {len(z)}.")
    with np.errstate(invalid="ignore"):  # the shares that it computes for codes that are all equal
        pca = PCA(2, random_state=seed).fit(z)
    total = z.var(axis=0, ddof=1).sum()
    shares = pca.explained_variance_ / total if total > 0 else np.zeros(2)
    names = [
        f"principal component {i + 1} ({share:.0%} of variance)" for i, share in enumerate(shares)
    ]
    return pca.transform(z), (names[0], names[1]), f"2 components of {z.shape[1]} units"


def _points(
    figure: Figure,
    axes: Axes,
    points: np.ndarray,
    classes: np.ndarray | None,
    names: Sequence[str] | None,
) -> None:
    size = float(np.clip(14000 / len(points), 5, 22))
    if classes is None:
        axes.scatter(*points.T, s=size, color=PALETTE[0], alpha=0.6, linewidths=0)
        return
    known = np.unique(classes)
    if len(known) > _CLASSES:
        values = classes if classes.dtype.kind in "fiub" else np.searchsorted(known, classes)
        drawn = axes.scatter(*points.T, s=size, c=values, cmap=SEQUENTIAL, alpha=0.7, linewidths=0)
        figure.colorbar(drawn, ax=axes, label="label")
        return
    called = [literal(class_name(value, names)) for value in known]
    middles = np.array([np.median(points[classes == value], axis=0) for value in known])
    fontsize = 11 if len(known) <= 10 else 8
    places = _without_overlap(middles, called, points, fontsize)
    for index, (value, name) in enumerate(zip(known, called, strict=True)):
        style = class_style(index)
        own = points[classes == value]
        axes.scatter(*own.T, s=size, alpha=0.65, linewidths=0, label=name, **style)
        # The name at the class's middle tells the classes apart in grey print as well.
        across, up = places[index]
        axes.text(
            across,
            up,
            name,
            color=style["color"],
            fontsize=fontsize,
            fontweight="bold",
            ha="center",
            va="center",
            clip_on=True,
            zorder=5,
            path_effects=[patheffects.withStroke(linewidth=3, foreground="white")],
        )
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1), title="class", markerscale=1.6)


def _without_overlap(
    middles: np.ndarray, names: Sequence[str], points: np.ndarray, fontsize: float
) -> np.ndarray:
    """Places (classes, 2) of the names: each moved up until it covers none that stands already."""
    low, high = np.array([robust_limits(axis) for axis in points.T]).T
    places = (middles - low) / (high - low)  # in widths and heights of the panel
    height, letter = 0.0042 * fontsize, 0.0019 * fontsize
    standing: list[int] = []
    for index in np.argsort(places[:, 1], kind="stable"):
        for other in standing:  # from below upwards
            room = letter * (len(names[index]) + len(names[other]))
            across, up = np.abs(places[index] - places[other])
            if across < room / 2 and up < height:
                places[index, 1] = places[other, 1] + height
        standing = sorted([*standing, int(index)], key=lambda at: places[at, 1])
    return low + places * (high - low)
