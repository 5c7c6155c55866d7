"""The synthetic sets of the papers: drawn from a seed, with what they are made from."""

from __future__ import annotations

import numpy as np

from zoo.data.dataset import Data
from zoo.data.splitting import check_split
from zoo.registry import register

_SPLITS = ("train", "test")


def _examples(n: int, split: str, seed: int, name: str) -> np.random.Generator:
    """The source of a split's examples; what all splits share is drawn from the seed alone."""
    check_split(split, _SPLITS, name)
    if n < 2:
        raise ValueError(f"{name} needs n of at least 2 examples; received {n}.")
    return np.random.default_rng([seed, 1 + _SPLITS.index(split)])


def _check_noise(noise: float, name: str) -> None:
    if not noise >= 0:
        raise ValueError(f"{name} needs a noise of at least 0; received {noise!r}.")


@register("basis_patches", kind="dataset")
def basis_patches(
    split: str = "train",
    *,
    n: int = 10_000,
    functions: int = 5,
    size: int = 5,
    noise: float = 0.1,
    seed: int = 0,
) -> Data:
    """5x5 patches that mix 5 random basis functions (Pyle, Sparse VAE, section 3).

    x = sum_k z_k B_k + noise * e,  B_k ~ U(-1/2, 1/2) per pixel,  z_k ~ N(0, 1),  e ~ N(0, 1).
    The text names the noise without its size; its default here is a sixth of the signal's deviation.
    Values are on the whole real line, so a model needs a likelihood that is too.

    Args:
        split: "train" or "test": the same basis, other draws.
        n: number of examples.
        functions: number of basis functions.
        size: height and width.
        noise: standard deviation of the added noise.
        seed: of the basis and the draws.

    Returns:
        `Data` with inputs (n, size, size, 1) float32, latents z (n, functions), and the basis
        (functions, size, size, 1) as ``parts["basis"]``.

    Raises:
        ValueError: for another split, or numbers out of range.

    Example:
        >>> from zoo.data.synthetic import basis_patches
        >>> data = basis_patches(n=20, noise=0.0)
        >>> mixed = np.tensordot(data.latents, data.parts["basis"], 1)
        >>> data.inputs.shape, np.allclose(data.inputs, mixed, atol=1e-6)
        ((20, 5, 5, 1), True)
    """
    rng = _examples(n, split, seed, "basis_patches")
    _check_noise(noise, "basis_patches")
    if functions < 1 or size < 1:
        raise ValueError(
            "basis_patches needs at least one function and one pixel; "
            f"received functions={functions}, size={size}."
        )
    basis = np.random.default_rng([seed, 0]).uniform(-0.5, 0.5, (functions, size * size))
    latents = rng.standard_normal((n, functions))
    inputs = latents @ basis + noise * rng.standard_normal((n, size * size))
    return Data(
        name="basis_patches",
        split=split,
        inputs=inputs.reshape(n, size, size, 1).astype(np.float32),
        latents=latents.astype(np.float32),
        parts={"basis": basis.reshape(functions, size, size, 1).astype(np.float32)},
        description=f"{size}x{size} mixtures of {functions} basis functions, noise {noise:g}",
    )


@register("two_templates", kind="dataset")
def two_templates(
    split: str = "train", *, n: int = 600, noise: float = 0.02, seed: int = 0
) -> Data:
    """10x10 pictures of two Gaussian bumps of random height (Pyle, Sparse VAE, section 1.2).

    x = clip(a_1 T_1 + a_2 T_2 + noise * e, 0, 1),  a_i ~ U(0, 1),  e ~ N(0, 1), where T_1 and T_2 are bumps
    of height 1 and deviation 1.5 pixels at opposite corners. The text gives neither place nor size.

    Args:
        split: "train" or "test".
        n: number of examples.
        noise: standard deviation of the added noise.
        seed: of the draws.

    Returns:
        `Data` with inputs (n, 10, 10, 1) float32 in [0, 1], latents (a_1, a_2) (n, 2), and the templates
        (2, 10, 10, 1) as ``parts["templates"]``.

    Example:
        >>> from zoo.data.synthetic import two_templates
        >>> data = two_templates(n=20)
        >>> data.inputs.shape, data.latents.shape, data.parts["templates"].shape
        ((20, 10, 10, 1), (20, 2), (2, 10, 10, 1))
    """
    rng = _examples(n, split, seed, "two_templates")
    _check_noise(noise, "two_templates")
    rows, columns = np.mgrid[:10, :10]
    templates = np.stack(
        [
            np.exp(-((rows - centre) ** 2 + (columns - centre) ** 2) / (2 * 1.5**2))
            for centre in (2.5, 6.5)
        ]
    )
    heights = rng.uniform(size=(n, 2))
    pictures = np.tensordot(heights, templates, 1) + noise * rng.standard_normal((n, 10, 10))
    return Data(
        name="two_templates",
        split=split,
        inputs=np.clip(pictures, 0, 1)[..., None].astype(np.float32),
        latents=heights.astype(np.float32),
        parts={"templates": templates[..., None].astype(np.float32)},
        description=f"10x10 sums of two Gaussian bumps, noise {noise:g}",
    )


@register("uniform_square", kind="dataset")
def uniform_square(split: str = "train", *, n: int = 10_000, seed: int = 0) -> Data:
    """Points that fill the unit square evenly (Uniform to Gaussian VAE).

    Args:
        split: "train" or "test".
        n: number of points; the text does not give it.
        seed: of the draws.

    Returns:
        `Data` with inputs (n, 2) float32 in [0, 1), and the quadrant as label.

    Example:
        >>> from zoo.data.synthetic import uniform_square
        >>> data = uniform_square(n=20)
        >>> data.inputs.shape, bool(data.inputs.min() >= 0), bool(data.inputs.max() < 1)
        ((20, 2), True, True)
    """
    points = _examples(n, split, seed, "uniform_square").random((n, 2), np.float32)
    return Data(
        name="uniform_square",
        split=split,
        inputs=points,
        labels=(points > 0.5) @ np.array([1, 2]),
        classes=("lower left", "lower right", "upper left", "upper right"),
        description="Uniform points of the unit square, labelled by quadrant",
    )


@register("two_points", kind="dataset")
def two_points(split: str = "train", *, n: int = 1_000, seed: int = 0) -> Data:
    """The numbers -1 and 1, as many of each (InfoVAE, figure 1).

    Args:
        split: "train" or "test".
        n: number of examples, even.
        seed: of their order.

    Returns:
        `Data` with inputs (n, 1) float32, and labels 0 for -1 and 1 for 1.

    Raises:
        ValueError: for another split, or an n that is not even.

    Example:
        >>> from zoo.data.synthetic import two_points
        >>> data = two_points(n=20)
        >>> np.unique(data.inputs, return_counts=True)[1].tolist()
        [10, 10]
    """
    rng = _examples(n, split, seed, "two_points")
    if n % 2:
        raise ValueError(f"two_points needs an even n, half for each point; received {n}.")
    labels = rng.permutation(np.arange(n) % 2)
    return Data(
        name="two_points",
        split=split,
        inputs=(2.0 * labels[:, None] - 1).astype(np.float32),
        labels=labels,
        classes=("-1", "1"),
        description="The points -1 and 1 in equal numbers",
    )
