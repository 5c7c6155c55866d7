"""Dictionaries: decoders whose rows are atoms, and the encoder that takes their bias off."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.networks.sparse_product import of_sparse, product_in
from zoo.parts import Untracked
from zoo.serialization import serializable
from zoo.trainer.replicas import gather
from zoo.values import positive_int, vector_axes

TINY = 1e-24


class Offset(keras.layers.Layer):
    """Where data lie and how far they reach: b = m + s * beta, and s.

    m and s are what `set_offset` was given, else the mean of the first batch of training and the root mean
    square of its deviations from it, one s for each place of an event (places, d) and one for a whole
    picture. beta is trained. So all that is trained has no unit, and a model does the same with data that are
    multiplied by 1,000.

    Args:
        learned: whether beta is trained; else b is m.
        **kwargs: of a Keras layer.

    Example:
        >>> offset = zoo.networks.Centred()
        >>> _ = offset(np.zeros((1, 2), "float32"))
        >>> offset.set_offset([1.0, 2.0], scale=10.0)
        >>> offset(np.array([[11.0, 2.0]], "float32")).numpy().tolist()
        [[1.0, 0.0]]
    """

    def __init__(self, learned: bool = True, **kwargs: Any):
        # A mean that is large beside the deviations needs more digits than bfloat16 has.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.learned = bool(learned)

    def add_offset(self, event: Sequence[Any]) -> None:
        """Create the weights for an event shape (d,), (places, d) or that of a picture."""
        fixed: dict[str, Any] = {"trainable": False, "dtype": "float32", "autocast": False}
        self.mean = self.add_weight(name="mean", shape=event, initializer="zeros", **fixed)
        axes = vector_axes(event)
        places = (*event[: -len(axes)], *(1 for _ in axes))
        self.scale = self.add_weight(name="scale", shape=places, initializer="ones", **fixed)
        self.started = self.add_weight(name="started", shape=(), initializer="zeros", **fixed)
        if self.learned:
            self.beta = self.add_weight(
                name="beta", shape=event, initializer="zeros", dtype="float32", autocast=False
            )

    @property
    def centre(self) -> tf.Tensor:
        """b, of the event's shape."""
        mean = tf.convert_to_tensor(self.mean)
        return mean + tf.convert_to_tensor(self.scale) * self.beta if self.learned else mean

    def set_offset(self, mean: Any, scale: Any) -> None:
        """Choose m and s, and begin with b = m."""
        scale = np.broadcast_to(np.asarray(scale, np.float32), self.scale.shape)
        self.mean.assign(np.asarray(mean, np.float32).reshape(self.mean.shape))
        self.scale.assign(np.where(scale > 0, scale, 1.0))
        self.started.assign(1.0)
        if self.learned:
            self.beta.assign(np.zeros(self.beta.shape, np.float32))

    def start_from(self, rows: tf.Tensor) -> None:
        """Choose m and s from a first batch of at least 2 rows, in a graph; later ones change nothing."""
        rows = gather(rows)
        mean = tf.reduce_mean(rows, axis=0)
        axes = [0, *vector_axes(self.mean.shape)]
        square = tf.reduce_mean(tf.square(rows - mean), axes, keepdims=True)[0]
        scale = tf.where(square > 0, tf.sqrt(square), 1.0)
        first = (tf.convert_to_tensor(self.started) < 1) & (tf.shape(rows)[0] > 1)
        self.mean.assign(tf.where(first, mean, self.mean))
        self.scale.assign(tf.where(first, scale, self.scale))
        self.started.assign(tf.where(first, 1.0, self.started))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "learned": self.learned}


@serializable
class Centred(Offset):
    """h = (x - b) / s, with the b and s of `Offset`, which a `Dictionary` decoder shares.

    Bricken et al., "Towards Monosemanticity", 2023, section "Sparse autoencoder setup": the decoder's bias is
    taken off the input. An event of several axes becomes one vector.

    Args:
        learned: whether b is trained.
        **kwargs: as in `Offset`.

    Example:
        >>> encoder = zoo.networks.Centred()
        >>> x = 3 + np.random.default_rng(0).normal(size=(500, 4)).astype("float32")
        >>> h = encoder(x, training=True)  # the first batch of training says where the data lie
        >>> np.allclose(np.mean(h, axis=0), 0, atol=1e-5), np.allclose(np.mean(np.square(h)), 1)
        (True, True)
    """

    def build(self, input_shape: Any) -> None:
        """Create the weights."""
        self.add_offset(tuple(_first(input_shape)[1:]))
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """(batch, *event) -> (batch, features); a condition beside x is not read."""
        x = inputs[0] if isinstance(inputs, list | tuple) else inputs
        if training:
            self.start_from(x)
        event = (x - self.centre) / tf.convert_to_tensor(self.scale)
        return tf.reshape(event, (-1, math.prod(self.mean.shape)))

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """(batch, features)."""
        batch, *event = _first(input_shape)
        return (batch, math.prod(event))


