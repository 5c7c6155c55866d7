"""VAEs whose posterior is a flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.models.extends import extends
from zoo.models.vae import vae
from zoo.registry import register


@register("iaf_vae", kind="model")
@extends(vae, without=("posterior", "estimator"))
def iaf_vae(
    input_shape: Sequence[int],
    steps: int = 2,
    flow_hidden: int = 64,
    context: int = 16,
    **options: Any,
) -> Autoencoder:
    """VAE with an inverse autoregressive posterior (Kingma et al. 2016, equations 11 to 14).

    Minimises

        -log p(x|z) + beta [log q(z|x) - log p(z)],  z = f_K(.. f_1(e)), e ~ N(loc(x), scale(x)^2)

    Every step sees a context of x; those of pythae 0.1.2 see only the code.

    Args:
        input_shape: shape of one example.
        steps: K.
        flow_hidden: units of the hidden layer of each step.
        context: numbers of x that the steps see.
        **options: as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("iaf_vae", (6,), latents=3, hidden=(4,), flow_hidden=8)
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.encode(x).shape  # the flow of loc(x)
        (20, 3)
    """
    own = {"steps": steps, "hidden": flow_hidden, "context": context}
    posterior: Any = {"name": "inverse_autoregressive", **own}
    return vae(input_shape, posterior=posterior, **options)


@register("planar_vae", kind="model")
@extends(vae, without=("estimator",))
def planar_vae(
    input_shape: Sequence[int], steps: int = 4, posterior: str = "planar", **options: Any
) -> Autoencoder:
    """VAE with a posterior of planar or radial steps (Rezende & Mohamed 2015, equations 10, 14 and 15).

    Minimises

        -log p(x|z) + beta [log q(z|x) - log p(z)],  z = f_K(.. f_1(e)), e ~ N(loc(x), scale(x)^2)

    The numbers of the steps come from the encoder, as in the paper, and are held so that each step is
    invertible; those of pythae 0.1.2 are the same for all x, and are not held.

    Args:
        input_shape: shape of one example.
        steps: K.
        posterior: "planar" or "radial".
        **options: as in `zoo.models.vae.vae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("planar_vae", (6,), latents=2, hidden=(4,), steps=2)
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> history = model.fit(x, verbose=0)
        >>> model.generate(3, seed=0).shape
        (3, 6)
    """
    family: Any = {"name": posterior, "steps": steps}
    return vae(input_shape, posterior=family, **options)
