"""The handwritten digits that come with scikit-learn: real data without a download."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.data.dataset import Data
from zoo.data.splitting import check_split
from zoo.registry import register

_TEST_SIZE = 360


@register("digits", kind="dataset")
def digits(split: str = "train") -> Data:
    """1,797 handwritten digits, 8x8 grey, from scikit-learn: no download.

    The split is fixed and stratified: 1,437 to train, 360 to test, the same for every seed.

    Args:
        split: "train", "test" or "all".

    Returns:
        `Data` with inputs (n, 8, 8, 1) float32 in [0, 1] (scikit-learn's 0 to 16 divided by 16), and
        labels 0 to 9.

    Example:
        >>> from zoo.data.digits import digits
        >>> test = digits("test")
        >>> test.inputs.shape, sorted(set(test.labels.tolist()))
        ((360, 8, 8, 1), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    check_split(split, name="digits")
    bunch: Any = load_digits()
    rows = np.arange(len(bunch.target))
    train, test = train_test_split(
        rows, test_size=_TEST_SIZE, stratify=bunch.target, random_state=0
    )
    rows = {"train": train, "test": test, "all": rows}[split]
    return Data(
        name="digits",
        split=split,
        inputs=(bunch.images[rows, :, :, None] / 16).astype(np.float32),
        labels=bunch.target[rows].astype(np.int64),
        classes=tuple(map(str, range(10))),
        description="Handwritten digits of scikit-learn, 8x8 grey, stratified split 1,437 / 360",
    )
