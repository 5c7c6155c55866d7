"""The encoder and decoder of a model, from the options that every model takes."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras

from zoo.networks import higgins
from zoo.networks.conv import conv_decoder, conv_encoder
from zoo.networks.mlp import GATED, mlp
from zoo.networks.tied import Tied
from zoo.registry import suggest
from zoo.serialization import whole_number

# Architectures that a paper fixes: the input shape is all that they take.
FIXED = {"shapes": higgins.shapes, "dc_ign": higgins.dc_ign, "chairs": higgins.chairs}
KINDS = ("mlp", "conv", "tied", *FIXED)


class Networks(NamedTuple):
    """An encoder and a decoder, (batch, *event) -> features and (batch, units) -> (batch, *event).

    Example:
        >>> from zoo.networks import Networks, mlp
        >>> networks = Networks(mlp([4]), mlp([4], (6,)))
        >>> model = zoo.create("vae", (6,), latents=2, networks=networks)
        >>> model.encode(np.zeros((3, 6), "float32")).shape
        (3, 2)
    """

    encoder: keras.Layer
    decoder: keras.Layer


def build_networks(
    networks: str | tuple[keras.Layer, keras.Layer],
    input_shape: Sequence[int],
    hidden: Sequence[int] | int | None,
    activation: str = "relu",
    default: Sequence[int] = (500, 500),
    output_shape: Sequence[int] | None = None,
) -> Networks:
    """The pair of networks that `networks` names.

    Args:
        networks: "mlp", "conv" (pictures only), "tied" (an MLP whose decoder is the transposed encoder),
            "shapes", "dc_ign" or "chairs" (see `zoo.networks.higgins`; without `hidden`), or a pair
            (encoder, decoder) of Keras models or layers: the encoder gives (batch, features), the
            decoder takes (batch, units) and gives (batch, *input_shape) before the likelihood's link
            (logits for Bernoulli).
        input_shape: shape of one example, (h, w, channels) or (d,).
        hidden: units of the MLP's hidden layers or filters of the convolutions, first to last in the
            encoder and mirrored in the decoder; None for `default`, or 64 and 128 filters and a dense
            layer of 1024 for "conv" (the network of the L_P paper's code).
        activation: of the hidden layers; "gated" with networks="mlp" for `zoo.networks.Gated` ones.
        default: hidden units of the MLP where `hidden` is None.
        output_shape: shape of what the decoder gives; None for `input_shape`.

    Returns:
        The encoder and the decoder.

    Raises:
        ValueError: for another name, a pair that is none, "conv" on vectors, or gates outside an MLP.

    Example:
        >>> encoder, decoder = zoo.networks.build_networks("conv", (8, 8, 1), hidden=(4, 4))
        >>> encoder(np.zeros((3, 8, 8, 1), "float32")).shape[0]
        3
        >>> decoder(np.zeros((3, 2), "float32")).shape
        TensorShape([3, 8, 8, 1])
    """
    input_shape = check_event_shape(input_shape)
    if not isinstance(networks, str):
        return _own(networks)
    if output_shape is not None and tuple(output_shape) != input_shape:
        there = build_networks(networks, input_shape, hidden, activation, default)
        back = build_networks(networks, output_shape, hidden, activation, default)
        return Networks(there.encoder, back.decoder)
    units = None if hidden is None else _hidden_units(hidden)
    if networks == "mlp":
        units = tuple(default) if units is None else units
        return Networks(mlp(units, None, activation), mlp(units[::-1], input_shape, activation))
    if activation == GATED:
        raise ValueError(
            f"activation='gated' is for networks='mlp'; received networks={networks!r}. Choose 'relu' or "
            "another activation of Keras."
        )
    if networks == "tied":
        units = tuple(default) if units is None else units
        return Networks(mlp(units, None, activation), Tied(input_shape, activation))
    if networks in ("conv", "dc_ign", "chairs") and len(input_shape) != 3:
        raise ValueError(
            f"networks={networks!r} needs pictures of shape (height, width, channels); received "
            f"input_shape={input_shape}. Use networks='mlp' for vectors."
        )
    if networks in FIXED:
        if units is not None:
            raise ValueError(
                f"The layers of networks={networks!r} are fixed; received hidden={hidden}. Leave it out, "
                "or use networks='mlp' or 'conv'."
            )
        return Networks(*FIXED[networks](input_shape))
    if networks == "conv":
        dense = (1024,) if units is None else ()
        units = (64, 128) if units is None else units
        return Networks(
            conv_encoder(units, dense, activation=activation),
            conv_decoder(units, input_shape, dense, activation=activation),
        )
    raise ValueError(f"Unknown networks {networks!r}.{suggest(networks, KINDS)}")


def check_event_shape(shape: Any) -> tuple[int, ...]:
    """The shape of one example as a tuple of whole numbers, or a ValueError."""
    try:
        event = tuple(whole_number(side, "a side", 1) for side in shape)
    except (TypeError, ValueError):
        event = ()
    if not event:
        raise ValueError(
            "input_shape must be the shape of one example without the batch axis, like (28, 28, 1) "
            f"or (10,); received {shape!r}."
        )
    return event


def _hidden_units(hidden: Any) -> tuple[int, ...]:
    if isinstance(hidden, numbers.Integral):
        hidden = (hidden,)
    if isinstance(hidden, str) or not hasattr(hidden, "__iter__"):
        raise ValueError(
            f"hidden must be the units of each hidden layer, like (500, 500); received {hidden!r}."
        )
    return tuple(whole_number(units, "hidden", 1) for units in hidden)


def _own(networks: Any) -> Networks:
    pair = tuple(networks) if isinstance(networks, Sequence) else ()
    if len(pair) != 2 or not all(isinstance(part, keras.Layer) for part in pair):
        raise ValueError(
            f"networks must be one of {', '.join(KINDS)} or a pair (encoder, decoder) of Keras models; "
            f"received {networks!r}."
        )
    return Networks(*pair)


def built_shape(
    network: keras.Layer, event: tuple[int, ...], name: str, *beside: int, flat: bool = False
) -> tuple[int | None, ...]:
    """Build a network and return the shape of its output.

    Args:
        network: Keras model or layer.
        event: shape of one input.
        name: what an error calls the network.
        *beside: width of what it is given beside the input, the condition.
        flat: whether the output must be (batch, features).

    Returns:
        The shape of the output, the batch's axis first.

    Raises:
        ValueError: for a network that cannot take the input, or gives something else.
    """
    inputs = [keras.Input(event), *(keras.Input((width,)) for width in beside)]
    try:
        output = network(inputs if beside else inputs[0])
    except Exception as error:
        hint = ""
        if beside:
            hint = (
                f" (With a condition it is given two inputs, [(batch, {', '.join(map(str, event))}), (batch, "
                f"{beside[0]})]: wrap it in zoo.networks.Conditioned.)"
            )
        raise ValueError(
            f"The {name} cannot take inputs of shape (batch, {', '.join(map(str, event))}): {error}{hint}"
        ) from error
    shape = getattr(output, "shape", None)
    if shape is None or (flat and len(shape) != 2):
        raise ValueError(
            f"The {name} must give one tensor (batch, features); it gives {shape or type(output)}. "
            "End it with keras.layers.Flatten()."
        )
    return tuple(shape)
