"""One picture over the experiments of a paper, for the head of its page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

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


@styled
def errors(results: Results, reduced: Collection[str], lines: Sequence[Line]) -> Figure:
    """Errors in per cent, a dot for each seed, and a bar where the paper's stands.

    Args:
        results: id -> what results.json holds; lines of others are left out.
        reduced: ids whose runs were shorter than the paper's, drawn hollow.
        lines: from above.

    Returns:
        The figure.
    """
    shown = [line for line in lines if line.experiment in results]
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
    axes.set_xlabel("test error in %, no label used in training")
    handles: list[Any] = [
        axes.scatter([], [], 34, PALETTE[0], label="a seed"),
        axes.scatter([], [], 34, "white", edgecolors=PALETTE[0], label="of a reduced run"),
        axes.scatter([], [], 150, PALETTE[1], marker="|", linewidths=2, label="the paper's"),
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=3)
    return figure


def unsupervised_digits(results: Results, reduced: Collection[str]) -> Figure:
    """`errors` of InfoAE and of the models that its paper compares it with."""
    return errors(results, reduced, UNSUPERVISED_DIGITS)


# Of a paper the name of its picture, and what draws it of the results and the ids of reduced runs.
OVERVIEWS: dict[str, tuple[str, Callable[[Results, Collection[str]], Figure]]] = {
    "infoae": ("errors", unsupervised_digits)
}
