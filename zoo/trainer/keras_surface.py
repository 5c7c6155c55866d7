"""`keras.Model` for models that compute their own loss: what would do nothing is refused in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

# What `compile` decides. Set by hand they would act later, by half or not at all.
_COMPILED = (
    "optimizer",
    "loss",
    "jit_compile",
    "steps_per_execution",
    "unrolled_steps_per_execution",
    "autotune_steps_per_execution",
    "distribute_reduction_method",
    "skip_nonfinite",
    "auto_scale_loss",
)


class KerasSurface(keras.Model):
    """A Keras model whose settings of `compile` are chosen there, without the methods of Keras's losses.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> model.compile("adam")
        >>> model.optimizer = keras.optimizers.SGD()
        Traceback (most recent call last):
            ...
        ValueError: optimizer is chosen in compile(); ...
    """

    optimizer: Any  # None where the model is not compiled
    _compiling = False
    _distribute_reduction_method = None  # Keras reads it, and nothing sets it

    @contextmanager
    def _choosing(self) -> Iterator[None]:
        """Within it `compile` sets what is otherwise refused."""
        self._compiling = True
        try:
            yield
        finally:
            self._compiling = False

    def __setattr__(self, name: str, value: Any) -> None:
        if (
            name in _COMPILED
            and getattr(self, "built", False)
            and not self._compiling
            and value is not None
        ):
            raise ValueError(
                f"{name} is chosen in compile(); received a new one later. Call compile({name}=...) again."
            )
        super().__setattr__(name, value)

    @contextmanager
    def with_optimizer(self, there: bool = True) -> Iterator[None]:
        """The model as it is, or within the block as one that is not compiled."""
        if there or not self.compiled:
            yield
            return
        before = self.optimizer
        self.optimizer, self.compiled = None, False
        try:
            yield
        finally:
            with self._choosing():
                self.optimizer, self.compiled = before, True

    def get_state_tree(self, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.get_state_tree`.

        Raises:
            ValueError: for a model that is not compiled.
        """
        refuse_uncompiled(self)
        return super().get_state_tree(*args, **kwargs)

    def get_metrics_result(self) -> dict[str, Any]:
        """The means since they were reset, by name."""
        return {metric.name: metric.result() for metric in self.metrics}

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: the loss is the model's own.

        Raises:
            ValueError: always.
        """
        raise _own_loss("compute_loss")

    def stateless_compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: the loss is the model's own.

        Raises:
            ValueError: always.
        """
        raise _own_loss("stateless_compute_loss")

    def compute_metrics(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: there are no metrics beside the terms of the loss.

        Raises:
            ValueError: always.
        """
        raise _own_loss("compute_metrics")

    def add_metric(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: there are no metrics beside the terms of the loss.

        Raises:
            ValueError: always.
        """
        raise _own_loss("add_metric")

    def quantize(self, *args: Any, **kwargs: Any) -> Any:
        """Refused for a model as a whole, whose parts do not keep it.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "A model is not quantized as a whole: its parts would not be saved so. Quantize its networks, "
            "model.encoder.quantize(...) and model.decoder.quantize(...)."
        )

    quantized_build = quantized_call = quantize


@contextmanager
def own_train_step(changed: bool) -> Iterator[None]:
    """Says in an error of a fit whose `train_step` is a user's own what that is given.

    Args:
        changed: whether it is.

    Raises:
        ValueError: in the place of a ValueError, TypeError or AttributeError, where it is.
    """
    try:
        yield
    except (ValueError, TypeError, AttributeError) as error:
        if not changed:
            raise
        raise ValueError(
            f"{error} (This model has a train_step of its own. Its data are a block of batches, to be handed "
            "to super().train_step(data). What one step does is update(batch, noise), which may be your "
            "own: see 'A training step' in docs/plugins.md.)"
        ) from error


def refuse_uncompiled(model: keras.Model) -> None:
    """Refuse what needs an optimizer where there is none.

    Raises:
        ValueError: for a model that is not compiled.
    """
    if not model.compiled:
        raise ValueError(
            "The model is not compiled. Call compile(optimizer='adam') first, after loading without its "
            "optimizer too."
        )


def _own_loss(method: str) -> ValueError:
    return ValueError(
        f"{method}() is of Keras's own losses; this model computes its own. evaluate(x) gives its terms, and "
        "a zoo.Regularizer adds one."
    )
