"""Tables in Parquet files, by pandas, and arrays in HDF5 files, by h5py, where these are installed."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.arrays import from_arrays
from zoo.data.columns import Columns
from zoo.data.dataset import Data
from zoo.data.mixed import from_columns
from zoo.registry import suggest
from zoo.values import is_missing


def read_parquet(
    path: str | os.PathLike,
    split: str = "train",
    *,
    seed: int = 0,
    label_column: str | None = None,
    index_column: str | Sequence[str] | None = None,
    kinds: Mapping[str, Any] | None = None,
    missing: str = "refuse",
    columns: Columns | str | os.PathLike | None = None,
    test_fraction: float = 0.2,
) -> Data:
    """Read a .parquet file by pandas: one example a row, columns encoded by `zoo.data.columns`.

    Args:
        path: the file.
        split: "train", "test" or "all".
        seed: of the split.
        label_column: the column of labels; None for the one called "label" or "labels", if there is one.
        index_column: a column to leave out, or several.
        kinds: see `zoo.data.columns.fit`.
        missing: likewise.
        columns: a transformation that was fitted before, or the file of one.
        test_fraction: share of the test split.

    Returns:
        `Data` with inputs (n, encoded columns) float32 and `columns`.

    Raises:
        ImportError: where pandas or a reader of Parquet is not installed.
        ValueError: for a file that is none, and for tables that `zoo.data.columns.fit` refuses.
    """
    path = Path(path)
    pandas = _package("pandas", path)
    try:
        frame = pandas.read_parquet(path)
    except ImportError as error:
        raise ImportError(
            f"pandas reads {path} by pyarrow, which cannot be imported ({error}). Install it with: python -m "
            "pip install pyarrow"
        ) from error
    except Exception as error:  # a damaged file fails in many ways
        raise ValueError(f"{path} cannot be read as Parquet: {error}") from error
    if any(name is not None for name in frame.index.names):  # which pandas writes as columns
        frame = frame.reset_index()
    left_out = [index_column] if isinstance(index_column, str) else list(index_column or ())
    if label_column is None:
        named = [each for each in frame.columns if str(each).lower() in ("label", "labels")]
        label_column = named[0] if len(named) == 1 else None
    drop = [*left_out, *([] if label_column is None else [label_column])]
    for each in drop:
        if each not in frame.columns:
            raise ValueError(
                f"{path} has no column {each!r}.{suggest(str(each), list(map(str, frame.columns)))}"
            )
    labels = None if label_column is None else _labels(frame[label_column])
    return from_columns(
        path.name,
        frame.drop(columns=drop),
        labels,
        split=split,
        seed=seed,
        test_fraction=test_fraction,
        kinds=kinds,
        missing=missing,
        columns=columns,
        description=f"The table {path}",
    )


def read_hdf5(
    path: str | os.PathLike,
    split: str = "train",
    *,
    seed: int = 0,
    inputs: str = "x",
    labels: str | None = None,
    scale: float | str | None = None,
    test_fraction: float = 0.2,
    series: bool = False,
) -> Data:
    """Read an .h5 or .hdf5 file of examples by h5py.

    Args:
        path: the file.
        split: "train", "test" or "all".
        seed: of the split.
        inputs: the path of the examples' array within the file.
        labels: the path of their labels (n,); None for the array "y", if there is one.
        scale: what the values are divided by, see `zoo.data.scaling`; None to decide.
        test_fraction: share of the test split.
        series: whether three axes are windows of time series, (n, time, channels), and not grey pictures.

    Returns:
        `Data`; see `zoo.data.arrays.from_arrays`.

    Raises:
        ImportError: where h5py is not installed.
        ValueError: for a file that is none, lacks the array (its arrays are named), or holds what
            `zoo.data.check_inputs` refuses.

    Example:
        >>> import h5py
        >>> with h5py.File("mine.h5", "w") as file:
        ...     file["group/images"] = np.random.default_rng(0).random((20, 6))
        >>> zoo.data.load("mine.h5", "all", inputs="group/images").inputs.shape
        (20, 6)
    """
    path = Path(path)
    h5py = _package("h5py", path)
    try:
        with h5py.File(path, "r") as file:
            known: list[str] = []
            file.visititems(
                lambda name, item: known.append(name) if isinstance(item, h5py.Dataset) else None
            )
            if labels is None and "y" in known and inputs != "y":
                labels = "y"
            wanted = [inputs, *([] if labels is None else [labels])]
            lacking = [each for each in wanted if each.strip("/") not in known]
            arrays = [] if lacking else [np.asarray(file[each][()]) for each in wanted]
    except OSError as error:
        raise ValueError(f"{path} cannot be read as HDF5: {error}") from error
    if lacking:
        raise ValueError(
            f"{path} has no array {lacking[0]!r}; it holds {', '.join(known) or 'none'}. Name the examples "
            "by inputs=..., their labels by labels=..."
        )
    given = _labels(arrays[1]) if len(arrays) > 1 else None
    return from_arrays(
        path.name,
        arrays[0],
        given,
        split=split,
        seed=seed,
        test_fraction=test_fraction,
        description=f"The file {path}",
        scale=scale,
        series=series,
    )


def _labels(column: Any) -> np.ndarray:
    """Labels as numbers or text: objects and bytes of files are texts."""
    array = np.asarray(column)
    if array.dtype.kind not in "OS":
        return array
    missing = [row for row, each in enumerate(array) if is_missing(each)]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(array)} rows have no label, the first is row {missing[0]}. Fill them, "
            "or leave them out."
        )
    return np.array([each.decode() if isinstance(each, bytes) else str(each) for each in array])


def _package(name: str, path: Path) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"Reading {path} needs {name}, which cannot be imported ({error}). Install it with: python -m "
            f"pip install {name}"
        ) from error
