"""The L_P autoencoder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.deep_autoencoder import autoencoder
from zoo.models.extends import extends
from zoo.registry import register


@register("lp_autoencoder", kind="model")
@extends(autoencoder)
def lp_autoencoder(
    input_shape: Sequence[int],
    p: Any = 0.5,
    alpha: Any = 0.01,
    form: str = "power",
    likelihood: Any = "squared_error",
    prior: Any = None,
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """L_P autoencoder (Callahan, "The L_P Autoencoder: Disentangling without variation", section II).

    Minimises

        (x_hat - x)^2 + alpha ||z||_p,  0 < p < 1

    It is the maximum a posteriori of a generalised normal prior with power p, from which `generate` draws
    where p is a number: scale (1/alpha)^(1/p), so that its -log density is the penalty of form "power".
    Where squares of its draws leave the range of float32 (at alpha = .01 for p below about .19), the model
    has no prior.

    Args:
        input_shape: shape of one example.
        p: power of the norm, above 0; a number or a Keras schedule of the training step.
        alpha: weight of the penalty, a number or a Keras schedule; large values stall reconstruction.
        form: "power" (sum |z|^p, the text's), "norm" (its p-th root), "difference" (the norm less the
            2-norm, the author's code) or "direction" ("power" of z / ||z||_2, which a shorter code does not
            lower).
        likelihood: p(x|z); the paper's squared error, summed over the event.
        prior: p(z) to generate from; None for the one above, where there is one.
        regularizers: further regularizers.
        **options: as in `zoo.models.deep_autoencoder.autoencoder`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("lp_autoencoder", (6,), latents=2, hidden=(4,), p=0.5, alpha=0.01)
        >>> [(term.name, term.weight) for term in model.regularizers]
        [('lp_norm', 0.01)]
        >>> model.generate(3, seed=0).shape
        (3, 6)
    """
    numbers = isinstance(p, int | float) and isinstance(alpha, int | float)
    if prior is None and numbers and p > 0 and alpha > 0 and _finite_draws(p, alpha):
        prior = {"name": "generalized_normal", "p": p, "scale": alpha ** (-1 / p)}
    penalty = {"name": "lp_norm", "p": p, "form": form, "weight": alpha}
    regularizers = [penalty, *regularizers]
    return autoencoder(
        input_shape, likelihood=likelihood, prior=prior, regularizers=regularizers, **options
    )


def _finite_draws(p: float, alpha: float) -> bool:
    """Whether draws of the prior, and their squares, are float32 numbers.

    A draw is (g / alpha)^(1/p) with g from Gamma(1/p, 1), which no float32 uniform takes above its mean by
    more than 6 standard deviations and 20.
    """
    largest = 1 / p + 6 * p**-0.5 + 20
    return (math.log(largest) - math.log(alpha)) / p < 0.5 * math.log(3e38)
