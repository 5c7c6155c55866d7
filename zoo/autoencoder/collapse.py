"""Whether a code tells anything of its example: posterior collapse."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo.distributions.divergences import least_kl
from zoo.regularizers import KL

if TYPE_CHECKING:
    from zoo.autoencoder.autoencoder import Autoencoder

# Before so many steps a code has had no time.
_FIRST_STEPS = 100


def collapsed(model: Autoencoder, logs: Mapping[str, Any]) -> str:
    """What to say where KL(q(z|x) || p(z)), the mean over an epoch, is that of an idle code; "" otherwise.

    That is less than `KL.NOTHING` above the least that the families allow, which is not 0 for a Normal
    posterior under a Laplace prior, see `zoo.distributions.divergences.least_kl`. Nothing is said of models
    without such a term, in the first 100 steps, and while a schedule holds the divergence down and will let
    go of it later: a capacity that rises, a weight that falls.

    Args:
        model: the model.
        logs: term -> mean over the epoch.

    Returns:
        A sentence, or "".
    """
    terms = [r for r in model.regularizers if isinstance(r, KL)]
    plain = [r for r in terms if type(r) is KL and r.name in logs]
    step = int(model.step.numpy())
    if not plain or step < _FIRST_STEPS or any(term.holds_down(step) for term in terms):
        return ""
    found = float(logs[plain[0].name])
    units = math.prod(model.code_shape)
    if found >= KL.NOTHING + units:  # families whose least is a nat a unit are far from each other
        return ""

    def quadrature() -> float:
        return units * least_kl(model.example_posterior(), model.prior_distribution())

    # It takes as long as an epoch of a small run, and stays what it is where the prior has no weights.
    settled = not getattr(model.prior, "weights", True)
    least = model.traces.kept("least KL", quadrature) if settled else quadrature()
    if found >= KL.NOTHING + least:
        return ""
    beside = f", of which {least:.2g} are there for any x" if least else ""
    return (
        f"the code tells nothing of x, KL(q(z|x) || p(z)) is {found:.2g} nats{beside}. Look whether "
        "reconstruct(x) is the same for all x. If so: lower beta or let it rise (zoo.recipes.WarmUp), take a "
        "likelihood of a smaller scale ({'name': 'normal', 'scale': 0.2}), or a lower learning rate."
    )
