"""What every regularizer is; a plugin is a subclass of this."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from zoo.forward import ForwardPass
from zoo.parts import Part
from zoo.serialization import scalar, scalar_config


class Regularizer(Part):
    """A term weight * penalty that is added to the loss.

    The metric that `fit` reports under the regularizer's name is the penalty itself, without the weight;
    `loss` holds the weighted sum.

    Args:
        weight: a number of at least 0, a Keras schedule of the training step (warm-up, annealing), or a
            variable.
        name: name of the metric; by default the registered name.

    Attributes:
        of_rows: whether the penalty depends on the rows of the batch. A scalar that does cannot know the
            rows' weights, and is refused beside them.
        judges_pictures: whether the penalty trains the model through decoded examples; it is refused beside a
            likelihood whose mean hands no gradient on.
        classifies: whether `classify` reads class logits from codes.
        classes: how many, from `build` on; None where it does not classify.
        jit_possible: whether XLA has all operations of it.

    A plugin implements `penalty`, and `get_config` where its constructor takes more.

    Example:
        >>> import tensorflow as tf
        >>> @zoo.register("spread")
        ... class Spread(zoo.Regularizer):
        ...     def penalty(self, forward, training=False):
        ...         return -tf.math.reduce_variance(zoo.gather(forward.vectors))
        >>> model = zoo.create(
        ...     "autoencoder", (6,), latents=2, hidden=(4,), regularizers=[{"name": "spread", "weight": 0.1}]
        ... )
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> found = model.evaluate(x, return_dict=True, verbose=0)
        >>> np.allclose(found["spread"], -np.var(model.encode(x)), rtol=1e-4)
        True
    """

    jit_possible = True
    of_rows = True
    judges_pictures = False
    classifies = False
    classes: int | Any = None

    def __init__(self, weight: Any = 1.0, name: str | None = None, **kwargs: Any):
        name = name or vars(type(self)).get("zoo_name") or None
        super().__init__(name=name, dtype="float32", **kwargs)
        self.weight = weight

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "weight":
            value = scalar(value, f"weight of {self.name}", minimum=0)
        super().__setattr__(name, value)

    def penalty(self, forward: ForwardPass, training: bool = False) -> tf.Tensor:
        """The penalty of a forward pass.

        Args:
            forward: see `ForwardPass`.
            training: whether this is a training step.

        Returns:
            (batch,), of which the loss takes the mean, or a scalar, in nats where it is a divergence.
        """
        raise NotImplementedError(f"{type(self).__name__} must define penalty(forward, training).")

    def check_gradient(self, likelihood: Any) -> None:
        """Refuse a likelihood through which no gradient comes, where the penalty needs one.

        Raises:
            ValueError: with both names.
        """
        if self.judges_pictures and not likelihood.mean_has_gradient:
            raise ValueError(
                f"The regularizer {self.name!r} trains the model through decoded examples, and those of the "
                f"likelihood {type(likelihood).zoo_name!r} are likeliest values, which hand no gradient on: "
                "it would have no effect. Take another likelihood, or leave the regularizer out."
            )

    def classify(self, code: tf.Tensor) -> tf.Tensor:
        """Class logits of codes, (batch, classes), where `classifies` says so."""
        raise NotImplementedError(f"{type(self).__name__} does not classify codes.")

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create weights, where there are any.

        Args:
            event_shape: shape of one example.
            units: dimensions of the code.
        """
        del event_shape, units
        self.built = True

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Nothing: the autoencoder builds its regularizers, with the shapes that it knows."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; a subclass adds its own to these."""
        return {"name": self.name, "weight": scalar_config(self.weight)}
