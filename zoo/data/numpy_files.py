"""Arrays that lie in NumPy's files, .npy and .npz."""

from __future__ import annotations

import os
import warnings
import zipfile
from pathlib import Path

import numpy as np

from zoo.data import pixels
from zoo.data.arrays import encode_labels, from_arrays
from zoo.data.checks import check_inputs
from zoo.data.dataset import Data
from zoo.data.splitting import check_split, split_slice
from zoo.data.storage import MEMORY_LIMIT

INPUT_KEYS = ("inputs", "x", "images", "imgs", "arr_0")
LABEL_KEYS = ("labels", "label", "y")
FACTOR_KEYS = ("factors", "latents_classes")


def read_npy(
    path: str | os.PathLike,
    split: str = "train",
    *,
    seed: int = 0,
    labels: str | os.PathLike | None = None,
    test_fraction: float = 0.2,
    memory_limit: int = MEMORY_LIMIT,
) -> Data:
    """Read a .npy file of examples.

    A file larger than `memory_limit` stays on disk as a memory map; its test split is then the last part of
    the file, since rows drawn by a seed would have to be copied.

    Args:
        path: (n, features), (n, h, w) or (n, h, w, channels); uint8, or floats, which as pictures must lie
            in [0, 1].
        split: "train", "test" or "all".
        seed: of the split.
        labels: a .npy file of n labels.
        test_fraction: share of the test split.
        memory_limit: bytes up to which the array is held in memory.

    Returns:
        `Data`; see `zoo.data.arrays.from_arrays`.

    Raises:
        ValueError: for a file that is no array, holds Python objects, or whose values `check_inputs` refuses.

    Example:
        >>> np.save("mine.npy", np.random.default_rng(0).random((20, 6)))
        >>> zoo.data.load("mine.npy", "train").inputs.shape
        (16, 6)
    """
    path = Path(path)
    array = _map(path)
    known = None if labels is None else _map(Path(labels))
    if array.nbytes > memory_limit:
        return _mapped(path, split, array, known, test_fraction)
    return from_arrays(
        path.name,
        array,
        known,
        split=split,
        seed=seed,
        test_fraction=test_fraction,
        description=f"The file {path}",
    )


def read_npz(
    path: str | os.PathLike,
    split: str = "train",
    *,
    seed: int = 0,
    test_fraction: float = 0.2,
    memory_limit: int = MEMORY_LIMIT,
) -> Data:
    """Read a .npz file of examples.

    Args:
        path: holds the examples as ``inputs``, ``x``, ``images``, ``imgs`` or ``arr_0``, and where it has
            them ``labels``, ``label`` or ``y`` (n,), and ``factors`` or ``latents_classes`` (n, f). Names
            that end in ``_train`` and ``_test`` (``x_train``) are the file's own splits.
        split: "train", "test" or "all".
        seed: of the order and, where the file has no splits, of the split.
        test_fraction: share of the test split, where the file has no splits.
        memory_limit: largest size in bytes; a .npz file cannot be mapped.

    Returns:
        `Data`; see `zoo.data.arrays.from_arrays`.

    Raises:
        ValueError: for a file that is damaged, holds Python objects, lacks the examples, is too large, or
            whose values `check_inputs` refuses.

    Example:
        >>> x = np.random.default_rng(0).random((20, 6))
        >>> np.savez("mine.npz", x=x, y=np.arange(20) % 2)
        >>> data = zoo.data.load("mine.npz", "all")
        >>> data.inputs.shape, sorted(set(data.labels.tolist()))
        ((20, 6), [0, 1])
    """
    path = Path(path)
    check_split(split, name=path.name)
    with _archive(path) as stored:
        own_split = not set(INPUT_KEYS) & set(stored.files)
        parts = ("_train", "_test") if own_split else ("",)
        chosen = parts if split == "all" or not own_split else (f"_{split}",)
        inputs_key, labels_key, factors_key = (
            next((key for key in keys if all(key + part in stored.files for part in parts)), None)
            for keys in (INPUT_KEYS, LABEL_KEYS, FACTOR_KEYS)
        )
        if inputs_key is None:
            raise ValueError(
                f"{path} holds the arrays {', '.join(stored.files)}; expected one called "
                f"{', '.join(INPUT_KEYS)}, or two called x_train and x_test."
            )
        size = sum(stored.zip.getinfo(f"{inputs_key}{part}.npy").file_size for part in chosen)
        if size > memory_limit:
            raise ValueError(
                f"{inputs_key!r} of {path} takes {size / 2**30:.1f} GiB, more than is held in memory. "
                "Save it as a .npy file, which is read from disk, or raise memory_limit."
            )
        try:
            inputs, labels, factors = (
                None if key is None else np.concatenate([stored[key + part] for part in chosen])
                for key in (inputs_key, labels_key, factors_key)
            )
            classes = None
            if own_split and labels is not None and labels.dtype.kind in "US":
                both = np.concatenate([stored[labels_key + part] for part in parts])
                classes = tuple(np.unique(both.astype(str)).tolist())
        except Exception as error:
            raise _damaged(path, error) from error
    return from_arrays(
        path.name,
        inputs,
        labels,
        factors,
        split=split,
        seed=seed,
        test_fraction=test_fraction,
        own_split=own_split,
        classes=classes,
        description=f"The file {path}",
    )


def _archive(path: Path) -> np.lib.npyio.NpzFile:
    """A .npz file, open."""
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is no .npz file, or a truncated one. Write it with numpy.savez.")
    try:
        return np.load(path, allow_pickle=False)
    except Exception as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ValueError:
    """One kind of error for the many with which zipfile, zlib and NumPy answer a damaged file."""
    return ValueError(
        f"{path} cannot be read as arrays of numbers: {error}. Write it with numpy.savez, without Python "
        "objects in it."
    )


def _map(path: Path) -> np.ndarray:
    """A .npy file as a read-only memory map."""
    try:
        with path.open("rb") as file:
            if file.read(6) != b"\x93NUMPY":
                raise ValueError("it does not begin as a .npy file does")
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a damaged header fails in many ways
        raise ValueError(
            f"{path} cannot be read as an array of numbers: {error}. Write it with numpy.save, without "
            "Python objects in it."
        ) from error


def _mapped(
    path: Path, split: str, array: np.ndarray, labels: np.ndarray | None, test_fraction: float
) -> Data:
    array = check_inputs(array[..., None] if array.ndim == 3 else array, name=path.name)
    if array.dtype == np.uint8 and pixels.is_binary(array[:1000]):
        raise ValueError(
            f"{path} holds bytes that are 0 and 1; expected pixels from 0 to 255. Multiply them by 255."
        )
    rows = split_slice(len(array), split, test_fraction, path.name)
    if split != "all":
        warnings.warn(
            f"{path.name} ({array.nbytes / 2**30:.2g} GiB) stays on disk, and its last "
            f"{test_fraction:.0%} are the test split. Shuffle the file once if it is sorted.",
            stacklevel=4,
        )
    codes, classes = encode_labels(labels, len(array), path.name)
    whole = Data(
        name=path.name,
        split=split,
        inputs=array,
        labels=codes,
        classes=classes,
        description=f"The file {path}, memory-mapped, rows {rows.start} to {rows.stop}",
    )
    return whole.take(rows)
