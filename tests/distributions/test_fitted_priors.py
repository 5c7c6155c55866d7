"""Priors fitted after training, against scikit-learn and SciPy; saved, exported and seeded."""

import functools
import json
import random
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import gaussian_kde, norm
from sklearn.mixture import GaussianMixture

import zoo
from tests.conftest import make_vectors
from zoo.autoencoder.fitting import drawn_codes
from zoo.exporting import saved_model

RING = 4.0


def ring(rows=600, seed=0):
    """Codes on a noisy circle, which no single Gaussian fits."""
    random = np.random.default_rng(seed)
    angle = random.uniform(0, 2 * np.pi, rows)
    points = RING * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.float32(points + 0.2 * random.normal(size=(rows, 2)))


def fitted(name, codes, seed=0, **options):
    keras.utils.set_random_seed(0)
    prior = zoo.get(name, kind="prior", **options)
    prior.fit(codes, seed)
    return prior


def drawn(prior, rows, *shape, seed=0):
    return prior.sample(zoo.Noise(0, seed), rows, *shape).numpy()


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_a_mixture_is_that_of_scikit_learn(covariance):
    codes = ring()
    prior = fitted("gaussian_mixture", codes, components=3, covariance=covariance)
    kind = {"full": "full", "diagonal": "diag"}[covariance]
    floor = 1e-6 * codes.astype(float).var(axis=0).mean()
    other = GaussianMixture(3, covariance_type=kind, random_state=0, reg_covar=floor).fit(codes)
    density = prior.distribution(2).log_prob(codes[:50])
    assert_allclose(density, other.score_samples(codes[:50]), rtol=1e-3, atol=1e-3)
    new = drawn(prior, 40_000, 2)
    assert_allclose(new.mean(axis=0), codes.mean(axis=0), atol=0.06)
    assert_allclose(np.cov(new.T), np.cov(codes.T), atol=0.2)


def test_components_are_chosen_by_held_out_likelihood():
    clusters = np.repeat(np.eye(4) * 8, 60, axis=0) + np.random.default_rng(0).normal(size=(240, 4))
    prior = fitted("gaussian_mixture", clusters)
    tried = prior.report["held_out_log_likelihood"]
    assert prior.components == 4 == max(tried, key=tried.get)
    assert set(tried) >= {1, 2, 4, 8}


def test_labels_of_a_mixture_are_its_components():
    prior = fitted("gaussian_mixture", ring(), components=4)
    draw = prior.draw(zoo.Noise(0, 0), 500, 2, label=2)
    assert prior.classes == 4 and (draw.label.numpy().argmax(axis=1) == 2).all()
    assert_allclose(draw.code.numpy().mean(axis=0), prior.means.numpy()[2], atol=0.3)
    with pytest.raises(ValueError, match="from 0 to 3"):
        prior.draw(zoo.Noise(0, 0), 5, 2, label=4)


def test_weights_with_a_fitted_prior_are_not_loaded_without_a_place_for_it(tmp_path):
    def model():
        return zoo.create("vae", (6,), latents=2, hidden=(4,), seed=0)

    x = make_vectors(40, 6)
    found = model().fit_prior("gaussian_mixture", x, components=3)
    path = tmp_path / "found.weights.h5"
    found.save_weights(path)
    with pytest.raises(ValueError, match=r"the prior 'gaussian_mixture'.*zoo.load_model"):
        model().load_weights(path)
    again = model().fit_prior("gaussian_mixture", x[:20], components=3)
    again.load_weights(path)
    assert_array_equal(again.generate(5, seed=0), found.generate(5, seed=0))


def test_a_kernel_density_is_that_of_scipy():
    codes = ring(300)
    prior = fitted("kernel_density", codes, bandwidth=0.3)
    expected = gaussian_kde(codes.T.astype(float), bw_method=0.3).logpdf(codes[:40].T)
    assert_allclose(prior.distribution(2).log_prob(codes[:40]), expected, rtol=1e-3, atol=1e-3)
    # Scott's rule smooths the ring away; held-out codes ask for less.
    chosen = fitted("kernel_density", codes).report["width"]
    assert chosen < fitted("kernel_density", codes, bandwidth="scott").report["width"] / 2


