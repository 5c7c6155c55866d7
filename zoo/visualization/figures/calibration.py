"""Is the posterior calibrated: do its intervals hold the code as often as they say?"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zoo.values import positive_int
from zoo.visualization.drawing.inputs import as_codes
from zoo.visualization.drawing.style import WIDTH, line_style, styled

_DRAWS = 200  # of a posterior without a distribution function


def posterior_ranks(model: Any, count: int = 500, seed: int = 0) -> np.ndarray:
    """Where the code that made an example lies in the posterior of that example.

    z ~ p(z), x ~ p(x|z), u = Q(z|x), Q the distribution function of q(z|x), unit by unit. For the
    true posterior each u is uniform on [0, 1] (Talts et al. 2018, theorem 1).

    Args:
        model: an Autoencoder with a prior and a posterior.
        count: examples to draw.
        seed: of the draws.

    Returns:
        (count, units) in [0, 1].

    Raises:
        ValueError: for a model without a prior or a posterior.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> zoo.visualization.posterior_ranks(model, count=30).shape
        (30, 2)
    """
    prior = model.prior_distribution()
    if prior is None:
        raise ValueError("Calibration needs a model with a prior to draw codes from; it has none.")
    z = prior.sample(positive_int(count, "count"), seed=[seed, 1])
    posterior = model.posterior(np.asarray(model.conditional(z).sample(seed=[seed, 2])))
    if posterior is None:
        raise ValueError("Calibration needs a model with a posterior; this one is deterministic.")
    return _distribution_function(posterior, np.asarray(z), seed)


def prior_ranks(model: Any, x: Any, seed: int = 0) -> np.ndarray:
    """Where codes of data lie in the prior: u = F(z), z ~ q(z|x), F its distribution function.

    Uniform where the aggregate posterior is the prior, as sampling from the prior assumes.

    Args:
        model: an Autoencoder with a prior; a deterministic code is taken as it is.
        x: (n, *event), data as the model takes them.
        seed: of the draws.

    Returns:
        (n, units) in [0, 1].

    Raises:
        ValueError: for a model without a prior.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> x = np.random.default_rng(0).random((30, 6), np.float32)
        >>> zoo.visualization.prior_ranks(model, x).shape
        (30, 2)
    """
    prior = model.prior_distribution()
    if prior is None:
        raise ValueError(
            "The aggregate posterior needs a prior to be compared with; there is none."
        )
    posterior = model.posterior(x)
    z = model.encode(x) if posterior is None else posterior.sample(seed=[seed, 3])
    return _distribution_function(prior, np.asarray(z), seed)


@styled
def calibration(
    posterior: Any, prior: Any = None, names: list[str] | None = None, limit: int = 8
) -> Figure:
    """Observed against expected probability; a calibrated unit lies on the diagonal.

    Left, of the code that made an example under q(z|x): a curve that is flat in the middle says
    that the posterior is too narrow, a steep one that it is too wide. Right, of the codes of data
    under the prior. The grey band holds 95 % of uniform samples of this size, point by point.

    Args:
        posterior: (n, units), as `posterior_ranks` returns.
        prior: (m, units), as `prior_ranks` returns. Optional.
        names: (units,), names of the units. Optional.
        limit: units to show: those furthest from the diagonal on the left.

    Returns:
        A figure with 2 axes, or 1 without `prior`.

    Raises:
        ValueError: for values outside [0, 1], or arrays of unequal width.

    Example:
        >>> ranks = np.random.default_rng(0).random((200, 2))  # of a calibrated posterior
        >>> figure = zoo.visualization.calibration(ranks, prior=ranks**2)
        >>> len(figure.axes)
        2
    """
    first = _ranks(posterior, "posterior")
    second = None if prior is None else _ranks(prior, "prior")
    units = first.shape[1]
    if second is not None and second.shape[1] != units:
        raise ValueError(
            f"posterior and prior must have the same units; received {units} and {second.shape[1]}."
        )
    names = [f"unit {index}" for index in range(units)] if names is None else list(names)
    if len(names) != units:
        raise ValueError(f"names must be one for each of the {units} units; received {len(names)}.")
    gap = [kolmogorov(column) for column in first.T]
    shown = np.sort(np.argsort(-np.array(gap), kind="stable")[: positive_int(limit, "limit")])
    figure = Figure(figsize=(WIDTH, 3.6))
    axes = figure.subplots(1, 1 if second is None else 2, squeeze=False)[0]
    _curves(axes[0], first, shown, names, "codes under their own posterior")
    if second is not None:
        _curves(axes[1], second, shown, names, "codes of data under the prior")
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=min(len(shown), 4)
    )
    note = f", {len(shown)} of {units} units, those furthest off" if len(shown) < units else ""
    figure.suptitle(f"Ranks of codes among draws{note}", x=0.01, ha="left")
    return figure


def kolmogorov(ranks: np.ndarray) -> float:
    """Largest distance of the distribution function of values (n,) from the uniform one."""
    from scipy.stats import kstest

    return float(kstest(ranks, "uniform").statistic)


def _ranks(values: Any, name: str) -> np.ndarray:
    ranks = as_codes(values, name)
    if ranks.min() < 0 or ranks.max() > 1:
        raise ValueError(
            f"{name} must be probabilities in [0, 1]; "
            f"received {ranks.min():.4g} to {ranks.max():.4g}."
        )
    return ranks


def _distribution_function(distribution: Any, z: np.ndarray, seed: int) -> np.ndarray:
    import tensorflow as tf

    from zoo.tfp import tfd

    base = distribution
    while isinstance(base, (tfd.Independent, tfd.Sample)):
        base = base.distribution
    try:
        if base.event_shape.rank:  # a flow: one map of all units
            raise NotImplementedError
        values = np.asarray(base.cdf(z), np.float64)
    except NotImplementedError:
        # Traced once: a flow has hundreds of operations, which Python would call for every draw.
        drawn = tf.function(
            lambda index: distribution.sample(1, seed=[seed, index])[0], autograph=False
        )
        below = np.zeros(z.shape)
        for draw in range(_DRAWS):
            below += drawn(tf.constant(100 + draw)).numpy() < z
        values = (below + 0.5) / (_DRAWS + 1)
    return np.clip(values, 0, 1)


def _curves(axes: Axes, ranks: np.ndarray, shown: np.ndarray, names: list[str], title: str) -> None:
    from scipy.stats import binom

    n = len(ranks)
    nominal = np.linspace(0, 1, 201)
    low, high = binom.ppf([[0.025], [0.975]], n, nominal) / n
    axes.fill_between(nominal, low, high, color="#cccccc", linewidth=0)
    axes.plot([0, 1], [0, 1], color="#777777", linewidth=0.8)
    for index, unit in enumerate(shown):
        axes.plot(
            [0, *np.sort(ranks[:, unit]), 1],
            [0, *np.arange(1, n + 1) / n, 1],
            **line_style(index),
            linewidth=1.3,
            label=names[unit],
        )
    axes.set(
        xlabel="probability p",
        ylabel="share of codes below quantile p",
        title=title,
        aspect="equal",
        xlim=(0, 1),
        ylim=(0, 1),
    )
