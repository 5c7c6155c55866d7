"""The one door through which data reach a model: what it takes, checked, and brought to one form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.batch import Batch
from zoo.conditions import Condition
from zoo.data.checks import check_numbers
from zoo.trainer import sources
from zoo.trainer.blocks import CheckedBatch, Fields
from zoo.trainer.byte_scale import DECIDED, ByteScale
from zoo.trainer.column_names import ColumnNames
from zoo.trainer.forms import as_array
from zoo.trainer.ordering import in_order, refuse_other_index
from zoo.trainer.refusals import (
    NAME,
    PART,
    Y,
    check_columns,
    check_values,
    checked_tensor,
    held,
)
from zoo.trainer.streams import checked_batches, is_graph
from zoo.trainer.targets import check_dropped, refuse_dropped, same_rows
from zoo.values import ColumnRule

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
        scale: what bytes are divided by, of x and of the target, or a dict of "x" and "target"; None to
            decide by the first that come.
        paired: whether the target is a second example beside each x, which is reconstructed as well: a step
            then sees twice as many rows, every x followed by its partner.

    Attributes:
        scales: name of the field -> what its bytes are divided by, see `ByteScale`.
        names: those of the columns of x, where a table came.
        rules: of the columns of what is reconstructed, where their likelihoods take different numbers.
    """

    def __init__(
        self,
        event_shape: tuple[int, ...],
        bounds: tuple[float, float] | None = None,
        target_shape: tuple[int, ...] | None = None,
        condition: Condition | None = None,
        missing: bool = False,
        scale: Any = None,
        paired: bool = False,
    ):
        self.event_shape = event_shape
        self.target_shape = event_shape if paired else target_shape
        self.paired = paired
        self.condition = condition
        self.missing = missing
        self.bounds = bounds if target_shape is None else ANY
        self.rules: Sequence[ColumnRule] = ()
        given = _by_field(scale, self.target_shape is not None)
        self.names = ColumnNames()
        self.scales = {"x": ByteScale(given.get("x"), 1 + len(event_shape), self.bounds)}
        if self.target_shape is not None:
            rank = 1 + len(self.target_shape)
            self.scales["target"] = ByteScale(given.get("target"), rank, bounds)

    def give_scale(self, scale: Any) -> None:
        """Set what bytes are divided by, while nothing is decided."""
        for field, given in _by_field(scale, "target" in self.scales).items():
            if field in self.scales:
                before = self.scales[field]
                self.scales[field] = ByteScale(given, before.rank, before.bounds)
                self.scales[field].counts = before.counts
                self.scales[field].only_whole = before.only_whole
                self.scales[field].changes = before.changes + 1

    @property
    def kept_scale(self) -> Any:
        """What `scale` has to be for the same to be decided again."""
        kept = {field: scale.kept for field, scale in self.scales.items()}
        return kept if self.target_shape is not None else kept["x"]

    @property
    def reconstructed(self) -> list[ByteScale]:
        """The scales of what the likelihood sees."""
        if self.paired:
            return list(self.scales.values())
        return [self.scales["x" if self.target_shape is None else "target"]]

    def arrays(
        self,
        x: Any,
        y: Any = None,
        weight: Any = None,
        name: str = "x",
        minimum: int = 1,
        part: str = "",
        inputs: bool = False,
    ) -> Fields:
        """Checked arrays of all rows.

        Args:
            x: (rows, *event).
            y: the target, the condition, a dict of both, labels that the model has no use for, or None.
            weight: (rows,), or None.
            name: what an error calls x.
            minimum: the smallest number of rows.
            part: " of a batch", where these are the rows of one of a stream.
            inputs: whether only x and the condition are asked for, which y then is.

        Returns:
            Name of the field -> its array.

        Raises:
            ValueError: for anything else, and for a target that the model would drop.
        """
        fields = {"x": self.inputs(x, name, minimum, part)}
        rows = len(fields["x"])
        y_name = "y" if name == "x" else f"y of {name}"
        target, condition = self._divided(y, y_name, inputs)
        if self.target_shape is not None and not inputs:
            fields["target"] = self._numbers("target", target, self.target_shape, y_name, 1, part)
            same_rows(fields["target"], rows, y_name)
        if self.target_shape is None and target is not None:
            refuse_dropped(target, x, fields["x"], self.scales["x"], y_name)
        if self.condition is not None:
            fields["condition"] = self.condition.arrays(condition, rows, y_name)
        if weight is not None:
            fields["weight"] = _weights(weight, rows, part)
        return fields

    def columns(self, data: Any, y: Any = None, weight: Any = None) -> tuple[Any, Any, Any]:
        """(x, y, weight) of what a user hands over as data, and beside it.

        The labels of a `zoo.data.Data` record are the condition, where the model declares one. Its bytes are
        pixels from 0 to 255.
        """
        if sources.is_record(data):
            if data.inputs.dtype == np.uint8:
                self.scales["x"].pixels("x")
            declared = self.condition is not None or self.target_shape is not None
            self.names.meet(data, "x", self.event_shape[-1])
            return data.inputs, data.labels if y is None and declared else y, weight
        x, own, own_weight = sources.columns_of(data)
        self.names.meet(x, "x", self.event_shape[-1])
        y, weight = own if y is None else y, own_weight if weight is None else weight
        refuse_other_index(x, y, "y")
        refuse_other_index(x, weight, "sample_weight")
        return x, y, weight

    def inputs(self, x: Any, name: str = "x", minimum: int = 1, part: str = "") -> np.ndarray:
        """X alone, checked; bytes stay bytes."""
        return self._numbers("x", x, self.event_shape, name, minimum, part, self.missing)

    def rows(self, array: np.ndarray, name: str) -> np.ndarray:
        """Some rows of a large x that were read from its file, checked."""
        scale = self.scales["x"]
        if self.missing and array.dtype.kind == "f":
            return self.inputs(array, name)
        self._check_columns("x", array, name)
        array = check_numbers(array, self.event_shape, name, scale.limits)
        return scale.taken(array, name) if array.dtype == np.uint8 else array

    def called(self, x: Any) -> Any:
        """X of a call of the model: checked; a tensor of a graph as it is."""
        if keras.utils.is_keras_tensor(x) or tf.is_symbolic_tensor(x):
            return x
        if not sources.is_array(x):
            sources.batches_of(x, "x")
            raise ValueError(
                f"A model is called with one batch; received a {type(x).__name__}. Use predict() or encode()."
            )
        return tf.convert_to_tensor(self.inputs(x))

    def values(self, data: Any, name: str = "x") -> np.ndarray:
        """The rows of an array, a record or a stream as the model sees them, (rows, *event) float32."""
        x = self.columns(data)[0]
        if sources.is_array(x):
            return self.scales["x"].divided(self.inputs(x, name))
        given = in_order(sources.batches_of(x, name), name)
        batches = [sources.batch_columns(batch)[0] for batch in given]
        if not batches:
            raise ValueError(f"{name} gives no batch. Give at least one.")
        divided = self.scales["x"].divided
        return np.concatenate([divided(self.inputs(rows, name, 1, PART)) for rows in batches])

    def stream(self, data: Any, name: str, inputs: bool = False) -> Any:
        """What Keras may run on in the place of a data set or another thing that gives batches.

        Args:
            data: a `tf.data.Dataset`, `PyDataset`, generator, loader of PyTorch or the like.
            name: what an error calls it.
            inputs: whether only x and the condition are asked for.

        Returns:
            A data set of batches, whose values are checked in the graph or before it.

        Raises:
            ValueError: for what gives no batches, and for a first batch that does not fit.
        """
        data = sources.batches_of(data, name)
        if is_graph(data):
            self._meet(data, name)
            return data

        def check(batch: Any) -> CheckedBatch:
            x, y, weight = sources.batch_columns(batch)
            fields = self.arrays(x, y, weight, name, 1, PART, inputs)
            divided = {
                key: scale.divided(fields[key])
                for key, scale in self.scales.items()
                if key in fields
            }
            return CheckedBatch({**fields, **divided})

        return checked_batches(data, check, name)

    def labelled(self, data: Any, name: str) -> Any:
        """As `stream`, for a classifier: only x of each batch is looked at, and y and weights are kept."""
        data = sources.batches_of(data, name)
        if is_graph(data):
            self._meet(data, name)
            return data

        def check(batch: Any) -> Any:
            x, *beside = sources.batch_columns(batch)
            x = self.scales["x"].divided(self.inputs(x, name, 1, PART))
            return (x, *(np.asarray(column) for column in beside if column is not None))

        return checked_batches(data, check, name)

    def stream_fields(self, data: Any, door: str, inputs: bool = False) -> Fields:
        """The fields of one batch of a stream, in a graph, behind checks of their values.

        Args:
            data: x, (x, y), (x, y, weight) or a dict, see `sources.batch_columns`.
            door: "training" or "evaluation", whose error says where the data came from.
            inputs: see `arrays`.

        Returns:
            Name of the field -> its tensor.
        """
        if isinstance(data, CheckedBatch):
            return data.fields
        x, y, weight = sources.batch_columns(data)
        whole = self.scales["x"].only_whole
        x, checks = checked_tensor(x, self.event_shape, NAME, door, whole)
        checks += self._checks("x", x, door)
        fields = {"x": x}
        target, condition = self._divided(y, "y", inputs)
        if self.target_shape is not None and not inputs:
            whole = self.scales["target"].only_whole
            target, more = checked_tensor(target, self.target_shape, Y, door, whole)
            fields["target"] = target
            checks += [*more, *self._checks("target", target, door)]
        if self.target_shape is None and target is not None:
            checks += check_dropped(target, x, self.scales["x"], self.event_shape, door)
        if self.condition is not None:
            fields["condition"] = condition
            checks += self.condition.checks(condition, door)
        if weight is not None:
            fields["weight"] = weight
            least = tf.reduce_min(tf.cast(weight, tf.float32))
            line = "sample_weight must hold finite numbers of at least 0; a batch of {x} has {0}."
            checks.append(held(door, least >= 0, line.replace("{x}", NAME), lambda: [least]))
        with tf.control_dependencies(checks):
            return tf.nest.map_structure(tf.identity, fields)

    def stream_inputs(self, x: Any) -> tf.Tensor:
        """X alone of one batch in a graph, behind checks of its values."""
        whole = self.scales["x"].only_whole
        x, checks = checked_tensor(x, self.event_shape, NAME, "evaluation", whole)
        checks += self._checks("x", x, "evaluation")
        with tf.control_dependencies(checks):
            return tf.identity(x)

    def floats(self, fields: Fields) -> Batch:
        """The batch that a step sees, float32, in a graph."""
        x, mask, target = self.numbers(fields["x"]), None, None
        if self.missing:
            observed = tf.math.logical_not(tf.math.is_nan(x))
            mask, x = tf.cast(observed, tf.float32), tf.where(observed, x, 0.0)
        if "target" in fields:
            target = self.numbers(fields["target"], "target")
        condition = None
        if "condition" in fields:
            declared: Any = self.condition
            condition = declared.encoded(fields["condition"])
        weight = fields.get("weight")
        if weight is not None:
            weight = tf.reshape(tf.cast(weight, tf.float32), [-1])
        if self.paired and target is not None:
            x = tf.reshape(tf.stack([x, target], axis=1), (-1, *self.event_shape))
            weight = None if weight is None else tf.repeat(weight, 2)
            target = None
        return Batch(x, target, condition, weight, mask)

    def numbers(self, x: Any, field: str = "x") -> tf.Tensor:
        """A field as float32 of the model's shape, bytes divided, in a graph.

        Args:
            x: (batch, *event) of uint8, bool or a floating type.
            field: its name.

        Returns:
            (batch, *event) float32.

        Raises:
            ValueError: for another shape or type.
        """
        shape: Any = self.event_shape if field == "x" else self.target_shape
        whole = self.scales[field].only_whole
        x, _ = checked_tensor(x, shape, "x" if field == "x" else "y", "evaluation", whole)
        if x.shape.rank is None:
            x = tf.ensure_shape(x, (None, *shape))
        if x.dtype == tf.uint8:
            return self.scales[field].floats(x)
        return tf.cast(x, tf.float32)

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

    def _numbers(
        self,
        field: str,
        x: Any,
        shape: tuple[int, ...],
        name: str,
        minimum: int,
        part: str,
        missing: bool = False,
    ) -> np.ndarray:
        """A field as a checked array."""
        if field == "x":
            self.names.meet(x, name, shape[-1])
        scale, x = self.scales[field], as_array(x, name, shape, missing)
        if missing and np.asarray(x).dtype.kind == "f":
            x = np.asarray(x)
            filled = np.where(np.isnan(x), _inside(scale.bounds), x)
            sources.checked(filled, shape, name, scale.limits, minimum, part)
            self._check_columns(field, x, name, part)
            return x.astype(np.float32)
        array = sources.checked(x, shape, name, scale.limits, minimum, part)
        self._check_columns(field, array, name, part)
        return scale.taken(array, name) if array.dtype == np.uint8 else array

    def _rules_of(self, field: str) -> Sequence[ColumnRule]:
        return self.rules if self.scales[field] in self.reconstructed else ()

    def _check_columns(self, field: str, array: np.ndarray, name: str, part: str = "") -> None:
        """Refuse rows of a field that break a rule of the columns, by the first such number."""
        for rule in self._rules_of(field):
            wrong = rule.wrong(array)
            if wrong.any():
                row, column = (int(index) for index in np.argwhere(wrong)[0])
                column += rule.columns.start
                number = f"{array[row, column]:g}"
                raise ValueError(rule.line(name, str(column), number, str(row), part))

    def _checks(self, field: str, x: tf.Tensor, door: str) -> list[Any]:
        """Assertions of the values of a field of a batch, in a graph."""
        name, missing = (NAME, self.missing) if field == "x" else (Y, False)
        checks = check_values(x, self.scales[field], door, missing, name)
        return checks + check_columns(x, self._rules_of(field), door, name)

    def _meet(self, data: Any, name: str) -> None:
        """Decide by the first batch of a data set what its bytes mean, where that is not decided."""
        x, y, _ = sources.batch_columns(data.element_spec)
        if getattr(x, "shape", None) is not None and x.shape.rank == len(self.event_shape):
            raise ValueError(
                f"{name} gives examples of shape {tuple(x.shape)} one by one; expected batches. Make them: "
                f"{name}.batch(32)."
            )
        spec = {"x": x, "target": y.get("target") if isinstance(y, Mapping) else y}
        unknown = [
            field
            for field, scale in self.scales.items()
            if scale.divisor is None and getattr(spec[field], "dtype", None) == tf.uint8
        ]
        if not unknown:
            return
        batch = next(iter(data), None)
        if batch is None:
            raise ValueError(f"{name} gives no batch. Give at least one.")
        x, y, _ = sources.batch_columns(batch)
        first = {"x": x, "target": y.get("target") if isinstance(y, Mapping) else y}
        for field in unknown:
            value = first[field]
            if isinstance(value, tf.distribute.DistributedValues):
                value = value.values[0]
            array = np.asarray(value)
            called = name if field == "x" else "y"
            if not array.any():
                raise ValueError(
                    f"{called} begins with a batch of zeros, which do not say what its bytes mean. Create "
                    "the model with scale=255 for pixels, with scale='none' for other numbers."
                )
            self.scales[field].taken(array, called)

    def _divided(self, y: Any, name: str, inputs: bool) -> tuple[Any, Any]:
        """(target, condition) of y."""
        if inputs and self.target_shape is not None and (y is not None or self.condition is None):
            return None, y if self.condition is not None else None
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


def _weights(weight: Any, rows: int, part: str) -> np.ndarray:
    weights = np.asarray(weight, np.float32)
    if weights.shape == (rows, 1):
        weights = weights[:, 0]
    if weights.shape != (rows,) or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(
            f"sample_weight must hold one finite number for each of the {rows} rows, none below 0; received "
            f"shape {weights.shape}" + (f" from {weights.min():g}." if weights.size else ".")
        )
    if not part and not weights.any():
        raise ValueError(
            "sample_weight is 0 for all rows, so that none counts. Leave rows out that do not."
        )
    return weights


def _inside(bounds: tuple[float, float] | None) -> float:
    """A number within the bounds, to stand for a missing one while the others are checked."""
    return 0.0 if bounds is None else max(bounds[0], 0.0)


def _by_field(scale: Any, has_target: bool) -> Mapping[str, Any]:
    """What `scale` says of each field."""
    if not isinstance(scale, Mapping) or DECIDED in scale:
        return {"x": scale, "target": scale}
    known = {"x", "target"} if has_target else {"x"}
    if not set(scale) <= known:
        raise ValueError(
            f"scale may name {' and '.join(sorted(known))}; received a dict of {', '.join(map(str, scale))}."
        )
    return scale
