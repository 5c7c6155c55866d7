"""What callbacks remember from epoch to epoch, so that a resumed run goes on with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

# What changes in training, by class; everything else is the constructor's.
_REMEMBERED: dict[type, tuple[str, ...]] = {
    keras.callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_epoch", "best_weights"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "cooldown_counter", "best"),
    keras.callbacks.ModelCheckpoint: (
        "best",
        "_batches_seen_since_last_saving",
        "_last_batch_seen",
    ),
    keras.callbacks.SwapEMAWeights: ("_ema_weights_in_model",),
    keras.callbacks.TensorBoard: ("_global_train_batch", "_global_test_batch"),
}


def get_states(callbacks: Sequence[keras.callbacks.Callback]) -> list[tuple[str, Any]]:
    """The state of every callback that has one.

    Keras's own callbacks are known. Another callback takes part by two methods, ``get_state()``, which
    returns a dict of plain values and arrays, and ``set_state(state)``, which is called after
    ``on_train_begin``.

    Args:
        callbacks: the callbacks of a run.

    Returns:
        For each a pair of its class's name and its state.
    """
    states = ((type(callback).__name__, _get(callback)) for callback in callbacks)
    return [(name, state) for name, state in states if state is not None]


def set_states(callbacks: Sequence[keras.callbacks.Callback], states: Sequence[Any]) -> list[str]:
    """Give callbacks their states back; those of one class in the order in which they were saved.

    Args:
        callbacks: the callbacks of a run, in the order of the saved ones.
        states: what `get_states` returned.

    Returns:
        The class names of callbacks that have a state, but none was saved.
    """
    left = [tuple(pair) for pair in states]
    without = []
    for callback in callbacks:
        if _get(callback) is None:
            continue
        name = type(callback).__name__
        match = next((pair for pair in left if pair[0] == name), None)
        if match is None:
            without.append(name)
            continue
        left.remove(match)
        _set(callback, match[1])
    return without


def _get(callback: Any) -> Any:
    if hasattr(callback, "get_state"):
        return callback.get_state()
    if isinstance(callback, keras.callbacks.CSVLogger):
        path = Path(callback.filename)
        return {"text": path.read_bytes().decode() if path.exists() else ""}
    names = _names(callback)
    return {name: getattr(callback, name) for name in names} if names else None


def _set(callback: Any, state: dict[str, Any]) -> None:
    if hasattr(callback, "set_state"):
        callback.set_state(state)
    elif isinstance(callback, keras.callbacks.CSVLogger):
        _rewind(callback, state["text"])
    else:
        for name in _names(callback):
            setattr(callback, name, state[name])


def _names(callback: keras.callbacks.Callback) -> tuple[str, ...]:
    for kind, names in _REMEMBERED.items():
        if isinstance(callback, kind):
            return names
    return ()


def _rewind(logger: Any, text: str) -> None:
    """The logger has opened its file and perhaps emptied it: write what it held at the checkpoint."""
    logger.csv_file.close()
    Path(logger.filename).write_bytes(text.encode())
    append, logger.append = logger.append, True
    logger.on_train_begin()
    logger.append = append
