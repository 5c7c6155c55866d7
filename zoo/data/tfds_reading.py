"""Reading picture sets of TensorFlow Datasets into arrays."""

from __future__ import annotations

import os
import re
import zlib
from typing import Any, NamedTuple

import numpy as np

from zoo.data import pixels, preparation, scaling
from zoo.data.dataset import Data
from zoo.data.splitting import check_split, share_of_test, split_sizes
from zoo.data.storage import MEMORY_LIMIT, build_array, release
from zoo.values import truth

# Published order of the factors, and the one that names the object. Other sets: each `label_*`, by name.
_FACTORS = {
    "dsprites": ("shape", "scale", "orientation", "x_position", "y_position"),
    "shapes3d": ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"),
    "smallnorb": ("category", "elevation", "azimuth", "lighting"),
}
_LABEL = {"dsprites": "label_shape", "shapes3d": "label_shape", "smallnorb": "label_category"}
_BATCH = 500


class _Columns(NamedTuple):
    image: str
    label: str | None
    factors: tuple[str, ...]


def read(
    name: str,
    split: str = "train",
    *,
    data_dir: str | os.PathLike | None = None,
    manual_dir: str | os.PathLike | None = None,
    limit: int | None = None,
    size: tuple[int, int] | None = None,
    grayscale: bool = False,
    binarize: str | None = None,
    image_key: str | None = None,
    scale: float | str | None = None,
    test_fraction: float | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> Data:
    """Read a split of a TFDS set into an array, downloading and preparing it where that is still to do.

    Args:
        name: TFDS's name, with a config or version where wanted (``"emnist/letters"``).
        split: a split of the set, TFDS's slices included (``"train[:10%]"``), or "all" for train, validation
            and test. Where a set has no "test", that is its "validation", or else the last `test_fraction` of
            "train", which "train" then leaves out.
        data_dir: TFDS's folder of prepared sets; None for TFDS's default.
        manual_dir: folder of files fetched by hand, which TFDS takes where it would download.
        limit: at most so many examples, the first that are stored (TFDS stores sets shuffled).
        size: (height, width) to resize to; needed where the set's pictures differ in size.
        grayscale: turn colour into grey, rounded to bytes.
        binarize: "static" or "threshold", see `zoo.data.pixels.binarize`.
        image_key: the feature that is the input, where a set has several.
        scale: what the bytes are divided by, see `zoo.data.scaling`; None to decide.
        test_fraction: see `split`; .2 for None.
        memory_limit: bytes up to which the array is held in memory; larger ones are written once to a file
            in ``data_dir/latent_zoo`` and memory-mapped.

    Returns:
        `Data` with inputs (n, height, width, channels), uint8 from 0 to 255, or float32 where `scale` is
        another number; and labels, factors and classes where the set has them.

    Raises:
        ValueError: for an unknown set, split, size or feature, or a set that cannot be prepared.
    """
    if binarize is not None:
        pixels.check_method(binarize)
    divisor = scaling.check_scale(scale)
    plain = divisor not in (None, 255)
    if plain and binarize is not None:
        raise ValueError(
            f"binarize={binarize!r} needs pixels from 0 to 255; received scale={scale!r}."
        )
    grayscale = truth(grayscale, "grayscale")
    builder = preparation.open_builder(name, data_dir)
    info = builder.info
    columns = _columns(builder, image_key)
    shape = _event_shape(name, info.features[columns.image], size, grayscale)
    preparation.prepare(builder, manual_dir)
    instruction = _instruction(builder.name, info.splits, split, test_fraction)
    try:
        n = info.splits[instruction].num_examples
    except Exception as error:  # TFDS raises several kinds for what it cannot read
        reason = preparation.first_line(error)
        raise ValueError(f"{name!r} has no split {split!r}: {reason}") from error
    if not n:
        raise ValueError(f"The split {split!r} of {name!r} holds no examples: take a larger slice.")
    n = n if limit is None else min(n, limit)

    def fill(array: np.ndarray) -> dict[str, np.ndarray]:
        small = _fill(array, builder, instruction, columns, resize=size is not None)
        if plain:
            np.divide(array, np.float32(divisor), out=array)
        elif divisor is None:
            highest = scaling.peak(array, enough=scaling.FEW)
            if scaling.decide_scale(np.uint8, 4, highest, name=repr(name)).divisor == 1:
                pixels.stretch_binary(array)
        if binarize is not None:
            pixels.binarize(array, binarize, stream=zlib.crc32(re.split(r"\W", split)[0].encode()))
        return small

    # With a scale of 255 bytes of 0 and 1 stay as they are, which become 0 and 255 without one.
    form = binarize if divisor is None else f"{binarize} {divisor:g}"
    key = f"{info.full_name} {instruction} {n} {shape} {columns.image} {form}"
    inputs, small = build_array(
        (n, *shape),
        np.float32 if plain else np.uint8,
        fill,
        key=re.sub(r"[^\w.]+", "-", key),
        data_dir=data_dir,
        memory_limit=memory_limit,
    )
    label: Any = info.features[columns.label] if columns.label else None
    classes = tuple(label.names) if hasattr(label, "names") else None
    made = f", {binarize} binary" if binarize else ""
    return Data(
        name=name,
        split=split,
        inputs=inputs,
        labels=small.get("labels"),
        factors=small.get("factors"),
        factor_names=tuple(key.removeprefix("label_") for key in columns.factors),
        classes=classes,
        description=f"{info.full_name} of TensorFlow Datasets, {instruction}{made}",
    )


def _columns(builder: Any, image_key: str | None) -> _Columns:
    """Which features are the input, the label and the factors."""
    import tensorflow_datasets as tfds

    features = builder.info.features
    if not isinstance(features, tfds.features.FeaturesDict):
        raise ValueError(f"{builder.name!r} has no named features; expected an image set of TFDS.")
    images = [key for key, value in features.items() if isinstance(value, tfds.features.Image)]
    if image_key is None and ("image" in images or len(images) == 1):
        image_key = "image" if "image" in images else images[0]
    if not images:
        raise ValueError(
            f"{builder.name!r} has no pictures: its features are {', '.join(features)}. Expected an image "
            "set of TFDS; other data are read from a file or an array."
        )
    if image_key not in images:
        raise ValueError(
            f"{builder.name!r} has the features {', '.join(features)}, of which "
            f"{', '.join(images)} can be image_key; received image_key={image_key!r}."
        )
    leaves: dict[str, Any] = dict(features.items())
    scalar = [
        key
        for key, value in leaves.items()
        if value.shape == () and np.issubdtype(value.np_dtype, np.integer)
    ]
    if builder.name in _FACTORS:
        factors = tuple(f"label_{factor}" for factor in _FACTORS[builder.name])
    else:
        factors = tuple(sorted(key for key in scalar if key.startswith("label_")))
    supervised = builder.info.supervised_keys or (None, None)
    candidates = (_LABEL.get(builder.name), supervised[-1], "label")
    label = next((key for key in candidates if isinstance(key, str) and key in scalar), None)
    return _Columns(image_key, label, factors if len(factors) > 1 else ())


def _instruction(name: str, splits: Any, split: str, test_fraction: float | None) -> str:
    """TFDS's name for a split, with a test split for sets that have none."""
    known = tuple(splits)
    held_out = next((key for key in ("test", "validation") if key in known), None)
    share = share_of_test(test_fraction, repr(name), own=held_out is not None)
    if re.search(r"[\[+]", split):
        return split
    if split == "all":
        return "+".join(key for key in ("train", "validation", "test") if key in known)
    if split == "test" and held_out:
        return held_out
    if split in ("train", "test") and not held_out and "train" in known:
        train, _ = split_sizes(splits["train"].num_examples, share)
        return f"train[:{train}]" if split == "train" else f"train[{train}:]"
    check_split(split, (*known, "all"), repr(name))
    return split


def _event_shape(
    name: str, image: Any, size: tuple[int, int] | None, grayscale: bool
) -> tuple[int, int, int]:
    height, width, channels = image.shape
    if image.np_dtype != np.uint8:
        raise ValueError(f"The pictures of {name!r} are {image.np_dtype}; expected uint8.")
    if size is None and None in (height, width):
        raise ValueError(f"The pictures of {name!r} differ in size: give size=(height, width).")
    if size is not None:
        height, width = pixels.check_size(size)
    return height, width, 1 if grayscale else channels or 3


def _fill(
    array: np.ndarray, builder: Any, instruction: str, columns: _Columns, resize: bool
) -> dict[str, np.ndarray]:
    import tensorflow as tf
    import tensorflow_datasets as tfds

    wanted = {key for key in (columns.image, columns.label, *columns.factors) if key}
    with preparation.quiet():
        dataset = builder.as_dataset(
            split=instruction,
            shuffle_files=False,
            decoders=tfds.decode.PartialDecoding(dict.fromkeys(wanted, True)),
            read_config=tfds.ReadConfig(try_autocache=False),
        ).take(len(array))
    if resize:

        def resized(example: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            picture = tf.image.resize(example[columns.image], array.shape[1:3], antialias=True)
            picture = tf.cast(tf.clip_by_value(tf.round(picture), 0, 255), tf.uint8)
            return {**example, columns.image: picture}

        dataset = dataset.map(resized, num_parallel_calls=tf.data.AUTOTUNE)
    labels = np.empty(len(array), np.int64)
    factors = np.empty((len(array), len(columns.factors)), np.int64)
    start = 0
    for batch in tfds.as_numpy(dataset.batch(_BATCH).prefetch(2)):
        pictures = batch[columns.image]
        rows = slice(start, start := start + len(pictures))
        if array.shape[-1] < pictures.shape[-1]:
            pictures = np.rint(255 * pixels.to_grey(pictures[..., :3]))
        array[rows] = pictures
        if columns.label:
            labels[rows] = batch[columns.label]
        for column, key in enumerate(columns.factors):
            factors[rows, column] = batch[key]
        release(array)
    small = {"labels": labels} if columns.label else {}
    return {**small, "factors": factors} if columns.factors else small
