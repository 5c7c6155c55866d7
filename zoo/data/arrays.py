"""Arrays and labels as a `Data`."""

from __future__ import annotations

import numpy as np

from zoo.data import pixels
from zoo.data.checks import check_inputs
from zoo.data.dataset import Data
from zoo.data.splitting import check_split, split_rows


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
) -> Data:
    """Check arrays that belong together, and take the examples of a split.

    Args:
        name: what `Data` and errors call the set.
        inputs: (n, features), (n, h, w) or (n, h, w, channels). Grey pictures get a channel axis, and bytes
            that are only 0 and 1 become 0 and 255.
        labels: (n,) whole numbers, which are kept, or text, which is numbered by `classes`.
        factors: (n, f) whole numbers.
        split: "train", "test" or "all".
        seed: of the order and the split.
        test_fraction: share of the test split.
        own_split: the arrays already are the split, and are only shuffled.
        classes: names of the labels; None for those that occur.
        description: one line, to which the share of the split is added.

    Returns:
        A `Data` that shares no memory with the arrays.

    Raises:
        ValueError: for inputs that `check_inputs` refuses, and labels or factors that do not fit.

    Example:
        >>> from zoo.data.arrays import from_arrays
        >>> x = np.random.default_rng(0).random((20, 8, 8))
        >>> data = from_arrays("mine", x, labels=np.array(["cat", "dog"] * 10), split="train")
        >>> data, data.classes
        (Data(name='mine', split='train', inputs=float32(16, 8, 8, 1)), ('cat', 'dog'))
    """
    inputs = check_inputs(inputs[..., None] if inputs.ndim == 3 else inputs, name=name)
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
        check_split(split, name=name)
        rows = np.random.default_rng(seed).permutation(n)
    else:
        rows = split_rows(n, split, test_fraction, seed, name)
        description += f", {len(rows):,} of {n:,} examples" + f" by seed {seed}" * (split != "all")
    binary = inputs.dtype == np.uint8 and pixels.is_binary(inputs)
    inputs = np.array(inputs[rows])
    if binary:
        pixels.stretch_binary(inputs)
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


def encode_labels(
    labels: np.ndarray | None, n: int, name: str, classes: tuple[str, ...] | None = None
) -> tuple[np.ndarray | None, tuple[str, ...] | None]:
    """Labels as whole numbers.

    Args:
        labels: (n,) or (n, 1) whole numbers or text, or None.
        n: number of examples.
        name: what an error calls the set.
        classes: the names that text is numbered by; None for the sorted ones that occur.

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
        raise ValueError(
            f"The labels of {name} must have shape ({n},), one for each example; received {labels.shape}."
        )
    if labels.dtype.kind in "US":
        text = labels.astype(str)
        known = np.unique(text if classes is None else np.asarray(classes))
        return np.searchsorted(known, text), tuple(known.tolist())
    whole = labels.dtype.kind in "iub" or (
        labels.dtype.kind == "f" and np.isfinite(labels).all() and (labels == np.rint(labels)).all()
    )
    if not whole:
        raise ValueError(
            f"The labels of {name} must be whole numbers or names; received {labels.dtype}"
            f"{' with fractions, NaN or infinity' if labels.dtype.kind == 'f' else ''}."
        )
    return labels.astype(np.int64), classes
