"""How likely the data are under a model: the ELBO, its terms, the importance-weighted bound."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.data.pixels import as_unit_floats
from zoo.evaluation.bootstrap import Score, means
from zoo.evaluation.checks import NotComputable, as_seen, batches, undefined
from zoo.values import positive_int

_DECODES = 2000  # pictures that are decoded at a time


def per_example(
    model: Any, x: np.ndarray, *, samples: int = 100, batch_size: int = 100, seed: int = 0
) -> dict[str, np.ndarray]:
    """Bounds on log p(x) of each example, from the same draws z_1 ... z_K of q(z|x).

    With the log weights l_k = log p(x|z_k) + log p(z_k) - log q(z_k|x):

    expected_log_likelihood     mean_k log p(x|z_k)
    kl                          mean_k [log q(z_k|x) - log p(z_k)], the KL to the prior, sampled
    elbo                        mean_k l_k = expected_log_likelihood - kl
    effective_samples           (sum_k w_k)^2 / sum_k w_k^2, w_k = exp(l_k): near 1, a single draw
                                decides and the bound is loose
    log_likelihood              log mean_k exp(l_k), the importance-weighted bound: between the ELBO
                                and log p(x), and nearer to log p(x) for more draws

    Source: Burda et al. 2016, "Importance Weighted Autoencoders", equation 8.

    Args:
        model: has ``posterior(x)``, ``conditional(z)`` and ``prior_distribution()``, each a TFP
            distribution: batch (n,) and event (units,), batch (n,) and the event of x, batch () and
            event (units,).
        x: (n, ...); uint8 pictures are divided by 255.
        samples: K.
        batch_size: examples that are worked on at a time.
        seed: of the draws.

    Returns:
        name -> (n,) float64, nats of the whole event.

    Raises:
        NotComputable: where the encoder is deterministic or there is no prior.
        ValueError: for fewer than one sample.

    Example:
        >>> from zoo.evaluation.density import per_example
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> x = np.random.default_rng(0).random((5, 6), np.float32)
        >>> bounds = per_example(model, x, samples=20)
        >>> bounds["elbo"].shape, bool(np.all(bounds["log_likelihood"] >= bounds["elbo"]))
        ((5,), True)
    """
    samples, x = positive_int(samples, "samples"), as_seen(model, np.asarray(x))
    _require_densities(model, x)
    log_terms = _log_terms(model)
    columns: dict[str, list[np.ndarray]] = {}
    for step, rows in enumerate(batches(len(x), batch_size)):
        batch = as_unit_floats(np.asarray(x[rows]))
        draws = [
            log_terms(batch, part.stop - part.start, np.array([seed, step * samples + part.start]))
            for part in batches(samples, max(1, _DECODES // len(batch)))
        ]
        likelihood, divergence = (np.concatenate(terms) for terms in zip(*draws, strict=True))
        for name, values in _bounds(likelihood, divergence).items():
            columns.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in columns.items()}


def scores(bounds: dict[str, np.ndarray], *, bootstrap: int = 0, seed: int = 0) -> dict[str, Score]:
    """Means over the examples.

    Args:
        bounds: what `per_example` returned.
        bootstrap: resamples for the intervals, 0 for none.
        seed: of the resamples.

    Returns:
        name -> value (or {"value", "low", "high"}): the mean of each column of ``bounds``, and
        ``log_likelihood_standard_error``, the standard deviation over the examples / sqrt(n) (NaN
        with a warning for one example).

    Example:
        >>> from zoo.evaluation.density import scores
        >>> found = scores({"log_likelihood": np.array([-9.0, -11.0, -10.0])}, bootstrap=200)
        >>> found["log_likelihood"]["value"]
        -10.0
        >>> found["log_likelihood"]["low"] < -10 < found["log_likelihood"]["high"]
        True
    """
    result = means(bounds, bootstrap, seed=seed)
    for name, column in bounds.items():
        bad = int((~np.isfinite(column)).sum())
        if bad:
            result[name] = undefined(
                name, f"draws of q(z|x) lie too far out for {bad} of {len(column)} examples"
            )
    values = bounds["log_likelihood"]
    name = "log_likelihood_standard_error"
    if len(values) > 1:
        result[name] = float(values.std(ddof=1) / np.sqrt(len(values)))
    else:
        result[name] = undefined(name, "one example has no spread")
    return result


def posterior_samples(
    model: Any, x: np.ndarray, *, batch_size: int = 500, seed: int = 0
) -> np.ndarray | None:
    """One draw of q(z|x) for each example: a sample of the aggregate posterior.

    Args:
        model: has ``posterior(x)``.
        x: (n, ...); uint8 pictures are divided by 255.
        batch_size: examples that are worked on at a time.
        seed: of the draws.

    Returns:
        (n, units) float32; None where the encoder is deterministic.

    Example:
        >>> from zoo.evaluation.density import posterior_samples
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> x = np.random.default_rng(0).random((5, 6), np.float32)
        >>> posterior_samples(model, x).shape
        (5, 2)
    """
    draws, x = [], as_seen(model, np.asarray(x))
    for rows in batches(len(x), batch_size):
        posterior = model.posterior(as_unit_floats(np.asarray(x[rows])))
        if posterior is None:
            return None
        draws.append(posterior.sample(seed=[seed, rows.start]).numpy())
    return np.concatenate(draws)


def _require_densities(model: Any, x: np.ndarray) -> None:
    if model.posterior(as_unit_floats(np.asarray(x[:1]))) is None:
        raise NotComputable("the encoder is deterministic, so q(z|x) has no density")
    if model.prior_distribution() is None:
        raise NotComputable("the prior has no density")
    if not getattr(getattr(model, "likelihood", None), "has_density", True):
        raise NotComputable("the likelihood is no density")


def _log_terms(model: Any):
    """A function of a batch, a number of draws and a seed: log p(x|z) and log q(z|x) - log p(z)."""
    import tensorflow as tf

    # AutoGraph would rewrite all that the model calls, for seconds: there is nothing for it to do.
    @tf.function(reduce_retracing=True, autograph=False)
    def terms(x, samples, seed):
        posterior = model.posterior(x)
        z = posterior.sample(samples, seed=seed)
        divergence = posterior.log_prob(z) - model.prior_distribution().log_prob(z)
        flat = tf.reshape(z, (-1, *z.shape[2:]))
        repeats = tf.concat([[samples], tf.ones(len(x.shape) - 1, tf.int32)], 0)
        likelihood = model.conditional(flat).log_prob(tf.tile(x, repeats))
        return tf.reshape(likelihood, tf.shape(divergence)), divergence

    def call(x: np.ndarray, samples: int, seed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        result = terms(tf.constant(x), tf.constant(samples, tf.int32), tf.constant(seed, tf.int32))
        first, second = (term.numpy().astype(np.float64) for term in result)
        return first, second

    return call


def _bounds(likelihood: np.ndarray, divergence: np.ndarray) -> dict[str, np.ndarray]:
    from scipy.special import logsumexp

    weights = likelihood - divergence
    total, squares = (np.asarray(logsumexp(w, axis=0)) for w in (weights, 2 * weights))
    return {
        "elbo": weights.mean(axis=0),
        "expected_log_likelihood": likelihood.mean(axis=0),
        "kl": divergence.mean(axis=0),
        "effective_samples": np.exp(2 * total - squares),
        "log_likelihood": total - np.log(len(weights)),
    }
