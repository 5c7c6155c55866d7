"""Posteriors that are flows of a Normal one, conditioned on x."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from zoo.distributions.families import Family, Parameters
from zoo.distributions.flows import (
    Coupling,
    Flow,
    InverseAutoregressive,
    Moved,
    Moving,
    planar,
    radial,
)
from zoo.noise import Noise
from zoo.registry import register
from zoo.serialization import positive_int
from zoo.tfp import tfd


class FlowFamily(Family):
    """z = f_K(.. f_1(e)), e ~ N(loc(x), diag scale(x)^2), with steps whose parameters come from x.

    log q(z|x) = log N(e; loc, scale^2) - sum_k log |det df_k| (Rezende & Mohamed, "Variational Inference with
    Normalizing Flows", 2015, equation 13). There is no closed KL: it is sampled. A subclass gives `beside`,
    how many numbers of x the steps take beside loc and scale, and `forward`.

    Args:
        steps: K.
    """

    fixed = ("steps",)

    def __init__(self, steps: int = 4, **kwargs: Any):
        super().__init__(**kwargs)
        self.steps = positive_int(steps, "steps")

    def beside(self, units: int) -> int:
        """How many numbers the steps take for a code of `units` units."""
        raise NotImplementedError

    def forward(self, z: tf.Tensor, numbers: tf.Tensor) -> Moved:
        """All steps: (..., rows, units) and (rows, beside) -> the same of z, and log-determinants."""
        raise NotImplementedError

    def inverse(self, numbers: tf.Tensor) -> Callable[[tf.Tensor], Moved] | None:
        """The way back for these numbers; None where there is none in closed form."""
        del numbers
        return None

    def outputs(self, units: int) -> int:
        """Location, scale, and the numbers beside them."""
        return 2 * units + self.beside(units)

    def build(self, code_shape: Any = None) -> None:
        """Create the steps' weights, where there are any.

        Raises:
            ValueError: for a grid of codes.
        """
        if len(code_shape) > 2:
            raise ValueError(
                f"The posterior {type(self).zoo_name!r} takes codes of one axis; received a grid of shape "
                f"{tuple(code_shape[1:])}. Take posterior='normal'."
            )
        super().build(code_shape)

    def parameters(self, numbers: tf.Tensor) -> Parameters:
        """(loc, scale, what the steps take)."""
        units = self._units(numbers.shape[-1])
        base, beside = tf.split(numbers, [2 * units, self.beside(units)], axis=-1)
        return (*super().parameters(base), beside)

    def member(self, parameters: Parameters) -> tfd.Distribution:
        """The flow's density, batch shape (rows,), event shape (units,)."""
        loc, scale, numbers = parameters
        flow = Moving(lambda z: self.forward(z, numbers), self.inverse(numbers))
        return tfd.TransformedDistribution(tfd.MultivariateNormalDiag(loc, scale), flow)

    def location(self, parameters: Parameters) -> tf.Tensor:
        """The flow of loc, (rows, units)."""
        return self.forward(parameters[0], parameters[2])[0]

    def draw(self, parameters: Parameters, noise: Noise) -> tuple[tf.Tensor, tfd.Distribution]:
        """A draw of every row by one pass, and the member, which knows its density."""
        loc, scale, _ = parameters
        member = self.member(parameters)
        base = loc + scale * noise.normal(tf.shape(loc)[0], *loc.shape[1:])
        return member.bijector.forward(base), member

    def _units(self, outputs: Any) -> int:
        units = 1
        while self.outputs(units) < outputs:
            units += 1
        return units

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "steps": self.steps}


