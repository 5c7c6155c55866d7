"""The figures that apply to a model and its data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.visualization.drawing.mosaics import is_picture
from zoo.visualization.drawing.units import leading_units
from zoo.visualization.drawing.vectors import columns_called, is_plane
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
from zoo.visualization.subject import Subject, subject_of

_RANKED = 500  # examples for the calibration
_TRAVERSED = 10  # units that the traversals show
_PICTURED = 100  # units that have a picture each

FIGURES = (
    "learning_curves",
    "reconstructions",
    "samples",
    "prior_traversals",
    "posterior_traversals",
    "traversal_animation",
    "manifold",
    "interpolations",
    "code_scatter",
    "code_scatter_tsne",
    "activation_histograms",
    "sparsity",
    "factor_correlation",
    "class_correlation",
    "calibration",
    "unit_pictures",
    "filters",
)
"""The names that `figures_for` may give, in its order."""

Captioned = tuple[Figure | bytes, str]
_Plan = tuple[str, Callable[[], Captioned | None]]  # a name, and what draws it where it applies


def figures_for(
    model: Any,
    x: Any,
    labels: Any = None,
    factors: Any = None,
    history: Mapping[str, Sequence[float]] | None = None,
    seed: int = 0,
    *,
    factor_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    column_names: Sequence[str] | None = None,
    unit: str | Mapping[str, str] | None = None,
    tsne: bool = False,
    animate: bool = False,
    on_failure: Callable[[str, Exception], None] | None = None,
    condition: Any = None,
) -> dict[str, Captioned]:
    """Draw what there is to see of a trained model.

    Always: reconstructions, traversals of the data's codes, interpolations, and the scatter and the
    histograms of the codes. With a prior: samples and its traversals; with a posterior as well: its
    calibration. With 1 or 2 units: the manifold; with more, the code's sparsity; with more than 10,
    what each unit adds. With a dense or convolutional first layer on pictures: its filters. With
    factors, or else with classes: their correlation with the units. With a history: its curves.

    Args:
        model: an Autoencoder, or anything with `encode`, `decode` and `reconstruct`; with
            `prior_distribution` also `generate`, and with `posterior` also `conditional`.
        x: (n, *event), data that the model was not trained on; 2000 at most are drawn from it.
        labels: (n,), classes. Optional.
        factors: (n, k), values of the known factors. Optional.
        history: term -> values by epoch. Optional.
        seed: of every draw.
        factor_names: (k,), names of the factors.
        class_names: the name of each label, where labels are 0, 1, ... Optional.
        column_names: the name of each coordinate of x, where it is a row of a table. Optional.
        unit: of the loss terms, for example "nats"; by default `loss_units` of the model.
        tsne: whether to draw the t-SNE of the codes, which takes some seconds.
        animate: whether to add the animated traversals, as the bytes of a GIF.
        on_failure: called with the name of a figure that cannot be drawn, and why; the others are drawn
            all the same. Without it the error is raised.
        condition: of each row of x, for a model that declares one; None for the labels.

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
    subject = subject_of(model, x, labels, factors, seed, class_names, condition)
    planned: list[_Plan] = [
        ("learning_curves", lambda: _learning_curves(model, history, unit)),
        ("reconstructions", lambda: _reconstructions(subject)),
        *_of_prior(subject),
        *_walks(subject, animate),
        *_codes(subject, tsne),
        ("factor_correlation", lambda: _factor_correlation(subject, factor_names)),
        ("class_correlation", lambda: _class_correlation(subject)),
        ("calibration", lambda: _calibration(subject)),
        ("unit_pictures", lambda: _unit_pictures(subject)),
        ("filters", lambda: _first_filters(subject)),
    ]
    found: dict[str, Captioned] = {}
    for name, make in planned:
        try:
            with columns_called(column_names):
                figure = make()
        except Exception as error:  # whatever a model, a plugin or a drawing library raises
            if on_failure is None:
                raise
            on_failure(name, error)
        else:
            if figure is not None:
                found[name] = figure
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


def _learning_curves(
    model: Any,
    history: Mapping[str, Sequence[float]] | None,
    unit: str | Mapping[str, str] | None,
) -> Captioned | None:
    if history is None or not terms(history):
        return None
    return (
        learning_curves(history, loss_units(model) if unit is None else unit),
        "On a log scale where a term changes more than tenfold.",
    )


def _reconstructions(subject: Subject) -> Captioned:
    return (
        reconstructions(
            subject.shown(subject.x), subject.shown(subject.model.reconstruct(subject.x))
        ),
        "Held-out examples, and what the model makes of them." + subject.in_words,
    )


def _of_prior(subject: Subject) -> list[_Plan]:
    if subject.prior is None and getattr(subject.model, "prior", None) is None:
        return []

    def drawn() -> Captioned:
        scattered = is_plane(subject.event) or subject.event == (1,)
        count = 500 if scattered else 64 if is_picture(subject.event) else 24
        return (
            samples(
                subject.shown(subject.model.generate(count, subject.seed)), subject.shown(subject.x)
            ),
            "New examples, each from a code of its own." + subject.in_words,
        )

    def walked() -> Captioned:
        figure = prior_traversals(
            subject.decoder,
            subject.prior,
            subject.units,
            codes=subject.codes,
            limits=subject.limits,
        )
        caption = "A unit that changes nothing is one that the decoder does not use."
        return figure, caption + subject.decoded_in_words

    # A prior may draw codes and have no density, and no quantiles to walk through.
    return [("samples", drawn), *[("prior_traversals", walked)] * (subject.prior is not None)]


