"""The functions of a model that an export holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

from zoo.distributions import base_distribution
from zoo.exporting.unknown_rows import nan_for_unknown

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

# File of a format without sampling -> the endpoint that it holds.
DETERMINISTIC = {"encoder": "encode", "decoder": "decode", "reconstruct": "reconstruct"}

# Endpoint -> the name of its output in these files, and in the signatures of a SavedModel.
OUTPUTS = {
    "encode": "codes",
    "decode": "reconstruction",
    "reconstruct": "reconstruction",
    "generate": "examples",
}


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

    reconstruct: x (batch, *event) -> (batch, *target); encode: x -> (batch, *code);
    decode: z (batch, *code) -> (batch, *event); posterior: x -> {"loc", "scale"}, (batch, *code) each;
    generate: n, seed, int32 scalars -> (n, *event). All but n and seed are float32. Where the model declares
    a condition, it is the last argument of each, int32 labels or float32 covariates, or a dict of them.

    Example:
        >>> from zoo.exporting.endpoints import endpoints
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> sorted(endpoints(model))
        ['decode', 'encode', 'generate', 'posterior', 'reconstruct']
    """
    x = tf.TensorSpec((None, *model.event_shape), tf.float32, name="x")
    z = tf.TensorSpec((None, *model.code_shape), tf.float32, name="z")
    n, seed = (tf.TensorSpec((), tf.int32, name=name) for name in ("n", "seed"))
    c = _condition_spec(model)

    functions = _functions(model) if not c else _conditional_functions(model)

    def own(method: Callable[..., Any]) -> Callable[..., Any]:
        """The model's own method, with the condition by its name."""
        return lambda *given: method(*given[: len(given) - len(c)], **_named(given, c))

    found = {
        "reconstruct": Endpoint(functions["reconstruct"], (x, *c), own(model.reconstruct)),
        "encode": Endpoint(functions["encode"], (x, *c), own(model.encode)),
        "decode": Endpoint(functions["decode"], (z, *c), own(model.decode)),
    }
    if _location_scale(model.example_posterior()):
        # In a graph, as the other answers are: bfloat16 is rounded at other places there.
        answer = tf.function(functions["posterior"], autograph=False)
        found["posterior"] = Endpoint(functions["posterior"], (x, *c), answer)
    if model.prior is not None:
        draw = own(lambda n, seed, **given: model.generate(int(n), int(seed), **given))
        found["generate"] = Endpoint(functions["generate"], (n, seed, *c), draw)
    return found


