"""The bound of a posterior that follows the gradient of p(x, z): Hamiltonian steps."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from zoo.forward import ForwardPass
from zoo.objectives.base import Objective, refuse_measures
from zoo.registry import register
from zoo.serialization import positive_int, scalar

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder


@register("hamiltonian", kind="objective")
class Hamiltonian(Objective):
    """-[log p(x|z_K) + log p(z_K) + log N(r_K) - log q(z_0|x) - log N(g)], after K leapfrog steps.

    With z_0 ~ q(z|x), g ~ N(0, I), r_0 = g / sqrt(b_0), U(z) = -log p(x|z) - log p(z), each step is

        r <- r - e/2 dU(z);  z <- z + e r;  r <- r - e/2 dU(z);  r <- sqrt(b_(k-1) / b_k) r

    with b_k rising from b_0 to 1, 1/sqrt(b_k) = (1 - 1/sqrt(b_0)) k^2 / K^2 + 1/sqrt(b_0) (Caterini et al.,
    "Hamiltonian Variational Auto-Encoder", 2018, algorithm 1 and section 4.1). A step keeps volumes but for
    its last part, whose factors come to b_0^(d/2) in all, that of r_0 = g / sqrt(b_0): they cancel, and
    the exponential of minus the loss has the mean p(x) for every K, step size and b_0. (pythae 0.1.2 takes
    the momentum of before the steps for that after them, and its estimate of the likelihood leaves r_K out.)

    Steps alone keep the energy, so that the bound gains only where the momentum is cooled: b_0 below 1. The
    bound holds p(z) and q(z|x): the regularizer "kl" is left out. `encode` gives the location of q(z|x).

    Args:
        steps: K.
        step_size: of every unit at first; it is learned, and kept below `largest`.
        tempering: b_0, above 0 and at most 1; it is learned where it is below 1.
        largest: bound of the step size.

    Example:
        >>> model = zoo.create("hamiltonian_vae", (6,), latents=2, hidden=(4,), steps=2)
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> sorted(model.fit(x, verbose=0).history)
        ['loss', 'reconstruction']
    """

    fixed = ("steps", "step_size", "tempering")
    sees_model = True

    def __init__(
        self,
        steps: int = 3,
        step_size: float = 0.01,
        tempering: float = 0.3,
        largest: float = 0.5,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.steps = positive_int(steps, "steps")
        self.step_size: Any = scalar(step_size, "step_size")
        self.tempering: Any = scalar(tempering, "tempering")
        self.largest: Any = scalar(largest, "largest")
        if not 0 < self.step_size < self.largest:
            raise ValueError(
                f"step_size must lie between 0 and largest={largest}; received {step_size}."
            )
        if not 0 < self.tempering <= 1:
            raise ValueError(f"tempering must be above 0 and at most 1; received {tempering}.")

    def build(self, input_shape: Any = None) -> None:
        """Create the step size of each unit, and b_0."""
        share = self.step_size / self.largest
        start: Any = keras.initializers.Constant(np.log(share / (1 - share)))
        shape = self.model.code_shape
        self.raw_step = self.add_weight(name="raw_step", shape=shape, initializer=start)
        if self.tempering < 1:
            share = self.tempering
            start = keras.initializers.Constant(np.log(share / (1 - share)))
            self.raw_tempering = self.add_weight(name="raw_tempering", shape=(), initializer=start)
        super().build(input_shape)

    def check(self, model: Autoencoder) -> None:
        """Densities of the code and of x, and no KL beside the bound."""
        from zoo.regularizers import KL

        if model.example_posterior() is None or model.prior_distribution() is None:
            raise ValueError(
                "The objective 'hamiltonian' needs a stochastic bottleneck and a prior that has a density. "
                "Set prior='normal'."
            )
        refuse_measures(model, "hamiltonian")
        if any(isinstance(r, KL) for r in model.regularizers):
            raise ValueError(
                "The objective 'hamiltonian' holds p(z) / q(z|x); leave the regularizer 'kl' out."
            )

    def terms(self, forward: ForwardPass) -> dict[str, tf.Tensor]:
        """Minus the bound, and the reconstruction of the code after the steps."""
        bound, reconstruction = self.bound(forward)
        return {
            "loss": -forward.mean(bound, "bound"),
            "reconstruction": forward.mean(reconstruction, "reconstruction"),
        }

    def bound(self, forward: ForwardPass) -> tuple[tf.Tensor, tf.Tensor]:
        """The bound of every row, and the reconstruction term within it, (batch,) each."""
        code = forward.code
        start = forward.noise.fold("momentum").normal(tf.shape(code)[0], *code.shape[1:])
        entropy = forward.posterior.log_prob(code)
        size = self.largest * tf.sigmoid(tf.convert_to_tensor(self.raw_step))
        widths = self._widths()
        momentum = start * widths[0]
        (reconstruction, energy), slope = self._with_slope(forward, code)
        for before, after in itertools.pairwise(widths):
            momentum = momentum - 0.5 * size * slope
            code = code + size * momentum
            (reconstruction, energy), slope = self._with_slope(forward, code)
            momentum = (momentum - 0.5 * size * slope) * (after / before)
        kinetic = 0.5 * _sums(tf.square(start) - tf.square(momentum))
        return kinetic - energy - entropy, reconstruction

    def _with_slope(
        self, forward: ForwardPass, code: tf.Tensor
    ) -> tuple[tuple[tf.Tensor, tf.Tensor], tf.Tensor]:
        """The reconstruction term and U at a code, (batch,) each, and dU, (batch, *code)."""
        with tf.GradientTape() as tape:
            tape.watch(code)
            reconstruction = forward.reconstruction(forward.decoder_output(code))
            energy = reconstruction - forward.prior.log_prob(code)
        slope: Any = tape.gradient(energy, code)
        return (reconstruction, energy), slope

    def _widths(self) -> list[tf.Tensor]:
        """1 / sqrt(b_k) for k from 0 to K."""
        if self.tempering == 1:
            return [tf.constant(1.0)] * (self.steps + 1)
        first = tf.math.rsqrt(tf.sigmoid(tf.convert_to_tensor(self.raw_tempering)))
        shares = [(k / self.steps) ** 2 for k in range(self.steps + 1)]
        return [(1 - first) * share + first for share in shares]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "steps": self.steps,
            "step_size": self.step_size,
            "tempering": self.tempering,
            "largest": self.largest,
        }


def _sums(values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(values, axis=list(range(1, len(values.shape))))
