"""Workers of one run begin together and alike, or none of them does."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from zoo.runs.differences import differences

_MOST = 5  # differences that are named
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError)


@contextlib.contextmanager
def together(place: tf.distribute.Strategy) -> Iterator[dict[str, Any]]:
    """What a worker does by itself, at whose end all workers go on, or none.

    A worker that was refused would leave the others waiting for it, and one with other settings would train
    with them without a word: its weights move away from those that its gradients are added to.

    Args:
        place: strategy of the run; where it is that of one process, nothing is exchanged.

    Yields:
        A dict for what must be the same on every worker, as JSON holds it.

    Raises:
        ValueError: on every worker, where one was refused, or where they differ.
        ConnectionError: where another worker is lost.

    Example:
        >>> from zoo.runs.agreement import together
        >>> with together(tf.distribute.get_strategy()) as facts:
        ...     facts["learning_rate"] = 1e-3
    """
    facts: dict[str, Any] = {}
    if not isinstance(place, tf.distribute.MultiWorkerMirroredStrategy):
        yield facts
        return
    task = place.cluster_resolver
    said: dict[str, Any] = {"by": f"{task.task_type or 'worker'} {task.task_id or 0}"}
    try:
        yield facts
    except (ValueError, ImportError, OSError) as error:
        with contextlib.suppress(ConnectionError):  # what stopped this worker says more
            exchanged(place, {**said, "refused": str(error)})
            exchanged(place, said)
        raise
    answers = exchanged(place, {**said, "facts": facts})
    try:
        compare(answers)
    except ValueError:
        # A worker that ends takes with it what the others have not read yet: all of them wait for that.
        with contextlib.suppress(ConnectionError):
            exchanged(place, said)
        raise


def exchanged(place: tf.distribute.Strategy, own: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What every replica of a strategy says, in their order.

    Args:
        place: the strategy.
        own: what this process says, as JSON holds it.

    Returns:
        One for each replica.

    Raises:
        ConnectionError: where another worker is lost.
    """
    # Whole numbers, since collective operations take no bytes; the ends of lines part the texts.
    text = tf.constant(list(f"{json.dumps(own)}\n".encode()), tf.int32)
    try:
        texts = place.experimental_distribute_values_from_function(lambda _: tf.identity(text))
        gathered = place.gather(texts, axis=0)
    except _LOST as error:
        raise ConnectionError("Another worker of this run is gone.") from error
    return [json.loads(line) for line in bytes(gathered.numpy().tolist()).splitlines()]


def compare(said: Sequence[Mapping[str, Any]]) -> None:
    """See that no worker was refused, and that all say the same.

    Args:
        said: by each of them: "by", its name, and "facts", or "refused" and why.

    Raises:
        ValueError: where it is not so.
    """
    for one in said:
        if "refused" in one:
            raise ValueError(f"The run cannot begin, for {one['by']} was refused: {one['refused']}")
    first = said[0]
    for one in said[1:]:
        found = differences(first["facts"], one["facts"])
        if found:
            raise ValueError(
                f"Workers of one run must have the same settings and data; received others on {one['by']} "
                f"(here) than on {first['by']} (there): {'; '.join(found[:_MOST])}. Start all with the same "
                "command, and one run folder that all of them see."
            )
