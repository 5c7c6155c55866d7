"""The InfoVAE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.deep_autoencoder import autoencoder
from zoo.models.extends import extends
from zoo.models.vae import vae
from zoo.registry import register
from zoo.serialization import number, scalar


@register("info_vae", kind="model")
@extends(vae)
def info_vae(
    input_shape: Sequence[int],
    alpha: float = 1.0,
    lam: float = 1000.0,
    kernel: str = "gaussian",
    bandwidth: float | None = None,
    posterior: str | None = "normal",
    prior: Any = "normal",
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """InfoVAE, "information maximizing" (Zhao, Song & Ermon, "InfoVAE", 2017, equation 6).

        E_q[log p(x|z)] - (1 - alpha) KL(q(z|x) || p(z)) - (alpha + lam - 1) MMD^2(q(z), p(z))

    The VAE is alpha = 0, lam = 1; alpha = 1 leaves the divergence of the whole set of codes only.

    Args:
        input_shape: shape of one example.
        alpha: weight of the information that x and z share, at most 1.
        lam: lambda, weight of the divergence of q(z), at least 1 - alpha.
        kernel: of the discrepancy, see the regularizer ``mmd``.
        bandwidth: of the kernel.
        posterior: family of q(z|x), or None for the deterministic encoder of the authors' code, which
            has no KL and needs alpha = 1.
        prior: p(z).
        regularizers: further regularizers.
        **options: as in `zoo.models.vae.vae`; ``beta`` multiplies the weight of the KL term.

    Returns:
        A built model.

    Raises:
        ValueError: for weights below 0, a schedule for beta where alpha is not 0, or alpha other than 1
            without a posterior.

    Example:
        >>> model = zoo.create("info_vae", (6,), latents=2, hidden=(4,), alpha=0.5, lam=10.0)
        >>> [(term.name, term.weight) for term in model.regularizers]
        [('kl', 0.5), ('mmd', 9.5)]
    """
    checked = number(alpha, "alpha of info_vae"), number(lam, "lam of info_vae")
    if checked[0] > 1 or sum(checked) < 1:
        raise ValueError(
            "info_vae needs alpha of at most 1 and alpha + lam of at least 1; received "
            f"alpha={alpha!r}, lam={lam!r}."
        )
    penalty = {
        "name": "mmd",
        "kernel": kernel,
        "bandwidth": bandwidth,
        "weight": alpha + lam - 1,
    }
    regularizers = [penalty, *regularizers]
    if posterior is not None:
        beta = scalar(options.pop("beta", 1.0), "beta of info_vae", 0)
        if isinstance(beta, float):
            beta *= 1 - alpha
        elif alpha != 0:
            raise ValueError(
                f"A schedule for beta of info_vae needs alpha=0; received alpha={alpha!r}. Scale the "
                "schedule by 1 - alpha yourself, and pass it to zoo.create('vae', ...) with the "
                "regularizer 'mmd'."
            )
        return vae(
            input_shape,
            posterior=posterior,
            prior=prior,
            beta=beta,
            regularizers=regularizers,
            **options,
        )
    if alpha != 1:
        raise ValueError(
            f"info_vae without a posterior has no KL term: it needs alpha=1; received {alpha!r}."
        )
    for unused in ("beta", "estimator", "samples"):
        options.pop(unused, None)
    return autoencoder(input_shape, prior=prior, regularizers=regularizers, **options)
