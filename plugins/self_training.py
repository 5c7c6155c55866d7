"""A classifier trained on what the voters of an unsupervised teacher agree about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

import zoo
from zoo.serialization import at_step, scalar, scalar_config

from .classifiers import classifier_of
from .views import check_view, view


@zoo.register("self_training")
class SelfTraining(zoo.Regularizer):
    """Cross-entropy of a changed view with the teacher's class, or with the own one.

    With y the teacher's class and a = 1 where all its voters agree on it (else 0), c and p the own
    prediction for x, t(x) a random affine map, and b = `bootstrap`:

        -[(1 - b) a log p_y(t(x)) + b [p_c(x) > threshold] log p_c(t(x))]

    Lee, "Pseudo-Label", 2013; Reed et al., "Training Deep Neural Networks on Noisy Labels with
    Bootstrapping", 2015, equation 7 (hard); views as in Sohn et al., "FixMatch", 2020, equation 4. No
    label is used where the teacher had none.

    The regularizer trains the model's classifier (see `zoo.Autoencoder.classifier`), or a linear one of
    its own where the model has no other.

    Args:
        teacher: an `Autoencoder` whose classifier clusters; it is frozen and saved along.
        bootstrap: b, a number from 0 to 1 or a Keras schedule that stays within.
        threshold: see above.
        view: "strong" or "weak" affine maps.
        weight: a number or a schedule.
        name: name of the metric.
    """

    def __init__(
        self,
        teacher: zoo.Autoencoder,
        bootstrap: Any = 0.0,
        threshold: float = 0.95,
        view: str = "strong",
        weight: Any = 1.0,
        name: str | None = None,
    ):
        super().__init__(weight, name)
        if isinstance(teacher, dict):
            teacher = keras.saving.deserialize_keras_object(teacher)
        if not isinstance(teacher, zoo.Autoencoder):
            raise ValueError(
                "teacher of self_training must be a trained zoo.Autoencoder with a classifier; received "
                f"{type(teacher).__name__}."
            )
        _freeze(teacher)
        self.teacher = teacher
        self.classes = teacher.classifier.classes
        self.bootstrap = scalar(bootstrap, "bootstrap", 0)
        self.threshold = float(threshold)
        self.view = view
        # A bound method, so that Keras does not count the other part's layers again.
        self._classify: Callable[[tf.Tensor], tf.Tensor] | None = None

    def check(self, model: zoo.Autoencoder) -> None:
        """Views are of pictures; find the classifier to train."""
        check_view(self.view, model, self.name)
        if self.teacher.event_shape != model.event_shape:
            raise ValueError(
                f"The teacher of self_training sees {self.teacher.event_shape}, the model "
                f"{model.event_shape}; they must be the same."
            )
        other = classifier_of(model, self)
        if other is not None and other.classes != self.classes:
            raise ValueError(
                f"The teacher of self_training has {self.classes} classes, the model's classifier "
                f"{other.classes}; they must be the same."
            )
        self._classify = None if other is None else other.classify

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create the classifier where the model has no other."""
        if self._classify is None:
            self.dense = keras.layers.Dense(self.classes, dtype="float32")
            self.dense.build((None, units))
        super().build(event_shape, units)

    def classify(self, code: tf.Tensor) -> tf.Tensor:
        """Class logits, (batch, classes)."""
        return self.dense(code) if self._classify is None else self._classify(code)

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), in nats."""
        moved = forward.encode(view(forward.inputs, forward.noise, self.view))
        log_seen = tf.nn.log_softmax(self.classify(moved))
        taught, agreed = self._taught(forward.inputs)
        own = tf.stop_gradient(tf.nn.softmax(self.classify(forward.code)))
        sure = tf.cast(tf.reduce_max(own, axis=-1) > self.threshold, tf.float32)
        share = at_step(self.bootstrap, forward.step)
        target = ((1 - share) * agreed)[:, None] * taught
        target += (share * sure)[:, None] * _one_hot(own)
        return -tf.reduce_sum(target * log_seen, axis=-1)

    def _taught(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        code = self.teacher.encode_batch(inputs)
        classifier = self.teacher.classifier
        if not hasattr(classifier, "votes"):
            p = tf.nn.softmax(classifier.classify(code))
            return _one_hot(p), tf.cast(tf.reduce_max(p, axis=-1) > self.threshold, tf.float32)
        votes = classifier.votes(code)
        names = tf.argmax(votes, axis=-1)
        agreed = tf.reduce_all(names == names[:, :1], axis=-1)
        return _one_hot(tf.reduce_mean(votes, axis=1)), tf.cast(agreed, tf.float32)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "teacher": keras.saving.serialize_keras_object(self.teacher),
            "bootstrap": scalar_config(self.bootstrap),
            "threshold": self.threshold,
            "view": self.view,
        }


def _one_hot(p: tf.Tensor) -> tf.Tensor:
    return tf.one_hot(tf.argmax(p, axis=-1), p.shape[-1])


def _freeze(model: keras.Model) -> None:
    """Freeze every layer; one that was saved frozen passes the value on only when it changes."""
    for layer in model._flatten_layers():
        layer.trainable = True
        layer.trainable = False
