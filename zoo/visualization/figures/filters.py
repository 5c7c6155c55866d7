"""What each unit looks for and what it draws."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from zoo.values import positive_int
from zoo.visualization.drawing.inputs import as_codes, as_examples, decoder_of
from zoo.visualization.drawing.mosaics import (
    fit_columns,
    is_picture,
    mosaic_size,
    show_mosaic,
    to_pictures,
)
from zoo.visualization.drawing.style import PALETTE, WIDTH, panels, share_scales, styled
from zoo.visualization.drawing.units import choose_units
from zoo.visualization.drawing.vectors import (
    as_windows,
    channel_legend,
    draw_vector,
    draw_window,
    is_window,
    leading_channels,
)


@styled
def filters(weights: Any, title: str = "Filters", limit: int = 100) -> Figure:
    """Weights of units as pictures: black negative, mid-grey zero, white positive.

    Each filter is divided by its own largest absolute weight, so that weak ones show as well; one
    that is a hundred times weaker than the strongest stays grey.

    Args:
        weights: (units, *event), one filter a unit; for a dense layer on flattened pictures the kernel
            (d, units) is ``kernel.T.reshape(units, *event)``.
        title: above the figure.
        limit: filters to show; those of the greatest norm where there are more.

    Returns:
        A figure with 1 axes for pictures, one a unit for vectors.

    Raises:
        ValueError: for weights of another rank, or values that are not finite.

    Example:
        >>> kernel = np.random.default_rng(0).normal(size=(64, 10))  # of a dense layer on 8x8 pictures
        >>> figure = zoo.visualization.filters(kernel.T.reshape(10, 8, 8))
        >>> len(figure.axes)
        1
    """
    w = as_examples(weights, "weights")
    count = len(w)
    flat = np.abs(w.reshape(count, -1))
    order = np.arange(count)
    if count > positive_int(limit, "limit"):
        order = np.sort(np.argsort(-(flat**2).sum(axis=1), kind="stable")[:limit])
        title = f"{title} ({limit} of {count}, those of the greatest norm)"
    strength = flat.max(axis=1)
    # The floor keeps the rounding noise of a dead unit from being blown up.
    scale = np.maximum(strength, max(0.01 * strength.max(), np.finfo(w.dtype).tiny))
    scaled = (w / scale.reshape(-1, *[1] * (w.ndim - 1)))[order]
    if is_picture(w.shape[1:]):
        pictures = to_pictures(scaled)
        columns = fit_columns(len(order), pictures.shape[1:])
        height, width = mosaic_size(len(order), columns, pictures.shape[1:])
        figure = Figure(figsize=(WIDTH, min((WIDTH - 0.2) * height / width, 6) + 0.45))
        show_mosaic(figure.subplots(), pictures, columns, (-1.0, 1.0))
    else:
        figure, axes = panels(min(len(order), 24), 4, 1.1)
        windows = as_windows(scaled, w.shape[1:]) if is_window(w.shape[1:]) else None
        channels = None if windows is None else leading_channels(windows)
        for index, place in enumerate(axes):
            if windows is None or channels is None:
                draw_vector(place, scaled[index], PALETTE[0])
            else:
                draw_window(place, windows[index], channels)
            place.set_title(f"unit {order[index]}")
        share_scales(axes)
        for place in axes[-4:]:
            place.set_xlabel("coordinate" if windows is None else "time step")
        figure.supylabel("weight / largest weight")
        if windows is not None and channels is not None:
            channel_legend(figure, channels, windows.shape[-1])
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def unit_pictures(model: Any, base: Any, amplitude: Any = 1.0, units: Any = None) -> np.ndarray:
    """What each unit draws: decode(base + c e_i).

    With base 0 this is the picture of a latent dimension in the Sparse VAE paper; decode(base)
    taken away leaves what the unit adds.

    Args:
        model: a model with `decode`, or a function from codes to examples.
        base: (length,), the code that each unit is added to, for example ``np.zeros(model.units)``.
        amplitude: c, a number or one for each picture, (k,).
        units: (k,) indices; by default all.

    Returns:
        (k, *event).

    Raises:
        ValueError: for units that the code does not have, or a decoder that does not answer with
            one example a code.

    Example:
        >>> model = zoo.create("vae", (8, 8, 1), latents=3, hidden=(4,))
        >>> zoo.visualization.unit_pictures(model, base=np.zeros(3), amplitude=2.0).shape
        (3, 8, 8, 1)
    """
    decode = decoder_of(model)
    origin = as_codes(base, "base")[:, 0]
    chosen = choose_units(units, len(origin), len(origin), None)
    codes = np.tile(origin, (len(chosen), 1))
    codes[np.arange(len(chosen)), chosen] += amplitude
    return decode(codes)


def added_by_units(model: Any, codes: Any, units: Any = None) -> np.ndarray:
    """What each unit adds to a picture: decode(c e_i) - decode(0), c its largest value over data.

    Args:
        model: a model with `decode`, or a function from codes to examples.
        codes: (n, length), codes of data.
        units: (k,) indices; by default all.

    Returns:
        (k, *event).

    Raises:
        ValueError: for units that the code does not have, or codes that are not finite.

    Example:
        >>> weights = np.eye(2, 5)
        >>> codes = np.array([[1.0, 0.0], [3.0, -2.0]])
        >>> zoo.visualization.added_by_units(lambda z: z @ weights, codes).tolist()
        [[3.0, 0.0, 0.0, 0.0, 0.0], [0.0, -2.0, 0.0, 0.0, 0.0]]
    """
    z = as_codes(codes)
    chosen = choose_units(units, z.shape[1], z.shape[1], None)
    largest = z[np.abs(z).argmax(axis=0), np.arange(z.shape[1])][chosen]
    origin = np.zeros(z.shape[1])
    return unit_pictures(model, origin, largest, chosen) - decoder_of(model)(origin[None])


def first_kernel(model: Any, event: tuple[int, ...]) -> np.ndarray | None:
    """The first weights of a model's encoder as filters of pictures.

    Args:
        model: an Autoencoder; its encoder comes first, then its bottleneck.
        event: shape of a picture, (h, w, c).

    Returns:
        (filters, *event) of a dense layer, (filters, height, width, c) of a convolution; None where
        the model has neither, or its examples are not pictures.
    """
    parts = (getattr(model, "encoder", None), getattr(model, "bottleneck", None))
    weights = [w for part in parts for w in getattr(part, "weights", ()) if len(w.shape) > 1]
    if not weights or len(event) != 3:
        return None
    kernel = np.asarray(weights[0])
    if kernel.ndim == 2 and kernel.shape[0] == np.prod(event):
        return kernel.T.reshape(-1, *event)
    if kernel.ndim == 4 and kernel.shape[2] == event[2]:
        return np.moveaxis(kernel, -1, 0)
    return None