def _walks(subject: Subject, animate: bool) -> list[_Plan]:
    model, codes, limits = subject.decoder, subject.codes, subject.limits
    source, name = subject.source

    def walked() -> Captioned:
        figure = posterior_traversals(model, codes, limits=limits)
        caption = "The same where the codes of the data lie, and the decoder was trained."
        return figure, caption + subject.decoded_in_words

    def animated() -> Captioned:
        return (
            traversal_gif(model, source, subject.units, codes=codes, limits=limits),
            f"Each unit in a picture of its own, there and back through the quantiles of {name}."
            + subject.decoded_in_words,
        )

    def mapped() -> Captioned:
        return (
            manifold(model, source, subject.units, limits=limits),
            f"What the decoder draws, in equal steps of probability of {name}."
            + subject.decoded_in_words,
        )

    def lines() -> Captioned:
        ends = "the codes" if subject.conditional else "reconstructions"
        return (
            interpolations(
                model,
                codes,
                subject.few_classes,
                seed=subject.seed,
                limits=limits,
                names=subject.class_names,
            ),
            f"The ends of each row are {ends} of two examples." + subject.decoded_in_words,
        )

    plans: list[_Plan] = [("posterior_traversals", walked)]
    if animate and is_picture(subject.event):
        plans.append(("traversal_animation", animated))
    if subject.units <= 2:
        plans.append(("manifold", mapped))
    if len(codes) > 1:
        plans.append(("interpolations", lines))
    return plans


def _codes(subject: Subject, tsne: bool) -> list[_Plan]:
    codes, classes, names = subject.codes, subject.classes, subject.class_names

    def scattered() -> Captioned:
        middles = " Names stand near the middles of the classes."
        few = subject.few_classes is not None
        return (
            code_scatter(codes, classes, seed=subject.seed, names=names),
            "Each point is the code of an example." + (middles if few else ""),
        )

    def neighbours() -> Captioned:
        return (
            code_scatter(codes, classes, "tsne", subject.seed, names),
            "t-SNE keeps neighbours together; distances between groups mean little.",
        )

    def counted() -> Captioned:
        return (
            activation_histograms(codes, subject.prior if subject.stochastic else None),
            "Values of the units over the data. A unit that hardly moves says little of them.",
        )

    def sparse() -> Captioned:
        return (
            sparsity(codes),
            "How often each unit is active, how many are in a code, and how few carry it.",
        )

    plans: list[_Plan] = []
    if len(codes) > 1:
        plans.append(("code_scatter", scattered))
    if tsne and len(codes) > 3:
        plans.append(("code_scatter_tsne", neighbours))
    plans.append(("activation_histograms", counted))
    if subject.units > 2:
        plans.append(("sparsity", sparse))
    return plans


def _factor_correlation(subject: Subject, names: Sequence[str] | None) -> Captioned | None:
    if subject.factors is None or len(subject.codes) < 2:
        return None
    figure = factor_correlation(
        subject.codes, subject.factors, None if names is None else list(names)
    )
    return figure, "A disentangled code has one strong unit in each row."


def _class_correlation(subject: Subject) -> Captioned | None:
    classes = subject.few_classes
    if subject.factors is not None or classes is None or len(np.unique(classes)) < 2:
        return None
    columns = one_hot(classes, subject.class_names)
    figure = factor_correlation(subject.codes, *columns, what="classes")
    return figure, "Rank correlation of each unit with being of each class."


def _calibration(subject: Subject) -> Captioned | None:
    if not subject.stochastic:
        return None
    figure = calibration(
        posterior_ranks(subject.model, _RANKED, subject.seed),
        prior_ranks(subject.model, subject.x[:_RANKED], subject.seed),
    )
    return figure, (
        "Left, codes that the model drew and decoded itself, in the posterior of what came out: "
        "outside of the grey band it is too narrow (flat in the middle), too wide (steep) or "
        "shifted. Right, whether the codes of data fill the prior that samples come from."
    )


def _unit_pictures(subject: Subject) -> Captioned | None:
    if subject.units <= _TRAVERSED:
        return None
    model, codes = subject.decoder, subject.codes
    shown = leading_units(codes, _PICTURED)
    alive = shown[np.ptp(codes[:, shown], axis=0) > 0]
    if not len(alive):
        return None
    figure = filters(
        added_by_units(model, codes, alive),
        f"What each unit adds: {len(alive)} of {subject.units}, the most varied first",
    )
    caption = "decode(c e_i) - decode(0), c the unit's largest value: black takes away."
    return figure, caption + subject.decoded_in_words


def _first_filters(subject: Subject) -> Captioned | None:
    kernel = first_kernel(subject.model, subject.event)
    if kernel is None:
        return None
    figure = filters(kernel, "Filters of the first layer")
    return figure, "Each is divided by its largest weight: black is negative, white positive."
