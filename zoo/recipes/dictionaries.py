"""Where a sparse dictionary starts from, and how its dead units start anew."""

from __future__ import annotations

import math
import statistics
from typing import Any, NamedTuple, cast

import keras
import numpy as np

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import BatchTopK, Deterministic, GatedCode, JumpReLU, MatchingPursuit
from zoo.data.pixels import full_scale
from zoo.data.storage import release
from zoo.networks import Archetypal, Centred, Dictionary
from zoo.networks.dictionary import Offset
from zoo.registry import one_of
from zoo.regularizers import HoldL0
from zoo.trainer.sources import array_of, checked
from zoo.values import positive_int, vector_axes

# Rows that are read at a time, and of which medians and k-means are taken.
_CHUNK = 8192
_SAMPLE = 20_000
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
    array = checked(array_of(x), model.event_shape, "x")
    middle, mean, deviation = _set(model.encoder, array, centre)
    decoder = model.decoder
    if y is not None and isinstance(decoder, Dictionary) and decoder.offset is decoder:
        _set(decoder, checked(array_of(y), decoder.event_shape, "y"), centre)
    rows = _sample(array)
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


def geometric_median(rows: Any, iterations: int = 100, tolerance: float = 1e-6) -> np.ndarray:
    """The point whose distances to all rows have the smallest sum.

    Weiszfeld's iteration in the form of Vardi & Zhang, "The multivariate L1-median", 2000, equation 2.6,
    which does not stop at a row that it hits by chance.

    Args:
        rows: (n, d).
        iterations: at most.
        tolerance: of a step, as a share of the mean distance.

    Returns:
        (d,) float64.

    Example:
        >>> from zoo.recipes.dictionaries import geometric_median
        >>> rows = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [90.0, 90.0]])
        >>> geometric_median(rows).round(3).tolist()
        [0.789, 0.789]
    """
    rows = np.asarray(rows, np.float64)
    point = rows.mean(axis=0)
    for _ in range(iterations):
        difference = rows - point
        distance = np.linalg.norm(difference, axis=1)
        apart = distance > 1e-12 * max(distance.max(), 1e-300)
        if not apart.any():
            return point
        weight = 1 / distance[apart]
        pull = weight @ difference[apart]
        strength, here = np.linalg.norm(pull), np.count_nonzero(~apart)
        if strength <= here:  # the rows that lie here outweigh the others
            return point
        move = (1 - here / strength) * pull / weight.sum()
        point = point + move
        if np.linalg.norm(move) < tolerance * distance.mean():
            break
    return point


def resample(
    model: Autoencoder,
    x: Any,
    dead: Any = None,
    seed: int = 0,
    share: float = 0.2,
    y: Any = None,
) -> np.ndarray:
    """Start dead units anew, from rows that the model reconstructs badly.

    A row is drawn with a probability that grows with its squared loss. Its direction from b becomes the atom
    (an archetypal one moves to the point that is nearest to it; a transcoder's atom takes the direction of
    its target), and the encoder's, with `share` times the mean norm of those of living units; the unit's
    biases become 0. The optimizer's moments of these weights become 0 too (Bricken et al., "Towards
    Monosemanticity", 2023, "Neuron resampling").

    Args:
        model: a sparse dictionary.
        x: array (rows, *event): those to encode, of which a few thousand are enough.
        dead: (units,) booleans; None for those that the regularizer "aux_k" calls dead, or without one those
            that fire on no row of x.
        seed: of the rows that are drawn.
        share: see above.
        y: the targets of a transcoder, which needs them.

    Returns:
        The numbers of the units that were started anew.

    Raises:
        ValueError: for a model that is not a sparse dictionary, or a transcoder without targets.

    Example:
        >>> from zoo.recipes.dictionaries import resample
        >>> model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
        >>> _ = model.bottleneck.dense.bias.assign([-100.0] + [0.0] * 11)  # unit 0 will never fire
        >>> x = np.random.default_rng(0).normal(size=(200, 6)).astype("float32")
        >>> dead = ~(model.encode(x) > 0).any(axis=0)
        >>> resample(model, x, dead).tolist()
        [0]
        >>> bool((model.encode(x)[:, 0] > 0).any())
        True
    """
    decoder, bottleneck = model.decoder, model.bottleneck
    kernel = _kernel(model)
    encodes = kernel is not None or isinstance(bottleneck, MatchingPursuit)
    if not (encodes and isinstance(model.encoder, Centred) and isinstance(decoder, Dictionary)):
        raise ValueError(
            "resample needs a Centred encoder, a sparse bottleneck and a Dictionary; received "
            f"{type(model.encoder).__name__}, {type(bottleneck).__name__} and {type(decoder).__name__}."
        )
    if y is None and not decoder.shared:
        raise ValueError("resample needs the targets of a transcoder; received y=None.")
    array = checked(array_of(x), model.event_shape, "x")
    units = np.flatnonzero(_dead(model, array) if dead is None else np.asarray(dead))
    if not len(units):
        return units
    alive = np.setdiff1d(np.arange(model.units), units)
    features = np.asarray(model.encoder(_sample(array)), np.float64)
    targets = features
    if not decoder.shared:
        rows = _sample(checked(array_of(y), decoder.event_shape, "y"))
        targets = (rows - np.asarray(decoder.centre)) / np.asarray(decoder.scale)
    targets = targets.reshape(len(targets), -1)
    left = targets - _explained(model, features)
    chance = np.square(np.square(left).sum(axis=1))
    if not chance.sum() > 0:
        return units[:0]
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(features), len(units), p=chance / chance.sum())
    if kernel is not None:
        values = kernel.numpy()
        size = share * np.linalg.norm(values[:, alive], axis=0).mean() if len(alive) else share
        values[:, units] = size * _directions(features[chosen]).T
        _assign(kernel, values)
    decoder.point_at(units, _directions(targets[chosen]))
    for bias in _of_units(bottleneck, model.units):
        values = bias.numpy()
        positive = "threshold" in bias.name and len(alive)
        values[units] = share * values[alive].mean() if positive else 0
        _assign(bias, values)
    _forget(model, units)
    for term in model.regularizers:
        quiet = getattr(term, "quiet", None)
        if quiet is not None:
            quiet.assign(np.where(np.isin(np.arange(model.units), units), 0, quiet.numpy()))
    return units


