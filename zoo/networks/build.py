"""The encoder and decoder of a model, from the options that every model takes."""

from __future__ import annotations

import numbers
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras

from zoo.networks.conv import (
    DENSE,
    check_picture_shape,
    conv_decoder,
    conv_encoder,
    default_filters,
    default_stride,
)
from zoo.networks.mlp import GATED, mlp
from zoo.networks.tied import Tied
from zoo.registry import get, lookup, names, option_names, register
from zoo.values import whole_number


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


@register("mlp", kind="network")
def mlp_networks(
    input_shape: Sequence[int],
    hidden: Sequence[int] | None = None,
    activation: str = "relu",
    default: Sequence[int] = (500, 500),
) -> Networks:
    """Fully connected layers, and the same in reverse order.

    Args:
        input_shape: shape of one example.
        hidden: units of the hidden layers, first to last in the encoder; None for `default`.
        activation: of the hidden layers; "gated" for `zoo.networks.Gated` ones.
        default: the model's own hidden units.

    Returns:
        The encoder and the decoder.
    """
    units = tuple(default if hidden is None else hidden)
    return Networks(mlp(units, None, activation), mlp(units[::-1], input_shape, activation))


@register("tied", kind="network")
def tied_networks(
    input_shape: Sequence[int],
    hidden: Sequence[int] | None = None,
    activation: str = "relu",
    default: Sequence[int] = (500, 500),
) -> Networks:
    """Fully connected layers, with the transposed encoder as decoder.

    Args:
        input_shape: shape of one example.
        hidden: as in `mlp_networks`.
        activation: of the hidden layers; "gated" is refused.
        default: as in `mlp_networks`.

    Returns:
        The encoder and the decoder.
    """
    _refuse_gates(activation, "tied")
    units = tuple(default if hidden is None else hidden)
    return Networks(mlp(units, None, activation), Tied(input_shape, activation))


@register("conv", kind="network")
def conv_networks(
    input_shape: Sequence[int],
    hidden: Sequence[int] | None = None,
    activation: str = "relu",
    dense: Sequence[int] | None = None,
) -> Networks:
    """Strided convolutions for pictures, and transposed ones in reverse order.

    Where no filters are named the decoder's first map has no activation, see `conv_decoder`.

    Args:
        input_shape: (h, w, channels).
        hidden: filters of the convolutions; None for as many as `zoo.networks.conv.default_filters` says.
        activation: of every hidden layer.
        dense: units of the layers between the convolutions and the code; None for 256 where `hidden` is None
            too, and for none otherwise.

    Returns:
        The encoder and the decoder.
    """
    _refuse_gates(activation, "conv")
    check_picture_shape(input_shape, "conv")
    if dense is None:
        dense = DENSE if hidden is None else ()
    filters = default_filters(input_shape) if hidden is None else hidden
    options: dict[str, Any] = {
        "activation": activation,
        "keep_scale": hidden is None,
        "first_stride": default_stride(input_shape) if hidden is None else 2,
    }
    return Networks(
        conv_encoder(filters, dense, **options),
        conv_decoder(filters, input_shape, dense, linear_map=hidden is None, **options),
    )


