"""The figures that apply to a model and its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from zoo.visualization.drawing.inputs import as_codes, as_examples, as_labels
from zoo.visualization.drawing.mosaics import Limits, is_picture, value_range
from zoo.visualization.drawing.units import leading_units
from zoo.visualization.drawing.vectors import is_plane
from zoo.visualization.figures.animation import traversal_gif
from zoo.visualization.figures.calibration import calibration, posterior_ranks, prior_ranks
from zoo.visualization.figures.correlation import factor_correlation, one_hot
from zoo.visualization.figures.curves import learning_curves, terms
from zoo.visualization.figures.filters import added_by_units, filters, first_kernel
from zoo.visualization.figures.histograms import activation_histograms
from zoo.visualization.figures.interpolation import interpolations
from zoo.visualization.figures.manifold import manifold
from zoo.visualization.figures.reconstructions import reconstructions
from zoo.visualization.figures.samples import samples
from zoo.visualization.figures.scatter import code_scatter
from zoo.visualization.figures.sparsity import sparsity
from zoo.visualization.figures.traversals import posterior_traversals, prior_traversals

_EXAMPLES = 2000  # at most; more make no clearer picture
_RANKED = 500  # examples for the calibration
_CLASSES = 20  # more labels are no classes
_TRAVERSED = 10  # units that the traversals show
_PICTURED = 100  # units that have a picture each

Captioned = tuple[Figure | bytes, str]


class _Subject(NamedTuple):
    """What is drawn: a model, some of its data, and their codes."""

    model: Any
    x: np.ndarray
    codes: np.ndarray
    classes: np.ndarray | None
    factors: np.ndarray | None
    prior: Any
    stochastic: bool
    limits: Limits
    seed: int

    @property
    def event(self) -> tuple[int, ...]:
        """Shape of an example."""
        return self.x.shape[1:]

    @property
    def units(self) -> int:
        """Length of a code."""
        return self.codes.shape[1]

    @property
    def source(self) -> tuple[Any, str]:
        """Where codes come from, and its name: a code without noise need not follow its prior."""
        return (self.prior, "the prior") if self.stochastic else (self.codes, "the data's codes")


def figures_for(
    model: Any,
    x: Any,
    labels: Any = None,
    factors: Any = None,
    history: Mapping[str, Sequence[float]] | None = None,
    seed: int = 0,
    *,
    factor_names: Sequence[str] | None = None,
    unit: str | Mapping[str, str] | None = None,
    tsne: bool = False,
    animate: bool = False,
) -> dict[str, Captioned]:
    """Draw what there is to see of a trained model.

    Always: reconstructions, traversals of the data's codes, interpolations, and the scatter and the
    histograms of the codes. With a prior: samples and its traversals; with a posterior as well: its
    calibration. With 1 or 2 units: the manifold; with more, the code's sparsity; with more than 10,
    what each unit adds. With a dense or convolutional first layer on pictures: its filters. With
    factors or classes: their correlation with the units. With a history: its curves.

    Args:
        model: an Autoencoder, or anything with `encode`, `decode` and `reconstruct`; with
            `prior_distribution` also `generate`, and with `posterior` also `conditional`.
        x: (n, *event), data that the model was not trained on; 2000 at most are drawn from it.
        labels: (n,), classes. Optional.
        factors: (n, k), values of the known factors. Optional.
        history: term -> values by epoch. Optional.
        seed: of every draw.
        factor_names: (k,), names of the factors.
        unit: of the loss terms, for example "nats"; by default `loss_units` of the model.
        tsne: whether to draw the t-SNE of the codes, which takes some seconds.
        animate: whether to add the animated traversals, as the bytes of a GIF.

    Returns:
        name -> (figure, caption). `draw` makes pictures of them, `save_figures` files.

    Raises:
        ValueError: for data that are empty or not finite, or labels and factors that do not match.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> x = np.random.default_rng(0).random((50, 6), np.float32)
        >>> figures = zoo.visualization.figures_for(model, x)
        >>> {"reconstructions", "samples", "manifold"} <= set(figures)
        True
        >>> paths = zoo.visualization.save_figures("figures", {"samples": figures["samples"]})
    """
    subject = _subject(model, x, labels, factors, seed)
    found: dict[str, Captioned] = {}
    if history is not None and terms(history):
        found["learning_curves"] = (
            learning_curves(history, loss_units(model) if unit is None else unit),
            "Mean of each term by epoch; on a log scale where it changes more than tenfold.",
        )
    found["reconstructions"] = (
        reconstructions(subject.x, model.reconstruct(subject.x)),
        "Held-out examples, and what the model makes of them.",
    )
    if subject.prior is not None:
        found.update(_of_prior(subject))
    found.update(_walks(subject, animate))
    found.update(_codes(subject, tsne))
    found.update(_correlation(subject, factor_names))
    if subject.stochastic:
        found["calibration"] = _calibration(subject)
    found.update(_filters(subject))
    return found


def loss_units(model: Any) -> dict[str, str]:
    """Units of the terms of a model's loss: nats where the likelihood is a density summed over x.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> zoo.visualization.loss_units(model)["loss"]
        'nats'
    """
    likelihood = getattr(model, "likelihood", None)
    summed = getattr(likelihood, "reduction", None) == "sum"
    if not summed or getattr(likelihood, "zoo_name", "") == "squared_error":
        return {"kl": "nats"}
    return {"loss": "nats", "reconstruction": "nats", "kl": "nats"}


def _subject(model: Any, x: Any, labels: Any, factors: Any, seed: int) -> _Subject:
    whole = np.asarray(x)
    count = len(whole) if whole.ndim else 0
    classes = as_labels(labels, count)
    known = None if factors is None else as_codes(factors, "factors")
    if known is not None and len(known) != count:
        raise ValueError(
            f"factors must be one row for each of the {count} examples; received {len(known)} rows."
        )
    chosen = np.random.default_rng(seed).permutation(count)[:_EXAMPLES]
    data = whole[chosen] if count else whole
    limits = value_range(as_examples(data))
    codes = as_codes(model.encode(data), "model.encode(x)")
    prior = model.prior_distribution() if hasattr(model, "prior_distribution") else None
    return _Subject(
        model=model,
        x=data,
        codes=codes,
        classes=None if classes is None else classes[chosen],
        factors=None if known is None else known[chosen],
        prior=prior,
        stochastic=prior is not None and model.posterior(data[:1]) is not None,
        limits=limits,
        seed=seed,
    )


def _of_prior(subject: _Subject) -> dict[str, Captioned]:
    plane = is_plane(subject.event)
    count = 500 if plane else 64 if is_picture(subject.event) else 24
    drawn = subject.model.generate(count, subject.seed)
    return {
        "samples": (
            samples(drawn, subject.x),
            "New examples: codes drawn from the prior, decoded.",
        ),
        "prior_traversals": (
            prior_traversals(
                subject.model,
                subject.prior,
                subject.units,
                codes=subject.codes,
                limits=subject.limits,
            ),
            "One unit moves through the prior's quantiles, the others stay at its median.",
        ),
    }


def _walks(subject: _Subject, animate: bool) -> dict[str, Captioned]:
    model, codes, limits = subject.model, subject.codes, subject.limits
    source, name = subject.source
    found: dict[str, Captioned] = {
        "posterior_traversals": (
            posterior_traversals(model, codes, limits=limits),
            "One unit moves through the values that it has over the data.",
        )
    }
    if animate and is_picture(subject.event):
        found["traversal_animation"] = (
            traversal_gif(model, source, subject.units, codes=codes, limits=limits),
            f"Each unit in a picture of its own, there and back through the quantiles of {name}.",
        )
    if subject.units <= 2:
        found["manifold"] = (
            manifold(model, source, subject.units, limits=limits),
            f"What the decoder draws, in equal steps of probability of {name}.",
        )
    if len(codes) > 1:
        known = subject.classes
        classes = None if known is None or len(np.unique(known)) > _CLASSES else known
        found["interpolations"] = (
            interpolations(model, codes, classes, seed=subject.seed, limits=limits),
            "The ends of each row are reconstructions of two examples.",
        )
    return found


def _codes(subject: _Subject, tsne: bool) -> dict[str, Captioned]:
    codes, classes, seed = subject.codes, subject.classes, subject.seed
    found: dict[str, Captioned] = {}
    if len(codes) > 1:
        found["code_scatter"] = (
            code_scatter(codes, classes, seed=seed),
            "Each point is the code of an example."
            + ("" if classes is None else " Names stand at the middles of the classes."),
        )
    if tsne and len(codes) > 3:
        found["code_scatter_tsne"] = (
            code_scatter(codes, classes, "tsne", seed),
            "t-SNE keeps neighbours together; distances between groups mean little.",
        )
    found["activation_histograms"] = (
        activation_histograms(codes, subject.prior if subject.stochastic else None),
        "Values of the units over the data. A unit that hardly moves says little of them.",
    )
    if subject.units > 2:
        found["sparsity"] = (
            sparsity(codes),
            "How often each unit is active, how many are in a code, and how few carry it.",
        )
    return found


def _correlation(subject: _Subject, names: Sequence[str] | None) -> dict[str, Captioned]:
    if len(subject.codes) < 2:
        return {}
    if subject.factors is not None:
        figure = factor_correlation(
            subject.codes, subject.factors, None if names is None else list(names)
        )
        return {
            "factor_correlation": (figure, "A disentangled code has one strong unit in each row.")
        }
    if subject.classes is None or not 1 < len(np.unique(subject.classes)) <= _CLASSES:
        return {}
    figure = factor_correlation(subject.codes, *one_hot(subject.classes))
    return {
        "factor_correlation": (figure, "Rank correlation of each unit with being of each class.")
    }


def _calibration(subject: _Subject) -> Captioned:
    figure = calibration(
        posterior_ranks(subject.model, _RANKED, subject.seed),
        prior_ranks(subject.model, subject.x[:_RANKED], subject.seed),
    )
    return figure, (
        "Left, codes that the model drew and decoded itself, in the posterior of what came out: "
        "outside of the grey band it is too narrow (flat in the middle), too wide (steep) or "
        "shifted. Right, whether the codes of data fill the prior that samples come from."
    )


def _filters(subject: _Subject) -> dict[str, Captioned]:
    model, codes = subject.model, subject.codes
    found: dict[str, Captioned] = {}
    if subject.units > _TRAVERSED:
        shown = leading_units(codes, _PICTURED)
        alive = shown[np.ptp(codes[:, shown], axis=0) > 0]
        if len(alive):
            found["unit_pictures"] = (
                filters(
                    added_by_units(model, codes, alive),
                    f"What each unit adds: {len(alive)} of {subject.units}, the most varied first",
                ),
                "decode(c e_i) - decode(0), c the unit's largest value: black takes away.",
            )
    kernel = first_kernel(model, subject.event)
    if kernel is not None:
        found["filters"] = (
            filters(kernel, "Filters of the first layer"),
            "Each is divided by its largest weight: black is negative, white positive.",
        )
    return found
