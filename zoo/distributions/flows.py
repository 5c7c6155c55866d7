"""Flows: invertible maps of codes whose log-determinants are known, for posteriors and priors.

TensorFlow Probability's own networks for flows are layers of tf_keras. Keras 3 knows nothing of their
weights, which would be neither trained nor saved. These are Keras 3 layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.distributions.families import UNIT_SCALE
from zoo.tfp import tfb

# A map of (rows, units) and its log-determinant, (rows,).
Moved = tuple[tf.Tensor, tf.Tensor]
_OPEN = 1.0  # a gate begins at sigmoid(1) = .73 (Kingma et al. 2016, section 4: "between 1 and 2")
_STEEPEST = 2.0  # a coupling's scales stay within exp(+-2)


class Flow(keras.layers.Layer):
    """One step of a flow, (rows, units) -> (rows, units), that may depend on a context.

    A subclass gives `forward` and `inverse`, and makes its weights in ``build((None, units))``.

    Args:
        hidden: units of the hidden layers of its network.
        reverse: whether the units are taken in reverse order.
        context: width of the context, 0 for none.
    """

    def __init__(self, hidden: int, reverse: bool = False, context: int = 0, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        self.hidden = hidden
        self.reverse = reverse
        self.width = context

    def forward(self, z: tf.Tensor, context: tf.Tensor | None = None) -> Moved:
        """f(z), and log |det df/dz|."""
        raise NotImplementedError

    def inverse(self, z: tf.Tensor, context: tf.Tensor | None = None) -> Moved:
        """The e with f(e) = z, and log |det df/dz| there."""
        raise NotImplementedError


class Coupling(Flow):
    """z_b <- z_b exp(s(z_a, h)) + t(z_a, h), one half of the units given the other.

    Dinh et al., "Density Estimation Using Real NVP", 2017, equations 4 to 8; fast both ways. The halves are
    the units of even and of odd number. (One unit alone is scaled and moved by its context, or by constants.)
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the network of s and t."""
        units: Any = input_shape[-1]
        given = np.arange(units) % 2 == self.reverse if units > 1 else np.zeros(1, bool)
        self.given, self.moved = np.flatnonzero(given), np.flatnonzero(~given)
        self.order = np.argsort(np.concatenate([self.given, self.moved]))
        dense = keras.layers.Dense
        self.inner = [dense(self.hidden, activation="silu", dtype="float32") for _ in range(2)]
        self.inner[0].build((None, max(1, len(self.given) + self.width)))
        self.inner[1].build((None, self.hidden))
        # Begins as the map that changes nothing.
        self.outer = dense(2 * len(self.moved), kernel_initializer="zeros", dtype="float32")
        self.outer.build((None, self.hidden))
        self.built = True

    def forward(self, z: tf.Tensor, context: tf.Tensor | None = None) -> Moved:
        """See `Flow.forward`."""
        given, moved = tf.gather(z, self.given, axis=-1), tf.gather(z, self.moved, axis=-1)
        shift, log_scale = self._moves(given, context)
        return self._joined(given, moved * tf.exp(log_scale) + shift), tf.reduce_sum(log_scale, -1)

    def inverse(self, z: tf.Tensor, context: tf.Tensor | None = None) -> Moved:
        """See `Flow.inverse`."""
        given, moved = tf.gather(z, self.given, axis=-1), tf.gather(z, self.moved, axis=-1)
        shift, log_scale = self._moves(given, context)
        back = (moved - shift) * tf.exp(-log_scale)
        return self._joined(given, back), tf.reduce_sum(log_scale, -1)

    def _moves(self, given: tf.Tensor, context: tf.Tensor | None) -> Moved:
        first, second = self.inner
        known = _beside(given, context)
        if known.shape[-1] == 0:  # one unit without a context; oneDNN has no product of nothing
            known = tf.ones((tf.shape(known)[0], 1))
        hidden = second(first(known))
        shift, raw = tf.split(self.outer(hidden), 2, axis=-1)
        return shift, _STEEPEST * tf.tanh(raw / _STEEPEST)

    def _joined(self, given: tf.Tensor, moved: tf.Tensor) -> tf.Tensor:
        return tf.gather(tf.concat([given, moved], axis=-1), self.order, axis=-1)


class InverseAutoregressive(Flow):
    """z_i <- g_i z_i + (1 - g_i) m_i with gates g_i and moves m_i of z_1 .. z_(i-1) and the context.

    Kingma et al., "Improved Variational Inference with Inverse Autoregressive Flow", 2016, equations 13 and
    14. Forward is one pass of a masked network, inverse one for each unit.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the masked network."""
        units: Any = input_shape[-1]
        place = np.arange(units)[::-1] if self.reverse else np.arange(units)
        degree = np.arange(self.hidden) % max(units - 1, 1)
        self.into_mask = np.float32(place[:, None] <= degree) * (units > 1)
        self.out_mask = np.float32(np.tile(degree[:, None] < place, (1, 2)))
        self.into = self.add_weight(name="into", shape=(units, self.hidden))
        if self.width:
            self.context = self.add_weight(name="context", shape=(self.width, self.hidden))
            # So that the first unit, which no other is before, depends on x as well.
            self.direct = self.add_weight(name="direct", shape=(self.width, 2 * units))
        self.inner_bias = self.add_weight(
            name="inner_bias", shape=(self.hidden,), initializer="zeros"
        )
        self.out = self.add_weight(name="out", shape=(self.hidden, 2 * units))
        self.out_bias = self.add_weight(name="out_bias", shape=(2 * units,), initializer="zeros")
        self.built = True

    def forward(self, z: tf.Tensor, context: tf.Tensor | None = None) -> Moved:
        """See `Flow.forward`."""
        move, log_gate = self._moves(z, context)
        gate = tf.exp(log_gate)
        return gate * z + (1 - gate) * move, tf.reduce_sum(log_gate, axis=-1)

    def inverse(self, z: tf.Tensor, context: tf.Tensor | None = None) -> Moved:
        """See `Flow.inverse`; a pass for each unit."""
        found = tf.zeros_like(z)
        for _ in range(self.into.shape[0]):
            move, log_gate = self._moves(found, context)
            gate = tf.exp(log_gate)
            found = (z - (1 - gate) * move) / gate
        return found, tf.reduce_sum(self._moves(found, context)[1], axis=-1)

    def _moves(self, z: tf.Tensor, context: tf.Tensor | None) -> Moved:
        hidden = tf.matmul(z, self.into * self.into_mask) + self.inner_bias
        if context is not None:
            hidden += tf.matmul(context, self.context.value)
        out = tf.matmul(tf.tanh(hidden), self.out * self.out_mask) + self.out_bias
        if context is not None:
            out += tf.matmul(context, self.direct.value)
        move, gate = tf.split(out, 2, axis=-1)
        return move, tf.math.log_sigmoid(gate + _OPEN)


def planar(z: tf.Tensor, numbers: tf.Tensor) -> Moved:
    """The planar flow z + u tanh(w . z + b), with u held so that the map is invertible.

    Rezende & Mohamed, "Variational Inference with Normalizing Flows", 2015, equations 10 to 12 and appendix
    A.1. The map is one to one where w . u >= -1. The appendix puts m(w . u) = softplus(w . u) - 1 in the
    place of w . u; here m is moved so that m(0) = 0, since u would else grow without bound where w is near 0.

    Args:
        z: (rows, units).
        numbers: (rows, 2 units + 1): w, u and b.

    Returns:
        (rows, units), and the log-determinants, (rows,).

    Example:
        >>> from zoo.distributions.flows import planar
        >>> z = np.float32([[1.0, 2.0]])
        >>> moved, log_det = planar(z, np.zeros((1, 5), "float32"))
        >>> moved.numpy().tolist(), log_det.numpy().tolist()
        ([[1.0, 2.0]], [0.0])
    """
    units: Any = z.shape[-1]
    w, u, b = tf.split(numbers, [units, units, 1], axis=-1)
    along = tf.reduce_sum(w * u, axis=-1, keepdims=True)
    held = tf.nn.softplus(along + UNIT_SCALE) - 1
    u += (held - along) * w / (tf.reduce_sum(w * w, axis=-1, keepdims=True) + 1e-6)
    bent = tf.tanh(tf.reduce_sum(w * z, axis=-1, keepdims=True) + b)
    slope = (1 - bent**2) * tf.reduce_sum(w * u, axis=-1, keepdims=True)
    return z + u * bent, tf.squeeze(tf.math.log1p(slope), -1)


def radial(z: tf.Tensor, numbers: tf.Tensor) -> Moved:
    """The radial flow z + beta (z - c) / (alpha + ||z - c||), with beta held so that the map is invertible.

    Rezende & Mohamed 2015, equation 14 and appendix A.2: alpha > 0, and beta > -alpha.

    Args:
        z: (rows, units).
        numbers: (rows, units + 2): c, and what alpha and beta are made of.

    Returns:
        (rows, units), and the log-determinants, (rows,).

    Example:
        >>> from zoo.distributions.flows import radial
        >>> z = np.float32([[1.0, 2.0]])
        >>> moved, log_det = radial(z, np.zeros((1, 4), "float32"))
        >>> moved.numpy().tolist(), log_det.numpy().tolist()
        ([[1.0, 2.0]], [0.0])
    """
    units: Any = z.shape[-1]
    centre, raw_alpha, raw_beta = tf.split(numbers, [units, 1, 1], axis=-1)
    alpha = tf.nn.softplus(raw_alpha + UNIT_SCALE)
    beta = alpha * (tf.nn.softplus(raw_beta + UNIT_SCALE) - 1)
    offset = z - centre
    # The gradient of a root is infinite at 0.
    distance = tf.sqrt(tf.reduce_sum(offset**2, axis=-1, keepdims=True) + 1e-12)
    near = beta / (alpha + distance)
    slope = alpha * beta / (alpha + distance) ** 2
    log_det = (units - 1) * tf.math.log1p(near) + tf.math.log1p(slope)
    return z + near * offset, tf.squeeze(log_det, -1)


class Moving(tfb.Bijector):
    """A bijector of TFP's from functions that give a value and its log-determinant together.

    TFP remembers what it has computed by the tensor itself: the density of the very tensor that `forward`
    gave costs nothing. Without `inverse` there is no density of other values.

    Args:
        forward: (rows, units) -> f and log |det df/dz|.
        inverse: the same, backwards; None where there is none.

    Example:
        >>> import tensorflow as tf
        >>> from tensorflow_probability import distributions as tfd
        >>> from zoo.distributions.flows import Moving
        >>> double = Moving(lambda z: (2 * z, tf.fill(tf.shape(z)[:1], 2 * tf.math.log(2.0))))
        >>> base = tfd.MultivariateNormalDiag(tf.zeros((3, 2)))
        >>> wide = tfd.TransformedDistribution(base, double)
        >>> z = wide.sample(seed=[0, 0])
        >>> expected = tfd.MultivariateNormalDiag(tf.zeros(2), tf.fill([2], 2.0)).log_prob(z)
        >>> np.allclose(wide.log_prob(z), expected, rtol=1e-4)
        True
    """

    def __init__(
        self, forward: Callable[[Any], Moved], inverse: Callable[[Any], Moved] | None = None
    ):
        # What makes two of them equal, and lets TFP share what it remembers.
        parameters = {"forward": forward, "inverse": inverse}
        super().__init__(
            forward_min_event_ndims=1, dtype=tf.float32, parameters=parameters, name="moving"
        )
        self._move, self._back = forward, inverse
        self._last: dict[str, tuple[Any, Any]] = {}

    def _forward(self, x: Any) -> Any:
        return self._remembered("forward", x, self._move)[0]

    def _forward_log_det_jacobian(self, x: Any) -> Any:
        return self._remembered("forward", x, self._move)[1]

    def _inverse(self, y: Any) -> Any:
        return self._remembered("inverse", y, self._there_and_back())[0]

    def _inverse_log_det_jacobian(self, y: Any) -> Any:
        return -self._remembered("inverse", y, self._there_and_back())[1]

    def _there_and_back(self) -> Callable[[Any], Moved]:
        if self._back is None:
            raise NotImplementedError(
                "This flow has no inverse in closed form, so that only its own draws have a density."
            )
        return self._back

    def _remembered(self, way: str, value: Any, move: Callable[[Any], Moved]) -> Moved:
        """Both results, of the last value without a second pass."""
        known = self._last.get(way)
        if known is None or known[0] is not value:
            self._last[way] = known = (value, move(value))
        return known[1]


def _beside(values: tf.Tensor, context: tf.Tensor | None) -> tf.Tensor:
    """Values with the context of their row behind them, whatever axes stand before the rows."""
    if context is None:
        return values
    shape = tf.concat([tf.shape(values)[:-1], tf.shape(context)[-1:]], axis=0)
    return tf.concat([values, tf.broadcast_to(context, shape)], axis=-1)
