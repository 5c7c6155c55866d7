"""One call for every kind of data: a registered set, any TFDS set, a folder or a file."""

from __future__ import annotations

import functools
import inspect
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo.data import frames, numpy_files
from zoo.data.dataset import Data
from zoo.data.folder import read_folder
from zoo.data.table import read_csv
from zoo.data.tfds_reading import read
from zoo.registry import lookup, names, suggest
from zoo.values import whole_number

_FILES = {
    ".npy": numpy_files.read_npy,
    ".npz": numpy_files.read_npz,
    ".csv": read_csv,
    ".parquet": frames.read_parquet,
    ".h5": frames.read_hdf5,
    ".hdf5": frames.read_hdf5,
}


def load(
    name_or_path: str | os.PathLike,
    split: str = "train",
    *,
    data_dir: str | os.PathLike | None = None,
    manual_dir: str | os.PathLike | None = None,
    limit: int | None = None,
    seed: int = 0,
    **options: Any,
) -> Data:
    """Load one split of a data set.

    Args:
        name_or_path: a registered name (``zoo.registry.names("dataset")``), the name of any image set of
            TensorFlow Datasets, a folder of pictures, or a .npy, .npz, .csv, .parquet, .h5 or .hdf5
            file.
        split: "train" or "test"; "all" for both, but for the synthetic sets, which are drawn; "validation"
            where the set has it. Sets and files that bring no test split of their own are split by the seed.
        data_dir: TFDS's folder of prepared sets, where arrays too large for memory are kept as well.
        manual_dir: folder of files fetched by hand, which TFDS takes where it would download.
        limit: at most so many examples, the first of the split. Splits of own files and folders are shuffled
            by the seed, and TFDS stores its sets shuffled.
        seed: of what is drawn: a split, an order, a synthetic set.
        **options: of the set, folder or file; see the function that reads it (`zoo.data.tfds_reading.read`,
            `zoo.data.folder.read_folder`, `zoo.data.numpy_files`, `zoo.data.table.read_csv`,
            `zoo.data.frames`, or the registered function).

    Returns:
        A `Data` whose inputs are uint8 or float32, (n, height, width, channels) for pictures.

    Raises:
        ValueError: for an unknown name, split or option, and for data that cannot be used, with the reason.

    Example:
        >>> zoo.data.load("digits", "train", limit=100)
        Data(name='digits', split='train', inputs=float32(100, 8, 8, 1))
        >>> np.save("mine.npy", np.random.default_rng(0).random((20, 6)))
        >>> zoo.data.load("mine.npy", "test")
        Data(name='mine.npy', split='test', inputs=float32(4, 6))
    """
    if not isinstance(name_or_path, str | os.PathLike) or not os.fspath(name_or_path):
        raise ValueError(
            f"Expected the name of a data set or the path of a folder or file; received {name_or_path!r}."
        )
    if not isinstance(split, str):
        raise ValueError(f"split must be a name such as 'train'; received {split!r}.")
    for folder, given in (("data_dir", data_dir), ("manual_dir", manual_dir)):
        if not isinstance(given, str | os.PathLike | None):
            raise ValueError(f"{folder} must be the path of a folder; received {given!r}.")
    limit = None if limit is None else whole_number(limit, "limit", 2)
    seed = whole_number(seed, "seed", 0)
    reader = _reader(name_or_path)
    accepted = inspect.signature(reader).parameters
    if "split" not in accepted:
        raise ValueError(
            f"The function of the data set {name_or_path!r} must take split, 'train' or 'test'."
        )
    context = {"data_dir": data_dir, "manual_dir": manual_dir, "limit": limit, "seed": seed}
    known = [key for key in accepted if key not in context and key != "split"]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in accepted.values())
    for option in options:
        if option not in known and not takes_any:
            raise ValueError(
                f"{os.fspath(name_or_path)!r} has no option {option!r}.{suggest(option, known)}"
            )
    context = {key: value for key, value in context.items() if key in accepted}
    data = reader(split=split, **context, **options)
    if not isinstance(data, Data):
        raise ValueError(
            f"The data set {name_or_path!r} must give a zoo.data.Data; it gives a {type(data).__name__}."
        )
    return data if limit is None else data.take(slice(limit))


def _reader(name_or_path: str | os.PathLike) -> Callable[..., Data]:
    text = os.fspath(name_or_path)
    if text in names("dataset") and isinstance(name_or_path, str):
        if Path(text).exists():
            warnings.warn(
                f"{text!r} is read as the data set of that name; './{text}' is what lies in this folder.",
                stacklevel=3,
            )
        return lookup(text, "dataset")
    path = Path(text).expanduser()
    if path.is_dir():
        return functools.partial(read_folder, path)
    if path.suffix.lower() in _FILES and path.is_file():
        return functools.partial(_FILES[path.suffix.lower()], path)
    if path.exists():
        raise ValueError(
            f"{text} is not a file of data: expected a folder of pictures, or a file that ends in "
            f"{', '.join(_FILES)}."
        )
    # The slash within a TFDS name has something on both sides.
    outer = text.startswith(".") or text.endswith(("/", os.sep)) or path.is_absolute()
    if outer or isinstance(name_or_path, os.PathLike) or path.suffix.lower() in _FILES:
        raise ValueError(f"There is no file or folder {text}.")
    return functools.partial(read, text)
