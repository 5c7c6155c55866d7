"""A dictionary in the place of a layer's output: what a network loses by it, and what its units do there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.layer_of import layer_of
from zoo.registry import one_of

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

Edit = Callable[[Any], Any]
BASELINES = ("mean", "zero")


def attach(model: keras.Model, layer: str | keras.Layer, dictionary: Any) -> Attached:
    """A network whose layer's output a dictionary can replace, with units left out or pushed.

    Args:
        model: any Keras model; it stays as it is.
        layer: whose output is (batch, ..., d) with d the dictionary's: its name, in sub-models too, or the
            layer itself where several have one name.
        dictionary: an `Autoencoder` of (d,).

    Returns:
        See `Attached`.

    Raises:
        ValueError: for a layer that is not there, or a name that several layers have; for a model whose
            examples are no vectors, and, when it is used, where they are not as wide as the layer's output.

    Example:
        >>> from zoo.evaluation.splicing import attach
        >>> network = keras.Sequential(
        ...     [keras.Input((3,)), keras.layers.Dense(6, name="middle"), keras.layers.Dense(2)]
        ... )
        >>> x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
        >>> spliced = attach(network, "middle", zoo.create("top_k_sae", (6,), latents=12, target_l0=3))
        >>> spliced.activations(x).shape, spliced.reconstructed(x).shape, spliced.steered(x, {0: 5.0}).shape
        ((40, 6), (40, 2), (40, 2))
    """
    return Attached(model, layer, dictionary)


class Attached:
    """A network with a dictionary beside one of its layers, see `attach`.

    Example:
        >>> from zoo.evaluation.splicing import attach
        >>> network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6, name="middle")])
        >>> x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
        >>> spliced = attach(network, "middle", zoo.create("top_k_sae", (6,), latents=12, target_l0=3))
        >>> np.allclose(spliced.plain(x), network.predict(x, verbose=0), atol=1e-6)
        True
    """

    def __init__(self, model: keras.Model, layer: str | keras.Layer, dictionary: Any):
        self.layer = layer_of(model, layer)
        self.model, self.dictionary = model, dictionary
        if len(dictionary.event_shape) != 1:
            raise ValueError(
                "attach takes a dictionary of vectors (d,); received a model of examples of shape "
                f"{dictionary.event_shape}."
            )

    def plain(self, x: Any, batch_size: int = 500) -> np.ndarray:
        """What the network gives as it is."""
        return self.run(x, lambda values: values, batch_size)

    def activations(self, x: Any, batch_size: int = 500) -> np.ndarray:
        """What the layer gives, (n, ..., d): what a dictionary is trained on."""
        import tensorflow as tf

        seen: list[tf.Tensor] = []

        def keep(values: tf.Tensor) -> tf.Tensor:
            seen.append(values)
            return values

        parts = []
        for first in range(0, len(x), batch_size):
            seen.clear()
            with self._edited(keep):
                self.model(tf.convert_to_tensor(x[first : first + batch_size]), training=False)
            parts.append(np.asarray(seen[-1]))
        return np.concatenate(parts)

    def reconstructed(self, x: Any, batch_size: int = 500) -> np.ndarray:
        """What the network gives where the layer's output is reconstructed from its code."""
        return self.run(x, self._by_rows(lambda h: self.dictionary(h, training=False)), batch_size)

    def ablated(self, x: Any, units: Sequence[int], batch_size: int = 500) -> np.ndarray:
        """What the network gives where some units are 0; what the code does not explain stays."""
        kept = np.ones(self.dictionary.units, np.float32)
        kept[self._known(units)] = 0
        return self.run(x, self._by_codes(lambda code: code * kept), batch_size)

    def steered(self, x: Any, units: dict[int, float], batch_size: int = 500) -> np.ndarray:
        """What the network gives where some units are held at a value; the rest as in `ablated`.

        Args:
            x: (n, ...) inputs of the network.
            units: unit -> its code.
            batch_size: rows of a batch.

        Returns:
            The network's outputs.

        Raises:
            ValueError: for a unit that the dictionary has not, or a value that is no finite number.
        """
        chosen = self._known(units)
        held = np.zeros(self.dictionary.units, np.float32)
        held[chosen] = list(units.values())
        if not np.isfinite(held).all():
            raise ValueError(f"The values of units must be finite; received {units}.")
        free = np.ones(self.dictionary.units, np.float32)
        free[chosen] = 0
        return self.run(x, self._by_codes(lambda code: code * free + held), batch_size)

    def loss_recovered(
        self, x: Any, loss: Callable[[np.ndarray], float], baseline: str = "mean"
    ) -> float:
        """The share of the network's loss that a reconstruction saves of what a baseline loses.

            (L(baseline) - L(reconstructed)) / (L(baseline) - L(plain))

        Args:
            x: (n, ...) inputs of the network.
            loss: from its outputs to a number.
            baseline: "mean": the layer's mean output in the place of every one; "zero": zeros.

        Returns:
            1 where nothing is lost; NaN where the baseline loses nothing either.
        """
        one_of(baseline, "baseline", BASELINES)
        if baseline == "mean":
            import tensorflow as tf

            values = self.activations(x)
            # In bfloat16 a sum of so many stops growing.
            mean = values.reshape(-1, values.shape[-1]).mean(axis=0, dtype=np.float64)
            without = self.run(x, lambda h: 0 * h + tf.cast(mean, h.dtype))
        else:
            without = self.run(x, lambda h: 0 * h)
        worst, best = loss(without), loss(self.plain(x))
        if worst == best:
            return float("nan")
        return float((worst - loss(self.reconstructed(x))) / (worst - best))

    def run(self, x: Any, edit: Edit, batch_size: int = 500) -> np.ndarray:
        """What the network gives where `edit` changes the layer's output."""
        import tensorflow as tf

        parts = []
        with self._edited(edit):
            for first in range(0, len(x), batch_size):
                batch = tf.convert_to_tensor(x[first : first + batch_size])
                parts.append(np.asarray(self.model(batch, training=False)))
        return np.concatenate(parts)

    def _known(self, units: Iterable[int]) -> list[int]:
        """The units, which the dictionary has."""
        chosen, count = list(units), self.dictionary.units
        strange = [unit for unit in chosen if isinstance(unit, bool) or unit not in range(count)]
        if strange:
            raise ValueError(
                f"units must be integers from 0 to {count - 1}, the dictionary's; received {strange[:10]}."
            )
        return [int(unit) for unit in chosen]

    def _by_rows(self, change: Edit) -> Edit:
        """An edit of vectors as one of (batch, ..., d)."""
        import tensorflow as tf

        (width,) = self.dictionary.event_shape

        def edit(values: tf.Tensor) -> tf.Tensor:
            if values.shape[-1] != width:
                raise ValueError(
                    f"The dictionary takes vectors of {width} numbers; the layer {self.layer.name!r} gives "
                    f"{values.shape[-1]}. Attach it to the layer that it was trained on."
                )
            rows = tf.reshape(values, (-1, width))
            return tf.cast(tf.reshape(change(rows), tf.shape(values)), values.dtype)

        return edit

    def _by_codes(self, change: Edit) -> Edit:
        import tensorflow as tf

        def edit(rows: tf.Tensor) -> tf.Tensor:
            rows = tf.cast(rows, tf.float32)  # as the dictionary decodes, also in mixed precision
            code = self.dictionary.encode_batch(rows)
            decode = self.dictionary.decode_batch
            return rows + decode(change(code)) - decode(code)

        return self._by_rows(edit)

    @contextmanager
    def _edited(self, edit: Edit) -> Iterator[None]:
        """The layer with another output, until the block ends."""
        own = self.layer.call

        def call(*args: Any, **kwargs: Any) -> Any:
            return edit(own(*args, **kwargs))

        object.__setattr__(self.layer, "call", call)
        try:
            yield
        finally:
            object.__delattr__(self.layer, "call")