# The names of the arguments are those of the signature: an export takes both.
def _functions(model: Autoencoder) -> dict[str, Callable[..., Any]]:
    missing = model.intake.missing

    def reconstruct(x: tf.Tensor) -> tf.Tensor:
        return nan_for_unknown(model.reconstruct_batch(x), x, missing=missing)

    def encode(x: tf.Tensor) -> tf.Tensor:
        return nan_for_unknown(model.encode_batch(x), x, missing=missing)

    def decode(z: tf.Tensor) -> tf.Tensor:
        return nan_for_unknown(model.decode_batch(z), z)

    def posterior(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return nan_for_unknown(_location_scale(model.posterior_batch(x)), x, missing=missing)

    def generate(n: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return model.generate_batch(n, seed)

    return {f.__name__: f for f in (reconstruct, encode, decode, posterior, generate)}


def _conditional_functions(model: Autoencoder) -> dict[str, Callable[..., Any]]:
    missing = model.intake.missing

    def reconstruct(x: tf.Tensor, condition: Any) -> tf.Tensor:
        found = model.reconstruct_batch(x, condition)
        return nan_for_unknown(found, x, condition, missing=missing)

    def encode(x: tf.Tensor, condition: Any) -> tf.Tensor:
        return nan_for_unknown(model.encode_batch(x, condition), x, condition, missing=missing)

    def decode(z: tf.Tensor, condition: Any) -> tf.Tensor:
        return nan_for_unknown(model.decode_batch(z, condition), z, condition)

    def posterior(x: tf.Tensor, condition: Any) -> dict[str, tf.Tensor]:
        found = _location_scale(model.posterior_batch(x, condition))
        return nan_for_unknown(found, x, condition, missing=missing)

    def generate(n: tf.Tensor, seed: tf.Tensor, condition: Any) -> tf.Tensor:
        return nan_for_unknown(model.generate_batch(n, seed, condition), condition)

    return {f.__name__: f for f in (reconstruct, encode, decode, posterior, generate)}


def _condition_spec(model: Autoencoder) -> tuple[Any, ...]:
    """The specification of the condition, as a tuple of one; of none where the model declares none."""
    declared = model.intake.condition
    if declared is None:
        return ()
    example = declared.example()
    parts = example if isinstance(example, dict) else {"condition": example}
    specs = {
        name: tf.TensorSpec((None, *value.shape[1:]), value.dtype, name=name)
        for name, value in parts.items()
    }
    return (specs if isinstance(example, dict) else specs["condition"],)


def _named(given: tuple[Any, ...], condition: tuple[Any, ...]) -> dict[str, Any]:
    return {"condition": given[-1]} if condition else {}


def deterministic(model: Autoencoder) -> dict[str, Endpoint]:
    """The endpoints that draw nothing, by the name of their file; see `DETERMINISTIC`.

    Example:
        >>> from zoo.exporting.endpoints import deterministic
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> list(deterministic(model))
        ['encoder', 'decoder', 'reconstruct']
    """
    known = endpoints(model)
    return {file: _with_output(known[name], OUTPUTS[name]) for file, name in DETERMINISTIC.items()}


def whole(model: Autoencoder) -> Endpoint:
    """X -> {"codes", "reconstruction"}, what a single file holds.

    Example:
        >>> from zoo.exporting.endpoints import whole
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> sorted(whole(model).answer(np.zeros((3, 6), "float32")))
        ['codes', 'reconstruction']
    """
    known = endpoints(model)
    encode, reconstruct = known["encode"], known["reconstruct"]

    def codes_and_reconstruction(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"codes": encode.function(x), "reconstruction": reconstruct.function(x)}

    def conditional(x: tf.Tensor, condition: Any) -> dict[str, tf.Tensor]:
        codes = encode.function(x, condition)
        return {"codes": codes, "reconstruction": reconstruct.function(x, condition)}

    def answer(*given: Any) -> dict[str, np.ndarray]:
        return {"codes": encode.answer(*given), "reconstruction": reconstruct.answer(*given)}

    plain = len(encode.signature) == 1
    return Endpoint(codes_and_reconstruction if plain else conditional, encode.signature, answer)


def _with_output(endpoint: Endpoint, output: str) -> Endpoint:
    """The endpoint with a name for its one output."""
    function = endpoint.function

    # The names of the arguments are those of the signature.
    def of_x(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {output: function(x)}

    def of_z(z: tf.Tensor) -> dict[str, tf.Tensor]:
        return {output: function(z)}

    def of_x_given(x: tf.Tensor, condition: Any) -> dict[str, tf.Tensor]:
        return {output: function(x, condition)}

    def of_z_given(z: tf.Tensor, condition: Any) -> dict[str, tf.Tensor]:
        return {output: function(z, condition)}

    alone, given = (of_z, of_z_given) if endpoint.signature[0].name == "z" else (of_x, of_x_given)
    return endpoint._replace(function=alone if len(endpoint.signature) == 1 else given)


def named_inputs(names: list[str], given: tuple[Any, ...]) -> dict[str, np.ndarray]:
    """The arguments of an endpoint by the names that a file has for its inputs.

    Args:
        names: of the inputs; those of a condition are "condition", or the names of its parts.
        given: x or z, and the condition where there is one, an array or a dict of arrays.

    Returns:
        Name -> array.

    Example:
        >>> from zoo.exporting.endpoints import named_inputs
        >>> found = named_inputs(["condition", "x"], (np.zeros((2, 3)), np.array([0, 1])))
        >>> found["x"].shape, found["condition"].tolist()
        ((2, 3), [0, 1])
    """
    first, *rest = given
    parts: Any = dict(zip(["condition"], rest, strict=False))
    if rest and isinstance(rest[0], dict):
        parts = rest[0]
    found = {name: np.asarray(part) for name, part in parts.items()}
    (own,) = [name for name in names if name not in found]
    return {**found, own: np.asarray(first)}


def in_float32(model: Autoencoder) -> Autoencoder:
    """The model, or a copy of it with the same weights where it computes in mixed precision.

    Example:
        >>> from zoo.exporting.endpoints import in_float32
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> in_float32(model) is model
        True
    """
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
    base: Any = None if distribution is None else base_distribution(distribution)
    if not (hasattr(base, "loc") and tf.is_tensor(getattr(base, "scale", None))):
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
