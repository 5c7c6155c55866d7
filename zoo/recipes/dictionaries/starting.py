"""Where a sparse dictionary starts from."""

from __future__ import annotations

import math
import statistics
from typing import Any, NamedTuple, cast

import numpy as np

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import BatchTopK, Deterministic, GatedCode, JumpReLU
from zoo.data.storage import release
from zoo.networks import Archetypal, Centred, Dictionary
from zoo.networks.offset import Offset
from zoo.recipes.dictionaries.rows import CHUNK, geometric_median, sample, taken
from zoo.registry import one_of
from zoo.regularizers import HoldL0
from zoo.trainer.byte_scale import ByteScale
from zoo.values import vector_axes

CENTRES = ("mean", "median")


class Start(NamedTuple):
    """What `start` found.

    Attributes:
        gamma: ||mean|| / ||standard deviation|| of the data.
        dead_at_zero: share of units that would never fire at the start if b were 0.
        dead: the same with the b that was chosen.

    Example:
        >>> from zoo.recipes.dictionaries import start
        >>> x = 2 + np.random.default_rng(0).normal(size=(500, 6)).astype("float32")
        >>> found = start(zoo.create("top_k_sae", (6,), latents=12, target_l0=3), x, verbose=False)
        >>> np.allclose(found.gamma, np.linalg.norm(x.mean(axis=0)) / np.linalg.norm(x.std(axis=0)))
        True
    """

    gamma: float
    dead_at_zero: float
    dead: float


def start(
    model: Autoencoder, x: Any, y: Any = None, centre: str = "mean", verbose: bool = True
) -> Start:
    """Begin where the data lie: b of a sparse dictionary at their centre, s at their spread; before `fit`.

    Where the mean of activations is large beside their deviations, the same units fire on all of them at
    first and others never do (Gao et al. 2024, appendix A.1). Without this call, b and s come from the
    first batch. An archetypal dictionary gets its points, by k-means. Where an L0 is stated, the code has it
    from the first step on: thresholds ("jump_relu", "batch_top_k"), or else the biases of the units, begin
    where that share of all numbers lies above them. A penalty that had to bring thousands of units down to a
    few would stop them from learning. Codes begin at the length by which reconstructions are nearest to the
    data: units that are alike would write the same several times.

    The share of units that never fire is expected under random directions of the units and normal data:
    unit j reaches gamma u_j + z_n at most in n rows, u_j standard normal and z_n the largest of n such
    numbers, and must exceed what the stated share of units exceeds.

    Args:
        model: a model with a `zoo.networks.Centred` encoder.
        x: array (rows, *event), memory-mapped ones included.
        y: the targets of a transcoder, whose decoder then begins where they lie.
        centre: "mean", or "median" for the geometric median (of at most 20,000 rows), which outliers do not
            move.
        verbose: whether to print what was found.

    Returns:
        See `Start`.

    Raises:
        ValueError: for a model without such an encoder.

    Example:
        >>> from zoo.recipes.dictionaries import start
        >>> x = 30 + np.random.default_rng(0).normal(size=(500, 6)).astype("float32")
        >>> model = zoo.create("top_k_sae", (6,), latents=64, target_l0=8)
        >>> found = start(model, x)
        gamma = ||mean|| / ||std|| = 30.2; units that never fire at the start: 85.4 % with b = 0, 0 % here.
    """
    if not isinstance(model.encoder, Centred):
        raise ValueError(
            "start needs a model whose encoder is zoo.networks.Centred(), such as top_k_sae; received "
            f"{type(model.encoder).__name__}."
        )
    one_of(centre, "centre", CENTRES)
    array, scale = taken(model, x)
    middle, mean, deviation = _set(model.encoder, array, scale, centre)
    decoder = model.decoder
    if y is not None and isinstance(decoder, Dictionary) and decoder.offset is decoder:
        _set(decoder, *taken(model, y, "target"), centre)
    rows = scale.divided(sample(array))
    if isinstance(decoder, Archetypal):
        decoder.set_points(_points(model.encoder, rows, decoder.number_of_points))
        decoder.join(model.encoder, model.bottleneck)  # whose kernel begins as these atoms
    share = _share_of_units(model)
    _begin_at_share(model, rows, share)
    _begin_at_length(model, rows, share)
    spread = float(np.linalg.norm(deviation)) or 1.0
    gammas = [float(np.linalg.norm(value)) / spread for value in (mean, mean - middle)]
    found = Start(gammas[0], *(expected_dead(gamma, len(array), share) for gamma in gammas))
    if verbose:
        print(
            f"gamma = ||mean|| / ||std|| = {found.gamma:.3g}; units that never fire at the start: "
            f"{100 * found.dead_at_zero:.3g} % with b = 0, {100 * found.dead:.3g} % here."
        )
    return found


