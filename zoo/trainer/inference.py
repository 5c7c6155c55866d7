"""A function over all rows of an array or a data set, batch by batch, on every replica."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.trainer.sources import array_of, batch_inputs, is_array


def map_batches(
    function: Callable[[tf.Tensor], tf.Tensor],
    data: Any,
    batch_size: int,
    strategy: tf.distribute.Strategy,
) -> np.ndarray:
    """Apply `function` to batches of rows and join what it returns.

    Args:
        function: (batch, ...) -> (batch, ...), a `tf.function`.
        data: an array, a `zoo.data.Data` record, or a `tf.data.Dataset` of batches.
        batch_size: rows of a batch where `data` is an array.
        strategy: whose replicas share every batch.

    Returns:
        (rows, ...) array.
    """
    replicas = strategy.num_replicas_in_sync
    outputs = []
    for batch in _batches(array_of(data), batch_size):
        rows = len(batch)
        if replicas == 1:
            outputs.append(function(tf.convert_to_tensor(batch)).numpy())
            continue
        share = -(-rows // replicas)
        padded = np.resize(np.asarray(batch), (share * replicas, *batch.shape[1:]))
        values = strategy.experimental_distribute_values_from_function(
            lambda context, padded=padded, share=share: tf.convert_to_tensor(
                padded[context.replica_id_in_sync_group * share :][:share]
            )
        )
        joined = strategy.gather(strategy.run(function, args=(values,)), axis=0)
        outputs.append(joined.numpy()[:rows])
    if not outputs:
        raise ValueError("Expected at least one row; received none.")
    return np.concatenate(outputs)


def _batches(data: Any, batch_size: int) -> Iterator[Any]:
    if is_array(data):
        for first in range(0, len(data), batch_size):
            yield data[first : first + batch_size]
    else:
        for batch in data:
            yield batch_inputs(batch)
