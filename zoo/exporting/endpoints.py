"""The functions of a model that an export holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

# File of a format without sampling -> the endpoint that it holds.
DETERMINISTIC = {"encoder": "encode", "decoder": "decode", "reconstruct": "reconstruct"}


class Endpoint(NamedTuple):
    """One function of a model.

    Attributes:
        function: what is exported, in a graph; gives one tensor or a dict of tensors.
        signature: the specification of every argument; its name says what it is: x, z, n or seed.
        answer: the same from the model's own methods, for arrays.
    """

    function: Callable[..., Any]
    signature: tuple[tf.TensorSpec, ...]
    answer: Callable[..., Any]


def endpoints(model: Autoencoder) -> dict[str, Endpoint]:
    """Every endpoint that the model has, by name.

    reconstruct: x (batch, *event) -> (batch, *event); encode: x -> (batch, units);
    decode: z (batch, units) -> (batch, *event); posterior: x -> {"loc", "scale"}, (batch, units) each;
    generate: n, seed, int32 scalars -> (n, *event). All but n and seed are float32.
    """
    x = tf.TensorSpec((None, *model.event_shape), tf.float32, name="x")
    z = tf.TensorSpec((None, model.units), tf.float32, name="z")
    n, seed = (tf.TensorSpec((), tf.int32, name=name) for name in ("n", "seed"))

    # The names of the arguments are those of the signature: an export takes both.
    def reconstruct(x: tf.Tensor) -> tf.Tensor:
        return model(x, training=False)

    def encode(x: tf.Tensor) -> tf.Tensor:
        return model.encode_batch(x)

    def decode(z: tf.Tensor) -> tf.Tensor:
        return model.decode_batch(z)

    def posterior(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return _location_scale(model.posterior(x))

    def generate(n: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return model.decode_batch(model.sample_prior(n, seed))

    found = {
        "reconstruct": Endpoint(reconstruct, (x,), model.reconstruct),
        "encode": Endpoint(encode, (x,), model.encode),
        "decode": Endpoint(decode, (z,), model.decode),
    }
    if _location_scale(model.example_posterior()):
        # In a graph, as the other answers are: bfloat16 is rounded at other places there.
        answer = tf.function(posterior, autograph=False)
        found["posterior"] = Endpoint(posterior, (x,), answer)
    if model.prior is not None:
        found["generate"] = Endpoint(
            generate, (n, seed), lambda n, seed: model.generate(int(n), int(seed))
        )
    return found


def deterministic(model: Autoencoder) -> dict[str, Endpoint]:
    """The endpoints that draw nothing, by the name of their file; see `DETERMINISTIC`."""
    known = endpoints(model)
    return {file: known[name] for file, name in DETERMINISTIC.items()}


def in_float32(model: Autoencoder) -> Autoencoder:
    """The model, or a copy of it with the same weights where it computes in mixed precision."""
    if all(layer.compute_dtype == "float32" for layer in model._flatten_layers()):
        return model
    copy = type(model).from_config(_with_float32(model.get_config()))
    copy.set_weights(model.get_weights())
    return copy


def as_dict(answer: Any) -> dict[str, np.ndarray]:
    """An answer as a dict of arrays, a single tensor under the empty name."""
    if not isinstance(answer, dict):
        answer = {"": answer}
    return {key: np.asarray(value) for key, value in answer.items()}


def _location_scale(distribution: Any) -> dict[str, tf.Tensor]:
    base = getattr(distribution, "distribution", None)
    if not (hasattr(base, "loc") and hasattr(base, "scale")):
        return {}
    return {"loc": base.loc, "scale": base.scale}


def _with_float32(config: Any) -> Any:
    """A configuration with every policy of 16 bits replaced by float32."""
    if isinstance(config, dict):
        return {
            key: "float32" if key == "dtype" and _is_16_bit(value) else _with_float32(value)
            for key, value in config.items()
        }
    if isinstance(config, list | tuple):
        return type(config)(_with_float32(item) for item in config)
    return config


def _is_16_bit(policy: Any) -> bool:
    name = policy.get("config", {}).get("name") if isinstance(policy, dict) else policy
    return isinstance(name, str) and "float16" in name