def expected_dead(gamma: float, rows: int, share: float = 0.5) -> float:
    """The share of units of random directions that fire on none of some normal rows; see `start`.

    Args:
        gamma: ||mean|| / ||standard deviation||.
        rows: how many there are.
        share: of the units that fire on a row, 0.5 for a ReLU.

    Returns:
        From 0 to 1.

    Example:
        >>> from zoo.recipes.dictionaries import expected_dead
        >>> expected_dead(0.0, 1000), round(expected_dead(10.0, 1000), 2)
        (0.0, 0.37)
    """
    normal = statistics.NormalDist()
    needed = normal.inv_cdf(1 - min(share, 0.5)) * math.hypot(1.0, gamma)
    # What the largest of n exceeds in half of all cases.
    largest = normal.inv_cdf(0.5 ** (1 / rows))
    if gamma < 1e-6:
        return float(needed > largest)
    return normal.cdf((needed - largest) / gamma)


def _set(layer: Offset, array: np.ndarray, scale: ByteScale, centre: str) -> tuple[np.ndarray, ...]:
    """Give a layer its b and s; the centre, the mean and the deviations of the data."""
    total, squares = np.zeros(array.shape[1:]), np.zeros(array.shape[1:])
    for first in range(0, len(array), CHUNK):
        rows = scale.divided(array[first : first + CHUNK]).astype(np.float64)
        total, squares = total + rows.sum(axis=0), squares + np.square(rows).sum(axis=0)
        release(array)
    mean = total / len(array)
    variance = np.maximum(squares / len(array) - np.square(mean), 0)
    middle = mean
    if centre == "median":
        rows = scale.divided(sample(array))
        middle = geometric_median(rows.reshape(len(rows), -1)).reshape(mean.shape)
    squares = variance + np.square(mean - middle)
    layer.set_offset(middle, np.sqrt(squares.mean(axis=vector_axes(mean.shape), keepdims=True)))
    return middle, mean, np.sqrt(variance)


def _share_of_units(model: Autoencoder) -> float:
    """The share of the units that fire on a row, at the start."""
    k = getattr(model.bottleneck, "k", None)
    if isinstance(k, int | float):
        return float(k) / model.units
    held = [term.target for term in model.regularizers if isinstance(term, HoldL0)]
    if held:
        return held[0] / model.units
    threshold = getattr(model.bottleneck, "threshold", 0.0)
    return 1 - statistics.NormalDist().cdf(float(threshold))


def _begin_at_share(model: Autoencoder, rows: np.ndarray, share: float) -> None:
    """Thresholds or biases by which a share of the numbers of all units and rows fires."""
    bottleneck, held = model.bottleneck, any(isinstance(t, HoldL0) for t in model.regularizers)
    with_bias = held and isinstance(bottleneck, Deterministic | GatedCode)
    if not with_bias and not isinstance(bottleneck, BatchTopK | JumpReLU):
        return
    features = np.asarray(model.encoder(rows.astype(np.float32)))
    raw = features @ np.asarray(bottleneck.dense.kernel)
    threshold = max(float(np.quantile(raw[:, : model.units], 1 - share)), 0.0)
    if isinstance(bottleneck, BatchTopK | JumpReLU):
        bottleneck.begin_at(threshold)
    elif bottleneck.dense.bias is not None:
        bottleneck.dense.bias.assign(np.full(model.units, -threshold))


def _begin_at_length(model: Autoencoder, rows: np.ndarray, share: float) -> None:
    """Multiply the codes by the number that brings reconstructions nearest to the rows.

    The units that a row chooses are alike, so that an encoder which begins as the transposed atoms writes the
    same several times; a training that has to shorten its codes first loses steps, and units with them.
    """
    encoder, dense = cast(Any, model.encoder), getattr(model.bottleneck, "dense", None)
    if dense is None or cast(Any, model.decoder).offset is not encoder:
        return  # no encoder that begins as the atoms
    centre = np.asarray(encoder.centre)
    wanted = rows - centre
    written = model.reconstruct(rows) - centre
    factor = np.vdot(written, wanted) / max(np.vdot(written, written), 1e-12)
    if factor > 0:
        dense.kernel.assign(dense.kernel * float(factor))
        _begin_at_share(model, rows, share)


def _points(encoder: Any, rows: np.ndarray, count: int) -> np.ndarray:
    from sklearn.cluster import MiniBatchKMeans

    means: Any = MiniBatchKMeans
    found = means(count, n_init=3, random_state=0).fit(np.asarray(encoder(rows)))
    return found.cluster_centers_
