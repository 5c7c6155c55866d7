"""A mixture of Gaussians as a prior, fitted to codes or learned with the model."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.distributions.fitted import FittedPrior, as_rows, divided, quietly, shaped
from zoo.distributions.priors import PriorDraw, as_labels
from zoo.noise import Noise
from zoo.registry import one_of, register
from zoo.serialization import positive_int
from zoo.tfp import tfd

AUTO = "auto"
COVARIANCES = {"full": "full", "diagonal": "diag"}  # our name -> scikit-learn's
_MOST = 64


@register("gaussian_mixture", kind="prior")
class GaussianMixturePrior(FittedPrior):
    """p(z) = sum_k pi_k N(z; m_k, L_k L_k^T), with labels k.

    Fitted by `fit` with scikit-learn's expectation maximisation, or trained with the model (Jiang et al.,
    "Variational Deep Embedding", 2017). The mixture has a density, so that a VAE's KL is sampled.

    Args:
        components: K; "auto" for that of 1, 2, 4, ... under which held-out codes are most likely.
        covariance: "full", or "diagonal".
        **kwargs: as in `FittedPrior`.

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> x = np.random.default_rng(0).random((100, 6), np.float32)
        >>> fitted = model.fit_prior("gaussian_mixture", x, components=3)
        >>> fitted.generate(4, seed=0, label=1).shape, fitted.prior_distribution().event_shape
        ((4, 6), TensorShape([2]))
    """

    fixed = ("components", "covariance")
    classifies = True

    def __init__(self, components: Any = AUTO, covariance: str = "full", **kwargs: Any):
        super().__init__(**kwargs)
        auto = components == AUTO
        self.components: Any = AUTO if auto else positive_int(components, "components")
        self.covariance = one_of(covariance, "covariance", COVARIANCES)

    @property
    def classes(self) -> Any:
        """The components."""
        return self.components

    def build(self, input_shape: Any = None) -> None:
        """Create means, scales and logits for codes of shape (batch, *code)."""
        self.refuse_unfitted(None if self.components == AUTO else self.components)
        units, count = math.prod(input_shape[1:]), self.components
        self.logits = self.add_weight(name="logits", shape=(count,), initializer="zeros")
        spread = keras.initializers.RandomNormal(stddev=1.0)
        self.means = self.add_weight(name="means", shape=(count, units), initializer=spread)
        self.log_scales = self.add_weight(
            name="log_scales", shape=(count, units), initializer="zeros"
        )
        if self.covariance == "full":
            self.lower = self.add_weight(
                name="lower", shape=(count, units, units), initializer="zeros"
            )
        super().build(input_shape)

    def component_distribution(self) -> tfd.Distribution:
        """N(m_k, L_k L_k^T), batch shape (components,), event shape (units of all places,)."""
        means = tf.convert_to_tensor(self.means)
        if self.covariance == "diagonal":
            return tfd.MultivariateNormalDiag(means, tf.exp(self.log_scales.value))
        return tfd.MultivariateNormalTriL(means, self._factors())

    def distribution(self, *code_shape: int, condition: Any = None) -> tfd.Distribution:
        """The mixture, event shape (*code)."""
        del condition
        weights = tfd.Categorical(logits=tf.convert_to_tensor(self.logits))
        mixture = tfd.MixtureSameFamily(weights, self.component_distribution())
        return shaped(mixture, code_shape)

    def classify(self, code: tf.Tensor) -> tf.Tensor:
        """The logarithms of pi_k N(z; m_k, L_k L_k^T), (batch, components)."""
        vectors = tf.reshape(code, (-1, 1, self.means.shape[1]))
        found = self.component_distribution().log_prob(vectors)
        return found + tf.nn.log_softmax(self.logits.value)

    def draw(
        self,
        noise: Noise,
        batch: Any,
        *code_shape: int,
        label: Any = None,
        training: bool = False,
        condition: Any = None,
    ) -> PriorDraw:
        """See `Prior.draw`; the labels are the components."""
        del training, condition
        if label is None:
            shares = tf.cumsum(tf.nn.softmax(self.logits.value))
            uniform = noise.fold("component").uniform(batch)
            chosen = tf.minimum(tf.searchsorted(shares, uniform), self.components - 1)
        else:
            chosen = as_labels(label, batch, self.components)
        means = tf.gather(self.means.value, chosen)
        standard = noise.normal(batch, *means.shape[1:])
        if self.covariance == "diagonal":
            offset = tf.exp(tf.gather(self.log_scales.value, chosen)) * standard
        else:
            offset = tf.linalg.matvec(tf.gather(self._factors(), chosen), standard)
        code = tf.reshape(means + offset, (-1, *code_shape))
        return PriorDraw(tf.one_hot(chosen, self.components), code)

    def sample(self, noise: Noise, batch: Any, *code_shape: int) -> tf.Tensor:
        """Draws: a component for every row, and its Gaussian, (batch, *code) float32."""
        return self.draw(noise, batch, *code_shape).code

    def fit(self, codes: np.ndarray, seed: int = 0) -> None:
        """Fit the mixture to codes.

        Args:
            codes: (rows, *code).
            seed: of the start, and of the codes that are held out.

        Raises:
            ValueError: for fewer codes than components, or than expectation maximisation takes: 2, and one
                more that is held out.
        """
        count = self.components
        rows = as_rows(codes, 3 if count == AUTO else max(count, 2))
        found: dict[str, Any] = {"rows": len(rows)}
        if count == AUTO:
            found["held_out_log_likelihood"] = tried = self._held_out(rows, seed)
            count = max(tried, key=lambda known: tried[known])
        mixture = self._mixture(rows, count, seed)
        self.found(components=count, report=found)
        if not self.built:
            self.build((None, *codes.shape[1:]))
        self.logits.assign(np.log(mixture.weights_))
        self.means.assign(mixture.means_)
        if self.covariance == "diagonal":
            self.log_scales.assign(np.log(mixture.covariances_) / 2)
            return
        factors = np.linalg.cholesky(mixture.covariances_)
        self.log_scales.assign(np.log(np.diagonal(factors, axis1=1, axis2=2)))
        self.lower.assign(np.tril(factors, -1))

    def _held_out(self, rows: np.ndarray, seed: int) -> dict[int, float]:
        """Components -> mean log-likelihood of the codes held out, up to where more have not helped twice."""
        train, held_out = divided(rows, seed)
        tried: dict[int, float] = {}
        count = 1
        while count <= min(_MOST, len(train)):
            tried[count] = float(self._mixture(train, count, seed).score(held_out))
            best = max(tried, key=lambda known: tried[known])
            if count >= 4 * best:
                break
            count *= 2
        return tried

    def _mixture(self, rows: np.ndarray, count: int, seed: int) -> Any:
        from sklearn.mixture import GaussianMixture

        # Relative to the codes: their scale is the encoder's choice.
        floor = 1e-6 * max(float(rows.var(axis=0).mean()), 1e-6)
        kind = COVARIANCES[self.covariance]
        mixture = GaussianMixture(count, covariance_type=kind, reg_covar=floor, random_state=seed)
        return quietly(lambda: mixture.fit(rows))

    def _factors(self) -> tf.Tensor:
        strict = tf.linalg.band_part(self.lower.value, -1, 0)
        return tf.linalg.set_diag(strict, tf.exp(self.log_scales.value))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "components": self.components,
            "covariance": self.covariance,
        }
