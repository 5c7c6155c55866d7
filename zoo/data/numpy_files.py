"""Arrays that lie in NumPy's files, .npy and .npz."""

from __future__ import annotations

import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import npz_names, scaling
from zoo.data.arrays import encode_labels, from_arrays, ordered, warn_of_channels_first
from zoo.data.checks import check_inputs
from zoo.data.dataset import Data
from zoo.data.split_names import parts_read
from zoo.data.splitting import check_split, share_of_test, split_slice
from zoo.data.storage import MEMORY_LIMIT, bytes_in_memory


def read_npy(
    path: str | os.PathLike,
    split: str = "train",
    *,
    seed: int = 0,
    labels: str | os.PathLike | None = None,
    scale: float | str | None = None,
    test_fraction: float = 0.2,
    series: bool = False,
    memory_limit: int = MEMORY_LIMIT,
) -> Data:
    """Read a .npy file of examples.

    A file that would take more than `memory_limit`, narrow floats as float32, stays on disk as a memory map;
    its test split is then the last part of the file, since rows drawn by a seed would have to be copied.

    Args:
        path: (n, features), (n, h, w) or (n, h, w, channels); uint8, or floats, which as pictures must lie
            in [0, 1].
        split: "train", "test" or "all".
        seed: of the split.
        labels: a .npy file of n labels.
        scale: what the values are divided by, see `zoo.data.scaling`; None to decide.
        test_fraction: share of the test split.
        series: whether three axes are windows of time series, (n, time, channels), and not grey pictures.
        memory_limit: bytes up to which the array is held in memory.

    Returns:
        `Data`; see `zoo.data.arrays.from_arrays`.

    Raises:
        ValueError: for a file that is not an array, holds Python objects, or whose values `check_inputs`
            refuses.

    Example:
        >>> np.save("mine.npy", np.random.default_rng(0).random((20, 6)))
        >>> zoo.data.load("mine.npy", "train").inputs.shape
        (16, 6)
    """
    path = Path(path)
    array = _map(path)
    known = None if labels is None else _map(Path(labels))
    if bytes_in_memory(array) > memory_limit:
        return _mapped(path, split, array, known, test_fraction, scale, series, memory_limit)
    return from_arrays(
        path.name,
        array,
        known,
        split=split,
        seed=seed,
        test_fraction=test_fraction,
        description=f"The file {path}",
        scale=scale,
        series=series,
    )


def read_npz(
    path: str | os.PathLike,
    split: str = "train",
    *,
    seed: int = 0,
    inputs: str | None = None,
    labels: str | bool | None = None,
    scale: float | str | None = None,
    test_fraction: float | None = None,
    series: bool = False,
    memory_limit: int = MEMORY_LIMIT,
) -> Data:
    """Read a .npz file of examples.

    Names in any case: the examples are ``x``, ``inputs``, ``images``, ``data``, ... (all are in
    `zoo.data.npz_names`); the labels (n,) are ``y``, ``labels``, ``target``, ...; factors (n, f) are
    ``factors`` or ``latents_classes``. A part in the name, ``x_train`` or ``test_images``, makes the file's
    own splits; a bare ``x`` beside ``x_test`` is the training part. Of unnamed arrays, ``arr_0`` holds the
    examples and ``arr_1`` their labels. A warning names the arrays that are not read.

    Args:
        path: the file.
        split: "train", "test", "all", or "validation" where the file has that part.
        seed: of the order and, where the file has no splits, of the split.
        inputs: name of the examples where it is another, or the file holds several; without the part.
        labels: the same for the labels; False to leave them out.
        scale: what the values are divided by, see `zoo.data.scaling`; None to decide.
        test_fraction: share of the test split, .2 for None; for a file without splits.
        series: as in `read_npy`.
        memory_limit: largest size in bytes; a .npz file cannot be mapped.

    Returns:
        `Data`; see `zoo.data.arrays.from_arrays`.

    Raises:
        ValueError: for a file that is damaged, holds Python objects, lacks the examples, names them in two
            ways, is too large, or whose values `check_inputs` refuses.

    Example:
        >>> x = np.random.default_rng(0).random((20, 6))
        >>> np.savez("mine.npz", x=x, y=np.arange(20) % 2)
        >>> data = zoo.data.load("mine.npz", "all")
        >>> data.inputs.shape, sorted(set(data.labels.tolist()))
        ((20, 6), [0, 1])
    """
    path = Path(path)
    with _archive(path) as stored:
        found = npz_names.find(path, stored.files, inputs, labels)
        known = found["inputs"]
        share = share_of_test(test_fraction, path.name, own=None not in known)
        if None in known:
            check_split(split, name=path.name)
            chosen: tuple[str | None, ...] = (None,)
        else:
            chosen = parts_read(split, [part for part in known if part is not None], path.name)
        size = sum(stored.zip.getinfo(f"{known[part]}.npy").file_size for part in chosen)
        if size > memory_limit:
            raise ValueError(
                f"{known[chosen[0]]!r} of {path} takes {size / 2**30:.1f} GiB, more than is held in memory. "
                "Save it as a .npy file, which is read from disk, or raise memory_limit."
            )
        try:
            parts = {
                kind: {part: stored[key] for part, key in keys.items() if part in chosen}
                for kind, keys in found.items()
            }
            classes = _classes([stored[key] for key in found["labels"].values()])
            maximum = _maximum(stored, known, chosen, parts["inputs"], scale)
        except Exception as error:
            raise _damaged(path, error) from error
    columns: dict[str, Any] = {
        kind: _joined(path, kind, column, parts["inputs"]) if found[kind] else None
        for kind, column in parts.items()
    }
    return from_arrays(
        path.name,
        columns["inputs"],
        columns["labels"],
        columns["factors"],
        split=split,
        seed=seed,
        test_fraction=share,
        own_split=None not in known,
        classes=classes,
        description=f"The file {path}",
        scale=scale,
        maximum=maximum,
        series=series,
    )


