"""What parts of a user's own give, checked when a step is traced: an error names the part and its method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from zoo.bottlenecks import Bottleneck, Code
from zoo.tfp import tfd


def code_of(bottleneck: Bottleneck, drawn: Any) -> Code:
    """What `draw` gave.

    Raises:
        ValueError: for anything but a `Code` whose value is a code.
    """
    kind, shape = type(bottleneck).__name__, bottleneck.code_shape
    if not isinstance(drawn, Code):
        raise ValueError(
            f"draw() of {kind} must give a zoo.Code; it gave a {type(drawn).__name__}. Return "
            "zoo.Code(value)."
        )
    found = tf.TensorShape(drawn.value.shape)
    if not found.is_compatible_with((None, *shape)):
        raise ValueError(
            f"draw() of {kind} must give codes (batch, {', '.join(map(str, shape))}), as its code_shape "
            f"says; it gave {tuple(found)}."
        )
    return drawn


def penalty_of(name: str, penalty: Any) -> tf.Tensor:
    """What `penalty` gave, as a tensor.

    Raises:
        ValueError: for nothing.
    """
    if penalty is None:
        raise ValueError(
            f"penalty() of the regularizer {name!r} must give (batch,) or a scalar; it gave None. Return it."
        )
    return tf.convert_to_tensor(penalty)


def critic_loss_of(name: str, loss: Any) -> tf.Tensor:
    """What `critic_loss` gave, a scalar.

    Raises:
        ValueError: for anything else.
    """
    value = None if loss is None else tf.convert_to_tensor(loss)
    if value is None or value.shape.rank != 0:
        found = "None" if value is None else f"the shape {tuple(value.shape)}"
        raise ValueError(
            f"critic_loss() of the regularizer {name!r} must give a scalar; it gave {found}. Take the mean "
            "over the rows."
        )
    return value


def check_critic_gradients(name: str, gradients: list[Any]) -> None:
    """Refuse a critic's loss of which no weight of the critic has a gradient.

    Raises:
        ValueError: with the name of the regularizer.
    """
    if all(gradient is None for gradient in gradients):
        raise ValueError(
            f"critic_loss() of the regularizer {name!r} depends on no trainable weight of its critic. Make "
            "it of what the critic gives, and let critic_layers name the critic's layers."
        )


def named_once(terms: Mapping[str, Any], name: str, source: str) -> str:
    """The name of a term that is not among those known.

    Raises:
        ValueError: where it is, so that one would take the other's place.
    """
    if name in terms:
        raise ValueError(f"{source} gives a term {name!r}, and there is one already. Rename it.")
    return name


def check_event(
    distribution: tfd.Distribution | None, code_shape: tuple[int, ...], source: str
) -> None:
    """Refuse a distribution that is not one of whole codes.

    Raises:
        ValueError: with both shapes.
    """
    if distribution is None:
        return
    event: Any = distribution.event_shape
    if not event.is_compatible_with(code_shape):
        raise ValueError(
            f"{source} must be a distribution of codes of the shape {code_shape}; its event shape is "
            f"{tuple(event)}. Where it is one of single units, wrap it: "
            f"tfd.Independent(..., {len(code_shape)})."
        )
