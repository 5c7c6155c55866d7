"""Picture sets of TensorFlow Datasets, by TFDS's own names."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from zoo.data.dataset import Data
from zoo.data.tfds_reading import read
from zoo.registry import register

# Sets that are listed; any other picture set of TFDS is taken by its name as well.
_LISTED = {
    "mnist": "70,000 handwritten digits, 28x28 grey",
    "fashion_mnist": "70,000 pictures of clothes, 28x28 grey",
    "kmnist": "70,000 handwritten hiragana, 28x28 grey",
    "emnist": "814,255 handwritten letters and digits, transposed as published, 28x28 grey",
    "omniglot": "32,460 handwritten characters of 50 alphabets, 105x105",
    "cifar10": "60,000 photographs of 10 classes, 32x32 colour",
    "cifar100": "60,000 photographs of 100 classes, 32x32 colour",
    "svhn_cropped": "99,289 house numbers, 32x32 colour",
    "celeb_a": "202,599 faces, 218x178 colour",
    "dsprites": "737,280 sprites by 5 factors, 64x64 binary",
    "shapes3d": "480,000 rendered shapes by 6 factors, 64x64 colour",
    "smallnorb": "48,600 photographs of toys by 4 factors, 96x96 grey",
}


def _listed(name: str, text: str) -> Callable[..., Data]:
    def dataset(split: str = "train", **options: Any) -> Data:
        return read(name, split, **options)

    dataset.__doc__ = (
        f"{text}, through TensorFlow Datasets.\n\n"
        "Args, Returns and Raises: see `zoo.data.tfds_reading.read`.\n"
    )
    dataset.__name__ = dataset.__qualname__ = name
    own = inspect.signature(read)
    dataset.__signature__ = own.replace(parameters=[*own.parameters.values()][1:])
    return dataset


for _name, _text in _LISTED.items():
    register(_name, kind="dataset")(_listed(_name, _text))
