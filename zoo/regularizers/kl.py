"""KL(q(z|x) || p(z)): the variational autoencoder's regularizer."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from zoo.distributions.divergences import has_analytic_kl, infinite_kl
from zoo.forward import ForwardPass
from zoo.registry import register, suggest
from zoo.regularizers.base import Regularizer
from zoo.serialization import at_step
from zoo.tfp import tfd

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

ESTIMATORS = ("auto", "analytic", "sampled")


@register("kl")
class KL(Regularizer):
    """KL(q(z|x) || p(z)) of every example, in nats, summed over the units.

    Kingma & Welling 2014, equation 3. The sampled estimator is log q(z|x) - log p(z) at the z that is
    decoded (their equation 2; Pyle, "A Sparse VAE", section 2).

    Args:
        weight: beta of the beta-VAE, a number or a schedule.
        estimator: "analytic", "sampled", or "auto" (analytic where TFP or the zoo has the closed form).
        name: name of the metric.

    Attributes:
        NOTHING: nats of the whole code under which it tells nothing of its example; a code that names one of
            two halves of the data has .69.
        LATER: a step at which schedules have come to their end.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> found = model.evaluate(x, return_dict=True, verbose=0)["kl"]
        >>> expected = model.posterior(x).kl_divergence(model.prior_distribution())
        >>> np.allclose(found, np.mean(expected), rtol=1e-4)
        True
    """

    NOTHING = 0.05
    LATER = 10**9

    def __init__(self, weight: Any = 1.0, estimator: str = "auto", name: str | None = None):
        super().__init__(weight, name)
        if estimator not in ESTIMATORS:
            raise ValueError(f"Unknown KL estimator {estimator!r}.{suggest(estimator, ESTIMATORS)}")
        self.estimator = estimator

    def check(self, model: Autoencoder) -> None:
        """Refuse a model without posterior or prior, an infinite divergence, and a missing closed form."""
        q, p = model.example_posterior(), model.prior_distribution()
        if q is None or p is None:
            raise ValueError(
                "The regularizer 'kl' needs a stochastic bottleneck and a prior; received "
                f"bottleneck {type(model.bottleneck).__name__} and prior {_name(model.prior)!r}."
            )
        pair = f"posterior {_posterior_name(model)!r} and prior {_name(model.prior)!r}"
        # One that is fitted to codes is there to draw from: the terms have its density where it is finite.
        if infinite_kl(q, p) and not getattr(model.prior, "report", None):
            raise ValueError(
                f"KL(posterior || prior) is infinite for {pair}. Use the prior 'cauchy' or 'student_t', "
                "or another posterior."
            )
        if self.estimator == "analytic" and not has_analytic_kl(q, p):
            raise ValueError(f"There is no closed-form KL for {pair}; use estimator='sampled'.")

    def penalty(self, forward: ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,) nats."""
        if self.estimator != "sampled":
            with contextlib.suppress(NotImplementedError):  # there is no closed form
                return tfd.kl_divergence(forward.posterior, forward.prior)
        return forward.posterior.log_prob(forward.code) - forward.prior.log_prob(forward.code)

    def holds_down(self, step: int) -> bool:
        """Whether a schedule keeps the divergence low at this step and will let go of it later."""
        now, later = (float(at_step(self.weight, tf.constant(at))) for at in (step, self.LATER))
        return now > later

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "estimator": self.estimator}


def _posterior_name(model: Autoencoder) -> str | None:
    return _name(getattr(model.bottleneck, "family", model.bottleneck))


def _name(part: Any) -> str | None:
    if part is None:
        return None
    return getattr(type(part), "zoo_name", type(part).__name__)
