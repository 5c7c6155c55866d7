"""IA-T1, IA-T1a to IA-T1e: unsupervised digits (Haque et al., table 1).

The recipe was found by trials on the full training set: three teachers in place of one, names spread over
the graph of neighbours to the digits on which they disagree, and milder views, with which a student
contradicts its names less often. What is left are ones with a foot for twos, curled nines for threes and
closed fours for nines, which the teachers and the neighbours take alike.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.autoencoder import Autoencoder
from zoo.data import Data
from zoo.evaluation import clustering, merging, unlabelled
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.info_ae import recipes
from zoo.experiments.shelf import kept
from zoo.experiments.training import labels_of, mnist
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import SEQUENTIAL, panels, styled

CLASSES = 10
LINKED = 15_000  # training digits that say which clusters lie together
Row = dict[str, float]
# The rows of each experiment but IA-T1: name -> (x, seed=, epochs=) -> a trained model.
Rows = Mapping[str, Callable[..., Autoencoder]]
LITERAL: Rows = {"literal": recipes.literal}
ROBUST: Rows = {"robust": functools.partial(recipes.robust, guide=None)}
OTHERS: Rows = {
    "info_gan": functools.partial(recipes.info_gan, consistent=False),
    "info_gan_consistent": functools.partial(recipes.info_gan, consistent=True),
    "aae": functools.partial(recipes.adversarial, consistent=False),
    "aae_consistent": functools.partial(recipes.adversarial, consistent=True),
}
FURTHER: Rows = {"cat_gan": recipes.cat_gan, "pixel_gan": recipes.pixel_gan}
SHARED: Rows = {"info_gan_shared": recipes.info_gan_shared}


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
    classes = getattr(model.prior, "classes", CLASSES)
    if classes > CLASSES:
        row["merged_error"] = row["error"]
        if len(np.unique(own)) > CLASSES:
            merged = merging.absorb_clusters(own, near(), CLASSES, classes)
            right = clustering.one_to_one_accuracy(labels_of(test), merged[clusters])
            row["merged_error"] = 100 * (1 - right)
            own = merged[own]
    _, own = np.unique(own, return_inverse=True)
    row["neighbours"] = unlabelled.neighbour_agreement(own, near())
    row["balance"] = unlabelled.balance(own, CLASSES)
    return row


def run_table(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """InfoAE to the letter, robust without a teacher, self-trained without InfoAE, and with both.

    The weights are those of the last epoch, of every seed: nothing is chosen. Labels name the clusters
    of the test set and are used nowhere else. ``agreement`` is the share of the training data on which
    the voters agree, a label-free sign of how a seed went.

    Args:
        seed: of weights, noise and order.
        sources: of MNIST.
        **settings: ``examples`` (of the training set), and epochs: ``literal``, ``robust`` (without
            teacher), ``teacher`` (of each of ``teachers``), ``student``, ``taught`` (robust with teacher);
            0 leaves a row out.

    Returns:
        For each row what `score` gives.
    """
    x, test = mnist("train", sources, settings["examples"]).inputs, mnist("test", sources)
    judge = functools.partial(score, test=test, **linked(x))
    rows = scores({**LITERAL, **ROBUST}, judge, x, seed, sources, settings)
    taught = recipes.taught(x, seed, settings, sources.models)
    rows["self_trained"] = judge(taught.model)
    if settings["taught"]:
        model = recipes.robust_taught(x, taught, seed, settings, sources.models)
        rows["robust_taught"] = judge(model)
    return Outcome({"agreement": taught.agreement, **flat(rows)}, drawn(rows, "merged_error"))


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
        As `run_table`.
    """
    x, test = mnist("train", sources, settings["examples"]).inputs, mnist("test", sources)
    judge = functools.partial(score, test=test, **linked(x))
    rows = scores(makes, judge, x, seed, sources, settings)
    return Outcome(flat(rows), drawn(rows, shown))


