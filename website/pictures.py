"""The pictures on the pages of models: digits, what a model makes of them, and new ones.

python -m website.pictures            all models, some minutes
python -m website.pictures vae iwae   these
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import zoo
from website.reference import PICTURES, own

FOLDER = Path(__file__).parents[1] / "docs" / PICTURES
# Models of something else than pictures of any size.
WITHOUT = {
    *(
        "beta_vae_chairs",
        "beta_vae_shapes",
        "dc_ign",
        "two_template_vae",
        "uniform_to_gaussian_vae",
    ),
    *("crosscoder", "transcoder", "conditional_vae", "semi_supervised_vae"),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "vq_vae": {"networks": "grid"},
    "rq_vae": {"networks": "grid"},
    "fsq_vae": {"networks": "grid"},
    "lfq_vae": {"networks": "grid"},
    "k_sparse_autoencoder": {"k": 8, "latents": 64},
}
COLUMNS, SCALE, GAP = 12, 4, 4


def picture(name: str, epochs: int = 60) -> Image.Image:
    """Train a model for a few seconds, and draw three rows."""
    train, test = zoo.data.load("digits", "train"), zoo.data.load("digits", "test")
    known = zoo.models.options(name)
    wanted = OPTIONS.get(name, {})
    model = zoo.create(
        name, train.event_shape, seed=0, **{key: wanted[key] for key in wanted if key in known}
    )
    model.compile(zoo.trainer.Adam(2e-3))
    model.fit(train, epochs=epochs, batch_size=64, verbose=0)
    shown = test.inputs[:COLUMNS]
    rows = [shown, model.reconstruct(shown)]
    with contextlib.suppress(ValueError, NotImplementedError):  # some have no prior
        rows.append(model.generate(COLUMNS, seed=0))
    return drawn(rows)


def drawn(rows: list[np.ndarray]) -> Image.Image:
    """Rows of grey pictures as one, ink on white."""
    height, width = (side * SCALE + GAP for side in rows[0].shape[1:3])
    sheet = np.ones((height * len(rows) - GAP, width * COLUMNS - GAP), "float32")
    for down, row in enumerate(rows):
        for right, image in enumerate(np.asarray(row)):
            ink = np.kron(1 - np.clip(image[..., 0], 0, 1), np.ones((SCALE, SCALE)))
            top, left = down * height, right * width
            sheet[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return Image.fromarray((sheet * 255).astype("uint8")).quantize(16)


def main(names: list[str]) -> None:
    """Draw those that are named, or all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names or [name for name in own("model") if name not in WITHOUT]:
        picture(name).save(FOLDER / f"{name}.png", optimize=True)
        print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
