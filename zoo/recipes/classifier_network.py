"""The network of a fine-tuned classifier: an autoencoder's code as a layer, and its inputs' checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.bottlenecks import Bottleneck
from zoo.distributions import Likelihood
from zoo.parts import Untracked
from zoo.serialization import deserialize_part, serializable, serialize_part
from zoo.trainer import sources
from zoo.trainer.intake import ANY, Intake
from zoo.trainer.refusals import plain_errors


@serializable
class Encoding(keras.layers.Layer):
    """The code of an autoencoder without noise, (batch, *event) -> (batch, units), its weights trainable.

    Args:
        encoder: the autoencoder's.
        bottleneck: the autoencoder's; a k-sparse one keeps its alpha * k largest units.
        event_shape: shape of one example.
        scale: what bytes are divided by, see `zoo.Autoencoder`.
        likelihood: the autoencoder's, where it shows the encoder counts as logarithms or tokens one-hot;
            None for x as it is.

    Example:
        >>> from zoo.recipes.classifier_network import Encoding
        >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
        >>> layer = Encoding(model.encoder, model.bottleneck, event_shape=(6,))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> np.allclose(layer(x), model.encode(x), atol=1e-6)
        True
    """

    def __init__(
        self,
        encoder: keras.Layer,
        bottleneck: Bottleneck,
        event_shape: Sequence[int],
        scale: Any = None,
        likelihood: Likelihood | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._likelihood = Untracked(likelihood)  # of whose weights none is in the code
        self.encoder = encoder
        self.bottleneck = bottleneck
        self.event_shape = tuple(event_shape)
        self.intake = Intake(self.event_shape, ANY, scale=scale)
        if not bottleneck.built:
            bottleneck.build(encoder.output_shape)
        self.built = True

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The code."""
        seen = self.intake.numbers(inputs)
        if self._likelihood.value is not None:
            seen = self._likelihood.value.seen(seen)
        return self.bottleneck.encode(self.encoder(seen, training=training))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, int]:
        """(batch, units)."""
        return (input_shape[0], self.bottleneck.units)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "bottleneck": serialize_part(self.bottleneck),
            "event_shape": self.event_shape,
            "scale": self.intake.kept_scale,
            "likelihood": serialize_part(self._likelihood.value),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Encoding:
        """The inverse of `get_config`."""
        config = {"scale": 255.0, **config}  # of all bytes, before it was decided
        config["encoder"] = keras.saving.deserialize_keras_object(config["encoder"])
        config["bottleneck"] = deserialize_part(config["bottleneck"], "bottleneck")
        config["likelihood"] = deserialize_part(config.get("likelihood"), "likelihood")
        return cls(**config)


