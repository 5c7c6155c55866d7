import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from zoo.evaluation import density
from zoo.evaluation.checks import NotComputable

W = np.array([[1.0, 0.5], [0.0, 1.5], [-1.0, 0.3], [0.4, 0.4]])
B = np.array([0.1, -0.2, 0.3, 0.0])
NOISE = 0.7


class LinearGaussian:
    """z ~ N(0, I), x | z ~ N(W z + b, s^2 I): everything is known in closed form."""

    def __init__(self, widen=1.0, deterministic=False, prior=True):
        precision = np.eye(2) + W.T @ W / NOISE**2
        self.covariance = np.linalg.inv(precision)
        self.root = np.linalg.cholesky(self.covariance) * widen
        self.deterministic, self.prior = deterministic, prior

    def location(self, x):
        return (x - B.astype("f4")) @ (W @ self.covariance / NOISE**2).astype("f4")

    def posterior(self, x):
        if self.deterministic:
            return None
        return tfd.MultivariateNormalTriL(self.location(x), self.root.astype("f4"))

    def conditional(self, z):
        mean = tf.matmul(z, W.T.astype("f4")) + B.astype("f4")
        return tfd.Independent(tfd.Normal(mean, NOISE), 1)

    def prior_distribution(self):
        return tfd.MultivariateNormalDiag(tf.zeros(2)) if self.prior else None

    @staticmethod
    def exact(x):
        marginal = scipy.stats.multivariate_normal(B, W @ W.T + NOISE**2 * np.eye(4))
        return marginal.logpdf(x)


@pytest.fixture(scope="module")
def x():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(60, 2))
    return (z @ W.T + B + NOISE * rng.normal(size=(60, 4))).astype(np.float32)


def test_with_the_exact_posterior_every_bound_is_the_marginal(x):
    found = density.per_example(LinearGaussian(), x, samples=3, batch_size=25)
    np.testing.assert_allclose(found["elbo"], LinearGaussian.exact(x), atol=2e-4)
    np.testing.assert_allclose(found["log_likelihood"], LinearGaussian.exact(x), atol=2e-4)
    np.testing.assert_allclose(found["effective_samples"], 3, rtol=1e-3)


def test_with_another_posterior_the_weighted_bound_comes_near_the_marginal(x):
    model = LinearGaussian(widen=1.5)
    found = density.per_example(model, x, samples=4000)
    exact = LinearGaussian.exact(x)
    np.testing.assert_allclose(found["log_likelihood"], exact, atol=0.15)
    assert found["log_likelihood"].mean() == pytest.approx(exact.mean(), abs=0.01)
    # The gap of the ELBO is KL(q || exact posterior), that of a widened Gaussian.
    gap = 2 * (1.5**2 - 1 - 2 * np.log(1.5)) / 2
    assert (exact - found["elbo"]).mean() == pytest.approx(gap, abs=0.02)
    assert (found["effective_samples"] < 4000).all()


def test_the_terms_equal_their_closed_forms(x):
    model = LinearGaussian()
    found = density.per_example(model, x, samples=4000)
    mean = model.location(x)
    trace, determinant = np.trace(model.covariance), np.linalg.det(model.covariance)
    kl = ((mean**2).sum(1) + trace - 2 - np.log(determinant)) / 2
    np.testing.assert_allclose(found["kl"], kl, atol=0.15)
    assert found["kl"].mean() == pytest.approx(kl.mean(), abs=0.01)
    np.testing.assert_allclose(
        found["elbo"], found["expected_log_likelihood"] - found["kl"], atol=1e-4
    )


def test_scores_are_means_with_a_standard_error(x):
    bounds = density.per_example(LinearGaussian(), x, samples=2)
    found = density.scores(bounds, bootstrap=500)
    values = bounds["log_likelihood"]
    assert found["log_likelihood"]["value"] == pytest.approx(values.mean())
    error = found["log_likelihood_standard_error"]
    assert error == pytest.approx(scipy.stats.sem(values))
    width = found["log_likelihood"]["high"] - found["log_likelihood"]["low"]
    assert width == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_one_example_has_no_standard_error(x):
    bounds = density.per_example(LinearGaussian(), x[:1], samples=2)
    with pytest.warns(UserWarning, match="one example has no spread"):
        assert np.isnan(density.scores(bounds)["log_likelihood_standard_error"])


def test_values_that_are_not_finite_are_nan_with_a_warning():
    bounds = {"kl": np.array([1.0, np.inf, 2.0]), "log_likelihood": np.zeros(3)}
    with pytest.warns(UserWarning, match="kl is NaN: .* too far out for 1 of 3 examples"):
        assert np.isnan(density.scores(bounds)["kl"])


def test_the_seed_fixes_the_draws(x):
    model = LinearGaussian(widen=1.5)
    first, again, other = (
        density.per_example(model, x, samples=5, seed=seed)["elbo"] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_aggregate_samples_follow_the_prior(x):
    rng = np.random.default_rng(1)
    z = rng.normal(size=(5000, 2))
    many = (z @ W.T + B + NOISE * rng.normal(size=(5000, 4))).astype(np.float32)
    draws = density.posterior_samples(LinearGaussian(), many)
    assert draws.shape == (5000, 2)
    np.testing.assert_allclose(draws.mean(0), 0, atol=0.05)
    np.testing.assert_allclose(np.cov(draws.T), np.eye(2), atol=0.08)


def test_what_has_no_density_is_not_computable(x):
    with pytest.raises(NotComputable, match="deterministic"):
        density.per_example(LinearGaussian(deterministic=True), x)
    with pytest.raises(NotComputable, match="prior has no density"):
        density.per_example(LinearGaussian(prior=False), x)
    assert density.posterior_samples(LinearGaussian(deterministic=True), x) is None
    with pytest.raises(ValueError, match="samples must be a whole number of at least 1"):
        density.per_example(LinearGaussian(), x, samples=0)


class Counting(LinearGaussian):
    """Counts what is drawn of q(z|x) and what is decoded."""

    def __init__(self):
        super().__init__(widen=1.5)
        self.decoded = 0

    def conditional(self, z):
        count = tf.py_function(self.count, [tf.shape(z)[0]], tf.int32)
        with tf.control_dependencies([count]):
            return super().conditional(tf.identity(z))

    def count(self, rows):
        self.decoded += int(rows)
        return rows


@pytest.mark.parametrize("samples", [1, 3])
def test_as_many_samples_are_drawn_as_were_asked_for(x, samples):
    """Pythae 0.1.2 draws a whole batch of them where fewer were asked for."""
    model = Counting()
    found = density.per_example(model, x, samples=samples, batch_size=25)
    assert model.decoded == samples * len(x)
    assert np.all(found["effective_samples"] <= samples + 1e-6)
    if samples == 1:
        np.testing.assert_allclose(found["log_likelihood"], found["elbo"])
