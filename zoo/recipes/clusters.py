"""A mixture prior that begins at the clusters of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.values import whole_number

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder


def start_at_clusters(model: Autoencoder, x: Any, *, condition: Any = None, seed: int = 0) -> None:
    """Let the mixture that is a model's prior begin as the mixture that fits its codes of x.

    A mixture that begins elsewhere is left by all its components but one before there are clusters (Jiang et
    al., "Variational Deep Embedding", 2017, section 3.4). So the model is trained without its prior at first.

    Args:
        model: a model whose prior is a "gaussian_mixture", such as "vade".
        x: as in `Autoencoder.encode`.
        condition: as in `Autoencoder.encode`.
        seed: of the fit.

    Raises:
        ValueError: for a model with another prior.

    Example:
        >>> beta = keras.Variable(0.0)  # no prior yet
        >>> model = zoo.create("vade", (6,), latents=2, hidden=(8,), components=3, beta=beta)
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((100, 6), np.float32)
        >>> history = model.fit(x, epochs=2, verbose=0)
        >>> zoo.recipes.start_at_clusters(model, x)
        >>> _ = beta.assign(1.0)
        >>> history = model.fit(x, epochs=2, verbose=0)
        >>> len(np.unique(model.cluster(x))) > 1
        True
    """
    from zoo.distributions.mixture_prior import GaussianMixturePrior

    seed = whole_number(seed, "seed")
    if not isinstance(model.prior, GaussianMixturePrior):
        received = getattr(type(model.prior), "zoo_name", None)
        raise ValueError(
            f"start_at_clusters needs a model with the prior 'gaussian_mixture', such as 'vade'; received "
            f"the prior {received!r}."
        )
    model.prior.fit(model.encode(x, condition=condition), seed)