def run_shared(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """InfoGAN on the discriminator's layers, its score and what its classes draw and hold.

    Args:
        seed: of weights, noise and order.
        sources: of MNIST.
        **settings: ``examples``, and the epochs ``info_gan_shared``.

    Returns:
        What `score` gives; drawn are a picture of each class for ten draws of the noise, and how many test
        digits of each kind a class holds.
    """
    from sklearn.metrics import confusion_matrix

    x, test = mnist("train", sources, settings["examples"]).inputs, mnist("test", sources)
    ((row, make),) = SHARED.items()
    model = _kept_row(row, make, x, seed, sources, settings[row])
    pictures = [model.generate(CLASSES, label=label, seed=seed) for label in range(CLASSES)]
    held = confusion_matrix(model.cluster(test.inputs), labels_of(test), labels=np.arange(CLASSES))
    drawn = {"pictures": np.stack(pictures, axis=1)[..., 0], "held": held}
    return Outcome(flat({row: score(model, test, **linked(x))}), drawn)


def scores(
    makes: Rows,
    judge: Callable[[Autoencoder], Row],
    x: np.ndarray,
    seed: int,
    sources: Sources,
    settings: Mapping[str, Any],
) -> dict[str, Row]:
    """The score of every row that has epochs in the settings; its model is kept.

    Args:
        makes: for every row, (x, seed=, epochs=) -> a trained model.
        judge: a model -> its row.
        x: (n, 28, 28, 1).
        seed: of the models.
        sources: their folder.
        settings: epochs by row.

    Returns:
        Name of the row -> what `judge` says of its model.
    """
    rows = {}
    for row, make in makes.items():
        if epochs := settings[row]:
            rows[row] = judge(_kept_row(row, make, x, seed, sources, epochs))
    return rows


def _kept_row(
    row: str,
    make: Callable[..., Autoencoder],
    x: np.ndarray,
    seed: int,
    sources: Sources,
    epochs: int,
) -> Autoencoder:
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


@styled
def draw_classes(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """A column of pictures for each class, and beside it the test digits that the class holds."""
    figure, (pictures, table) = panels(2, 2, 3.2)
    shown = arrays["pictures"]
    show_mosaic(pictures, shown.reshape(-1, *shown.shape[2:]), shown.shape[1], (0, 1))
    pictures.set_title("a column is a class, a row one draw of the noise")
    held = arrays["held"].T  # digits down, classes across, as beside
    table.imshow(held, cmap=SEQUENTIAL, aspect="auto")
    for digit, label in np.ndindex(*held.shape):
        bright = held[digit, label] > held.max() / 2
        table.text(
            label,
            digit,
            str(held[digit, label]),
            ha="center",
            va="center",
            size=6,
            color="black" if bright else "white",
        )
    table.set(xticks=range(CLASSES), yticks=range(CLASSES), xlabel="class", ylabel="digit")
    table.set_title("test digits")
    return {"classes": figure}


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
                "The robust form reaches 1.1 %",
                lambda m: m["robust/merged_error"] <= 1.1,
                ("robust/merged_error", "robust/majority_error"),
                "1.1 (+- .1) %",
            ),
            Claim(
                "The robust form with a self-trained teacher reaches 1.1 %",
                lambda m: m["robust_taught/error"] <= 1.1,
                ("robust_taught/error", "self_trained/error"),
                "1.1 (+- .1) %",
            ),
        ),
        quick={**recipes.QUICK, "literal": 1, "robust": 0},
        full={**recipes.FULL, "literal": 20, "robust": 20},
        precision="mixed_bfloat16",
    ),
    Experiment(
        id="IA-T1a",
        paper="infoae",
        title="Unsupervised error on MNIST: InfoAE to the letter, at the paper's length",
        run=functools.partial(run_rows, makes=LITERAL),
        draw=draw_errors,
        claims=(
            Claim(
                "InfoAE as the text has it reaches 1.1 % error",
                lambda m: m.get("literal/error", 100.0) <= 1.1,
                ("literal/error", "literal/majority_error"),
                "1.1 (+- .1) %",
            ),
        ),
        quick={"examples": 4000, "literal": 1},
        full={"examples": 60_000, "literal": 20},
        precision="mixed_bfloat16",
    ),
    Experiment(
        id="IA-T1b",
        paper="infoae",
        title="Unsupervised error on MNIST: InfoGAN and the adversarial autoencoder",
        run=functools.partial(run_rows, makes=OTHERS),
        draw=draw_errors,
        claims=(
            Claim(
                "InfoGAN reaches 5 % error",
                lambda m: m["info_gan/error"] <= 5,
                ("info_gan/error",),
                "5 %",
            ),
            Claim(
                "InfoGAN with consistent classes reaches 5 %",
                lambda m: m["info_gan_consistent/merged_error"] <= 5,
                ("info_gan_consistent/merged_error", "info_gan_consistent/error"),
                "5 %",
            ),
            Claim(
                "The adversarial autoencoder with 30 classes reaches 4.1 % by majority",
                lambda m: m["aae/majority_error"] <= 4.1,
                ("aae/majority_error",),
                "4.10 (+- 1.12) %",
            ),
            Claim(
                "With consistent classes it reaches 4.1 %",
                lambda m: m["aae_consistent/majority_error"] <= 4.1,
                ("aae_consistent/majority_error",),
                "4.10 (+- 1.12) %",
            ),
        ),
        quick={
            "examples": 4000,
            "info_gan": 1,
            "info_gan_consistent": 5,
            "aae": 5,
            "aae_consistent": 5,
        },
        full={
            "examples": 60_000,
            "info_gan": 30,
            "info_gan_consistent": 30,
            "aae": 100,
            "aae_consistent": 20,
        },
        precision="mixed_bfloat16",
    ),
    Experiment(
        id="IA-T1c",
        paper="infoae",
        title="Unsupervised error on MNIST: the categorical GAN and the PixelGAN autoencoder",
        run=functools.partial(run_rows, makes=FURTHER),
        draw=draw_errors,
        claims=(
            Claim(
                "The categorical GAN with 20 classes reaches 4.27 % by majority",
                lambda m: m["cat_gan/majority_error"] <= 4.27,
                ("cat_gan/majority_error",),
                "4.27 %",
            ),
            Claim(
                "The PixelGAN autoencoder with 30 classes reaches 5.27 % by majority",
                lambda m: m["pixel_gan/majority_error"] <= 5.27,
                ("pixel_gan/majority_error",),
                "5.27 (+- 1.81) %",
            ),
        ),
        quick={"examples": 4000, "cat_gan": 5, "pixel_gan": 2},
        full={"examples": 60_000, "cat_gan": 50, "pixel_gan": 50},
        precision="mixed_bfloat16",
    ),
    Experiment(
        id="IA-T1d",
        paper="infoae",
        title="Unsupervised error on MNIST: InfoGAN on the discriminator's layers",
        run=run_shared,
        draw=draw_classes,
        claims=(
            Claim(
                "InfoGAN reaches 5 % error",
                lambda m: m["info_gan_shared/error"] <= 5,
                ("info_gan_shared/error", "info_gan_shared/majority_error"),
                "5 %",
            ),
        ),
        quick={"examples": 4000, "info_gan_shared": 3},
        full={"examples": 60_000, "info_gan_shared": 30},
        precision="mixed_bfloat16",
    ),
    Experiment(
        id="IA-T1e",
        paper="infoae",
        title="Unsupervised error on MNIST: the robust InfoAE without a teacher, at the paper's length",
        run=functools.partial(run_rows, makes=ROBUST, shown="merged_error"),
        draw=draw_errors,
        claims=(
            Claim(
                "The robust form reaches 1.1 %",
                lambda m: m["robust/merged_error"] <= 1.1,
                ("robust/merged_error", "robust/majority_error"),
                "1.1 (+- .1) %",
            ),
        ),
        quick={"examples": 4000, "robust": 1},
        full={"examples": 60_000, "robust": 20},
        precision="mixed_bfloat16",
    ),
)