def test_codes_with_noise_are_codes_with_noise():
    codes = ring(100) * [1.0, 10.0]
    prior = fitted("codes", codes, noise=0.05)
    new = drawn(prior, 2000, 2) / codes.std(axis=0)
    nearest = np.abs(new[:, None] - codes / codes.std(axis=0)).max(axis=-1).min(axis=1)
    assert nearest.max() < 0.05 * 5 and np.median(nearest) > 0.005
    kernels = norm(codes[None], 0.05 * codes.std(axis=0)).pdf(codes[:9, None]).prod(axis=-1)
    expected = np.log(kernels.mean(axis=1))
    assert_allclose(prior.distribution(2).log_prob(np.float32(codes[:9])), expected, atol=1e-3)
    exact = fitted("codes", codes, noise=0.0, limit=30)
    assert exact.rows == 30 and exact.distribution(2) is None
    distance = np.abs(drawn(exact, 50, 2)[:, None] - codes).max(axis=-1).min(axis=1)
    assert distance.max() < 1e-4


def test_a_flow_of_one_unit_is_an_affine_map():
    """oneDNN ends the process at a product of no numbers."""
    small = {"name": "flow", "layers": 2, "hidden": 4}
    model = zoo.create("vae", (6,), latents=1, hidden=(4,), prior=small)
    model.compile(jit_compile=False)
    x = make_vectors(20, 6)
    assert np.isfinite(model.fit(x, verbose=0).history["loss"][0])
    codes = np.float32(3 + 0.5 * np.random.default_rng(0).normal(size=(400, 1)))
    prior = fitted("flow", codes, layers=2, hidden=8, steps=400)
    assert_allclose(drawn(prior, 4000, 1).mean(), 3, atol=0.2)


def test_a_flow_learns_a_ring_and_its_density_is_one():
    codes = ring(1000)
    prior = fitted("flow", codes, layers=4, hidden=32, steps=300)
    gaussian = fitted("gaussian_mixture", codes, components=1).distribution(2)
    held_out = ring(300, seed=1)
    density = prior.distribution(2)
    gain = np.mean(density.log_prob(held_out)) - np.mean(gaussian.log_prob(held_out))
    assert gain > 0.5
    side = np.linspace(-9, 9, 241, dtype=np.float32)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    area = (side[1] - side[0]) ** 2
    assert_allclose(np.exp(density.log_prob(grid)).sum() * area, 1, atol=0.02)
    radius = np.linalg.norm(drawn(prior, 2000, 2), axis=1)
    assert_allclose(np.median(radius), RING, atol=0.3)


def test_a_second_vae_draws_what_looks_like_codes():
    # A line in three dimensions: gamma must come down, and the draws must lie along it.
    random = np.random.default_rng(0)
    codes = np.float32(random.normal(size=(800, 1)) * [1.0, -2.0, 0.5] + 5)
    codes += 0.02 * random.normal(size=codes.shape).astype(np.float32)
    prior = fitted("two_stage", codes, hidden=(16,), steps=800)
    assert 0 < prior.report["gamma"] < 0.6
    new = drawn(prior, 2000, 3)
    assert_allclose(new.mean(axis=0), 5, atol=0.4)
    assert_allclose(np.corrcoef(new.T), np.corrcoef(codes.T), atol=0.2)


def test_the_scale_of_the_second_stage_grows_too():
    """Of pythae's it can only shrink."""
    prior = fitted("two_stage", ring(200), hidden=(4,), steps=4)
    prior.second.likelihood.log_scale.assign(-4.0)
    rows = make_vectors(64, 2) * 6 - 3
    prior.second.fit(rows, batch_size=32, epochs=30, verbose=0)
    assert float(prior.second.likelihood.current_scale()) > 1.01 * np.exp(-4)


