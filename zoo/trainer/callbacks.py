"""The callbacks of a `fit`: which of them need to see single steps, and the two that are always there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from zoo.trainer.collapse import WarnOfCollapse
from zoo.trainer.nonfinite import StopOnNonFinite

_BATCH_METHODS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


def with_guard(callbacks: Any) -> Any:
    """`callbacks` with a `StopOnNonFinite` in front and a `WarnOfCollapse` behind, where there is none."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    given = list(callbacks) if isinstance(callbacks, Sequence) else [callbacks] if callbacks else []
    if not any(isinstance(callback, StopOnNonFinite) for callback in given):
        given = [StopOnNonFinite(), *given]
    if not any(isinstance(callback, WarnOfCollapse) for callback in given):
        given = [*given, WarnOfCollapse()]
    return given


def need_steps(callbacks: Any) -> bool:
    """Whether some callback must be called after every step rather than after every block."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = callbacks.callbacks
    return not all(sees_blocks(callback) for callback in callbacks)


def sees_blocks(callback: keras.callbacks.Callback) -> bool:
    """Whether a callback need not be called between the steps of a block.

    It need not where it overrides no batch method, for Keras's own callbacks unless they save or write by
    steps, and for a class that says so by an attribute ``sees_blocks = True``.
    """
    if getattr(callback, "sees_blocks", False):
        return True
    frequencies = (getattr(callback, name, "epoch") for name in ("save_freq", "update_freq"))
    if any(f != "epoch" and f is not False for f in frequencies):
        return False
    if getattr(callback, "_should_trace", False):  # TensorBoard's profile of some steps
        return False
    return not any(_overrides(callback, method) for method in _BATCH_METHODS)


def _overrides(callback: keras.callbacks.Callback, method: str) -> bool:
    """Whether a batch method is a user's: LambdaCallback has it as an attribute, others in the class."""
    if method in vars(callback):
        return True
    where = next(cls for cls in type(callback).__mro__ if method in vars(cls))
    return not where.__module__.startswith("keras.")
