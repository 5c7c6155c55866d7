"""IA-T1, IA-T1b and IA-F2: unsupervised digits (Haque et al., table 1 and figure 2)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.autoencoder import Autoencoder
from zoo.data import Data
from zoo.evaluation import clustering
from zoo.experiments import digits, ia_recipes
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.training import mnist, unit
from zoo.visualization.interpolation import interpolation_codes
from zoo.visualization.mosaics import show_mosaic
from zoo.visualization.scatter import code_scatter
from zoo.visualization.style import panels, styled

CLASSES, ROWS, STEPS, PATHS = 10, 10, 9, 6


def score(build: Callable[[], Autoencoder], test: Data) -> tuple[Autoencoder, dict[str, float]]:
    """Train and measure: test error in % with one-to-one and with majority names, NMI, seconds."""
    start = time.perf_counter()
    model = build()
    seconds = time.perf_counter() - start
    found = clustering.compare(test.labels, model.cluster(test.inputs))
    return model, {
        "error": 100 * (1 - float(found["one_to_one_accuracy"])),
        "majority_error": 100 * (1 - float(found["majority_accuracy"])),
        "nmi": float(found["nmi"]),
        "seconds": seconds,
    }


def run_table(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """InfoAE to the letter, robust without a teacher, self-trained without InfoAE, and with both.

    The weights are those of the last epoch, of every seed: nothing is chosen. Labels name the clusters
    of the test set and are used nowhere else. ``agreement`` is the share of the training data on which
    the voters agree, a label-free sign of how a seed went.

    Args:
        seed: of weights, noise and order.
        sources: of MNIST.
        **settings: ``examples`` (of the training set), ``precision``, and epochs: ``literal``, ``robust``
            (without teacher), ``teacher`` (of each of ``teachers``), ``student``, ``taught`` (robust with
            teacher); 0 leaves a row out.

    Returns:
        For each row ``error``, ``majority_error``, ``nmi`` and ``seconds``, teachers' time included.
    """
    x, test = mnist("train", sources, settings["examples"]).inputs, mnist("test", sources)
    rows: dict[str, dict[str, float]] = {}
    measures: dict[str, float] = {}
    with ia_recipes.precision(settings["precision"]):
        if settings["literal"]:
            _, rows["literal"] = score(
                lambda: ia_recipes.literal(x, seed, settings["literal"]), test
            )
        if settings["robust"]:
            _, rows["robust"] = score(
                lambda: ia_recipes.robust(x, None, seed, settings["robust"]), test
            )
        start = time.perf_counter()
        taught = _taught(x, seed, settings)
        seconds = time.perf_counter() - start
        measures["agreement"] = taught.agreement
        _, rows["self_trained"] = score(lambda: taught.model, test)
        rows["self_trained"]["seconds"] = seconds
        if settings["taught"]:
            _, rows["robust_taught"] = score(
                lambda: ia_recipes.robust(x, taught.model, seed, settings["taught"]), test
            )
            rows["robust_taught"]["seconds"] += seconds
    for row, values in rows.items():
        measures.update({f"{row}/{name}": value for name, value in values.items()})
    return Outcome(measures, {"rows": np.array([[row, v["error"]] for row, v in rows.items()])})


def _taught(x: np.ndarray, seed: int, settings: Mapping[str, Any]) -> ia_recipes.Taught:
    return ia_recipes.student(
        x, seed, settings["teachers"], settings["teacher"], settings["student"]
    )


def run_others(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """InfoGAN, InfoGAN with consistent classes, and the adversarial autoencoder's clustering.

    Args:
        seed: of weights, noise and order.
        sources: of MNIST.
        **settings: ``examples``, ``precision``, epochs ``gan`` and ``aae``, and ``classes`` of the latter;
            its paper has 30 and names them by majority.

    Returns:
        As `run_table`.
    """
    x, test = mnist("train", sources, settings["examples"]).inputs, mnist("test", sources)
    builds = {
        "info_gan": lambda: ia_recipes.info_gan(x, seed, settings["gan"], False),
        "info_gan_consistent": lambda: ia_recipes.info_gan(x, seed, settings["gan"], True),
        "aae": lambda: ia_recipes.adversarial(x, seed, settings["aae"], settings["classes"]),
    }
    measures: dict[str, float] = {}
    with ia_recipes.precision(settings["precision"]):
        for row, build in builds.items():
            _, values = score(build, test)
            measures.update({f"{row}/{name}": value for name, value in values.items()})
    errors = [[row, measures[f"{row}/majority_error"]] for row in builds]
    return Outcome(measures, {"rows": np.array(errors)})


@styled
def draw_errors(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """A bar for each row."""
    names, errors = arrays["rows"][:, 0], arrays["rows"][:, 1].astype(float)
    figure, (axes,) = panels(1, 1, 0.5 + 0.4 * len(names))
    axes.barh(names, errors, color="#0072B2")
    axes.bar_label(axes.containers[0], fmt="%.2f", padding=3)
    axes.set(xlabel="test error in %, no label used in training")
    axes.invert_yaxis()
    return {"errors": figure}


def run_figure(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """Train the robust InfoAE with its teacher and look at what it generates and encodes.

    Args:
        seed: of weights, noise and order.
        sources: of MNIST.
        **settings: as in `run_table`.

    Returns:
        ``purity``: the mean over the columns of the share of the digit that a supervised judge sees most;
        ``distinct``: how many digits the columns show; ``knn``: accuracy of 5 nearest neighbours of test
        codes among training codes; ``jump``: the largest step of a path in pixels, relative to the path's
        mean step.
    """
    from sklearn.neighbors import KNeighborsClassifier

    train, test = mnist("train", sources, settings["examples"]), mnist("test", sources)
    with ia_recipes.precision(settings["precision"]):
        taught = _taught(train.inputs, seed, settings)
        model = ia_recipes.robust(train.inputs, taught.model, seed, settings["taught"])
    judge = digits.classifier(unit(train), train.labels, seed)
    columns = [model.generate(100, seed=seed, label=label) for label in range(CLASSES)]
    seen = [judge.predict(column, verbose=0).argmax(axis=1) for column in columns]
    most = [np.bincount(column, minlength=CLASSES) for column in seen]
    codes = model.encode(test.inputs)
    known = KNeighborsClassifier(5).fit(model.encode(train.inputs[:20_000]), train.labels[:20_000])
    between, within = pairs(test.labels, seed)
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
        "agreement": taught.agreement,
    }
    order = np.argsort([counts.argmax() for counts in most], kind="stable")
    grid = np.stack([columns[label][:ROWS] for label in order], axis=1)
    arrays = {"grid": grid, "codes": codes[:1000], "labels": test.labels[:1000], **paths}
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


QUICK = {
    "examples": 6000,
    "precision": "float32",
    "teachers": 1,
    "teacher": 4,
    "student": 3,
    "taught": 2,
}
FULL = {
    "examples": 60_000,
    "precision": "mixed_bfloat16",
    "teachers": 2,
    "teacher": 15,
    "student": 10,
    "taught": 5,
}
EXPERIMENTS = (
    Experiment(
        id="IA-T1",
        paper="infoae",
        title="Unsupervised error on MNIST: InfoAE",
        run=run_table,
        draw=draw_errors,
        claims=(
            Claim(
                "InfoAE as the text has it reaches 1.1 % error",
                lambda m: m.get("literal/error", 100.0) <= 1.1,
                ("literal/error",),
                "1.1 (+- .1) %",
            ),
            Claim(
                "The robust form with a self-trained teacher reaches 1.1 %",
                lambda m: m["robust_taught/error"] <= 1.1,
                ("robust_taught/error", "self_trained/error"),
                "1.1 (+- .1) %",
            ),
        ),
        quick={**QUICK, "literal": 2, "robust": 0},
        full={**FULL, "literal": 20, "robust": 20},
    ),
    Experiment(
        id="IA-T1b",
        paper="infoae",
        title="Unsupervised error on MNIST: InfoGAN and the adversarial autoencoder",
        run=run_others,
        draw=draw_errors,
        claims=(
            Claim(
                "InfoGAN reaches 5 % error",
                lambda m: min(m["info_gan/error"], m["info_gan_consistent/error"]) <= 5,
                ("info_gan/error", "info_gan_consistent/error"),
                "5 %",
            ),
            Claim(
                "The adversarial autoencoder with 30 classes reaches 4.1 % by majority",
                lambda m: m["aae/majority_error"] <= 4.1,
                ("aae/majority_error",),
                "4.10 (+- 1.12) %",
            ),
        ),
        quick={"examples": 6000, "precision": "float32", "gan": 3, "aae": 10, "classes": 30},
        full={
            "examples": 60_000,
            "precision": "mixed_bfloat16",
            "gan": 30,
            "aae": 100,
            "classes": 30,
        },
    ),
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
        quick=QUICK,
        full=FULL,
    ),
)