@pytest.fixture(scope="module")
def vae():
    model = zoo.create("vae", (6,), latents=2, hidden=(8,), seed=1)
    model.compile("adam", jit_compile=False)
    model.fit(make_vectors(160, 6), epochs=2, batch_size=16, verbose=0)
    return model


OPTIONS = {
    "gaussian_mixture": {"components": 2},
    "kernel_density": {},
    "codes": {"noise": 0.0},
    "flow": {"layers": 2, "hidden": 4, "steps": 10},
    "two_stage": {"hidden": (4,), "steps": 10},
    "manifold": {"limit": 20, "steps": 3},
}
OF_TRAINING = ("two_stage", "manifold")  # they have no density of their own


@pytest.fixture(scope="module")
def with_prior(vae):
    """Name -> the model with this prior, fitted once."""
    return functools.cache(
        lambda name: vae.fit_prior(name, make_vectors(160, 6), seed=2, **OPTIONS[name])
    )


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (name == "flow")) for name in OPTIONS]
)
def test_a_model_keeps_its_fitted_prior(vae, with_prior, name, tmp_path):
    x = make_vectors(160, 6)
    before = vae.generate(5, seed=3)
    model = with_prior(name)
    assert_array_equal(vae.generate(5, seed=3), before)  # the model itself stays as it was
    new = model.generate(5, seed=3)
    assert not np.array_equal(new, before)
    assert_array_equal(model.encode(x), vae.encode(x))
    again = vae.fit_prior(name, x, seed=2, **OPTIONS[name])
    assert_array_equal(again.generate(5, seed=3), new)  # by the seed alone
    model.save(tmp_path / "m.keras")
    with warnings.catch_warnings():  # as of slots of the second VAE's optimizer that are left out
        warnings.simplefilter("error")
        loaded = zoo.load_model(tmp_path / "m.keras")
    assert_array_equal(loaded.generate(5, seed=3), new)
    assert json.dumps(loaded.prior.report) == json.dumps(model.prior.get_config()["report"])
    if name not in ("gaussian_mixture", *OF_TRAINING):
        return
    terms = loaded.evaluate(x, verbose=0, return_dict=True)
    if name in OF_TRAINING:
        first = vae.evaluate(x, verbose=0, return_dict=True)
        assert_allclose(terms["kl"], first["kl"], rtol=1e-5)
        return
    kept = [w.numpy() for w in loaded.prior.weights]
    loaded.fit(x, verbose=0)
    for weight, value in zip(loaded.prior.weights, kept, strict=True):
        assert_array_equal(weight.numpy(), value)  # training leaves a fitted prior alone


@pytest.mark.parametrize("name", OPTIONS)
def test_an_export_draws_from_it(with_prior, name, tmp_path):
    model = with_prior(name)
    model.export(tmp_path / "saved", check=False)
    served = saved_model.load(tmp_path / "saved")["generate"](np.int32(5), np.int32(3))
    assert_allclose(served, model.generate(5, seed=3), rtol=1e-4, atol=1e-5)


POSTERIORS = np.float32([[0, 0], [3, 1], [1, 3]]), np.float32([[0.5, 0.3], [0.4, 0.8], [0.6, 0.6]])


