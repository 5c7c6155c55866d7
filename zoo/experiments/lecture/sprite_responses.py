"""What Figure 7 of the beta-VAE's paper shows of a model: its units over the factors, and traversals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.autoencoder import Autoencoder
from zoo.data import sprites
from zoo.experiments.lecture.sprite_models import MODELS, OF_FIGURE_7, Compared, Pictures
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import panels, styled


def responses(model: Autoencoder, shown: Pictures, compared: Compared) -> dict[str, np.ndarray]:
    """What the paper's Figure 7 shows of a model.

    Args:
        model: trained.
        shown: of the size that it takes.
        compared: what it is in the table.

    Returns:
        ``position`` (units, 32, 32), the mean code over shapes, scales and orientations; ``scale`` (units, 6)
        and ``orientation`` (units, 40), over the rest; ``traversal`` (units, 7, size, size), units from -3
        to 3 from a sprite's code, or over the range of InfoGAN's codes, whose noise is 0 then. Units come in
        the order of their variance over positions, and those of DC-IGN in that of the factors that they
        are told.
    """
    rng = np.random.default_rng(0)

    def mean_code(fixed: dict[int, np.ndarray], draws: int = 24) -> np.ndarray:
        rows = len(next(iter(fixed.values())))
        factors = np.stack([rng.integers(0, s, (rows, draws)) for s in sprites.FACTOR_SIZES], -1)
        for column, values in fixed.items():
            factors[..., column] = values[:, None]
        flat = factors.reshape(-1, len(sprites.FACTOR_SIZES))
        codes = compared.units(model.encode(shown.render(sprites.indices_of(flat))))
        return codes.reshape(rows, draws, -1).mean(axis=1)

    horizontal, vertical = (axis.ravel() for axis in np.meshgrid(np.arange(32), np.arange(32)))
    position = mean_code({3: horizontal, 4: vertical})
    order = np.argsort(-position.var(axis=0))
    order = np.arange(len(order)) if compared.sizes else order
    scale = mean_code({1: np.arange(6)}, 400)
    orientation = mean_code({2: np.arange(40)}, 100)
    middle = model.encode(shown.render(sprites.indices_of(np.array([[1, 3, 5, 16, 16]]))))
    units = np.repeat(compared.units(middle), len(order) * 7, axis=0).reshape(len(order), 7, -1)
    for row, unit in enumerate(order):
        units[row, :, unit] = np.linspace(-compared.span, compared.span, 7)
    codes = compared.with_units(middle, units.reshape(-1, len(order)))
    pictures = model.decode(codes)
    return {
        "position": position[:, order].T.reshape(-1, 32, 32),
        "scale": scale[:, order].T,
        "orientation": orientation[:, order].T,
        "traversal": pictures.reshape(len(order), 7, shown.size, shown.size),
    }


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """For each model: a row a unit, with its response to position, scale and rotation, and a traversal."""
    figures = {}
    for name in OF_FIGURE_7:
        if f"{name}/position" not in arrays:
            continue
        compared = MODELS[name]
        parts = {
            k: arrays[f"{name}/{k}"] for k in ("position", "scale", "orientation", "traversal")
        }
        units = len(parts["position"])
        labels = [f"unit {unit + 1}" for unit in range(units)]
        if compared.sizes:
            named = np.repeat(sprites.FACTOR_NAMES, compared.sizes)
            labels = [factor.split("_")[0] for factor in named]
        limit = float(np.abs(parts["position"]).max())
        figure, axes = panels(4 * units, 4, 1.2)
        for unit in range(units):
            where, size, turn, path = axes[4 * unit : 4 * unit + 4]
            where.imshow(parts["position"][unit], cmap="coolwarm", vmin=-limit, vmax=limit)
            size.plot(sprites.SCALES, parts["scale"][unit])
            turn.plot(np.linspace(0, 360, 40, endpoint=False), parts["orientation"][unit])
            for axis in (size, turn):
                axis.set(ylim=(-limit, limit), xticks=[], yticks=[])
            show_mosaic(path, parts["traversal"][unit], columns=7, limits=(0, 1))
            where.set(xticks=[], yticks=[], ylabel=labels[unit])
        titles = ("position", "scale", "rotation", f"-{compared.span} to {compared.span}")
        for axis, title in zip(axes[:4], titles, strict=True):
            axis.set_title(title)
        figures[name] = figure
    return figures
