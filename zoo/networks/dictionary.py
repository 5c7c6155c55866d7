"""Dictionaries: decoders whose rows are atoms."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.networks.offset import Centred, Offset, shape_of_x
from zoo.networks.sparse_product import of_sparse, product_in
from zoo.parts import Untracked
from zoo.serialization import serializable
from zoo.values import vector_axes

TINY = 1e-24


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
        units = shape_of_x(input_shape)[-1]
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
        of_places = norms(self.atoms, vector_axes(self.event_shape))
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
        return self.write(code, few=training) + self.without_atoms(condition)

    def without_atoms(self, condition: Any = None) -> tf.Tensor:
        """What is there before the code adds its atoms: b, and W c with `skip`.

        Args:
            condition: (batch, width) where there is a skip.

        Returns:
            (*event), or (batch, *event) with a skip, float32.
        """
        if not self.skip:
            return tf.convert_to_tensor(self.offset.centre)
        beside = tf.matmul(tf.cast(condition, tf.float32), self.kernel_of_skip)
        return tf.reshape(beside, (-1, *self.event_shape)) + self.offset.centre

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

    def partial(
        self, code: tf.Tensor, widths: Sequence[int], condition: Any = None
    ) -> list[tf.Tensor]:
        """x_hat of the first units alone, one for each of the rising widths, (batch, *event) each.

        Args:
            code: (batch, units).
            widths: how many units, rising.
            condition: (batch, width) where there is a skip.

        Returns:
            A reconstruction for each width.

        Example:
            >>> decoder = zoo.networks.Dictionary((3,), shared=False)
            >>> code = np.ones((2, 5), "float32")
            >>> whole = decoder(code)
            >>> np.allclose(decoder.partial(code, [2, 5])[1], whole, atol=1e-6)
            True
        """
        atoms, output, found = self.atoms, self.without_atoms(condition), []
        for first, last in itertools.pairwise((0, *widths)):
            output = output + self.write(code[:, first:last], atoms[first:last])
            found.append(output)
        return found

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """(batch, *event)."""
        return (shape_of_x(input_shape)[0], *self.event_shape)

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


def unit_rows(rows: tf.Tensor) -> tf.Tensor:
    """Every row divided by its 2-norm over all other axes.

    Example:
        >>> from zoo.networks.dictionary import unit_rows
        >>> np.allclose(unit_rows(np.array([[3.0, 4.0]], "float32")), [[0.6, 0.8]])
        True
    """
    return rows / norms(rows, list(range(1, len(rows.shape))))


def norms(rows: tf.Tensor, axes: Any) -> tf.Tensor:
    """2-norms over some axes, which stay with a length of 1."""
    # The gradient of a root is infinite at 0.
    return tf.sqrt(tf.reduce_sum(tf.square(rows), axes, keepdims=True) + TINY)
