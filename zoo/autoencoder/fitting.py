"""A prior for a model that is trained already: its codes, and the model that draws from what fits them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import keras
import numpy as np
import tensorflow as tf

from zoo.bottlenecks import Bottleneck, Code
from zoo.distributions.divergences import base_distribution
from zoo.distributions.priors import Prior
from zoo.noise import Noise
from zoo.serialization import part, serialize_part, weights_drawn_by, whole_number
from zoo.tfp import tfd
from zoo.trainer.refusals import plain_errors

if TYPE_CHECKING:
    from zoo.autoencoder.autoencoder import Autoencoder


def fitted(
    model: Autoencoder,
    prior: Any,
    x: Any,
    condition: Any = None,
    batch_size: int = 500,
    seed: int = 0,
    **options: Any,
) -> Autoencoder:
    """See `Autoencoder.fit_prior`."""
    seed = whole_number(seed, "seed", 0)
    made: Any = fittable(model, prior, **options)
    if not getattr(made, "has_density", True):
        made.trained_with = _copy_of(model.prior, model.code_shape)
    found = drawn_codes
    if getattr(made, "of_posteriors", False):
        found = posteriors
    elif getattr(made, "of_indices", False):
        found = indices
    with weights_drawn_by(seed):
        made.fit(found(model, x, condition, batch_size, seed), seed)
    made.trainable = False
    config = {**model.get_config(), "prior": serialize_part(made)}
    # Keras would draw what the copy begins with from Python's random, which is the caller's.
    with weights_drawn_by(seed), model.distribute_strategy.scope():
        copy = type(model).from_config(config)
        _take_over(copy, model)
        cast(Prior, copy.prior).set_weights(made.get_weights())
        compiled = model.get_compile_config()
        if compiled is not None:
            copy.compile_from_config(compiled)
    return copy


def fittable(model: Autoencoder, prior: Any, **options: Any) -> Prior:
    """A prior that can be fitted to the codes of a model, which need not be trained for it.

    Raises:
        ValueError: for options that the prior does not take, and for one that has nothing to fit, or not to
            codes such as these.
    """
    named = {"name": prior, **options} if isinstance(prior, str) else prior
    if options and named is prior:
        raise ValueError(
            f"Options go with the name of a prior; received {prior!r} and {options!r}."
        )
    made = part(named, "prior", Prior)
    if made is None:
        raise ValueError("fit_prior needs a prior, such as 'gaussian_mixture'; received None.")
    made.see(model)
    if type(made).fit is Prior.fit:
        made.fit(np.zeros(0))  # which says so
    if getattr(made, "of_posteriors", False):
        _refuse_other_posteriors(model)
    elif getattr(made, "of_indices", False):
        _refuse_other_codes(model)
    return made


def _refuse_other_posteriors(model: Autoencoder) -> None:
    if not isinstance(base_distribution(model.example_posterior()), tfd.Normal):
        raise ValueError(
            "This prior is made of normal posteriors q(z|x), and the model has none. Take the prior "
            "'gaussian_mixture', or train a model of the bottleneck 'normal', such as 'vae'."
        )


def _refuse_other_codes(model: Autoencoder) -> None:
    if model.bottleneck.vocabulary is None:
        raise ValueError(
            "This prior needs a quantized code, as that of 'vq_vae'; received a "
            f"{type(model.bottleneck).__name__}."
        )


def drawn_codes(
    model: Autoencoder, x: Any, condition: Any = None, batch_size: int = 500, seed: int = 0
) -> np.ndarray:
    """A draw of the posterior for every row, the code itself where there is none, (rows, *code) float32."""

    def draw(features: tf.Tensor, first: tf.Tensor) -> tuple[tf.Tensor, ...]:
        noise = Noise(seed, first).fold("drawn_codes")
        code = model.bottleneck.draw(features, noise, model.step.value, False)
        return (_one_of_each(model.bottleneck, code, noise.fold("one")),)

    return _of_features(model, draw, x, condition, batch_size)[0]


def _one_of_each(bottleneck: Bottleneck, code: Code, noise: Noise) -> tf.Tensor:
    """One of the draws of each row, by chance where they are weighed, (rows, *code)."""
    if bottleneck.samples == 1:
        return code.value
    each = tf.reshape(code.value, (-1, bottleneck.samples, *bottleneck.code_shape))
    if not bottleneck.weighed:
        return each[:, 0]
    log_chances = code.notes["log_chances"]
    uniform = noise.uniform(tf.shape(log_chances)[0], bottleneck.samples)
    # The largest of log p_i - log(-log u_i) is i with probability p_i (Gumbel 1954).
    chosen = tf.argmax(log_chances - tf.math.log(-tf.math.log(uniform)), axis=1)
    return tf.gather(each, chosen, batch_dims=1)


def posteriors(
    model: Autoencoder, x: Any, condition: Any = None, batch_size: int = 500, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Location and scale of the normal posterior of every row, (rows, *code) float32 each.

    Raises:
        ValueError: for a model whose posteriors are none, or of another family.
    """
    del seed
    _refuse_other_posteriors(model)

    def both(features: tf.Tensor, first: tf.Tensor) -> tuple[tf.Tensor, ...]:
        del first
        base = base_distribution(model.bottleneck.posterior(features))
        return base.loc, base.scale

    loc, scale = _of_features(model, both, x, condition, batch_size)
    return loc, scale


