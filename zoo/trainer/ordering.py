"""Whether all of a stream can be asked for, and in which order its rows are answered."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf


def refuse_endless(data: Any, name: str, remedy: str) -> None:
    """Refuse a stream that says that it has no end, where all of it is asked for.

    Args:
        data: a stream of batches; a generator does not say it.
        name: what an error calls it.
        remedy: what to do.

    Raises:
        ValueError: for a `tf.data.Dataset` that is repeated, or a `PyDataset` without a length.

    Example:
        >>> from zoo.trainer.ordering import refuse_endless
        >>> data = tf.data.Dataset.range(3).batch(2)
        >>> refuse_endless(data, "x", "take(n)")
        >>> refuse_endless(data.repeat(), "x", "take(n)")
        Traceback (most recent call last):
            ...
        ValueError: x never ends, and all of it is asked for. Give take(n).
    """
    endless = isinstance(data, keras.utils.PyDataset) and data.num_batches is None
    if isinstance(data, tf.data.Dataset):
        endless = int(data.cardinality()) == tf.data.INFINITE_CARDINALITY
    if endless:
        raise ValueError(f"{name} never ends, and all of it is asked for. Give {remedy}.")


def in_order(data: Any, name: str) -> Any:
    """`data` itself, whose rows are answered in the order in which they come.

    Args:
        data: a stream of batches.
        name: what is said calls it.

    Returns:
        The same.

    Raises:
        ValueError: for one that never ends.

    Warns:
        UserWarning: for a loader of PyTorch that shuffles, and for a `tf.data.Dataset` that shuffles anew in
            each pass: labels that are read from it in another pass stand in another order.
    """
    refuse_endless(data, name, "a part of it, take(n)")
    said = ""
    if type(getattr(data, "sampler", None)).__name__.endswith("RandomSampler"):
        said = (
            f"{name} is a loader that shuffles: results stand in the order in which it gives its rows, not "
            "in its data set's. Make it with shuffle=False."
        )
    if isinstance(data, tf.data.Dataset) and _shuffles(data):
        said = (
            f"{name} is shuffled anew in each pass: labels that are read from it in another one stand in "
            "another order than what is given back. Leave shuffle() out, or say "
            "reshuffle_each_iteration=False."
        )
    if said:
        warnings.warn(said, stacklevel=4)
    return data


def refuse_other_index(x: Any, beside: Any, name: str) -> None:
    """Refuse a column that has the rows of a table in another order.

    Tables are read by place, so that a row would meet another one's value.

    Args:
        x: of anything; only what has an index, as pandas's tables have, is looked at.
        beside: what belongs to the rows of x, or a dict of such.
        name: what an error calls it.

    Raises:
        ValueError: where both have the same index but for its order.

    Example:
        >>> import pandas
        >>> from zoo.trainer.ordering import refuse_other_index
        >>> table = pandas.DataFrame({"a": [1.0, 2.0]})
        >>> refuse_other_index(table, pandas.Series([1, 0]), "y")
        >>> refuse_other_index(table, pandas.Series([1, 0], index=[1, 0]), "y")
        Traceback (most recent call last):
            ...
        ValueError: y has the index of x in another order, and rows are taken by their place. Sort it, ...
    """
    for part in beside.values() if isinstance(beside, Mapping) else [beside]:
        first: Any = getattr(x, "index", None)
        second: Any = getattr(part, "index", None)
        if not (hasattr(first, "equals") and hasattr(second, "equals")):
            continue
        if not first.equals(second) and first.sort_values().equals(second.sort_values()):
            raise ValueError(
                f"{name} has the index of x in another order, and rows are taken by their place. Sort it, "
                f"{name}.loc[x.index], or give an array ({name}.to_numpy())."
            )


def _shuffles(data: Any) -> bool:
    """Whether a data set, or one that it is made of, draws an order for each pass; a cache keeps one."""
    if type(data).__name__ == "CacheDataset":
        return False
    # TensorFlow has no public name for either; where one is gone, nothing is told.
    own = getattr(data, "_reshuffle_each_iteration", False)
    parts = getattr(data, "_inputs", tuple)()
    return bool(own) or any(_shuffles(part) for part in parts)
