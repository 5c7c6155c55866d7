"""Terms that couple the rows of a batch, over all replicas."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def gather(values: tf.Tensor) -> tf.Tensor:
    """The rows of all replicas, in order, with gradients; the rows themselves on one replica.

    Every replica then computes the same term of the global batch, and the division of the loss by the
    number of replicas makes the sum of their gradients that of one device.

    Args:
        values: (batch, ...), this replica's rows.

    Returns:
        (batch * replicas, ...).
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return values
    # Over several machines the gathered tensor has forgotten its shape.
    return tf.ensure_shape(context.all_gather(values, axis=0), (None, *values.shape[1:]))


def synchronizes(strategy: tf.distribute.Strategy) -> bool:
    """Whether the replicas of `strategy` meet within a step, which no nested `tf.function` may contain."""
    return isinstance(
        strategy, tf.distribute.MirroredStrategy | tf.distribute.MultiWorkerMirroredStrategy
    )


def this_replica() -> tuple[Any, int]:
    """The number of the replica that runs, and how many there are; 0 and 1 where there is one."""
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return 0, 1
    return context.replica_id_in_sync_group, context.num_replicas_in_sync