class Resampling(keras.callbacks.Callback):
    """`resample` after every few epochs.

    Args:
        x: as in `resample`.
        every: epochs.
        until: no unit is started anew after this epoch; None for no end.
        seed: of the rows that are drawn.
        y: as in `resample`.

    Example:
        >>> from zoo.recipes.dictionaries import Resampling
        >>> model = zoo.create("relu_sae", (6,), latents=12, target_l0=3)
        >>> model.compile()
        >>> x = np.random.default_rng(0).normal(size=(64, 6)).astype("float32")
        >>> history = model.fit(x, epochs=2, verbose=0, callbacks=[Resampling(x)])
    """

    def __init__(
        self, x: Any, every: int = 1, until: int | None = None, seed: int = 0, y: Any = None
    ):
        super().__init__()
        self.y = y
        self.x, self.every, self.until, self.seed = x, positive_int(every, "every"), until, seed

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Start the dead units anew."""
        del logs
        late = self.until is not None and epoch >= self.until
        if (epoch + 1) % self.every == 0 and not late:
            resample(cast(Any, self.model), self.x, seed=self.seed + epoch, y=self.y)


def _set(layer: Offset, array: np.ndarray, centre: str) -> tuple[np.ndarray, ...]:
    """Give a layer its b and s; the centre, the mean and the deviations of the data."""
    total, squares = np.zeros(array.shape[1:]), np.zeros(array.shape[1:])
    for first in range(0, len(array), _CHUNK):
        rows = array[first : first + _CHUNK].astype(np.float64) / full_scale(array.dtype)
        total, squares = total + rows.sum(axis=0), squares + np.square(rows).sum(axis=0)
        release(array)
    mean = total / len(array)
    variance = np.maximum(squares / len(array) - np.square(mean), 0)
    middle = mean
    if centre == "median":
        rows = _sample(array).reshape(min(len(array), _SAMPLE), -1) / full_scale(array.dtype)
        middle = geometric_median(rows).reshape(mean.shape)
    squares = variance + np.square(mean - middle)
    scale = np.sqrt(squares.mean(axis=vector_axes(mean.shape), keepdims=True))
    layer.set_offset(middle, scale)
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
    features = np.asarray(model.encoder(rows.astype(np.float32) / full_scale(rows.dtype)))
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
    wanted = rows / full_scale(rows.dtype) - centre
    written = model.reconstruct(rows) - centre
    factor = np.vdot(written, wanted) / max(np.vdot(written, written), 1e-12)
    if factor > 0:
        dense.kernel.assign(dense.kernel * float(factor))
        _begin_at_share(model, rows, share)


def _sample(array: np.ndarray) -> np.ndarray:
    """At most 20,000 rows, spread evenly over all."""
    return np.asarray(array[:: -(-len(array) // _SAMPLE)])


def _points(encoder: Any, rows: np.ndarray, count: int) -> np.ndarray:
    from sklearn.cluster import MiniBatchKMeans

    means: Any = MiniBatchKMeans
    found = means(count, n_init=3, random_state=0).fit(np.asarray(encoder(rows)))
    return found.cluster_centers_


def _dead(model: Autoencoder, array: np.ndarray) -> np.ndarray:
    for term in model.regularizers:
        if hasattr(term, "quiet") and hasattr(term, "dead"):
            return np.asarray(term.dead)
    return ~(model.encode(_sample(array)) != 0).any(axis=0)


def _explained(model: Autoencoder, features: np.ndarray) -> np.ndarray:
    """What the code explains of the features, (rows, size)."""
    decoder: Any = model.decoder
    code = np.concatenate(
        [
            model.bottleneck.encode(features[first : first + _CHUNK].astype(np.float32))
            for first in range(0, len(features), _CHUNK)
        ]
    )
    return code @ np.asarray(decoder.atoms).reshape(model.units, -1)


def _kernel(model: Autoencoder) -> keras.Variable | None:
    """Of the encoder; None where atoms encode."""
    return getattr(getattr(model.bottleneck, "dense", None), "kernel", None)


def _directions(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def _of_units(bottleneck: Any, units: int) -> list[keras.Variable]:
    return [v for v in bottleneck.trainable_weights if tuple(v.shape) == (units,)]


def _assign(variable: keras.Variable, values: np.ndarray) -> None:
    variable.assign(values.astype(np.float32))


def _forget(model: Autoencoder, units: np.ndarray) -> None:
    """The optimizer's moments of the units become 0."""
    if not model.compiled:
        return
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    decoder: Any = model.decoder
    kernel, biases = _kernel(model), _of_units(model.bottleneck, model.units)
    places: list[tuple[keras.Variable, Any]] = [(v, units) for v in (*decoder.of_units, *biases)]
    if kernel is not None:
        places.append((kernel, (slice(None), units)))
    for variable, where in places:
        name = variable.path.replace("/", "_")
        for slot in optimizer.variables:
            if slot.shape == variable.shape and slot.name.startswith(name):
                values = slot.numpy()
                values[where] = 0
                slot.assign(values)
