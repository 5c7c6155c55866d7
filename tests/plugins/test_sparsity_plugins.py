"""lp_norm, l1, hoyer and mmd against closed forms and NumPy."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.spatial.distance import cdist

import zoo
from zoo.noise import Noise


def forward_pass(code, step=0, prior=None):
    return zoo.ForwardPass(
        inputs=None,
        code=tf.constant(code, tf.float32),
        posterior=None,
        prior=prior,
        output=None,
        noise=Noise(0, step),
        step=tf.constant(step, tf.int64),
    )


def penalty(name, code, **options):
    return zoo.get(name, **options).penalty(forward_pass(code)).numpy()


@pytest.fixture
def codes():
    rng = np.random.default_rng(0)
    return rng.choice([-1, 1], (20, 5)) * rng.uniform(0.5, 3, (20, 5))


@pytest.mark.parametrize("p", [0.25, 0.5, 1.0, 1.5])
def test_lp_power_and_norm(codes, p):
    power = (np.abs(codes) ** p).sum(1)
    np.testing.assert_allclose(penalty("lp_norm", codes, p=p), power, rtol=5e-5)
    norm = penalty("lp_norm", codes, p=p, form="norm")
    np.testing.assert_allclose(norm, power ** (1 / p), rtol=2e-4)


def test_lp_power_is_the_density_of_a_generalised_normal(codes):
    """The L_P autoencoder is a maximum a posteriori: alpha |z|^p = -log p(z) up to a constant."""
    p, alpha = 0.7, 0.3
    prior = zoo.get("generalized_normal", "prior", p=p, scale=alpha ** (-1 / p))
    density = -prior.distribution(5).log_prob(codes.astype("float32")).numpy()
    difference = density - alpha * penalty("lp_norm", codes, p=p)
    assert np.ptp(difference) < 1e-3
    scipy_density = -stats.gennorm.logpdf(codes, p, scale=alpha ** (-1 / p)).sum(1)
    np.testing.assert_allclose(density, scipy_density, rtol=1e-5)


def test_lp_difference_is_zero_only_for_one_active_unit():
    one = np.eye(4) * [[3.0], [-2.0], [0.5], [1.0]]
    assert np.abs(penalty("lp_norm", one, form="difference")).max() < 1e-4
    two = np.array([[1.0, 1.0, 0, 0], [0.0, -3.0, 2.0, 0]])
    values = penalty("lp_norm", two, form="difference")
    assert (values > 1).all()
    scaled = penalty("lp_norm", 10 * two, form="difference")
    np.testing.assert_allclose(scaled, 10 * values, rtol=0.05)


def test_on_the_unit_circle_one_sparse_codes_have_the_least_power():
    angle = np.linspace(0, np.pi / 2, 91)
    circle = np.stack([np.cos(angle), np.sin(angle)], 1)
    for p in (0.3, 1.0, 1.9):
        values = penalty("lp_norm", circle, p=p)
        assert {int(values.argmin())} <= {0, 90}


def test_lp_direction_is_the_power_of_codes_of_length_one(codes):
    unit = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    for scale in (1.0, 1e-3, 1e3):
        found = penalty("lp_norm", scale * codes, p=0.5, form="direction")
        np.testing.assert_allclose(found, (np.abs(unit) ** 0.5).sum(1), rtol=2e-3)
    alike = penalty("lp_norm", np.eye(4) + 1e-9, form="direction")
    np.testing.assert_allclose(alike, 1, atol=1e-2)
    np.testing.assert_allclose(
        penalty("lp_norm", np.ones((1, 4)), form="direction"), 4**0.75, rtol=1e-3
    )


@pytest.mark.parametrize("form", ["power", "norm", "difference", "direction"])
def test_lp_gradient_is_finite_everywhere_and_zero_at_zero(form):
    code = tf.Variable([[0.0, 0.0, 0.0], [0.0, 1e-8, 1.0]])
    with tf.GradientTape() as tape:
        value = zoo.get("lp_norm", p=0.5, form=form).penalty(
            dataclasses.replace(forward_pass(np.zeros((1, 1))), code=code)
        )
    gradient = tape.gradient(value, code).numpy()
    assert np.isfinite(gradient).all()
    np.testing.assert_allclose(gradient[0], 0, atol=1e-6)


def test_lp_power_by_a_schedule(codes):
    import keras

    falling = keras.optimizers.schedules.PolynomialDecay(2.0, 10, end_learning_rate=1.0)
    made = zoo.get("lp_norm", p=falling)
    for step, p in ((0, 2.0), (5, 1.5), (10, 1.0)):
        got = made.penalty(forward_pass(codes, step))
        np.testing.assert_allclose(got, (np.abs(codes) ** p).sum(1), rtol=5e-5)
    again = type(made).from_config(made.get_config())
    assert float(again.p(5)) == pytest.approx(1.5)


def test_l1(codes):
    np.testing.assert_allclose(penalty("l1", codes), np.abs(codes).sum(1), rtol=1e-6)


def test_hoyer_runs_from_one_sparse_to_equal_and_ignores_scale(codes):
    np.testing.assert_allclose(penalty("hoyer", np.eye(4) * 7), 0, atol=1e-6)
    np.testing.assert_allclose(penalty("hoyer", np.full((1, 4), -2.0)), 1, rtol=1e-6)
    root = np.sqrt(codes.shape[1])
    ratio = np.abs(codes).sum(1) / np.linalg.norm(codes, axis=1)
    np.testing.assert_allclose(penalty("hoyer", codes), (ratio - 1) / (root - 1), rtol=1e-5)
    np.testing.assert_allclose(penalty("hoyer", 9 * codes), penalty("hoyer", codes), rtol=1e-5)


KERNELS = {
    "gaussian": lambda d, h: np.exp(-(d**2) / (2 * h * h)),
    "laplacian": lambda d, h: np.exp(-d / h),
    "inverse_multiquadric": lambda d, h: sum(
        s * 6 * h * h / (s * 6 * h * h + d**2) for s in (0.1, 0.2, 0.5, 1, 2, 5, 10)
    ),
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("unbiased", [True, False])
def test_mmd_is_the_u_or_v_statistic(kernel, unbiased):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(12, 3)), rng.normal(1, 2, size=(9, 3))
    made = zoo.get("mmd", kernel=kernel, bandwidth=1.3, unbiased=unbiased)
    got = made.discrepancy(tf.constant(x, tf.float32), tf.constant(y, tf.float32))
    k = KERNELS[kernel]

    def within(a):
        values = k(cdist(a, a), 1.3)
        n = len(a)
        return (values.sum() - np.trace(values)) / (n * (n - 1)) if unbiased else values.mean()

    expected = within(x) + within(y) - 2 * k(cdist(x, y), 1.3).mean()
    np.testing.assert_allclose(float(got), expected, rtol=1e-4, atol=1e-5)


def expected_kernel(m1, v1, m2, v2, h):
    total = h * h + v1 + v2
    d = len(m1)
    return (h * h / total) ** (d / 2) * np.exp(-((m1 - m2) ** 2).sum() / (2 * total))


def test_mmd_is_unbiased_between_two_gaussians():
    """The mean of the U-statistic over many draws is the closed form; the V-statistic lies above."""
    rng = np.random.default_rng(2)
    m1, m2, v1, v2, h, n = np.zeros(2), np.array([0.5, -0.3]), 1.0, 1.5, 1.1, 8
    truth = (
        expected_kernel(m1, v1, m1, v1, h)
        + expected_kernel(m2, v2, m2, v2, h)
        - 2 * expected_kernel(m1, v1, m2, v2, h)
    )
    made = {u: zoo.get("mmd", bandwidth=h, unbiased=u) for u in (True, False)}
    estimate = tf.function(lambda u, x, y: made[u].discrepancy(x, y))
    draws = {True: [], False: []}
    for _ in range(3000):
        x = tf.constant(m1 + np.sqrt(v1) * rng.normal(size=(n, 2)), tf.float32)
        y = tf.constant(m2 + np.sqrt(v2) * rng.normal(size=(n, 2)), tf.float32)
        for unbiased, values in draws.items():
            values.append(float(estimate(unbiased, x, y)))
    error = np.std(draws[True]) / np.sqrt(len(draws[True]))
    assert abs(np.mean(draws[True]) - truth) < 4 * error
    bias = sum(1 - expected_kernel(m, v, m, v, h) for m, v in ((m1, v1), (m2, v2))) / n
    assert np.mean(draws[False]) - truth == pytest.approx(bias, abs=4 * error)


def test_mmd_of_codes_from_the_prior_is_near_zero_and_far_from_it_is_not():
    prior = zoo.get("laplace", "prior").distribution(3)
    rng = np.random.default_rng(3)
    near = forward_pass(rng.laplace(size=(500, 3)), prior=prior)
    far = forward_pass(rng.laplace(2, 1, size=(500, 3)), prior=prior)
    made = zoo.get("mmd")
    assert abs(float(made.penalty(near))) < 0.01
    assert float(made.penalty(far)) > 0.2


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("lp_norm", {"p": 0}, "above 0"),
        ("lp_norm", {"p": -1.0}, "above 0"),
        ("lp_norm", {"form": "root"}, "power, norm, difference, direction"),
        ("lp_norm", {"weight": -0.1}, "at least 0"),
        ("l1", {"weight": float("nan")}, "finite"),
        ("mmd", {"kernel": "cosine"}, "gaussian"),
        ("mmd", {"bandwidth": 0.0}, "above 0"),
    ],
)
def test_bad_options(name, options, message):
    with pytest.raises(ValueError, match=message):
        zoo.get(name, **options)


def test_regularizers_say_what_they_need():
    with pytest.raises(ValueError, match="at least 2 latents"):
        zoo.create("autoencoder", (4,), latents=1, hidden=(4,), regularizers=["hoyer"])
    with pytest.raises(ValueError, match="needs a model whose prior has a density"):
        zoo.create("autoencoder", (4,), latents=2, hidden=(4,), regularizers=["mmd"])


def test_hoyer_of_a_dead_code_is_no_reward():
    np.testing.assert_array_equal(penalty("hoyer", np.zeros((2, 4))), 0)
    code = tf.Variable(np.zeros((2, 4), np.float32))
    with tf.GradientTape() as tape:
        value = zoo.get("hoyer").penalty(dataclasses.replace(forward_pass(0), code=code.value()))
    assert np.isfinite(tape.gradient(value, code)).all()


def test_l1_of_a_raw_code_needs_one():
    x, term = np.random.default_rng(0).random((32, 6), np.float32), {"name": "l1", "of": "raw"}
    options = {"latents": 2, "hidden": (4,), "regularizers": [term]}
    grid = zoo.create("vq_vae", (6,), places=3, codes=4, **options)
    grid.compile("adam", jit_compile=False)
    raw = np.asarray(grid.bottleneck.raw(grid.encoder(x)))
    expected = np.maximum(raw, 0).sum() / len(x)
    found = grid.evaluate(x, verbose=0, return_dict=True)["l1"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    drawn = zoo.create("vae", (6,), **options)
    drawn.compile("adam", jit_compile=False)
    with pytest.raises(ValueError, match="needs a bottleneck with a raw code, such as 'gated'"):
        drawn.evaluate(x, verbose=0)


def test_a_quantized_code_has_no_jacobian():
    options = {"latents": 2, "codes": 4, "hidden": (4,), "regularizers": ["contractive"]}
    model = zoo.create("vq_vae", (6,), **options)
    model.compile("adam", jit_compile=False)
    with pytest.raises(ValueError, match="needs a code with a gradient for x"):
        model.evaluate(np.random.default_rng(0).random((32, 6), np.float32), verbose=0)
