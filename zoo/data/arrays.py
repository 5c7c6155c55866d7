"""Arrays and labels as a `Data`."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterable

import numpy as np

from zoo.data import scaling
from zoo.data.checks import check_inputs
from zoo.data.dataset import Data
from zoo.data.splitting import split_rows


def from_arrays(
    name: str,
    inputs: np.ndarray,
    labels: np.ndarray | None = None,
    factors: np.ndarray | None = None,
    *,
    split: str = "train",
    seed: int = 0,
    test_fraction: float = 0.2,
    own_split: bool = False,
    classes: tuple[str, ...] | None = None,
    description: str = "",
    scale: float | str | None = None,
    maximum: float | None = None,
    series: bool = False,
) -> Data:
    """Check arrays that belong together, and take the examples of a split.

    Args:
        name: what `Data` and errors call the set.
        inputs: (n, features), (n, h, w) or (n, h, w, channels). Grey pictures get a channel axis. Bytes are
            pixels or numbers by `zoo.data.scaling.decide_scale`.
        labels: (n,) whole numbers, which are kept, or text, which is numbered by `classes`.
        factors: (n, f) whole numbers.
        split: "train", "test" or "all".
        seed: of the order and the split.
        test_fraction: share of the test split.
        own_split: the arrays already are the split, and are only shuffled ("all" is not).
        classes: names of the labels; None for those that occur.
        description: one line, to which the share of the split is added.
        scale: what the values are divided by; None to decide.
        maximum: the largest value of the whole set, where `inputs` are a part of it.
        series: whether three axes are windows of time series, (n, time, channels), and not grey pictures.

    Returns:
        A `Data` that shares no memory with the arrays. Its uint8 are pixels from 0 to 255; all else is
        float32, a value as the model sees it.

    Raises:
        ValueError: for inputs that `check_inputs` refuses, and labels or factors that do not fit.

    Example:
        >>> from zoo.data.arrays import from_arrays
        >>> x = np.random.default_rng(0).random((20, 8, 8))
        >>> data = from_arrays("mine", x, labels=np.array(["cat", "dog"] * 10), split="train")
        >>> data, data.classes
        (Data(name='mine', split='train', inputs=float32(16, 8, 8, 1)), ('cat', 'dog'))
    """
    warn_of_channels_first(inputs.shape, name, stacklevel=4)
    inputs = inputs[..., None] if inputs.ndim == 3 and not series else inputs
    inputs, divisor = _meant(inputs, name, scaling.check_scale(scale), maximum)
    n = len(inputs)
    codes, classes = encode_labels(labels, n, name, classes)
    if factors is not None and (factors.shape[:1] != (n,) or factors.ndim != 2):
        raise ValueError(f"The factors of {name} must be ({n}, f); received {factors.shape}.")
    if factors is not None and factors.dtype.kind not in "iu":
        raise ValueError(
            f"The factors of {name} must be whole numbers, the index of each value; "
            f"received {factors.dtype}."
        )
    if own_split:
        rows = np.arange(n) if split == "all" else np.random.default_rng(seed).permutation(n)
    else:
        rows = split_rows(n, split, test_fraction, seed, name)
        description += f", {len(rows):,} of {n:,} examples" + f" by seed {seed}" * (split != "all")
    inputs = np.array(inputs[rows])
    if inputs.dtype == np.uint8:
        inputs = of_bytes(inputs, divisor)
    width = 0 if factors is None else factors.shape[1]
    return Data(
        name=name,
        split=split,
        inputs=inputs,
        labels=None if codes is None else codes[rows],
        factors=None if factors is None else factors[rows].astype(np.int64),
        factor_names=tuple(f"factor_{column}" for column in range(width)),
        classes=classes,
        description=description,
    )


def ordered(names: Iterable[str]) -> tuple[str, ...]:
    """Different names of classes in the order in which they are numbered.

    Names that are all digits go by their number, so that class 10 does not stand before class 2. The two
    forms that letters with accents have are one.

    Warns:
        UserWarning: for names that differ in case or blanks only.

    Example:
        >>> ordered(["10", "2", "1", "2"]), ordered(["b", "10", "2"])
        (('1', '2', '10'), ('10', '2', 'b'))
    """
    different = sorted({composed(str(name)) for name in names})
    alike = _alike(different)
    if alike:
        warnings.warn(
            f"The classes {alike[0]!r} and {alike[1]!r} differ in case or blanks only, and are two. Give "
            "them one name where they are one.",
            stacklevel=3,
        )
    if all(name.isascii() and name.isdigit() for name in different):
        different.sort(key=int)
    return tuple(different)


def composed(name: str) -> str:
    """A name with each letter and its accent as one character: file systems and editors write either form.

    Example:
        >>> from zoo.data.arrays import composed
        >>> letters = "e" + chr(0x301)  # the accent by itself
        >>> len(letters), len(composed(letters))
        (2, 1)
    """
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _alike(names: Iterable[str]) -> tuple[str, str] | None:
    """The first two names that are one but for case and blanks."""
    seen: dict[str, str] = {}
    for name in names:
        key = "".join(name.split()).casefold()
        if key in seen:
            return seen[key], name
        seen[key] = name
    return None


def warn_of_channels_first(shape: tuple[int, ...], name: str, stacklevel: int = 2) -> None:
    """Say how pictures are read that look like (n, channels, height, width).

    Args:
        shape: of the array.
        name: what the warning calls it.
        stacklevel: of the warning.

    Example:
        >>> import warnings
        >>> from zoo.data.arrays import warn_of_channels_first
        >>> with warnings.catch_warnings(record=True) as caught:
        ...     warnings.simplefilter("always")
        ...     warn_of_channels_first((20, 3, 32, 32), "x")
        >>> str(caught[0].message).split(".")[0]
        'x of shape (20, 3, 32, 32) is read as 3x32 pictures of 32 channels'
    """
    if len(shape) == 4 and shape[1] in (1, 3, 4) and min(shape[2:]) > 4:
        height, width, channels = shape[1:]
        warnings.warn(
            f"{name} of shape {shape} is read as {height}x{width} pictures of {channels} channels. Where "
            "channels come first, give numpy.moveaxis(x, 1, -1).",
            stacklevel=stacklevel + 1,
        )


def of_bytes(inputs: np.ndarray, divisor: float) -> np.ndarray:
    """Bytes as a `Data` holds them: pixels from 0 to 255 as uint8, other numbers as float32.

    Args:
        inputs: (n, ...) uint8; black and white of 0 and 1 becomes 0 and 255 in place.
        divisor: what the values are divided by.

    Returns:
        (n, ...) uint8 or float32.

    Example:
        >>> from zoo.data.arrays import of_bytes
        >>> str(of_bytes(np.zeros((2, 8, 8, 1), np.uint8), divisor=255).dtype)
        'uint8'
        >>> of_bytes(np.array([[0, 128, 255]], np.uint8), divisor=1).tolist()
        [[0.0, 128.0, 255.0]]
    """
    if inputs.ndim < 4 or divisor not in (1, 255):
        return scaling.divide(inputs, divisor)
    if divisor == 255:
        return inputs
    if inputs.max() > 1:
        return scaling.divide(inputs, 1.0)
    inputs *= 255
    return inputs


def _meant(
    inputs: np.ndarray, name: str, scale: float | None, maximum: float | None
) -> tuple[np.ndarray, float]:
    """Checked inputs, and what bytes among them are divided by; says what could be taken otherwise."""
    if inputs.dtype == np.uint8:
        check_inputs(inputs, name=name)
        if maximum is None and scale is None:
            maximum = scaling.peak(inputs, enough=scaling.FEW if inputs.ndim >= 4 else np.inf)
        found = scaling.decide_scale(np.uint8, inputs.ndim, maximum or 0.0, name=name, scale=scale)
        if found.said and found.divisor == 1:
            warnings.warn(found.said, stacklevel=5)
        return inputs, found.divisor
    if scale is None or inputs.dtype.kind not in "iufb":
        return check_inputs(inputs, name=name), 1.0
    return check_inputs(scaling.divide(inputs, scale), name=name, bounds=(-np.inf, np.inf)), 1.0


def encode_labels(
    labels: np.ndarray | None, n: int, name: str, classes: tuple[str, ...] | None = None
) -> tuple[np.ndarray | None, tuple[str, ...] | None]:
    """Labels as whole numbers.

    Args:
        labels: (n,) or (n, 1) whole numbers or text, or None.
        n: number of examples.
        name: what an error calls the set.
        classes: the names that text is numbered by; None for those that occur.

    Returns:
        (n,) int64, and the classes' names where the labels are text. Whole numbers are kept as they are.

    Raises:
        ValueError: where there is not one whole number or name for each example.

    Example:
        >>> from zoo.data.arrays import encode_labels
        >>> labels, classes = encode_labels(np.array(["dog", "cat", "dog"]), n=3, name="mine")
        >>> labels.tolist(), classes
        ([1, 0, 1], ('cat', 'dog'))
    """
    if labels is None:
        return None, None
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (n,):
        hint = " Give argmax(1) of one-hot rows; leave others out." if labels.ndim == 2 else ""
        raise ValueError(
            f"The labels of {name} must have shape ({n},), one for each example; received {labels.shape}."
            f"{hint}"
        )
    if labels.dtype.kind in "US":
        names, place = np.unique(labels.astype(str), return_inverse=True)
        text = np.array([composed(name) for name in names.tolist()])[place]
        known = np.array(ordered(text if classes is None else classes))
        alphabetical = np.argsort(known)
        return alphabetical[np.searchsorted(known, text, sorter=alphabetical)], tuple(
            known.tolist()
        )
    whole = labels.dtype.kind in "iub" or (
        labels.dtype.kind == "f" and np.isfinite(labels).all() and (labels == np.rint(labels)).all()
    )
    if not whole:
        raise ValueError(
            f"The labels of {name} must be whole numbers or names; received {labels.dtype}"
            f"{' with fractions, NaN or infinity' if labels.dtype.kind == 'f' else ''}. Leave others out: "
            "those of a .npz file by labels=False."
        )
    return labels.astype(np.int64), classes
