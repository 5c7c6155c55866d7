"""What numbers mean: pixels, which are divided, or plain numbers, which are not.

One function decides it for every door, so that a file, an array and a model answer alike.

| numbers | meaning | divided by |
|---|---|---|
| floats, booleans | themselves | 1 |
| bytes, rank 4 or more, some above 20 | pixels from 0 to 255 | 255 |
| bytes, rank 4 or more, only 0 and 1 | black and white | 1 |
| bytes, rank 4 or more, at most 20 but above 1 | pixels, classes or counts: nobody can know | refused |
| bytes of another rank | a table or series of counts, codes, measurements | 1 |
| bytes where the likelihood counts | counts | 1 |

``scale=`` decides by hand. Decide once for a whole set, and keep the answer: the maximum of a batch, or of
one dark picture, says nothing about the set. A `zoo.data.Data` has it behind it: its uint8 are pixels from
0 to 255, whatever their maximum, and its floats are as the model sees them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from zoo.data.storage import release

FEW = 20
"""Bytes up to this are too dark for pixels, and are refused as pictures unless `scale` says what they are.

The digits of scikit-learn reach 16, maps of the 21 classes of Pascal VOC 20.
"""


class Scale(NamedTuple):
    """What a set's numbers are divided by.

    Attributes:
        divisor: the values that a model sees are value / divisor.
        said: a sentence for the user, to be shown once whatever `verbose` is; empty where nothing could be
            taken otherwise.
    """

    divisor: float
    said: str = ""


def decide_scale(
    dtype: Any,
    rank: int,
    maximum: float,
    *,
    name: str = "x",
    scale: float | str | None = None,
    bounds: tuple[float, float] | None = None,
    counts: bool = False,
) -> Scale:
    """What the numbers of a set are to be divided by.

    Example:
        >>> import numpy as np
        >>> decide_scale(np.uint8, 4, 255).divisor, decide_scale(np.uint8, 2, 255).divisor
        (255.0, 1.0)

    Args:
        dtype: of the array.
        rank: of the array, examples counted: 4 for pictures, 2 for a table.
        maximum: the largest value of the whole set, not of a batch.
        name: what the sentence or the error calls the array.
        scale: what the user says: a number above 0; 1 or "none" for numbers as they are; None to decide here.
        bounds: the range of values that the likelihood takes, (0, 1) for Bernoulli; None if not known.
        counts: whether the likelihood is one of whole numbers (Poisson, binomial, categorical).

    Returns:
        The divisor, and what to tell the user.

    Raises:
        ValueError: for another `scale`, and for bytes that can be taken in two ways.
    """
    by_hand = check_scale(scale)
    if by_hand is not None:
        return Scale(by_hand)
    if np.dtype(dtype) != np.uint8 or maximum <= 1:
        return Scale(1.0)
    if counts:
        return Scale(1.0, f"The bytes of {name} are taken as counts: they are not divided by 255.")
    if rank >= 4 and maximum > FEW:
        return Scale(255.0, f"The uint8 pictures of {name} are divided by 255.")
    if rank >= 4:
        raise ValueError(
            f"The pictures of {name} are bytes of at most {maximum:g}: as pixels of 0 to 255 they are all "
            f"but black. Say scale=255 for such pixels, scale={maximum:g} where {maximum:g} is white, or "
            "scale=1 for classes or counts."
        )
    if bounds is not None and bounds[1] < maximum:
        raise ValueError(
            f"{name} is a table of bytes up to {maximum:g}, and the likelihood takes values of "
            f"{bounds[0]:g} to {bounds[1]:g}. Divide by 255 where they are pixels (scale=255), or choose a "
            "likelihood without these bounds, such as 'normal' or one of counts."
        )
    return Scale(
        1.0,
        f"{name} is a table of bytes: its numbers are taken as they are, up to {maximum:g}. Where they are "
        "pixels, divide by 255 (scale=255).",
    )


def check_scale(scale: float | str | None) -> float | None:
    """The number that `scale` stands for; None where it leaves the choice.

    Raises:
        ValueError: for what is neither a finite number above 0, nor "none", nor None.
    """
    if scale is None:
        return None
    if isinstance(scale, str) and scale.strip().lower() == "none":
        return 1.0
    try:
        number = np.nan if isinstance(scale, bool) else float(scale)
    except (TypeError, ValueError):
        number = np.nan
    if not (np.isfinite(number) and number > 0):
        raise ValueError(
            f"scale must be a number above 0 to divide by, or 'none'; received {scale!r}."
        )
    return number


def divide(array: np.ndarray, divisor: float) -> np.ndarray:
    """float32 numbers, array / divisor.

    Args:
        array: (n, ...) of any real type.
        divisor: see `Scale`.

    Returns:
        (n, ...) float32, a new array.
    """
    return np.divide(array, np.float32(divisor), dtype=np.float32, casting="unsafe")


def peak(array: np.ndarray, enough: float = np.inf) -> float:
    """The largest value, read in pieces; what is larger than `enough` ends the search.

    Args:
        array: (n, ...), in memory or memory-mapped.
        enough: a value above which it does not matter how large the largest is.

    Returns:
        The maximum of the pieces that were read.
    """
    rows = max(1, (16 << 20) // max(1, array[:1].nbytes))
    highest = -np.inf
    for start in range(0, len(array), rows):
        highest = max(highest, float(array[start : start + rows].max(initial=0)))
        release(array)
        if highest > enough:
            break
    return highest
