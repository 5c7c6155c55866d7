"""The likelihood of mixed columns against scipy.stats, column by column."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats

import zoo
from zoo.trainer.intake import Intake
from zoo.trainer.refusals import plain_errors

RANDOM = np.random.default_rng(0)
N = 7
GROUPS = [
    {"name": "normal", "columns": 2, "scale": "each"},
    "bernoulli",
    {"name": "one_hot", "columns": 3},
    "poisson",
    {"name": "negative_binomial", "columns": 2, "dispersion": "each"},
    {"name": "laplace", "scale": 0.5},
]
NUMBERS, CATEGORY = RANDOM.normal(size=(N, 2)), RANDOM.integers(0, 3, N)
YES, COUNTS = RANDOM.integers(0, 2, (N, 1)), RANDOM.poisson(3, (N, 3))
LAST = RANDOM.normal(size=(N, 1))
X = np.concatenate([NUMBERS, YES, np.eye(3)[CATEGORY], COUNTS, LAST], axis=1).astype("float32")
OUTPUT = RANDOM.normal(size=(N, 12)).astype("float32")
SCALES = np.array([0.7, 2.5])


@pytest.fixture(scope="module")
def likelihood():
    made = zoo.get("columns", "likelihood", groups=GROUPS)
    made.build((None, 10))
    made.members[0].log_scale.assign(np.log(SCALES))
    return made


def expected():
    """(N, 10) log p by SciPy; a category's whole term stands at its level."""
    mean, logit, levels, rate, m, theta, middle = np.split(
        OUTPUT.astype("float64"), [2, 3, 6, 7, 9, 11], axis=1
    )
    m, theta = np.exp(m), np.exp(theta)
    return np.concatenate(
        [
            stats.norm.logpdf(NUMBERS, mean, SCALES),
            stats.bernoulli.logpmf(YES, special.expit(logit)),
            np.eye(3)[CATEGORY] * special.log_softmax(levels, axis=1),
            stats.poisson.logpmf(COUNTS[:, :1], np.exp(rate)),
            stats.nbinom.logpmf(COUNTS[:, 1:], theta, theta / (theta + m)),
            stats.laplace.logpdf(LAST, middle, 0.5),
        ],
        axis=1,
    )


def test_every_column_is_scipys(likelihood):
    assert likelihood.decoder_shape((10,)) == (12,)
    assert_allclose(-likelihood.elementwise(OUTPUT, X), expected(), rtol=1e-4, atol=1e-5)
    assert_allclose(-likelihood.loss(OUTPUT, X), expected().sum(axis=1), rtol=1e-5)
    found = likelihood.distribution(OUTPUT)
    assert tuple(found.event_shape) == (10,)
    assert_allclose(found.log_prob(X), expected().sum(axis=1), rtol=1e-5)


def test_missing_columns_do_not_count(likelihood):
    mask = RANDOM.integers(0, 2, X.shape).astype("float32")
    assert_allclose(
        -likelihood.loss(OUTPUT, X, mask), (expected() * mask).sum(axis=1), rtol=1e-4, atol=1e-5
    )


def test_means_are_those_of_the_columns(likelihood):
    mean = likelihood.mean(OUTPUT).numpy()
    assert_allclose(mean, likelihood.distribution(OUTPUT).mean(), rtol=1e-5)
    assert_allclose(mean[:, 3:6], special.softmax(OUTPUT[:, 3:6], axis=1), rtol=1e-5)
    assert_allclose(mean[:, 6], np.exp(OUTPUT[:, 6]), rtol=1e-5)
    drawn = likelihood.distribution(OUTPUT).sample(4000, seed=1).numpy()
    spread = drawn.std(axis=0) / np.sqrt(len(drawn))
    assert (np.abs(drawn.mean(axis=0) - mean) < 6 * spread + 1e-3).all()


