"""One picture over the experiments of a paper, for the head of its page."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

from zoo.experiments.lecture import k_sparse, k_sparse_fine_tuning
from zoo.visualization.drawing.style import PALETTE, panels, styled

Results = Mapping[str, Mapping[str, Any]]


class Line(NamedTuple):
    """A line of `errors`: a model, the experiment and the measure that hold its errors, the paper's error."""

    label: str
    experiment: str
    measure: str
    paper: float


# "merged": more than ten clusters are merged to ten first, without labels. "by majority": a cluster has the
# name of its commonest digit, as in the papers of the rivals.
UNSUPERVISED_DIGITS = (
    Line("InfoAE to the letter", "IA-T1a", "literal/error", 1.1),
    Line("robust InfoAE, merged", "IA-T1e", "robust/merged_error", 1.1),
    Line("robust InfoAE, strong views, merged", "IA-T1h", "robust_chosen/merged_error", 1.1),
    Line("robust InfoAE, taught by InfoAEs", "IA-T1g", "robust_taught/error", 1.1),
    Line("robust InfoAE, three teachers", "IA-T1", "robust_taught/error", 1.1),
    Line("robust InfoAE, nine teachers", "IA-T1i", "robust_taught/error", 1.1),
    Line("InfoGAN, shared layers", "IA-T1d", "info_gan_shared/error", 5.0),
    Line("InfoGAN", "IA-T1b", "info_gan/error", 5.0),
    Line("InfoGAN, consistent, merged", "IA-T1f", "info_gan_consistent/merged_error", 5.0),
    Line("InfoGAN, weak views, merged", "IA-T1f", "info_gan_chosen/merged_error", 5.0),
    Line("categorical GAN, by majority", "IA-T1c", "cat_gan/majority_error", 4.27),
    Line("PixelGAN autoencoder, by majority", "IA-T1c", "pixel_gan/majority_error", 5.27),
    Line("adversarial AE, by majority", "IA-T1b", "aae/majority_error", 4.1),
    Line("the same, consistent, by majority", "IA-T1f", "aae_consistent/majority_error", 4.1),
)


# Tables 1 and 3 of the k-sparse autoencoder's paper: features of 1,000 units below a linear classifier, then
# fine-tuned with it.
K_SPARSE = (
    *(
        Line(label, "OX-KS-T1", f"{row}/error", k_sparse.PAPER[row])
        for row, label in {
            "raw": "pixels",
            "rbm": "RBM",
            "dropout": "dropout autoencoder",
            "denoising": "denoising autoencoder",
            "both": "dropout and denoising",
            "k40": "k-sparse, k = 40",
            "k25": "k-sparse, k = 25",
            "k10": "k-sparse, k = 10",
        }.items()
    ),
    *(
        Line(f"{label}, tuned", "OX-KS-T3", f"{row}/error", k_sparse_fine_tuning.PAPER[row])
        for row, label in {
            "none": "no pre-training",
            "rbm": "RBM",
            "denoising": "denoising autoencoder",
            "dropout": "dropout autoencoder",
            "deep_dropout": "two dropout layers",
            "k_sparse": "k-sparse",
            "deep_k_sparse": "two k-sparse layers",
        }.items()
    ),
)


@styled
def errors(
    results: Results, reduced: Collection[str], lines: Sequence[Line], label: str
) -> Figure | None:
    """Errors in per cent, a dot for each seed, and a bar where the paper's stands.

    Args:
        results: id -> what results.json holds; lines of others, and of rows that a run left out, are not
            drawn.
        reduced: ids whose runs were shorter than the paper's, drawn hollow.
        lines: from above.
        label: of the axis of errors.

    Returns:
        The figure; None where there is no line.
    """
    shown = [
        line
        for line in lines
        if line.experiment in results and line.measure in results[line.experiment]["measures"]
    ]
    if not shown:
        return None
    figure, (axes,) = panels(1, 1, 0.9 + 0.26 * len(shown))
    for place, line in enumerate(shown):
        values = results[line.experiment]["measures"][line.measure]["values"]
        face = "white" if line.experiment in reduced else PALETTE[0]
        axes.scatter(
            values, [place] * len(values), 34, face, edgecolors=PALETTE[0], zorder=3, clip_on=False
        )
        axes.scatter(line.paper, place, 150, PALETTE[1], marker="|", linewidths=2, zorder=2)
    axes.set_xscale("log")
    axes.set_yticks(range(len(shown)), [f"{li.label} ({li.experiment})" for li in shown])
    axes.invert_yaxis()
    axes.xaxis.set_major_locator(FixedLocator([1, 2, 5, 10, 20, 50]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="both")
    axes.set_xlabel(label)
    handles: list[Any] = [
        axes.scatter([], [], 34, PALETTE[0], label="a seed"),
        axes.scatter([], [], 34, "white", edgecolors=PALETTE[0], label="of a reduced run"),
        axes.scatter([], [], 150, PALETTE[1], marker="|", linewidths=2, label="the paper's"),
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=3)
    return figure


# Of a paper the name of its picture, and what draws it of the results and the ids of reduced runs, or gives
# None where the results hold none of its lines.
OVERVIEWS: dict[str, tuple[str, Callable[[Results, Collection[str]], Figure | None]]] = {
    "infoae": (
        "errors",
        functools.partial(
            errors,
            lines=UNSUPERVISED_DIGITS,
            label="test error in %, no label used in training",
        ),
    ),
    "autoencoders_lecture": (
        "k_sparse",
        functools.partial(errors, lines=K_SPARSE, label="test error in %"),
    ),
}
