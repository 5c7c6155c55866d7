"""How far the filters of digits reach."""

from __future__ import annotations

import numpy as np


def radius(kernel: np.ndarray) -> np.ndarray:
    """How far the energy of each filter reaches from its centre, in pixels.

    sqrt(sum_p e_p ||p - c||^2) with e the squared weights over their sum and c their centre.

    Args:
        kernel: (784, units).

    Returns:
        (units,).
    """
    energy = kernel**2 / np.maximum((kernel**2).sum(axis=0), 1e-12)
    places = np.stack(np.divmod(np.arange(784), 28), axis=-1).astype(float)
    centres = energy.T @ places
    return np.sqrt(energy.T @ (places**2).sum(axis=1) - (centres**2).sum(axis=1))


def area(kernel: np.ndarray) -> np.ndarray:
    """The least number of pixels that hold half of the energy of each filter.

    Args:
        kernel: (pixels, units).

    Returns:
        (units,).
    """
    energy = np.sort(kernel**2, axis=0)[::-1].cumsum(axis=0)
    return (energy < energy[-1] / 2).sum(axis=0) + 1