def indices(
    model: Autoencoder, x: Any, condition: Any = None, batch_size: int = 500, seed: int = 0
) -> np.ndarray:
    """The entries whose sum the quantized code of every row is, (rows, ..., levels) int32.

    Raises:
        ValueError: for a model whose codes are not quantized.
    """
    _refuse_other_codes(model)

    def index(features: tf.Tensor, first: tf.Tensor) -> tuple[tf.Tensor, ...]:
        noise = Noise(seed, first).fold("drawn_codes")
        return (model.bottleneck.draw(features, noise, model.step.value, False).notes["index"],)

    return _of_features(model, index, x, condition, batch_size)[0]


def _of_features(
    model: Autoencoder,
    function: Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, ...]],
    x: Any,
    condition: Any,
    batch_size: int,
) -> list[np.ndarray]:
    """What a function of the encoder's features and the first row of their batch gives for all rows."""
    model._refresh()

    @tf.function(reduce_retracing=True, autograph=False)
    def run(first: tf.Tensor, x: tf.Tensor, *condition: Any) -> tuple[tf.Tensor, ...]:
        encoded = model._encoded(*condition) if condition else None
        return function(model._features(model._prepared(x), encoded, False), first)

    parts: list[list[np.ndarray]] = []
    first = 0
    with plain_errors():
        for batch in model._batches(x, batch_size, condition):
            rows = tf.nest.map_structure(tf.convert_to_tensor, batch)
            found: Any = run(tf.constant(first, tf.int64), *rows)
            parts.append([part.numpy() for part in found])
            first += len(batch[0])
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


def _copy_of(prior: Any, code_shape: tuple[int, ...]) -> Prior | None:
    """A prior like it, which answers for its density; None for one that has none, or asks its model."""
    prior = getattr(prior, "trained_with", None) or prior
    if prior is None or prior.sees_model:
        return None
    copy = type(prior).from_config(prior.get_config())
    copy.build((None, *code_shape))
    copy.set_weights(prior.get_weights())
    return copy


def _take_over(copy: Autoencoder, model: Autoencoder) -> None:
    """The weights of everything but the prior."""

    def members(owner: Autoencoder) -> list[keras.Layer]:
        of_prior = [] if owner.prior is None else owner.prior._flatten_layers()  # itself among them
        others = [part for part in owner.parts if part not in of_prior]
        scales = [] if owner.standardization is None else [owner.standardization]
        return [owner.encoder, owner.decoder, *scales, *others]

    for new, old in zip(members(copy), members(model), strict=True):
        new.set_weights(old.get_weights())
    copy.step.assign(model.step.value)
