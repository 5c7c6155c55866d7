"""Trained models that a long experiment goes on from, and that experiments share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import keras

from zoo.autoencoder import Autoencoder
from zoo.files import replacing
from zoo.runs.artefacts import load_model


def kept(
    folder: str | os.PathLike[str] | None, name: str, make: Callable[[], Autoencoder]
) -> Autoencoder:
    """The model of a name from a folder, trained and put there first where it is missing.

    Args:
        folder: where models are kept, or None to train it anyway.
        name: says all that the model depends on but the number types, which are added to it.
        make: trains the model.

    Returns:
        The model.
    """
    if folder is None:
        return make()
    path = Path(folder) / f"{name}-{keras.config.dtype_policy().name}.keras"
    if path.exists():
        try:
            model = load_model(path)
        except ValueError as error:
            print(f"  {error} Training it again.", flush=True)
        else:
            print(f"  trained before: {path}", flush=True)
            return model
    model = make()
    with replacing(path) as temporary:
        model.save(temporary)
    return model
