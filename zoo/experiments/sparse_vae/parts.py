"""What the experiments with sparse VAEs share (Pyle, "A Sparse VAE")."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

import zoo
from zoo.autoencoder import Autoencoder
from zoo.evaluation.sparsity import decoded_units
from zoo.experiments.training import train
from zoo.noise import Noise
from zoo.recipes import WarmUp

MODELS = {"normal": "vae", "laplace": "laplace_vae", "cauchy": "cauchy_vae"}
# The author's code adds the squared error of a whole batch to the KL of each example, but for Cauchy.
BATCH = 100
# Equal for all, so that the pictures of two models can be compared.
PROBE = 3.0
SIGMOID = {"name": "squared_error", "activation": "sigmoid"}


def variants() -> list[tuple[str, str, str]]:
    """(name, family, weights): every family with equal weights, and with the published where they differ.

    The published weights divide the KL of the Normal and the Laplace model by the batch size, 100. Not
    taken over are the code's other slips: its "Laplace" holds the Normal KL, and its Cauchy noise was
    drawn once for the whole run.
    """
    equal = [(family, family, "equal") for family in MODELS]
    return [*equal, *((f"{f}_published", f, "published") for f in ("normal", "laplace"))]


def build(
    family: str,
    weights: str,
    input_shape: tuple[int, ...],
    latents: int,
    kl_weight: float,
    seed: int,
    warm_up: int = 0,
    likelihood: Any = None,
    **options: Any,
) -> Autoencoder:
    """A model of the paper: softplus 500-500 each way, squared error summed over the picture.

    Args:
        family: "normal", "laplace" or "cauchy".
        weights: "equal"; "published", see `variants`; or "divided", by the batch size for every family.
        input_shape: shape of one example.
        latents: dimensions of the code.
        kl_weight: the paper's weight of the KL, .5, 1 or .05.
        seed: of the model.
        warm_up: steps over which the weight of the KL rises from 0. Without it the Cauchy models collapse
            at once: their first noise, of scale 1 and without a variance, drowns the signal, and the KL
            then closes what is left of it.
        likelihood: p(x|z); None for the squared error of a sigmoid.
        **options: further options of the model.

    Returns:
        A built model.
    """
    divided = weights == "divided" or (weights == "published" and family != "cauchy")
    beta = kl_weight / BATCH if divided else kl_weight
    return zoo.create(
        MODELS[family],
        input_shape,
        latents=latents,
        hidden=(500, 500),
        activation="softplus",
        likelihood=likelihood or SIGMOID,
        beta=WarmUp(beta, warm_up) if warm_up else beta,
        seed=seed,
        **options,
    )


def trained(
    family: str,
    weights: str,
    x: np.ndarray,
    latents: int,
    kl_weight: float,
    seed: int,
    *,
    epochs: int,
    learning_rate: float,
    warm_up: int,
    **options: Any,
) -> Autoencoder:
    """`build`, and training on x.

    Args:
        family: as in `build`, as are latents, kl_weight and seed.
        weights: as in `build`.
        x: (n, *event).
        latents: dimensions of the code.
        kl_weight: weight of the KL.
        seed: of the model.
        epochs: passes over x.
        learning_rate: of Adam, 2e-4 in the author's code.
        warm_up: epochs over which the weight of the KL rises; the author has none, see `build`.
        **options: further arguments of `build`.

    Returns:
        A trained model.
    """
    rising = warm_up * (len(x) // BATCH)
    model = build(family, weights, x.shape[1:], latents, kl_weight, seed, rising, **options)
    train(model, x, epochs=epochs, batch_size=BATCH, learning_rate=learning_rate)
    return model


def unit_pictures(model: Autoencoder) -> np.ndarray:
    """decode(c e_i) for every unit, (units, *event)."""
    return decoded_units(model.decode, model.units, PROBE)


def gradient_variance(model: Autoencoder, x: np.ndarray, draws: int) -> float:
    """Variance of the loss's gradient over the noise, summed over the weights of the posterior's layer.

    Args:
        model: stochastic, with a weight of the KL that is not a schedule.
        x: (batch, *event) float32, one batch.
        draws: how often the noise is drawn.

    Returns:
        The sum over the weights of the variance over the draws.
    """
    inputs = tf.constant(x)
    weights = [v.value for v in model.bottleneck.trainable_variables]

    @tf.function(autograph=False)
    def gradient(count: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            record = model.forward(inputs, Noise(model.seed, count), training=True)
            loss = model.terms(record)["loss"]
        gradients: Any = tape.gradient(loss, weights)
        return tf.concat([tf.reshape(g, [-1]) for g in gradients], 0)

    found = [gradient(tf.constant(index, tf.int64)).numpy() for index in range(draws)]
    return float(np.var(found, axis=0, ddof=1).sum())