@serializable
class Classifier(keras.Sequential):
    """A network on the inputs of an autoencoder: data meet the same checks, and bytes are divided alike.

    Args:
        layers: as of `keras.Sequential`.
        intake: the autoencoder's, whose decisions are shared.
        **kwargs: as of `keras.Sequential`.

    Example:
        >>> from zoo.recipes.classifier_network import Classifier
        >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
        >>> network = Classifier([keras.Input((6,)), keras.layers.Dense(3)], model.intake)
        >>> network.predict(np.full((1, 6), np.nan), verbose=0)
        Traceback (most recent call last):
            ...
        ValueError: x holds 6 values that are NaN or infinite as float32, the first at x[0, 0]. ...
    """

    def __init__(self, layers: Any = None, intake: Intake | None = None, **kwargs: Any):
        super().__init__(layers, **kwargs)
        self.intake: Any = intake

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """As `call`, for inputs that are checked."""
        return super().__call__(self.intake.called(inputs), *args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The logits.

        Args:
            inputs: (batch, *event).
            training: passed to the layers.
            mask: as in Keras.

        Returns:
            (batch, classes).
        """
        x: Any = self.intake.stream_inputs(inputs) if tf.is_symbolic_tensor(inputs) else inputs
        return super().call(self.intake.numbers(x), training=training, mask=mask)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        *args: Any,
        validation_data: Any = None,
        **kwargs: Any,
    ) -> Any:
        """As `keras.Model.fit`; x as in `zoo.Autoencoder.fit`.

        Args:
            x: an array, a stream of (x, y), or a `zoo.data.Data` record with labels.
            y: the classes of an array, (rows,) whole numbers from 0; None for a stream or a record.
            *args: as in Keras.
            validation_data: (x, y) or (x, y, weights) of arrays, a stream or a record.
            **kwargs: as in Keras.

        Returns:
            Keras's history.

        Raises:
            ValueError: for a record without labels, and for classes that the network has no logit for.
        """
        x, y = self._labelled(x, y)
        held_out = validation_data
        if sources.is_record(held_out):
            held_out = self._labelled(held_out, None, "validation_data")
        elif isinstance(held_out, tuple) and len(held_out) > 1:
            pair = self._labelled(*held_out[:2], "validation_data")
            held_out = (*pair, *held_out[2:])
        else:
            held_out = self._received(held_out, "validation_data")
        with plain_errors("x", "validation_data"):
            return super().fit(x, y, *args, validation_data=held_out, **kwargs)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.evaluate`; x and y as in `fit`."""
        # Keras's own argument, from within `fit`, which has checked them.
        inner = "_use_cached_eval_dataset" in kwargs
        if not inner:
            x, y = self._labelled(x, y)
        with plain_errors(evaluation="validation_data" if inner else "x"):
            return super().evaluate(x, y, *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.predict`; x as in `zoo.Autoencoder.fit`."""
        with plain_errors():
            return super().predict(self._received(x), *args, **kwargs)

    def train_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.train_on_batch`."""
        return super().train_on_batch(self._received(x), *args, **kwargs)

    def test_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.test_on_batch`."""
        return super().test_on_batch(self._received(x), *args, **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        """As `keras.Model.predict_on_batch`."""
        return super().predict_on_batch(self._received(x))

    def get_config(self) -> dict[str, Any]:
        """That of the layers, and what is taken."""
        taken = {
            "event_shape": self.intake.event_shape,
            "bounds": self.intake.bounds,
            "scale": self.intake.kept_scale,
        }
        return {**super().get_config(), "taken": taken}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Classifier:
        """The inverse of `get_config`."""
        config = dict(config)
        taken = config.pop("taken")
        made = super().from_config(config, custom_objects)
        made.intake = Intake(tuple(taken["event_shape"]), taken["bounds"], scale=taken["scale"])
        return made

    def _labelled(self, x: Any, y: Any, name: str = "x") -> tuple[Any, Any]:
        """Inputs as the layers take them, and their classes."""
        if sources.is_record(x):
            if y is None and x.labels is None:
                raise ValueError(
                    f"{name} is the record {x.name!r}, which has no labels; a classifier learns from them. "
                    "Give arrays, x and y."
                )
            x, y = self.intake.values(x, name), x.labels if y is None else y
        else:
            x = self._received(x, name)
        sparse = isinstance(self.loss, keras.losses.SparseCategoricalCrossentropy)
        if sparse and y is not None and sources.is_array(y) and not tf.is_symbolic_tensor(y):
            return x, self._classes(y, len(x), "y" if name == "x" else f"y of {name}")
        return x, y

    def _classes(self, y: Any, rows: int, name: str) -> np.ndarray:
        """Class indices that the loss can take: another one ends in TensorFlow's words, or in NaN."""
        shape: Any = self.output_shape
        found, classes = np.asarray(y), shape[-1]
        if found.shape not in ((rows,), (rows, 1)) or found.dtype.kind not in "iufb":
            raise ValueError(
                f"{name} must be one class for each of the {rows} rows of x, whole numbers from 0 to "
                f"{classes - 1}; received {found.dtype} of shape {found.shape}. Turn one-hot rows into "
                "classes with argmax(axis=1), and names with np.unique(names, return_inverse=True)[1]."
            )
        wrong = ~((found >= 0) & (found < classes) & (found == np.floor(found)))
        if wrong.any():
            raise ValueError(
                f"{name} must be whole numbers from 0 to {classes - 1}, one for each class; received "
                f"{found[wrong][0]} among them. Make the classifier with classes=, or count from 0."
            )
        return found

    def _received(self, x: Any, name: str = "x") -> Any:
        """Inputs as the layers take them, what stands beside them as it is."""
        if x is None or getattr(self, "intake", None) is None:
            return x
        if isinstance(x, tuple):
            return (self._received(x[0], name), *x[1:])
        if sources.is_array(x):
            return self.intake.values(x, name)
        return self.intake.labelled(x, name)