def _classes(labels: list[np.ndarray]) -> tuple[str, ...] | None:
    """The names that occur in any part; None where the labels are not text."""
    if not labels or labels[0].dtype.kind not in "US":
        return None
    return ordered(np.concatenate([part.astype(str).ravel() for part in labels]))


def _maximum(
    stored: np.lib.npyio.NpzFile,
    names: dict[str | None, str],
    chosen: tuple[str | None, ...],
    inputs: dict[str | None, np.ndarray],
    scale: float | str | None,
) -> float | None:
    """The largest byte of all parts, where what bytes mean depends on it."""
    if scale is not None or any(part.dtype != np.uint8 for part in inputs.values()):
        return None
    highest = max(scaling.peak(part) for part in inputs.values())
    for part, key in names.items():
        if part not in chosen and highest <= scaling.FEW:
            highest = max(highest, scaling.peak(stored[key]))
    return highest


def _joined(
    path: Path, kind: str, parts: dict[str | None, np.ndarray], inputs: dict[str | None, np.ndarray]
) -> np.ndarray | None:
    """The arrays of the chosen parts as one; None, with a warning, where a part lacks them."""
    lacking = [str(part) for part in inputs if part not in parts]
    if lacking:
        warnings.warn(
            f"{path.name} has no {kind} for its part {', '.join(lacking)}: they are left out.",
            stacklevel=4,
        )
        return None
    for part, column in parts.items():
        if column.shape[:1] != inputs[part].shape[:1]:
            of = "" if part is None else f" for {part}"
            raise ValueError(
                f"{path} holds {kind} of shape {column.shape}{of}; expected one for each of the examples of "
                f"shape {inputs[part].shape}."
            )
    arrays = [parts[part] for part in inputs]
    first = arrays[0]
    for other in arrays[1:]:
        if (other.dtype.kind, other.shape[1:]) != (first.dtype.kind, first.shape[1:]):
            raise ValueError(
                f"The {kind} of {path} differ between the parts {', '.join(map(str, inputs))}: "
                f"{first.dtype}{first.shape} and {other.dtype}{other.shape}; expected one type and shape."
            )
    return np.concatenate(arrays)


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
    path: Path,
    split: str,
    array: np.ndarray,
    labels: np.ndarray | None,
    test_fraction: float,
    scale: float | str | None,
    series: bool,
    memory_limit: int,
) -> Data:
    warn_of_channels_first(array.shape, path.name, stacklevel=4)
    array = array if series or array.ndim != 3 else array[..., None]
    array = check_inputs(array, name=path.name, memory_limit=memory_limit)
    pictures, divisor = array.dtype == np.uint8 and array.ndim >= 4, scaling.check_scale(scale)
    if pictures and divisor is None:
        highest = scaling.peak(array, enough=scaling.FEW)
        divisor = scaling.decide_scale(np.uint8, array.ndim, highest, name=path.name).divisor
    fits = divisor == 255 if pictures else array.dtype != np.uint8 and divisor in (None, 1)
    if not fits:
        raise ValueError(
            f"{path} is read from the disk as it is, since it is larger than memory_limit, and holds "
            f"{array.dtype} of shape {array.shape}; expected uint8 pictures from 0 to 255, or floats on the "
            "model's scale. Save it so once (0 and 1: multiply by 255; tables of bytes: astype('float32'))."
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
