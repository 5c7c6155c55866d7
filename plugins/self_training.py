"""A classifier trained on what the voters of unsupervised teachers agree about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

import zoo
from zoo import at_step, scalar, scalar_config

from .views import check_view


@zoo.register("self_training")
class SelfTraining(zoo.Regularizer):
    """Cross-entropy of a changed view with the teachers' class, or with the own one.

    With y the teachers' class and a = 1 where all their voters agree on it (else 0), c and p the own
    prediction for x, t(x) a random affine map, and b = `bootstrap`:

        -[(1 - b) a log p_y(t(x)) + b [p_c(x) > threshold] log p_c(t(x))]

    Lee, "Pseudo-Label", 2013; Reed et al., "Training Deep Neural Networks on Noisy Labels with
    Bootstrapping", 2015, equation 7 (hard); views as in Sohn et al., "FixMatch", 2020, equation 4. No
    label is used where the teachers had none.

    The regularizer trains the model's classifier (see `zoo.Autoencoder.classifier`), or a linear one of
    its own where the model has no other.

    Args:
        teacher: an `Autoencoder` whose classifier clusters, or the path of a saved one, or a sequence of
            such, whose classes must have the same names (`InvariantInformation.follow`). Teachers are frozen,
            lose their optimizer, and are saved along. Where a classifier has no voters, it counts as one that
            abstains below `threshold`.
        bootstrap: b, a number from 0 to 1 or a Keras schedule that stays within.
        threshold: see above.
        view: "weak", "medium" or "strong" affine maps.
        weight: a number or a schedule.
        name: name of the metric.

    Example:
        >>> teacher = zoo.create(
        ...     "invariant_autoencoder", (8, 8, 1), latents=4, heads=(3, 3), classes=3, cells=(8, 9),
        ...     filters=(4,), dense=(8,),
        ... )
        >>> x = zoo.data.load("digits", limit=100).inputs
        >>> agreement = teacher.classifier.merge(teacher.encode(x), x)
        >>> student = zoo.create(
        ...     "autoencoder", (8, 8, 1), latents=4, hidden=(8,),
        ...     regularizers=[{"name": "self_training", "teacher": teacher}],
        ... )
        >>> student.cluster(x).shape
        (100,)
    """

    jit_possible = False  # XLA has no affine maps of pictures
    sees_model = True

    def __init__(
        self,
        teacher: zoo.Autoencoder | str | Sequence[zoo.Autoencoder | str],
        *,
        bootstrap: Any = 0.0,
        threshold: float = 0.95,
        view: str = "strong",
        weight: Any = 1.0,
        name: str | None = None,
    ):
        super().__init__(weight, name)
        several = isinstance(teacher, Sequence) and not isinstance(teacher, str)
        self.teachers = [_teacher(one) for one in (teacher if several else [teacher])]
        self.classes = self.teachers[0].classifier.classes
        if any(one.classifier.classes != self.classes for one in self.teachers):
            raise ValueError(
                "The teachers of self_training must all have the same number of classes."
            )
        self.bootstrap = scalar(bootstrap, "bootstrap", 0)
        if isinstance(self.bootstrap, float) and self.bootstrap > 1:
            raise ValueError(f"bootstrap must be at most 1; received {bootstrap!r}.")
        self.threshold = float(threshold)
        self.view = view

    def check(self, model: zoo.Autoencoder) -> None:
        """Views are of pictures; find the classifier to train."""
        check_view(self.view, model, self.name)
        for teacher in self.teachers:
            if teacher.event_shape != model.event_shape:
                raise ValueError(
                    f"The teacher of self_training sees {teacher.event_shape}, the model "
                    f"{model.event_shape}; they must be the same."
                )
        if model.classifier.classes != self.classes:
            raise ValueError(
                f"The teacher of self_training has {self.classes} classes, the model's classifier "
                f"{model.classifier.classes}; they must be the same."
            )

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create the classifier where the model has no other."""
        if not self.model.classifies:
            self.classifies = True
            self.dense = keras.layers.Dense(self.classes, dtype="float32")
            self.dense.build((None, units))
        super().build(event_shape, units)

    def classify(self, code: tf.Tensor) -> tf.Tensor:
        """Class logits, (batch, classes), of the classifier that the model has for want of another."""
        return self.dense(code)

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), in nats."""
        moved = forward.encode(zoo.networks.view(forward.inputs, forward.noise, self.view))
        log_seen = tf.nn.log_softmax(forward.classify(moved))
        taught, agreed = self._taught(forward.inputs)
        own = tf.stop_gradient(tf.nn.softmax(forward.classify(forward.code)))
        sure = tf.cast(tf.reduce_max(own, axis=-1) > self.threshold, tf.float32)
        share = at_step(self.bootstrap, forward.step)
        target = ((1 - share) * agreed)[:, None] * taught
        target += (share * sure)[:, None] * _one_hot(own)
        return -tf.reduce_sum(target * log_seen, axis=-1)

    def _taught(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The class that most voters name, one-hot (batch, classes), and 1 where all do, (batch,)."""
        votes = tf.concat([self._votes(teacher, inputs) for teacher in self.teachers], axis=1)
        share = tf.reduce_mean(votes, axis=1)
        agreed = tf.reduce_max(share, axis=-1) > 1 - 1e-4
        return _one_hot(share), tf.cast(agreed, tf.float32)

    def _votes(self, teacher: zoo.Autoencoder, inputs: tf.Tensor) -> tf.Tensor:
        code, classifier = teacher.encode_batch(inputs), teacher.classifier
        votes = getattr(classifier, "votes", None)
        if votes is not None:
            return votes(code)
        p = tf.nn.softmax(classifier.classify(code))
        sure = tf.cast(tf.reduce_max(p, axis=-1, keepdims=True) > self.threshold, tf.float32)
        return (sure * _one_hot(p))[:, None]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "teacher": [keras.saving.serialize_keras_object(one) for one in self.teachers],
            "bootstrap": scalar_config(self.bootstrap),
            "threshold": self.threshold,
            "view": self.view,
        }


def _teacher(given: Any) -> zoo.Autoencoder:
    """A frozen teacher from a model, its path or its configuration."""
    if isinstance(given, dict):
        given = keras.saving.deserialize_keras_object(given)
    if isinstance(given, str):
        given = zoo.load_model(given)
    if not isinstance(given, zoo.Autoencoder):
        raise ValueError(
            "teacher of self_training must be a trained zoo.Autoencoder with a classifier, the path of one, "
            f"or a sequence of them; received {type(given).__name__}."
        )
    _freeze(given)
    return given


def _one_hot(p: tf.Tensor) -> tf.Tensor:
    return tf.one_hot(tf.argmax(p, axis=-1), p.shape[-1])


def _freeze(model: keras.Model) -> None:
    """Freeze every layer, and forget the optimizer, or it would be saved along.

    A layer that was saved frozen passes the value on only when it changes.
    """
    model.optimizer, model.compiled = None, False
    for layer in model._flatten_layers():
        layer.trainable = True
        layer.trainable = False
