"""Patches of natural pictures, which sparse codes turn into Gabor-like filters."""

from __future__ import annotations

import os

import numpy as np

from zoo.data import folder, pixels, tfds_reading
from zoo.data.dataset import Data
from zoo.data.splitting import check_split
from zoo.registry import register

_TEST_WIDTH = 0.2  # share of each photograph, at its right, that only test patches are cut from


@register("patches", kind="dataset")
def patches(split: str = "train", *, size: int = 12, n: int = 10_000, seed: int = 0) -> Data:
    """Grey patches of the two photographs that come with scikit-learn: no download.

    Train patches lie in the left four fifths of the photographs, test patches in the right fifth, so that
    none overlap. All places are different.

    Args:
        split: "train" or "test".
        size: height and width in pixels.
        n: number of patches, half of each photograph.
        seed: of the places.

    Returns:
        `Data` with inputs (n, size, size, 1) float32 in [0, 1], grey by .2989, .587, .114; the photograph
        as label.

    Raises:
        ValueError: where the photographs have no patch of that size, or not so many.

    Example:
        >>> from zoo.data.patches import patches
        >>> data = patches("train", size=6, n=50)
        >>> data.inputs.shape, np.bincount(data.labels).tolist()
        ((50, 6, 6, 1), [25, 25])
    """
    from sklearn.datasets import load_sample_images

    check_split(split, ("train", "test"), "patches")
    grey = pixels.to_grey(np.stack(load_sample_images().images))[..., 0]
    edge = round(grey.shape[2] * (1 - _TEST_WIDTH))
    region = grey[..., :edge] if split == "train" else grey[..., edge:]
    if not 1 <= size <= min(region.shape[1:]):
        raise ValueError(
            f"patches needs a size from 1 to {min(region.shape[1:])} for split={split!r}; received {size!r}."
        )
    windows = np.lib.stride_tricks.sliding_window_view(region, (size, size), axis=(1, 2))
    places = windows.shape[1] * windows.shape[2]
    if not 2 <= n <= 2 * places:
        raise ValueError(
            f"patches has {2 * places} places of size {size} for split={split!r}; received n={n!r}."
        )
    rng = np.random.default_rng([seed, split == "test"])
    labels = rng.permutation(np.arange(n) % 2)
    chosen = np.empty(n, np.int64)
    for photograph in range(2):
        mine = labels == photograph
        chosen[mine] = rng.choice(places, mine.sum(), replace=False)
    rows, columns = np.divmod(chosen, windows.shape[2])
    return Data(
        name="patches",
        split=split,
        inputs=windows[labels, rows, columns][..., None],
        labels=labels,
        classes=("china", "flower"),
        description=f"{size}x{size} grey patches of scikit-learn's two photographs",
    )


@register("cifar10_patches", kind="dataset")
def cifar10_patches(
    split: str = "train",
    *,
    path: str | os.PathLike | None = None,
    size: int = 12,
    data_dir: str | os.PathLike | None = None,
    manual_dir: str | os.PathLike | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Data:
    """Central 12x12 grey crops of CIFAR-10 (Pyle, Sparse VAE, section 3).

    Args:
        split: "train", "test" or "all".
        path: a folder of colour pictures of one size to crop instead of TFDS's cifar10.
        size: height and width of the crop in pixels.
        data_dir: TFDS's folder of prepared sets.
        manual_dir: folder of files fetched by hand, for TFDS.
        limit: at most so many crops.
        seed: of the order and the split of a folder.

    Returns:
        `Data` with inputs (n, size, size, 1) float32 in [0, 1], grey by .2989, .587, .114.

    Raises:
        ValueError: for a crop larger than the pictures, and what the readers refuse.

    Example:
        >>> import os
        >>> from zoo.data.patches import cifar10_patches
        >>> os.mkdir("photographs")
        >>> for i in range(5):
        ...     picture = np.random.default_rng(i).random((32, 32, 3))
        ...     keras.utils.save_img(f"photographs/{i}.png", picture)
        >>> cifar10_patches("all", path="photographs").inputs.shape
        (5, 12, 12, 1)
    """
    if path is None:
        whole = tfds_reading.read(
            "cifar10", split, data_dir=data_dir, manual_dir=manual_dir, limit=limit
        )
        source = "CIFAR-10"
    else:
        whole = folder.read_folder(path, split, seed=seed, limit=limit, grayscale=False)
        source = f"the pictures of {path}"
    height, width = whole.inputs.shape[1:3]
    if not 1 <= size <= min(height, width):
        raise ValueError(
            f"cifar10_patches needs a size from 1 to {min(height, width)}; received {size!r}."
        )
    top, left = (height - size) // 2, (width - size) // 2
    return Data(
        name="cifar10_patches",
        split=split,
        inputs=pixels.to_grey(whole.inputs[:, top : top + size, left : left + size]),
        labels=whole.labels,
        classes=whole.classes,
        description=f"Central {size}x{size} grey crops of {source}",
    )
