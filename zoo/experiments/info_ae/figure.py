"""IA-F2: what the robust InfoAE generates and encodes (Haque et al., figure 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.experiments import digits
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.info_ae import teachers
from zoo.experiments.training import QUIET, labels_of, mnist, unit
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import panels, styled
from zoo.visualization.figures.interpolation import interpolation_codes
from zoo.visualization.figures.scatter import code_scatter

CLASSES, ROWS, STEPS, PATHS = 10, 10, 9, 6


def run_figure(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """Train the robust InfoAE with its teacher and look at what it generates and encodes.

    Args:
        seed: of weights, noise and order.
        sources: of MNIST.
        **settings: as in `zoo.experiments.info_ae.digits.run_table`.

    Returns:
        ``purity``: the mean over the columns of the share of the digit that a supervised judge sees most;
        ``distinct``: how many digits the columns show; ``knn``: accuracy of 5 nearest neighbours of test
        codes among training codes; ``jump``: the largest step of a path in pixels, relative to the path's
        mean step.
    """
    from sklearn.neighbors import KNeighborsClassifier

    train, test = mnist("train", sources, settings["examples"]), mnist("test", sources)
    taught = teachers.taught(train.inputs, seed, settings, sources.models)
    model = teachers.robust_taught(train.inputs, taught, seed, settings, sources.models)
    judge = digits.classifier(unit(train), labels_of(train), seed)
    columns = [model.generate(100, seed=seed, label=label) for label in range(CLASSES)]
    seen = [judge.predict(column, verbose=QUIET).argmax(axis=1) for column in columns]
    most = [np.bincount(column, minlength=CLASSES) for column in seen]
    codes = model.encode(test.inputs)
    known = KNeighborsClassifier(5).fit(
        model.encode(train.inputs[:20_000]), labels_of(train)[:20_000]
    )
    between, within = pairs(labels_of(test), seed)
    paths = {
        name: model.decode(
            interpolation_codes(codes[ends[:, 0]], codes[ends[:, 1]], STEPS).reshape(
                -1, codes.shape[1]
            )
        ).reshape(PATHS, STEPS, *test.inputs.shape[1:])
        for name, ends in (("between", between), ("within", within))
    }
    steps = np.sqrt(
        np.square(np.diff(np.concatenate([*paths.values()]), axis=1)).sum(axis=(2, 3, 4))
    )
    measures = {
        "purity": float(np.mean([counts.max() / counts.sum() for counts in most])),
        "distinct": float(len({int(counts.argmax()) for counts in most})),
        "knn": float(known.score(codes, test.labels)),
        "jump": float((steps.max(axis=1) / steps.mean(axis=1)).mean()),
        "agreement": taught.names.agreement,
    }
    order = np.argsort([counts.argmax() for counts in most], kind="stable")
    grid = np.stack([columns[label][:ROWS] for label in order], axis=1)
    arrays = {"grid": grid, "codes": codes[:1000], "labels": labels_of(test)[:1000], **paths}
    return Outcome(measures, arrays)


def pairs(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Ends of paths between different classes and within one, (6, 2) rows each."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    first = order[:PATHS]
    different = [rng.choice(order[labels[order] != labels[row]]) for row in first]
    same = [rng.choice(order[(labels[order] == labels[row]) & (order != row)]) for row in first]
    return np.stack([first, different], axis=1), np.stack([first, same], axis=1)


@styled
def draw_figure(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """The paper's figure 2: (a) columns are classes, (b) t-SNE of test codes, (c, d) interpolations."""
    grid, (axes,) = panels(1, 1, 5.5)
    show_mosaic(axes, arrays["grid"].reshape(-1, 28, 28), CLASSES, (0, 1))
    axes.set_title("D(G(e, c)): a column for each class c, a row for each e")
    paths, places = panels(2, 2, 2.6)
    for place, name in zip(places, ("between", "within"), strict=True):
        show_mosaic(place, arrays[name].reshape(-1, 28, 28), STEPS, (0, 1))
        place.set_title(f"{name} classes")
    codes = code_scatter(arrays["codes"], arrays["labels"], method="tsne")
    return {"grid": grid, "codes": codes, "interpolation": paths}


EXPERIMENTS = (
    Experiment(
        id="IA-F2",
        paper="infoae",
        title="Classes as columns, codes and interpolations of InfoAE",
        run=run_figure,
        draw=draw_figure,
        claims=(
            Claim(
                "Each column shows one digit, and every digit has a column",
                lambda m: m["purity"] >= 0.9 and m["distinct"] == CLASSES,
                ("purity", "distinct"),
                "columns are classes",
            ),
            Claim(
                "Codes of one digit lie together",
                lambda m: m["knn"] >= 0.97,
                ("knn",),
                "similar digits are located nearby",
            ),
            Claim(
                "Paths between codes are smooth: no step is three times the mean one",
                lambda m: m["jump"] < 3,
                ("jump",),
                "a smooth transition",
            ),
        ),
        quick=teachers.QUICK,
        full=teachers.FULL,
        precision="mixed_bfloat16",
    ),
)