def build_networks(
    networks: str | Mapping[str, Any] | tuple[keras.Layer, keras.Layer],
    input_shape: Sequence[int],
    hidden: Sequence[int] | int | None,
    activation: str = "relu",
    default: Sequence[int] = (500, 500),
    output_shape: Sequence[int] | None = None,
    likelihood: Any = None,
) -> Networks:
    """The pair of networks that `networks` names.

    Args:
        networks: a name (``zoo.names("network")``), a dict with "name" and options of its function, or a
            pair (encoder, decoder) of Keras models or layers: the encoder gives (batch, features), the
            decoder takes (batch, units) and gives (batch, *input_shape) before the likelihood's link
            (logits for Bernoulli).
        input_shape: shape of one example, (h, w, channels) or (d,).
        hidden: units of the hidden layers, or filters of the convolutions; None for those of the network.
        activation: of the hidden layers.
        default: what `hidden` is where it is None, for networks that have no such number of their own.
        output_shape: shape of what is reconstructed; None for `input_shape`.
        likelihood: of what is reconstructed, as in `zoo.Autoencoder`: it may show x to the encoder in another
            form, and ask the decoder for several numbers for each element. None for neither.

    A registered function gets `input_shape`, and those of `hidden`, `activation` and `default` that its
    signature names.

    Returns:
        The encoder and the decoder.

    Raises:
        ValueError: for another name, for what is not a pair of networks, and for an option that the network
            does not take.

    Example:
        >>> encoder, decoder = zoo.networks.build_networks("conv", (8, 8, 1), hidden=(4, 4))
        >>> encoder(np.zeros((3, 8, 8, 1), "float32")).shape[0]
        3
        >>> decoder(np.zeros((3, 2), "float32")).shape
        TensorShape([3, 8, 8, 1])
    """
    input_shape = check_event_shape(input_shape)
    name, options = _named(networks)
    if name is None:
        return _pair(networks, f"networks must be one of {', '.join(names('network'))}, or")
    input_shape, output_shape = _shapes(input_shape, output_shape, likelihood)
    if output_shape != input_shape:
        there = build_networks(networks, input_shape, hidden, activation, default)
        back = build_networks(networks, output_shape, hidden, activation, default)
        return Networks(there.encoder, back.decoder)
    free = layer_options(networks)
    if hidden is not None and "hidden" not in free:
        raise ValueError(
            f"The layers of networks={networks!r} are fixed; received hidden={hidden}. Leave it out, "
            "or use networks='mlp' or 'conv'."
        )
    if "activation" not in free | set(options):
        _refuse_gates(activation, name)
    given = {"hidden": hidden, "activation": activation, "default": default}
    known = option_names(lookup(name, "network"))
    given = {key: value for key, value in given.items() if key in known} | options
    if given.get("hidden") is not None:
        given["hidden"] = _hidden_units(given["hidden"])
    made = get(name, "network", input_shape=input_shape, **given)
    return _pair(made, f"The network {name!r} must give")


def _shapes(
    input_shape: tuple[int, ...], output_shape: Sequence[int] | None, likelihood: Any
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shapes of what the encoder is given and of what the decoder gives."""
    event = input_shape if output_shape is None else check_event_shape(output_shape)
    if likelihood is None:
        return input_shape, event
    from zoo.distributions.likelihoods import Likelihood  # which has networks of its own
    from zoo.serialization import part

    made = part(likelihood, "likelihood", Likelihood)
    shown = made.encoder_shape(input_shape) if output_shape is None else input_shape
    return shown, made.decoder_shape(event)


def layer_options(networks: Any) -> set[str]:
    """Which of the options "hidden" and "activation" of a model act on its `networks`."""
    name, options = _named(networks)
    act = {"hidden", "activation"} - set(options)
    if name is None:
        return set()
    # A name that is unknown here is refused when it is built, or means something to the model alone.
    return act & option_names(lookup(name, "network")) if name in names("network") else act


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


def _named(networks: Any) -> tuple[str | None, dict[str, Any]]:
    """Name and options; no name for a pair."""
    if isinstance(networks, str):
        return networks, {}
    if isinstance(networks, Mapping) and isinstance(networks.get("name"), str):
        return networks["name"], {key: item for key, item in networks.items() if key != "name"}
    return None, {}


def _refuse_gates(activation: Any, name: str) -> None:
    if activation == GATED:
        raise ValueError(
            f"activation='gated' is for networks='mlp'; received networks={name!r}. Choose 'relu' or "
            "another activation of Keras."
        )


def named(network: keras.Layer, role: str) -> keras.Layer:
    """The network, called as a summary is to show it unless its maker gave it a name.

    Args:
        network: Keras model or layer.
        role: "encoder" or "decoder".

    Returns:
        The network itself.
    """
    # Keras makes names such as sequential_42 of the class.
    made = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(network).__name__).lower()
    if re.fullmatch(rf"{re.escape(made)}(_\d+)?", getattr(network, "name", "")):
        network.name = role
    return network


def _pair(networks: Any, expected: str) -> Networks:
    pair = tuple(networks) if isinstance(networks, Sequence) else ()
    if len(pair) != 2 or not all(isinstance(part, keras.Layer) for part in pair):
        raise ValueError(
            f"{expected} a pair (encoder, decoder) of Keras models; received {networks!r}."
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