def test_a_manifold_has_the_volume_of_its_metric():
    prior = fitted("manifold", POSTERIORS, steps=15)
    (loc, scale), radius = POSTERIORS, prior.report["radius"]
    gaps = np.square((loc[:, None] - loc) / scale[:, None]).sum(axis=-1) + np.diag([np.inf] * 3)
    assert_allclose(radius**2, np.median(gaps.min(axis=1)), rtol=1e-5)
    side = np.linspace(-14, 16, 151)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    middle = loc.mean(axis=0)
    extent = np.square(loc - middle).sum(axis=1).mean()
    metric = np.zeros((len(grid), 2, 2))
    metric += np.diag((scale**-2.0).min(axis=0)) * 1e-3
    metric *= np.exp(-np.square(grid - middle).sum(axis=1) / extent)[:, None, None]
    for m, s in zip(loc, scale, strict=True):
        near = np.exp(-np.square((grid - m) / s).sum(axis=1) / radius**2)
        metric += near[:, None, None] * np.diag(s**-2.0)
    volume = np.linalg.slogdet(metric)[1] / 2
    assert_allclose(prior.volume(tf.constant(grid, tf.float32)), volume, atol=1e-3)

    # The chains have that density.
    new = tf.function(lambda: prior.sample(zoo.Noise(0, 0), 4000, 2))().numpy()
    chances = np.exp(volume) / np.exp(volume).sum()
    assert_allclose(new.mean(axis=0), chances @ grid, atol=0.15)
    assert_allclose(np.cov(new.T), np.cov(grid.T, aweights=chances), atol=0.5)
    for m in loc:
        expected = chances @ (np.square(grid - m).sum(axis=1) < 1)
        assert_allclose(np.mean(np.square(new - m).sum(axis=1) < 1), expected, atol=0.02)


def test_a_manifold_is_made_of_normal_posteriors():
    x = make_vectors(30, 6)
    for name, options in (("autoencoder", {}), ("vae", {"posterior": "laplace"})):
        model = zoo.create(name, (6,), latents=2, hidden=(4,), **options)
        with pytest.raises(ValueError, match="made of normal posteriors"):
            model.fit_prior("manifold", x)


def test_the_codes_are_draws_of_a_vae_and_the_codes_of_an_autoencoder(vae):
    x = make_vectors(4000, 6)
    residual = drawn_codes(vae, x, seed=1) - vae.encode(x)
    assert_allclose(residual.std(axis=0), vae.posterior(x).stddev().numpy().mean(axis=0), rtol=0.1)
    assert_array_equal(drawn_codes(vae, x[:700], seed=1), drawn_codes(vae, x[:700], seed=1))
    plain = zoo.create("k_sparse_autoencoder", (6,), latents=4, k=2)
    assert_array_equal(drawn_codes(plain, x[:20]), plain.encode(x[:20]))


def test_a_fit_leaves_pythons_random_numbers_alone(vae):
    random.seed(0)
    expected = random.random()
    random.seed(0)
    vae.fit_prior("gaussian_mixture", make_vectors(20, 6), components=1)
    assert random.random() == expected


def test_a_grid_of_codes_has_a_fitted_prior():
    grid = make_vectors(90, 8).reshape(90, 2, 2, 2)
    for name, options in OPTIONS.items():
        given = (grid, np.abs(grid) + 0.1) if name == "manifold" else grid
        prior = fitted(name, given, **options)
        assert drawn(prior, 3, 2, 2, 2).shape == (3, 2, 2, 2), name
        density = prior.distribution(2, 2, 2)
        if density is not None:
            assert tuple(density.event_shape) == (2, 2, 2)
            assert tf.reduce_all(tf.math.is_finite(density.log_prob(grid[:4]))), name


def test_what_cannot_be_fitted_says_so(vae):
    x = make_vectors(20, 6)
    with pytest.raises(ValueError, match="'normal' has nothing to fit"):
        vae.fit_prior("normal", x)
    with pytest.raises(ValueError, match="at least 30 codes"):
        vae.fit_prior("gaussian_mixture", x, components=30)
    with pytest.raises(ValueError, match="at least 3 codes"):
        fitted("gaussian_mixture", ring(2))
    with pytest.raises(ValueError, match="at least 2 codes"):
        fitted("gaussian_mixture", ring(1), components=1)
    with pytest.raises(ValueError, match="Did you mean 'components'"):
        vae.fit_prior("gaussian_mixture", x, component=3)
    with pytest.raises(ValueError, match="is fitted after training"):
        zoo.create("vae", (6,), prior="codes")
    with pytest.raises(ValueError, match="NaN or infinity"):
        fitted("kernel_density", np.full((9, 2), np.nan))
