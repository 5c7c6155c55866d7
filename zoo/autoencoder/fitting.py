"""A prior for a model that is trained already: its codes, and the model that draws from what fits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import keras
import numpy as np
import tensorflow as tf

from zoo.distributions.priors import Prior
from zoo.noise import Noise
from zoo.serialization import part, serialize_part, weights_drawn_by, whole_number
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
    seed = whole_number(seed, "seed")
    named = {"name": prior, **options} if isinstance(prior, str) else prior
    if options and named is prior:
        raise ValueError(
            f"Options go with the name of a prior; received {prior!r} and {options!r}."
        )
    made = part(named, "prior", Prior)
    if made is None:
        raise ValueError("fit_prior needs a prior, such as 'gaussian_mixture'; received None.")
    made.see(model)
    if not getattr(made, "has_density", True):
        made.trained_with = _copy_of(model.prior, model.code_shape)
    with weights_drawn_by(seed):
        made.fit(drawn_codes(model, x, condition, batch_size, seed), seed)
    made.trainable = False
    config = {**model.get_config(), "prior": serialize_part(made)}
    with model.distribute_strategy.scope():
        copy = type(model).from_config(config)
        _take_over(copy, model)
        cast(Prior, copy.prior).set_weights(made.get_weights())
        compiled = model.get_compile_config()
        if compiled is not None:
            copy.compile_from_config(compiled)
    return copy


def drawn_codes(
    model: Autoencoder, x: Any, condition: Any = None, batch_size: int = 500, seed: int = 0
) -> np.ndarray:
    """A draw of the posterior for every row, the code itself where there is none, (rows, *code) float32."""
    model._refresh()

    @tf.function(reduce_retracing=True, autograph=False)
    def draw(first: tf.Tensor, x: tf.Tensor, *condition: Any) -> tf.Tensor:
        encoded = model._encoded(*condition) if condition else None
        features = model._features(model._prepared(x), encoded, False)
        noise = Noise(seed, first).fold("drawn_codes")
        return model.bottleneck.draw(features, noise, model.step.value, False).value

    parts: list[np.ndarray] = []
    first = 0
    with plain_errors():
        for batch in model._batches(x, batch_size, condition):
            rows = tf.nest.map_structure(tf.convert_to_tensor, batch)
            parts.append(draw(tf.constant(first, tf.int64), *rows).numpy())
            first += len(batch[0])
    return np.concatenate(parts)


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
