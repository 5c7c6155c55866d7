import numpy as np
import pytest
from scipy import stats

import zoo
from zoo.visualization import calibration, posterior_ranks, prior_ranks
from zoo.visualization.figures.calibration import _distribution_function, kolmogorov


class Conjugate:
    """z ~ N(0, 1), x | z ~ N(z, s^2): the posterior is N(x / (1 + s^2), s^2 / (1 + s^2))."""

    def __init__(self, width=1.0, noise=0.5):
        self.width, self.noise = width, noise

    def prior_distribution(self):
        from tensorflow_probability import distributions as tfd

        return tfd.Independent(tfd.Normal(np.zeros(2, np.float32), 1.0), 1)

    def conditional(self, z):
        from tensorflow_probability import distributions as tfd

        return tfd.Independent(tfd.Normal(z, self.noise), 1)

    def posterior(self, x):
        from tensorflow_probability import distributions as tfd

        variance = self.noise**2 / (1 + self.noise**2)
        mean = np.asarray(x, np.float32) / (1 + self.noise**2)
        scale = np.float32(self.width * np.sqrt(variance))
        return tfd.Independent(tfd.Normal(mean, scale), 1)


def test_ranks_of_the_true_posterior_are_uniform():
    ranks = posterior_ranks(Conjugate(), 1000)
    assert ranks.shape == (1000, 2)
    for column in ranks.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(("width", "tails"), [(0.4, True), (2.5, False)])
def test_ranks_tell_a_narrow_posterior_from_a_wide_one(width, tails):
    ranks = posterior_ranks(Conjugate(width), 1000)
    expected = 2 * stats.norm.cdf(stats.norm.ppf(0.05) * width)  # share beyond the 5 % tails
    found = np.mean((ranks < 0.05) | (ranks > 0.95))
    np.testing.assert_allclose(found, expected, atol=5 * np.sqrt(expected / 2000))
    assert (found > 0.1) == tails


def test_codes_of_data_under_the_prior():
    x = np.random.default_rng(0).normal(size=(2000, 2)) * np.sqrt(1.25)  # the model's own p(x)
    assert max(kolmogorov(column) for column in prior_ranks(Conjugate(), x).T) < 0.05
    shifted = prior_ranks(Conjugate(), x + 3)
    assert min(kolmogorov(column) for column in shifted.T) > 0.5


def test_ranks_without_a_distribution_function_count_draws():
    from tensorflow_probability import distributions as tfd

    z = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    full = tfd.MultivariateNormalTriL(np.zeros((300, 2), np.float32), np.eye(2, dtype=np.float32))
    found = _distribution_function(full, z, seed=0)
    np.testing.assert_allclose(found, stats.norm.cdf(z), atol=0.2)  # 200 draws: deviation .035
    assert np.abs(found - stats.norm.cdf(z)).mean() < 0.05


def test_curves_are_the_empirical_distribution_functions():
    ranks = np.random.default_rng(0).uniform(size=(50, 3))
    figure = calibration(ranks, ranks[:20], names=["a", "b", "c"], limit=2)
    assert len(figure.axes) == 2
    _diagonal, *curves = figure.axes[0].lines
    assert [line.get_label() for line in curves] == [
        "abc"[i] for i in sorted(np.argsort([-kolmogorov(column) for column in ranks.T])[:2])
    ]
    unit = "abc".index(curves[0].get_label())
    x, y = curves[0].get_data()
    np.testing.assert_allclose(y[1:-1], [np.mean(ranks[:, unit] <= p) for p in x[1:-1]])
    assert len(calibration(ranks).axes) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.full((3, 2), 1.5),), r"posterior must be probabilities in \[0, 1\]; received 1.5"),
        ((np.zeros((3, 2)), np.zeros((3, 1))), "same units; received 2 and 1"),
        ((np.zeros((3, 2)), None, ["a"]), "each of the 2 units; received 1"),
    ],
)
def test_bad_ranks_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        calibration(*arguments)


def test_models_without_the_parts_are_refused(linear_model, digits):
    model = linear_model(digits[0][:50], 2)
    model.prior_distribution = lambda: None
    with pytest.raises(ValueError, match="needs a model with a prior"):
        posterior_ranks(model)
    with pytest.raises(ValueError, match="needs a prior"):
        prior_ranks(model, digits[0][:5])
    deterministic = Conjugate()
    deterministic.posterior = lambda x: None
    with pytest.raises(ValueError, match="this one is deterministic"):
        posterior_ranks(deterministic, 5)


def test_the_ranks_under_a_flow_are_those_among_its_draws():
    model = zoo.create("vae", (6,), latents=2, hidden=(4,), prior="flow", seed=0)
    z = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    found = _distribution_function(model.prior_distribution(), z, 0)
    draws = np.asarray(model.sample_prior(4000, 0))
    expected = (draws[None] < z[:, None]).mean(axis=1)
    np.testing.assert_allclose(found, expected, atol=0.15)
    x = np.random.default_rng(0).random((5, 6), np.float32)
    assert prior_ranks(model, x).shape == (5, 2)
