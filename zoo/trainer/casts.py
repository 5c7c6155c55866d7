"""One cast of a weight for a whole step, where layers compute in another type than their weights have."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import keras
import tensorflow as tf


@contextlib.contextmanager
def cast_once(layers: Iterable[keras.Layer]) -> Iterator[None]:
    """Within it, what layers read of their weights is one copy in the type that they compute in.

    Under a policy of mixed precision Keras casts a weight whenever it is read: for every slice of a batch,
    and twice where a decoder is tied to its encoder. Each of these casts has a gradient of its own, which is
    cast back and then added to the others. A copy is cast once, and its gradient once.

    It is entered within the tape, for one step on one replica.

    Args:
        layers: whose own trainable weights are cast.
    """
    replaced = []
    try:
        for layer in layers:
            for variable in layer._trainable_variables:
                if "_maybe_autocast" in vars(variable) or layer.compute_dtype == variable.dtype:
                    continue
                copy = tf.cast(variable.value, layer.compute_dtype)
                variable._maybe_autocast = _reading(variable._maybe_autocast, copy)
                replaced.append(variable)
        yield
    finally:
        for variable in replaced:
            del variable._maybe_autocast


def _reading(cast: Callable[[Any], Any], copy: tf.Tensor) -> Callable[[Any], Any]:
    """Keras's `cast` of a weight's value, with `copy` in the place of what is cast to its type."""

    def read(value: Any) -> Any:
        found = cast(value)  # an operation that nothing needs is left out of the graph
        return copy if found is not value and found.dtype == copy.dtype else found

    return read
