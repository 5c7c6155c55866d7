"""Terms that couple the rows of a batch, over all replicas."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from zoo.noise import Shares
from zoo.trainer.slices import note_meeting

# Replicas are traced in threads of their own.
_FILLED_UP = threading.local()


def gather(values: tf.Tensor) -> tf.Tensor:
    """The rows of all replicas, in order, with gradients; the rows themselves on one replica.

    Every replica then computes the same term of the global batch, and `Noise.share`, by which the loss is
    multiplied, makes the sum of their gradients that of one device.

    Args:
        values: (batch, ...), this replica's rows.

    Returns:
        (batch * replicas, ...), without the rows that only fill up the last batch of an evaluation.

    Example:
        >>> codes = np.ones((3, 2), "float32")
        >>> zoo.gather(codes).shape  # on one device; twice the rows on two
        (3, 2)
    """
    note_meeting()
    context = _meeting()
    if context is None:
        return values
    # An operation of each replica's own: what is one and the same for all would count once.
    together = context.all_gather(tf.identity(values), axis=0)
    weights = getattr(_FILLED_UP, "weights", None)
    rows = values.shape[0]
    if weights is not None:
        together = tf.boolean_mask(together, context.all_gather(weights, axis=0) > 0)
        rows = None
    # Over several machines the gathered tensor has forgotten its shape.
    rows = None if rows is None else rows * context.num_replicas_in_sync
    return tf.ensure_shape(together, (rows, *values.shape[1:]))


@contextlib.contextmanager
def filled_up(weights: tf.Tensor | None) -> Iterator[None]:
    """Within it `gather` leaves out the rows whose weight, (batch,), is 0; None for no such rows."""
    before = getattr(_FILLED_UP, "weights", None)
    _FILLED_UP.weights = weights
    try:
        yield
    finally:
        _FILLED_UP.weights = before


def shares_of_batch(inputs: tf.Tensor) -> Shares | None:
    """How a batch of unknown size is cut; None where all shares are equal, or there is one replica.

    Batches of a known size are cut into equal shares. Those of a user's data set may not be, and their rows
    then count alike wherever they are.

    Args:
        inputs: (batch, ...), this replica's rows.

    Returns:
        This replica's share, or None.
    """
    context = _meeting()
    if context is None or inputs.shape[0] is not None:
        return None
    own = tf.shape(inputs)[0]
    counts = context.all_gather(own[None], axis=0)
    first = tf.reduce_sum(counts[: context.replica_id_in_sync_group])
    return Shares(own, first, tf.reduce_sum(counts))


def over_replicas(value: tf.Tensor) -> tf.Tensor:
    """The sum of what the replicas have; the value itself on one replica."""
    context = _meeting()
    if context is None:
        return value
    # An operation of the step: between machines what was read of a variable has no device to reduce on.
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(value))


def synchronizes(strategy: tf.distribute.Strategy) -> bool:
    """Whether the replicas of `strategy` meet within a step, which no nested `tf.function` may contain."""
    return isinstance(
        strategy, tf.distribute.MirroredStrategy | tf.distribute.MultiWorkerMirroredStrategy
    )


def this_replica() -> tuple[Any, int]:
    """The number of this replica and the number of all: 0 and 1 without a strategy."""
    context = _meeting()
    if context is None:
        return 0, 1
    return context.replica_id_in_sync_group, context.num_replicas_in_sync


def _meeting() -> Any:
    """The context of a replica that is one of several; None where there is one."""
    context = tf.distribute.get_replica_context()
    return None if context is None or context.num_replicas_in_sync == 1 else context
