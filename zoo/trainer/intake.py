"""The one door through which data reach a model: what it takes, checked, and brought to one form."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from zoo.batch import Batch
from zoo.conditions import Condition
from zoo.trainer import sources
from zoo.trainer.blocks import Fields

ANY = (-np.inf, np.inf)
# Some of a user's terms need a number of rows that is known when they are traced.
EXAMPLE_ROWS = 8


class Intake:
    """What a model takes: x, and what it declares beside it.

    Fields are x, and where there are any target, condition and weight: arrays or tensors as the user has
    them, uint8 included. `floats` makes of them the `Batch` that a step sees.

    Args:
        event_shape: shape of one example.
        bounds: range of what is reconstructed, or None.
        target_shape: shape of one target, for a model that reconstructs y and not x.
        condition: what the model is given beside x, or None.
        missing: whether NaN in x stands for a missing value.
    """

    def __init__(
        self,
        event_shape: tuple[int, ...],
        bounds: tuple[float, float] | None = None,
        target_shape: tuple[int, ...] | None = None,
        condition: Condition | None = None,
        missing: bool = False,
    ):
        self.event_shape = event_shape
        self.target_shape = target_shape
        self.condition = condition
        self.missing = missing
        self.bounds = bounds if target_shape is None else ANY
        self.target_bounds = bounds

    def arrays(
        self, x: Any, y: Any = None, weight: Any = None, name: str = "x", minimum: int = 1
    ) -> Fields:
        """Checked arrays of all rows.

        Args:
            x: (rows, *event).
            y: the target, the condition, a dict of both, labels that the model has no use for, or None.
            weight: (rows,), or None.
            name: what an error calls x.
            minimum: the smallest number of rows.

        Returns:
            Name of the field -> its array.

        Raises:
            ValueError: for anything else, and for a target that the model would drop.
        """
        fields = {"x": self.inputs(x, name, minimum)}
        rows = len(fields["x"])
        y_name = "y" if name == "x" else f"y of {name}"
        target, condition = self._divided(y, y_name)
        if self.target_shape is not None:
            fields["target"] = sources.checked(
                as_array(target, y_name), self.target_shape, y_name, self.target_bounds
            )
            _same_rows(fields["target"], rows, y_name)
        elif target is not None:
            _refuse_dropped(target, fields["x"], y_name)
        if self.condition is not None:
            fields["condition"] = self.condition.arrays(condition, rows, y_name)
        if weight is not None:
            fields["weight"] = _weights(weight, rows)
        return fields

    def columns(self, data: Any, y: Any = None, weight: Any = None) -> tuple[Any, Any, Any]:
        """(x, y, weight) of what a user hands over as data, and beside it.

        The labels of a `zoo.data.Data` record are the condition, where the model declares one.
        """
        if sources.is_record(data):
            declared = self.condition is not None or self.target_shape is not None
            return data.inputs, data.labels if y is None and declared else y, weight
        x, own, own_weight = sources.columns_of(data)
        return x, own if y is None else y, own_weight if weight is None else weight

    def inputs(self, x: Any, name: str = "x", minimum: int = 1) -> np.ndarray:
        """X alone, checked."""
        x = as_array(x, name, self.missing)
        if not self.missing or np.asarray(x).dtype.kind != "f":
            return sources.checked(x, self.event_shape, name, self.bounds, minimum=minimum)
        x = np.asarray(x)
        filled = np.where(np.isnan(x), _inside(self.bounds), x)
        sources.checked(filled, self.event_shape, name, self.bounds, minimum=minimum)
        return x.astype(np.float32)

    def stream_fields(self, data: Any, door: str) -> Fields:
        """The fields of one batch of a stream, in a graph, behind checks of their values.

        Args:
            data: x, (x, y), (x, y, weight) or a dict, see `sources.batch_columns`.
            door: "training" or "evaluation", whose error says where the data came from.

        Returns:
            Name of the field -> its tensor.
        """
        x, y, weight = sources.batch_columns(data)
        x = tf.convert_to_tensor(x)
        fields, checks = {"x": x}, self._within(x, self.bounds, "{x}", door, self.missing)
        target, condition = self._divided(y, "y")
        if self.target_shape is not None:
            fields["target"] = tf.convert_to_tensor(target)
            checks += self._within(fields["target"], self.target_bounds, "y of {x}", door)
        elif target is not None:
            checks += _dropped(target, x, self.event_shape, door)
        if self.condition is not None:
            fields["condition"] = condition
            checks += self.condition.checks(condition, door)
        if weight is not None:
            fields["weight"] = weight
        with tf.control_dependencies(checks):
            return tf.nest.map_structure(tf.identity, fields)

    def stream_inputs(self, data: Any) -> tf.Tensor:
        """X alone of one batch of a stream, in a graph, behind checks of its values."""
        x = tf.convert_to_tensor(sources.batch_columns(data)[0])
        checks = self._within(x, self.bounds, "{x}", "evaluation", self.missing)
        with tf.control_dependencies(checks):
            return tf.identity(x)

    def floats(self, fields: Fields) -> Batch:
        """The batch that a step sees, float32, in a graph."""
        x, mask, target = sources.to_float(fields["x"], self.event_shape), None, None
        if self.missing:
            observed = tf.math.logical_not(tf.math.is_nan(x))
            mask, x = tf.cast(observed, tf.float32), tf.where(observed, x, 0.0)
        if "target" in fields:
            shape: Any = self.target_shape
            target = sources.to_float(fields["target"], shape)
        condition = None
        if "condition" in fields:
            declared: Any = self.condition
            condition = declared.encoded(fields["condition"])
        weight = fields.get("weight")
        if weight is not None:
            weight = tf.reshape(tf.cast(weight, tf.float32), [-1])
        return Batch(x, target, condition, weight, mask)

    def example(self, rows: int = EXAMPLE_ROWS) -> Fields:
        """Specifications of the fields that every batch has, for a trace that is never run."""

        def spec(shape: tuple[int, ...], kind: Any = tf.float32) -> tf.TensorSpec:
            return tf.TensorSpec((rows, *shape), kind)

        fields: Fields = {"x": spec(self.event_shape)}
        if self.target_shape is not None:
            fields["target"] = spec(self.target_shape)
        if self.condition is not None:
            fields["condition"] = tf.nest.map_structure(
                lambda a: spec(a.shape[1:], a.dtype), self.condition.example()
            )
        return fields

    def _divided(self, y: Any, name: str) -> tuple[Any, Any]:
        """(target, condition) of y."""
        both = self.target_shape is not None and self.condition is not None
        if both:
            if not isinstance(y, dict) or set(y) != {"target", "condition"}:
                raise ValueError(
                    f"{name} must be a dict of 'target' and 'condition', which the model declares; received "
                    f"{type(y).__name__}."
                )
            return y["target"], y["condition"]
        if y is None and (self.target_shape is not None or self.condition is not None):
            what = "target" if self.condition is None else "condition"
            raise ValueError(
                f"The model declares a {what}, which {name} must hold; received none. Pass (x, y), or "
                "a data set of (x, y)."
            )
        return (None, y) if self.condition is not None else (y, None)

    def _within(
        self, x: tf.Tensor, bounds: Any, name: str, door: str, missing: bool = False
    ) -> list[Any]:
        if not x.dtype.is_floating:
            return []
        x = tf.cast(x, tf.float32)
        if missing:
            x = tf.where(tf.math.is_nan(x), _inside(bounds), x)
        low, high = tf.reduce_min(x), tf.reduce_max(x)
        finite = tf.reduce_all(tf.math.is_finite(x))
        if bounds is None or bounds == ANY:
            message = f"The values of {name} must be finite numbers; a batch reaches from"
            return [sources.held(door, finite, message, low, high)]
        inside = (low >= bounds[0]) & (high <= bounds[1]) & finite
        message = (
            f"The values of {name} must lie in [{bounds[0]:g}, {bounds[1]:g}]; a batch reaches from"
        )
        return [sources.held(door, inside | (tf.size(x) == 0), message, low, high)]


def as_array(x: Any, name: str, missing: bool = False) -> Any:
    """`x` with what NumPy would silently make something else of refused, or said by NaN.

    Raises:
        ValueError: for sparse matrices, masked values and tables of mixed columns.
    """
    if type(x).__module__.partition(".")[0] == "scipy" or hasattr(x, "toarray"):
        raise ValueError(
            f"{name} must be a dense array; received a sparse {type(x).__name__}. Call {name}.toarray(), or "
            "stream batches of it as a tf.data.Dataset."
        )
    if isinstance(x, np.ma.MaskedArray) and np.ma.getmaskarray(x).any():
        if not missing:
            raise ValueError(
                f"{name} has {int(np.ma.getmaskarray(x).sum())} masked values. Fill them in "
                f"({name}.filled(...)), or create the model with mask='nan'."
            )
        return np.ma.filled(x.astype(np.float32), np.nan)
    table: Any = x
    if hasattr(table, "dtypes") and hasattr(table, "columns"):
        words = [
            str(c)
            for c, kind in zip(table.columns, table.dtypes, strict=True)
            if kind.kind not in "iufb"
        ]
        if words:
            raise ValueError(
                f"{name} must hold numbers; its columns {', '.join(words[:5])} hold "
                f"{table.dtypes[words[0]]}. Drop them, or turn them into numbers."
            )
        return table.to_numpy(dtype=np.float32, na_value=np.nan)
    return x


def _weights(weight: Any, rows: int) -> np.ndarray:
    weights = np.asarray(weight, np.float32)
    if weights.shape == (rows, 1):
        weights = weights[:, 0]
    if weights.shape != (rows,) or not np.isfinite(weights).all():
        raise ValueError(
            f"sample_weight must hold one finite number for each of the {rows} rows; received shape "
            f"{weights.shape}."
        )
    return weights


def _inside(bounds: tuple[float, float] | None) -> float:
    """A number within the bounds, to stand for a missing one while the others are checked."""
    return 0.0 if bounds is None else max(bounds[0], 0.0)


def _same_rows(y: np.ndarray, rows: int, name: str) -> None:
    if len(y) != rows:
        raise ValueError(f"{name} must have as many rows as x, {rows}; received {len(y)}.")


_REMEDY = (
    "this model reconstructs x and would drop it. Create one with target_shape=..., such as "
    "denoising_autoencoder(noise='pairs'), or leave y out."
)


def _refuse_dropped(y: Any, x: np.ndarray, name: str) -> None:
    """Refuse a y that is not x, and no labels either: a target that would be dropped."""
    if y is x:
        return
    if isinstance(y, dict):
        raise ValueError(
            f"{name} is a dict of {', '.join(map(str, y))}; the model declares neither a condition nor a "
            "target. Leave it out."
        )
    try:
        y = np.asarray(y)
    except ValueError:
        return
    _same_rows(y, len(x), name)
    if y.shape == x.shape:
        if np.shares_memory(x, y) or np.array_equal(x, y.astype(x.dtype, copy=False)):
            return
        raise ValueError(f"{name} has the shape of x and other values: {_REMEDY}")
    labels = y.ndim == 1 or y.shape[1:] == (1,) or (y.ndim == 2 and y.dtype.kind in "iubOUS")
    if not labels and not (y.ndim == 2 and np.isin(y, (0, 1)).all()):
        raise ValueError(f"{name} of shape {y.shape} looks like a target: {_REMEDY}")


def _dropped(y: Any, x: tf.Tensor, event_shape: tuple[int, ...], door: str) -> list[Any]:
    """As `_refuse_dropped`, in a graph."""
    if isinstance(y, dict | tuple | list):
        return []
    y = tf.convert_to_tensor(y)
    rank = y.shape.rank
    if y.dtype == tf.string or rank in (0, 1) or (rank is not None and y.shape[1:] == (1,)):
        return []
    if rank == 2 and not y.dtype.is_floating and y.shape[1:] != event_shape:
        return []
    # Keras forgets shapes that change from data set to data set, so that all is asked when it runs.
    numbers = tf.cast(y, tf.float32)
    same = tf.raw_ops.Equal(x=tf.cast(x, tf.float32), y=numbers, incompatible_shape_error=False)
    one_each = tf.size(y) <= tf.shape(y)[0] if rank is None else tf.constant(False)
    flat = tf.rank(y) <= 2
    one_hot = flat & tf.reduce_all(tf.equal(numbers, 0.0) | tf.equal(numbers, 1.0))
    fine = tf.reduce_all(same) | one_each | one_hot
    if rank == 1 + len(event_shape) and y.shape[1:] == event_shape:
        fine = tf.reduce_all(same)
        message = f"y of {{x}} has the shape of x and other values: {_REMEDY}"
    else:
        message = f"y of {{x}} looks like a target: {_REMEDY}"
    return [sources.held(door, fine, message)]
