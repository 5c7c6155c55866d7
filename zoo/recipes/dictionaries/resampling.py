"""Dead units of a sparse dictionary start anew."""

from __future__ import annotations

from typing import Any, cast

import keras
import numpy as np

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import MatchingPursuit
from zoo.networks import Centred, Dictionary
from zoo.recipes.dictionaries.rows import CHUNK, sample, taken
from zoo.values import positive_int


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
    array, scale = taken(model, x)
    units = np.flatnonzero(_dead(model, array) if dead is None else np.asarray(dead))
    if not len(units):
        return units
    alive = np.setdiff1d(np.arange(model.units), units)
    features = np.asarray(model.encoder(scale.divided(sample(array))), np.float64)
    targets = features
    if not decoder.shared:
        outputs, scale = taken(model, y, "target")
        targets = (scale.divided(sample(outputs)) - np.asarray(decoder.centre)) / np.asarray(
            decoder.scale
        )
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


def _dead(model: Autoencoder, array: np.ndarray) -> np.ndarray:
    for term in model.regularizers:
        if hasattr(term, "quiet") and hasattr(term, "dead"):
            return np.asarray(term.dead)
    return ~(model.encode(sample(array)) != 0).any(axis=0)


def _explained(model: Autoencoder, features: np.ndarray) -> np.ndarray:
    """What the code explains of the features, (rows, size)."""
    decoder: Any = model.decoder
    code = np.concatenate(
        [
            model.bottleneck.encode(features[first : first + CHUNK].astype(np.float32))
            for first in range(0, len(features), CHUNK)
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