def test_the_encoder_sees_logarithms_of_counts(likelihood):
    seen = likelihood.seen(X).numpy()
    assert_allclose(seen[:, 6:9], np.log1p(COUNTS), rtol=1e-6)
    assert_array_equal(np.delete(seen, [6, 7, 8], axis=1), np.delete(X, [6, 7, 8], axis=1))


WRONG = {
    "bernoulli": (2, 2.0, "'bernoulli', which takes numbers from 0 to 1; received 2 in row"),
    "poisson": (6, 1.5, "'poisson', which takes counts; received 1.5 in row"),
    "negative_binomial": (8, -1.0, "'negative_binomial', which takes counts; received -1 in row"),
    "one_hot": (4, -0.5, "'one_hot', which takes numbers from 0 to 1; received -0.5 in row"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_number_is_refused_with_its_column_by_every_door(likelihood, kind):
    """An array, batches of a graph with a place of their own, and batches of Python."""
    place, value, message = WRONG[kind]
    wrong = X.copy()
    wrong[4, place] = value
    intake = Intake((10,))
    intake.rules = likelihood.rules
    message = f"Column {place} of x has the likelihood {message}"
    with pytest.raises(ValueError, match=f"{message} 4. Encode the table by zoo.data.columns"):
        intake.arrays(wrong)
    batches = tf.data.Dataset.from_tensor_slices(wrong).batch(3)
    with pytest.raises(ValueError, match=f"{message} 1 of a batch"), plain_errors("x"):
        for _ in batches.map(lambda x: intake.stream_fields(x, "training")):
            pass
    with pytest.raises(ValueError, match=f"{message} 1 of a batch"), plain_errors("x"):
        for _ in intake.stream([wrong[:3], wrong[3:]], "x"):
            pass
    intake.arrays(X)
    list(tf.data.Dataset.from_tensors(X).map(lambda x: intake.stream_fields(x, "training")))
    if kind != "poisson":  # whose loss is that of the whole number
        assert_array_equal(np.flatnonzero(np.isnan(likelihood.loss(OUTPUT, wrong))), [4])


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([], "needs groups="),
        (["normal", "columns"], "needs groups="),
        ([{"name": "normal", "columns": 0}], "columns of a group must be"),
        ([{"name": "categorical", "levels": 3, "columns": 10}], "for a category take 'one_hot'"),
        (["normal"], "have 1 columns; received examples of shape"),
    ],
)
def test_groups_that_do_not_fit_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        likelihood = zoo.get("columns", "likelihood", groups=groups)
        likelihood.decoder_shape((10,))


def test_a_model_holds_each_column_to_its_own_and_saves(tmp_path):
    model = zoo.create(
        "vae",
        (10,),
        latents=2,
        hidden=(3,),
        likelihood={"name": "columns", "groups": GROUPS},
        seed=0,
    )
    wrong = X.copy()
    wrong[4, 2] = 2
    with pytest.raises(ValueError, match="Column 2 of x has the likelihood 'bernoulli'"):
        model.encode(wrong)
    model.save(tmp_path / "m.keras")
    again = zoo.load_model(tmp_path / "m.keras")
    assert_array_equal(again.reconstruct(X), model.reconstruct(X))
    assert again.likelihood.widths == (2, 1, 3, 1, 2, 1)
    with pytest.raises(ValueError, match="standardize=True makes numbers on both sides of 0"):
        zoo.create("vae", (10,), standardize=True, likelihood={"name": "columns", "groups": GROUPS})


def test_a_scale_of_its_own_is_fitted_to_each_column():
    """Where the gradient of a column's scale vanishes, it is the deviation around the mean."""
    made = zoo.get("normal", "likelihood", scale="each")
    made.build((None, 2))
    values = RANDOM.normal(size=(500, 2)) * [0.2, 3.0]
    made.log_scale.assign(np.log(np.sqrt((values**2).mean(axis=0))))
    with tf.GradientTape() as tape:
        loss = made.loss(np.zeros((500, 2), "float32"), values.astype("float32"))
    assert_allclose(tape.gradient(loss, made.log_scale.value), [0, 0], atol=1e-2)