@register("planar", kind="posterior")
class Planar(FlowFamily):
    """Planar steps z + u tanh(w . z + b), u, w and b computed from x; see `zoo.distributions.flows.planar`.

    Args:
        steps: how many.

    Example:
        >>> model = zoo.create("planar_vae", (6,), latents=2, hidden=(4,), steps=3)
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> z = model.posterior(x).sample(seed=[0, 0])
        >>> z.shape
        TensorShape([20, 2])
    """

    move = staticmethod(planar)

    def beside(self, units: int) -> int:
        """W, u and b of every step."""
        return self.steps * (2 * units + 1)

    def forward(self, z: tf.Tensor, numbers: tf.Tensor) -> Moved:
        """See `FlowFamily.forward`."""
        total = tf.reduce_sum(tf.zeros_like(z), axis=-1)
        for own in tf.split(numbers, self.steps, axis=-1):
            z, log_det = self.move(z, own)
            total += log_det
        return z, total


@register("radial", kind="posterior")
class Radial(Planar):
    """Radial steps around centres computed from x; see `zoo.distributions.flows.radial`.

    Args:
        steps: how many.

    Example:
        >>> model = zoo.create("planar_vae", (6,), latents=2, hidden=(4,), posterior="radial")
        >>> model.bottleneck.dense.units  # loc, scale and 4 steps of a centre, alpha and beta
        20
    """

    move = staticmethod(radial)

    def beside(self, units: int) -> int:
        """Centre, alpha and beta of every step."""
        return self.steps * (units + 2)


class NetworkFamily(FlowFamily):
    """A flow whose steps are networks that see a context of x.

    Args:
        steps: how many; the units are taken in turn in order and in reverse.
        hidden: units of the hidden layers of each.
        context: numbers of x that the networks see.
    """

    fixed = ("hidden", "context")
    step: type[Flow]

    def __init__(self, steps: int = 2, hidden: int = 64, context: int = 16, **kwargs: Any):
        super().__init__(steps, **kwargs)
        self.hidden = positive_int(hidden, "hidden")
        self.context = positive_int(context, "context")

    def beside(self, units: int) -> int:
        """The context."""
        del units
        return self.context

    def build(self, code_shape: Any = None) -> None:
        """Create the networks."""
        flows = (
            self.step(self.hidden, index % 2 == 1, self.context) for index in range(self.steps)
        )
        self.flows = list(flows)
        for flow in self.flows:
            flow.build((None, code_shape[-1]))
        super().build(code_shape)

    def forward(self, z: tf.Tensor, numbers: tf.Tensor) -> Moved:
        """See `FlowFamily.forward`."""
        total = tf.reduce_sum(tf.zeros_like(z), axis=-1)
        for flow in self.flows:
            z, log_det = flow.forward(z, numbers)
            total += log_det
        return z, total

    def inverse(self, numbers: tf.Tensor) -> Callable[[tf.Tensor], Moved]:
        """See `FlowFamily.inverse`."""

        def back(z: tf.Tensor) -> Moved:
            total = tf.reduce_sum(tf.zeros_like(z), axis=-1)
            for flow in reversed(self.flows):
                z, log_det = flow.inverse(z, numbers)
                total += log_det
            return z, total

        return back

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "hidden": self.hidden, "context": self.context}


@register("inverse_autoregressive", kind="posterior")
class InverseAutoregressiveFamily(NetworkFamily):
    """Inverse autoregressive steps; see `zoo.distributions.flows.InverseAutoregressive`.

    A draw and its density take one pass; the density of another value one for each unit.

    Args:
        steps: how many.
        hidden: units of the hidden layer of each.
        context: numbers of x that the masked networks see.

    Example:
        >>> model = zoo.create("iaf_vae", (6,), latents=2, hidden=(4,), steps=1)
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> sorted(model.fit(x, verbose=0).history)
        ['kl', 'loss', 'reconstruction']
    """

    step = InverseAutoregressive


@register("coupling", kind="posterior")
class CouplingFamily(NetworkFamily):
    """Affine couplings; see `zoo.distributions.flows.Coupling`. Density and draws take one pass each.

    Args:
        steps: how many.
        hidden: units of the two hidden layers of each.
        context: numbers of x that the networks see.

    Example:
        >>> posterior = {"name": "coupling", "steps": 2, "hidden": 8}
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), posterior=posterior)
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.posterior(x).log_prob(model.encode(x)).shape
        TensorShape([20])
    """

    step = Coupling
