"""Activations of a network as a data set: recorded once, shuffled while written, streamed from the disk."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zoo.data.dataset import Data
from zoo.data.storage import Shuffled, release
from zoo.files import make_folder, read_json, write_json
from zoo.layer_of import layer_of
from zoo.registry import one_of
from zoo.values import positive_int

KINDS = ("float16", "float32")
# A bucket is shuffled in memory, so it is the most that is held there.
BUCKET_BYTES = 64 << 20
SAMPLED = 256  # values by which a recording knows its network and its data
ALIKE = 1e-3  # of the largest of them: what another device or another batch may change
_SAVE_EVERY = 16  # batches between two notes of how far the recording is
_ROWS, _EXAMPLES, _META, _PARTS = "activations.npy", "examples.npy", "meta.json", "parts"


class Activations(NamedTuple):
    """What `record` wrote.

    Attributes:
        inputs: (rows, d) memory-mapped, float16 or float32, in random order: what `fit` is given, which reads
            it batch by batch where it is above 64 MiB as float32.
        examples: (rows,) int64 memory-mapped, the number of the example that each row comes from.
        meta: "rows", "d", "dtype", "mean" (d), "rms" (of rows about their mean), "constant" (dimensions whose
            deviation is 0), "examples", "places" (rows of an example) and "seed".
        labels: None: `fit` takes the record as it is.

    Example:
        >>> from zoo.data.activations import record
        >>> network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6, name="middle")])
        >>> x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
        >>> found = record(network, "middle", x, "kept", dtype="float32", verbose=False)
        >>> np.allclose(found.inputs, network.predict(x[found.examples], verbose=0), atol=1e-5)
        True
    """

    inputs: np.ndarray
    examples: np.ndarray
    meta: dict[str, Any]
    labels: None = None


def record(
    model: Any,
    layer: Any,
    data: Any,
    folder: str | os.PathLike,
    dtype: str = "float16",
    batch_size: int = 64,
    places: int | None = None,
    seed: int = 0,
    verbose: bool = True,
) -> Activations:
    """Run a network over examples and keep what a layer gives, one row for each place.

    Rows are dealt to buckets at random as they come, and each bucket is shuffled when all are there: the
    order on the disk is then a random one of all rows, whatever their number, and reading neighbours is
    reading at random. Memory holds a batch and a bucket of 64 MiB. A recording that was killed goes on with
    its next batch.

    Args:
        model: a Keras model; a function from a batch of examples to activations (batch, ..., d); or the
            path of an ONNX file or of a SavedModel folder.
        layer: the Keras layer's name, or the layer; the output of the ONNX file or the endpoint of the
            SavedModel; None for a function, and for the first output. Of a layer that is called several
            times the last call is kept.
        data: (n, ...) examples, memory-mapped ones included.
        folder: what to write to: activations.npy, examples.npy and meta.json.
        dtype: "float16" or "float32".
        batch_size: examples that the network is given at a time.
        places: rows that are kept of an example, chosen at random; None for all.
        seed: of the order.
        verbose: whether to print how far it is, twice a minute.

    Returns:
        See `Activations`; `load` reads it again.

    Raises:
        ValueError: for an unknown layer, values that are not finite or leave the range of float16, or a
            folder that holds another recording: one of other settings, or one in which the network gave
            something else for examples from all over the data.

    Example:
        >>> from zoo.data.activations import record
        >>> network = keras.Sequential(
        ...     [keras.Input((5, 3)), keras.layers.Dense(6, name="middle"), keras.layers.Dense(2)]
        ... )
        >>> x = np.random.default_rng(0).normal(size=(100, 5, 3)).astype("float32")
        >>> found = record(network, "middle", x, "recorded", verbose=False)
        >>> found.inputs.shape, found.inputs.dtype, found.meta["places"]
        ((500, 6), dtype('float16'), 5)
    """
    kind = np.dtype(one_of(dtype, "dtype", KINDS))
    batch_size = positive_int(batch_size, "batch_size")
    data = _examples(data)
    positive_int(len(data), "the number of examples")
    folder = Path(folder)
    run = _runner(model, layer)
    asked = {"examples": len(data), "batch_size": batch_size, "dtype": dtype, "seed": seed}
    asked |= {"layer": getattr(layer, "name", layer), "places_kept": places}
    asked["sample"] = _sample(run, data, batch_size)
    if (folder / _META).is_file():
        found = load(folder)
        _same(asked, found.meta["asked"], folder)
        return found
    make_folder(folder)
    dealer = _Dealer(folder / _PARTS, kind, asked, places)
    last = time.monotonic()
    for number in range(dealer.done, -(-len(data) // batch_size)):
        first = number * batch_size
        rows = np.asarray(run(np.asarray(data[first : first + batch_size])))
        dealer.deal(number, first, _checked(rows, kind, first))
        if verbose and time.monotonic() - last > 30:
            last = time.monotonic()
            print(f"  {min(first + batch_size, len(data)):,} of {len(data):,} examples", flush=True)
    return dealer.finish(folder)


def _examples(data: Any) -> Any:
    """An array of examples, of a `zoo.data.Data` record its inputs."""
    data = data.inputs if isinstance(data, Data) else data
    if isinstance(data, list | tuple):
        with contextlib.suppress(ValueError):  # of lists that are no array
            data = np.asarray(data)
    if not hasattr(data, "shape"):
        raise ValueError(
            f"record takes an array of examples; received {type(data).__name__}. For a network of several "
            "inputs give a function of a batch, such as of the numbers of examples."
        )
    return data


def load(folder: str | os.PathLike) -> Activations:
    """What `record` wrote to a folder, memory-mapped.

    Raises:
        ValueError: for a folder without a whole recording.

    Example:
        >>> from zoo.data.activations import load, record
        >>> x = np.random.default_rng(0).normal(size=(100, 3)).astype("float32")
        >>> _ = record(lambda batch: 2 * batch, None, x, "recorded", "float32", verbose=False)
        >>> found = load("recorded")
        >>> np.array_equal(found.inputs, 2 * x[found.examples])
        True
    """
    folder = Path(folder)
    if not (folder / _META).is_file():
        raise ValueError(
            f"{folder} holds no whole recording (no {_META}); call zoo.data.activations.record again, "
            "which goes on where it was."
        )
    meta = read_json(folder / _META, "meta.json of the recording")
    rows = np.load(folder / _ROWS, mmap_mode="r").view(Shuffled)
    return Activations(rows, np.load(folder / _EXAMPLES, mmap_mode="r"), meta)


class _Dealer:
    """Deals rows to buckets on the disk, and makes one shuffled array of them."""

    def __init__(self, folder: Path, kind: np.dtype, asked: dict[str, Any], places: int | None):
        self.folder, self.kind, self.asked, self.places = folder, kind, asked, places
        self.state: dict[str, Any] = {"done": 0, "lengths": None, "asked": asked}
        if (folder / "state.json").is_file():
            self.state = read_json(folder / "state.json", "state of the recording")
            _same(asked, self.state["asked"], folder)
        elif folder.exists():
            shutil.rmtree(folder)
        make_folder(folder)
        self._undo()

    @property
    def done(self) -> int:
        """Batches that are dealt."""
        return self.state["done"]

    def deal(self, number: int, first: int, rows: np.ndarray) -> None:
        """Deal the (n, places, d) activations of a batch whose first example is `first`."""
        random = np.random.Generator(np.random.Philox(key=[self.asked["seed"], number]))
        n, places, d = rows.shape
        examples = np.repeat(np.arange(first, first + n), places)
        if self.places is not None and self.places < places:
            chosen = random.random((n, places)).argsort(axis=1)[:, : self.places]
            rows = np.take_along_axis(rows, chosen[..., None], axis=1)
            examples = np.repeat(np.arange(first, first + n), self.places)
        rows = rows.reshape(-1, d)
        if self.state["lengths"] is None:
            self._begin(len(rows) // n, d)
        lengths: Any = self.state["lengths"]
        record = np.zeros(len(rows), self._record())
        record["example"], record["row"] = examples, rows
        buckets = random.integers(len(lengths), size=len(rows))
        order = np.argsort(buckets, kind="stable")
        edges = np.searchsorted(buckets[order], np.arange(len(lengths) + 1))
        for bucket, (low, high) in enumerate(itertools.pairwise(edges)):
            if high > low:
                with self._path(bucket).open("ab") as file:
                    file.write(record[order[low:high]].tobytes())
                lengths[bucket] += int(high - low)
        self.state["done"] = number + 1
        self._measure(rows)
        if self.state["done"] % _SAVE_EVERY == 0:
            write_json(self.folder / "state.json", self.state)

    def finish(self, folder: Path) -> Activations:
        """Shuffle every bucket, and put all in one array."""
        lengths, d = self.state["lengths"], self.state["d"]
        total = sum(lengths)
        rows = np.lib.format.open_memmap(folder / _ROWS, "w+", self.kind, (total, d))
        examples = np.lib.format.open_memmap(folder / _EXAMPLES, "w+", np.int64, (total,))
        start = 0
        for bucket, length in enumerate(lengths):
            if not length:
                continue
            found = np.fromfile(self._path(bucket), self._record())
            random = np.random.Generator(np.random.Philox(key=[self.asked["seed"] ^ 1, bucket]))
            found = found[random.permutation(length)]
            rows[start : start + length], examples[start : start + length] = (
                found["row"],
                found["example"],
            )
            start += length
            release(rows)  # whose written pages else count as memory of this process
        rows.flush()
        examples.flush()
        mean = np.array(self.state["sums"]) / total
        # About the first batch's mean, so that no digits are lost where means are large.
        moved = np.array(self.state["moved"]) / total
        variance = np.maximum(np.array(self.state["squares"]) / total - np.square(moved), 0)
        meta = {
            "rows": total,
            "d": d,
            "dtype": self.kind.name,
            "mean": mean.tolist(),
            "rms": float(np.sqrt(variance.sum())),
            "constant": np.flatnonzero(variance <= 1e-12 * max(variance.max(), 1e-300)).tolist(),
            "examples": self.asked["examples"],
            "places": self.state["places"],
            "seed": self.asked["seed"],
            "asked": self.asked,
        }
        write_json(folder / _META, meta)
        shutil.rmtree(self.folder)
        return load(folder)

    def _begin(self, kept: int, d: int) -> None:
        size = self.asked["examples"] * kept * (8 + d * self.kind.itemsize)
        self.state |= {"lengths": [0] * -(-size // BUCKET_BYTES), "d": d, "places": kept}
        self.state |= {"sums": [0.0] * d, "squares": [0.0] * d, "moved": [0.0] * d, "shift": None}

    def _measure(self, rows: np.ndarray) -> None:
        values = rows.astype(np.float64)
        if self.state["shift"] is None:
            self.state["shift"] = values.mean(axis=0).tolist()
        moved = values - self.state["shift"]
        for name, what in (("sums", values), ("moved", moved), ("squares", np.square(moved))):
            self.state[name] = (np.array(self.state[name]) + what.sum(axis=0)).tolist()

    def _undo(self) -> None:
        """Cut off what was dealt after the last note."""
        for bucket, length in enumerate(self.state["lengths"] or ()):
            if length:
                os.truncate(self._path(bucket), length * self._record().itemsize)
            else:
                self._path(bucket).unlink(missing_ok=True)

    def _record(self) -> np.dtype:
        return np.dtype([("example", np.int64), ("row", self.kind, (self.state["d"],))])

    def _path(self, bucket: int) -> Path:
        return self.folder / f"{bucket:05d}.bin"


def _checked(rows: np.ndarray, kind: np.dtype, first: int) -> np.ndarray:
    """(n, places, d) of the type that is written."""
    if rows.ndim < 2:
        raise ValueError(f"Activations must be (batch, ..., d); received shape {rows.shape}.")
    rows = rows.reshape(len(rows), -1, rows.shape[-1])
    with np.errstate(over="ignore"):
        written = rows.astype(kind)
    if not np.isfinite(written).all():
        what = "NaN or infinity"
        if np.isfinite(rows).all():
            what = f"{np.abs(rows).max():.3g}, outside of {kind.name}; use dtype='float32'"
        raise ValueError(f"The activations of examples from {first} on hold {what}.")
    return written


def _sample(run: Callable[[np.ndarray], Any], data: Any, batch_size: int) -> list[float]:
    """Some of what the network gives for examples from all over the data: others give something else."""
    spread = np.asarray(data[:: -(-len(data) // batch_size)])
    values = np.asarray(run(spread), np.float64).ravel()
    return values[np.linspace(0, len(values) - 1, min(SAMPLED, len(values)), dtype=int)].tolist()


def _same(asked: dict[str, Any], found: dict[str, Any], folder: Path) -> None:
    asked, found = dict(asked), dict(found)
    sample = np.array(asked.pop("sample"))
    kept = np.array(found.pop("sample", sample))  # recordings of before have none
    if json.loads(json.dumps(asked)) != found:
        raise ValueError(
            f"{folder} holds a recording with {found}; asked for {asked}. Name another folder, or delete it."
        )
    close = ALIKE * np.abs(kept).max(initial=0.0)
    if kept.shape != sample.shape or not np.allclose(sample, kept, rtol=0, atol=close):
        raise ValueError(
            f"{folder} holds a recording of another network or of other examples: of {len(kept)} values that "
            "were kept to tell, some differ now. Name another folder, or delete it; "
            "zoo.data.activations.load reads what is there."
        )


def _runner(model: Any, layer: Any) -> Callable[[np.ndarray], Any]:
    """A function from examples to activations."""
    if isinstance(model, str | os.PathLike):
        path = Path(model)
        return _onnx(path, layer) if path.suffix == ".onnx" else _saved_model(path, layer)
    if hasattr(model, "_flatten_layers"):
        return _keras(model, layer)
    if not callable(model):
        raise ValueError(f"model must be a Keras model, a function or a path; received {model!r}.")
    if layer is not None:
        raise ValueError(
            f"A function has no layers; received layer={layer!r}. Leave it out (None)."
        )
    return model


def _keras(model: Any, layer: Any) -> Callable[[np.ndarray], Any]:
    import tensorflow as tf

    if layer is None:
        return lambda x: model(tf.convert_to_tensor(x), training=False)
    chosen = layer_of(model, layer)

    @tf.function(reduce_retracing=True, autograph=False)
    def run(x: tf.Tensor) -> tf.Tensor:
        seen: list[tf.Tensor] = []
        own = chosen.call

        def call(*args: Any, **kwargs: Any) -> Any:
            seen.append(own(*args, **kwargs))
            return seen[-1]

        object.__setattr__(chosen, "call", call)
        try:
            model(x, training=False)
        finally:
            object.__delattr__(chosen, "call")
        return seen[-1]

    return lambda x: run(tf.convert_to_tensor(x))


def _onnx(path: Path, layer: str | None) -> Callable[[np.ndarray], Any]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    name = one_of(outputs[0] if layer is None else layer, "output", outputs)
    given = session.get_inputs()[0].name
    return lambda x: session.run([name], {given: x})[0]


def _saved_model(path: Path, layer: str | None) -> Callable[[np.ndarray], Any]:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    name = layer or "serving_default"
    signature = loaded.signatures[one_of(name, "endpoint", list(loaded.signatures))]
    key = next(iter(signature.structured_input_signature[1]))

    def run(x: np.ndarray) -> Any:
        _ = loaded  # which must live as long as its signature
        return next(iter(signature(**{key: tf.constant(x)}).values()))

    return run
