"""A dictionary whose atoms are mixtures of points of the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.networks.dictionary import Dictionary, norms
from zoo.serialization import serializable
from zoo.values import positive_int


@serializable
class Archetypal(Dictionary):
    """D = exp(m) (W C + L) with W row-stochastic and ||L_i|| <= delta: atoms near the hull of some points.

    Fel et al., "Archetypal SAE: Adaptive and Stable Dictionary Learning for Concept Extraction in Large
    Vision Models", 2025, equations 4 and 5. The points C, such as the centres of k-means, are given by
    `set_points` (`zoo.recipes.dictionaries.start` does), else they are random. W is a softmax, and exp(m)
    begins where atoms have norm 1 in the mean: of many numbers, the points are long, and codes of an encoder
    that begins as the transposed atoms would write x_hat ||d||^2 times too long.

    Args:
        output_shape: as in `Dictionary`.
        points: rows of C.
        delta: how far an atom may lie from the hull, in units of s.
        **kwargs: as in `Dictionary`.

    Example:
        >>> decoder = zoo.networks.Archetypal((3,), points=4, delta=0.0, shared=False)
        >>> decoder.build((None, 5))
        >>> decoder.set_points(np.eye(4, 3))
        >>> atoms = decoder.atoms.numpy()  # convex combinations of the points, but for their size
        >>> bool((atoms >= 0).all()), round(float(np.linalg.norm(atoms, axis=1).mean()), 4)
        (True, 1.0)
    """

    def __init__(
        self, output_shape: Sequence[int], points: int = 64, delta: float = 1.0, **kwargs: Any
    ):
        kwargs.pop("unit_norm", None)
        super().__init__(output_shape, unit_norm=False, **kwargs)
        self.number_of_points = positive_int(points, "points")
        if not delta >= 0:
            raise ValueError(f"delta must be at least 0; received {delta!r}.")
        self.delta = float(delta)

    @property
    def atoms(self) -> tf.Tensor:
        """See `Dictionary.atoms`."""
        loose = tf.convert_to_tensor(self.relaxation)
        loose = loose * tf.minimum(1.0, self.delta / norms(loose, list(range(1, loose.shape.rank))))
        flat = tf.reshape(tf.convert_to_tensor(self.points), (self.number_of_points, -1))
        hull = tf.matmul(tf.nn.softmax(tf.convert_to_tensor(self.kernel)), flat)
        return tf.exp(tf.convert_to_tensor(self.log_size)) * (
            tf.reshape(hull, (-1, *self.event_shape)) + loose
        )

    def set_points(self, points: Any) -> None:
        """Choose C, (points, *event), in units of s and about b; atoms have norm 1 in the mean again."""
        self.points.assign(np.asarray(points, np.float32).reshape(self.points.shape))
        self._size_to_1()

    @property
    def of_units(self) -> list[keras.Variable]:
        """See `Dictionary.of_units`."""
        return [self.kernel, self.relaxation]

    def point_at(self, units: Any, directions: Any) -> None:
        """Move some atoms to the points that are nearest to these directions; see `Dictionary`."""
        points = np.reshape(self.points.numpy(), (self.number_of_points, -1))
        sizes = np.maximum(np.linalg.norm(points, axis=1), 1e-12)
        nearest = (np.asarray(directions) @ (points / sizes[:, None]).T).argmax(axis=1)
        kernel, relaxation = self.kernel.numpy(), self.relaxation.numpy()
        kernel[units] = 0
        kernel[units, nearest] = math.log(9 * max(self.number_of_points - 1, 1))  # a softmax of .9
        relaxation[units] = 0
        self.kernel.assign(kernel)
        self.relaxation.assign(relaxation)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "points": self.number_of_points, "delta": self.delta}

    def _add_atoms(self, units: int) -> None:
        whole: dict[str, Any] = {"dtype": "float32", "autocast": False}
        event, random = self.event_shape, keras.initializers.RandomNormal
        self.kernel = self.add_weight(
            name="kernel", shape=(units, self.number_of_points), initializer=random(0, 2), **whole
        )
        self.relaxation = self.add_weight(
            name="relaxation", shape=(units, *event), initializer="zeros", **whole
        )
        self.log_size = self.add_weight(name="log_size", shape=(), initializer="zeros", **whole)
        self.points = self.add_weight(
            name="points",
            shape=(self.number_of_points, *event),
            initializer=random(0, 1),
            trainable=False,
            **whole,
        )
        self._size_to_1()

    def _size_to_1(self) -> None:
        size = tf.reduce_mean(norms(self.atoms, list(range(1, len(self.event_shape) + 1))))
        self.log_size.assign_sub(tf.math.log(size))
