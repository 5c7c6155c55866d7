"""How like a Gabor function a small picture is."""

from __future__ import annotations

import numpy as np
from scipy import optimize

_STARTS = 8


def gabor(parameters: np.ndarray, size: int) -> np.ndarray:
    """g(u, v) = exp(-u^2 / (2 s^2) - v^2 / (2 t^2)) cos(2 pi f u + phase), u and v turned by an angle.

    Jones & Palmer, "An evaluation of the two-dimensional Gabor filter model", 1987, equation 1.

    Args:
        parameters: x, y (centre, pixels), angle, s, t (widths, pixels), f (cycles per pixel), phase.
        size: height and width in pixels.

    Returns:
        (size, size).
    """
    x, y, angle, s, t, f, phase = parameters
    row, column = np.mgrid[:size, :size]
    u = (column - x) * np.cos(angle) + (row - y) * np.sin(angle)
    v = (row - y) * np.cos(angle) - (column - x) * np.sin(angle)
    return np.exp(-(u**2) / (2 * s**2) - v**2 / (2 * t**2)) * np.cos(2 * np.pi * f * u + phase)


def fit(picture: np.ndarray) -> tuple[float, np.ndarray]:
    """The best Gabor function from several starts; its amplitude and an offset are solved for.

    Args:
        picture: (size, size).

    Returns:
        R^2, from 0 to 1 (0 for a picture without contrast), and the fitted picture.
    """
    picture = np.asarray(picture, np.float64)
    size = len(picture)
    target = picture.ravel() - picture.mean()
    total = float(target @ target)
    if total < 1e-12:
        return 0.0, np.full_like(picture, picture.mean())

    def fitted(parameters: np.ndarray) -> np.ndarray:
        basis = gabor(parameters, size).ravel()
        basis = basis - basis.mean()
        return basis * ((basis @ target) / max(float(basis @ basis), 1e-12))

    low = [-1, -1, -np.pi, 0.6, 0.6, 0.0, -2 * np.pi]
    high = [size, size, 2 * np.pi, size, size, 0.5, 2 * np.pi]
    row, column = np.unravel_index(np.abs(target).argmax(), picture.shape)
    best, error = target * 0, total
    for start in range(_STARTS):
        angle = np.pi * start / _STARTS
        guess = [column, row, angle, size / 5, size / 4, (1 + start % 3) / size, 0.1]
        found = optimize.least_squares(
            lambda p: fitted(p) - target, guess, bounds=(low, high), max_nfev=60
        )
        if 2 * found.cost < error:
            best, error = fitted(found.x), 2 * found.cost
    return 1 - error / total, best.reshape(size, size) + picture.mean()
