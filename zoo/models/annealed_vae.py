"""The annealed VAE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.vae import vae
from zoo.registry import register
from zoo.serialization import number, positive_int


@register("annealed_vae", kind="model")
@extends(vae, without=("beta",))
def annealed_vae(
    input_shape: Sequence[int],
    gamma: Any = 100.0,
    capacity: float = 25.0,
    steps: int = 100_000,
    estimator: str = "auto",
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """Annealed VAE (Burgess et al., "Understanding Disentangling in beta-VAE", 2018, equation 8).

        E_q[log p(x|z)] - gamma |KL(q(z|x) || p(z)) - C|,  C from 0 to capacity

    Args:
        input_shape: shape of one example.
        gamma: weight of the difference, a number or a Keras schedule.
        capacity: the last C, in nats.
        steps: training steps over which C rises, in a straight line.
        estimator: of the KL term.
        regularizers: further regularizers.
        **options: as in `zoo.models.vae.vae`, but for ``beta``, which has no place here.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("annealed_vae", (6,), latents=2, hidden=(4,), capacity=5.0, steps=1000)
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> sorted(model.evaluate(x, return_dict=True, verbose=0))
        ['kl', 'kl_capacity', 'loss', 'reconstruction']
    """
    rise = keras.optimizers.schedules.PolynomialDecay(
        0.0,
        positive_int(steps, "steps of annealed_vae"),
        end_learning_rate=number(capacity, "capacity of annealed_vae", minimum=0),
    )
    penalty = {"name": "kl_capacity", "capacity": rise, "weight": gamma, "estimator": estimator}
    # The KL term itself stays as a metric.
    regularizers = [penalty, *regularizers]
    return vae(input_shape, beta=0.0, estimator=estimator, regularizers=regularizers, **options)