@serializable
class UnitAtoms(keras.constraints.Constraint):
    """Every row of a weight divided by its 2-norm, after each update.

    Example:
        >>> rows = zoo.networks.UnitAtoms()(np.array([[3.0, 4.0], [0.0, 2.0]], "float32"))
        >>> np.allclose(rows, [[0.6, 0.8], [0.0, 1.0]])
        True
    """

    def __call__(self, w: Any) -> Any:
        """(units, *event), the same shape."""
        return unit_rows(tf.convert_to_tensor(w))


@serializable
class Dictionary(Offset):
    """x_hat = s * sum_j f_j d_j + b, a linear decoder whose rows d_j are called atoms.

    Atoms of norm 1 are W_j / ||W_j|| wherever they are used, in exports too, and W itself is divided by its
    norms after every update, whatever the optimizer does. b and s are shared with a `Centred` encoder; the
    encoder's kernel then begins as the transposed atoms.

    Args:
        output_shape: (d,), or (places, d) for the atoms of a crosscoder.
        unit_norm: whether atoms have norm 1, over all places together.
        shared: whether b and s are those of the encoder; else the decoder has its own, as where the target is
            not the input.
        skip: whether W c is added, c the condition of the model: Paulo et al., "Transcoders Beat Sparse
            Autoencoders for Interpretability", 2025, section 3.
        kernel_initializer: of the atoms, before their norms.
        **kwargs: as in `Offset`.

    Example:
        >>> decoder = zoo.networks.Dictionary((3,), shared=False)
        >>> decoder(np.eye(5, dtype="float32")).shape  # its atoms
        TensorShape([5, 3])
        >>> np.allclose(np.linalg.norm(decoder.atoms, axis=1), 1)
        True
    """

    row_wise = True  # b and s change in `see_target`, which is shown a whole batch

    def __init__(
        self,
        output_shape: Sequence[int],
        unit_norm: bool = True,
        shared: bool = True,
        skip: bool = False,
        kernel_initializer: Any = "random_normal",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.event_shape = tuple(output_shape)
        self.unit_norm, self.shared, self.skip = bool(unit_norm), bool(shared), bool(skip)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.factor_dtype = keras.config.dtype_policy().compute_dtype
        self._offset = Untracked(self)

    def join(self, encoder: keras.Layer, bottleneck: Any) -> None:
        """Share b and s with the encoder, and begin with its kernel as the transposed atoms.

        Raises:
            ValueError: for an encoder that has none, or of another shape.
        """
        if not self.shared:
            return
        if not isinstance(encoder, Centred) or tuple(encoder.mean.shape) != self.event_shape:
            raise ValueError(
                f"A Dictionary of {self.event_shape} with shared=True needs an encoder "
                f"zoo.networks.Centred() of the same shape; received {type(encoder).__name__}. Set "
                "shared=False for another one."
            )
        self._offset = Untracked(encoder)
        if not self.built:
            self.build((None, bottleneck.units))
        kernel = getattr(getattr(bottleneck, "dense", None), "kernel", None)
        transposed = tf.transpose(tf.reshape(self.atoms, (bottleneck.units, -1)))
        if kernel is not None and kernel.shape == transposed.shape:
            kernel.assign(transposed)

    def build(self, input_shape: Any) -> None:
        """Create the atoms, and where they are not shared b and s."""
        units = _first(input_shape)[-1]
        self._add_atoms(units)
        if not self.shared:
            self.add_offset(self.event_shape)
        if self.skip:
            width = input_shape[1][-1]
            shape = (width, math.prod(self.event_shape))
            self.kernel_of_skip = self.add_weight(name="skip", shape=shape, initializer="zeros")
        self.built = True

    @property
    def atoms(self) -> tf.Tensor:
        """d_j, (units, *event) float32, without the scale s."""
        kernel = tf.convert_to_tensor(self.kernel)
        return unit_rows(kernel) if self.unit_norm else kernel

    @property
    def norms(self) -> tf.Tensor:
        """||d_j||, (units,); over several places the sum of the norms at each (Lindsey et al. 2024)."""
        of_places = _norms(self.atoms, vector_axes(self.event_shape))
        return tf.reduce_sum(of_places, axis=list(range(1, len(self.event_shape) + 1)))

    @property
    def offset(self) -> Offset:
        """The layer whose b and s are used: the encoder, where they are shared."""
        return self._offset.value

    @property
    def of_units(self) -> list[keras.Variable]:
        """The weights that have a row for each unit."""
        return [self.kernel]

    def point_at(self, units: Any, directions: Any) -> None:
        """Give some units other atoms, of norm 1.

        Args:
            units: their numbers.
            directions: (len(units), size of an event), each of norm 1.
        """
        kernel = self.kernel.numpy()
        kernel[units] = np.reshape(directions, (len(units), *self.event_shape))
        self.kernel.assign(kernel)

    def see_target(self, target: tf.Tensor) -> None:
        """Begin where the first targets lie, where b and s are not those of the encoder; see `Offset`."""
        if not self.shared:
            self.start_from(target)

    def __dir__(self) -> list[str]:
        # Keras saves and loads what it finds by `dir`, and this is another layer, or the layer itself.
        return [name for name in super().__dir__() if name != "offset"]

    def call(self, code: Any, training: bool = False) -> tf.Tensor:
        """(batch, units) -> (batch, *event); [code, condition] where the model declares one."""
        code, condition = code if isinstance(code, list | tuple) else (code, None)
        output = self.write(code, few=training) + self.offset.centre
        if self.skip:
            given: Any = condition
            beside = tf.matmul(tf.cast(given, tf.float32), self.kernel_of_skip)
            output = output + tf.reshape(beside, (-1, *self.event_shape))
        return output

    def write(
        self, code: tf.Tensor, atoms: tf.Tensor | None = None, few: bool = False
    ) -> tf.Tensor:
        """What the code adds to b: s * sum_j f_j d_j.

        Args:
            code: (batch, units).
            atoms: others than `atoms`, such as those without a gradient.
            few: whether to look for a code of few numbers, which `of_sparse` multiplies faster; its
                operations are not in every format that a model is exported to.

        Returns:
            (batch, *event) float32.
        """
        atoms = self.atoms if atoms is None else atoms
        flat = tf.reshape(atoms, (-1, math.prod(self.event_shape)))
        product = of_sparse if few else product_in
        sums = product(tf.cast(code, tf.float32), flat, self.factor_dtype)
        scale = tf.convert_to_tensor(self.offset.scale)
        return tf.reshape(sums, (-1, *self.event_shape)) * scale

    def partial(self, code: tf.Tensor, widths: Sequence[int]) -> list[tf.Tensor]:
        """x_hat of the first units alone, one for each of the rising widths, (batch, *event) each.

        Example:
            >>> decoder = zoo.networks.Dictionary((3,), shared=False)
            >>> code = np.ones((2, 5), "float32")
            >>> whole = decoder(code)
            >>> np.allclose(decoder.partial(code, [2, 5])[1], whole, atol=1e-6)
            True
        """
        atoms, output, found = self.atoms, self.offset.centre, []
        for first, last in itertools.pairwise((0, *widths)):
            output = output + self.write(code[:, first:last], atoms[first:last])
            found.append(output)
        return found

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """(batch, *event)."""
        return (_first(input_shape)[0], *self.event_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "output_shape": self.event_shape,
            "unit_norm": self.unit_norm,
            "shared": self.shared,
            "skip": self.skip,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }

    def _add_atoms(self, units: int) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(units, *self.event_shape),
            initializer=self.kernel_initializer,
            constraint=UnitAtoms() if self.unit_norm else None,
            dtype="float32",
            autocast=False,
        )
        if self.unit_norm:
            self.kernel.assign(unit_rows(tf.convert_to_tensor(self.kernel)))


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
        loose = loose * tf.minimum(
            1.0, self.delta / _norms(loose, list(range(1, loose.shape.rank)))
        )
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
        size = tf.reduce_mean(_norms(self.atoms, list(range(1, len(self.event_shape) + 1))))
        self.log_size.assign_sub(tf.math.log(size))


def unit_rows(rows: tf.Tensor) -> tf.Tensor:
    """Every row divided by its 2-norm over all other axes.

    Example:
        >>> from zoo.networks.dictionary import unit_rows
        >>> np.allclose(unit_rows(np.array([[3.0, 4.0]], "float32")), [[0.6, 0.8]])
        True
    """
    return rows / _norms(rows, list(range(1, len(rows.shape))))


def _norms(rows: tf.Tensor, axes: Any) -> tf.Tensor:
    # The gradient of a root is infinite at 0.
    return tf.sqrt(tf.reduce_sum(tf.square(rows), axes, keepdims=True) + TINY)


def _first(shape: Any) -> Any:
    """The shape of x, where that of a condition stands beside it."""
    return shape[0] if isinstance(shape[0], list | tuple) else shape
