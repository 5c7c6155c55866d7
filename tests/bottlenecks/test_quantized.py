"""Quantized codes against NumPy; books that neither collapse nor fly away."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import entropy

import zoo
from tests.conftest import make_vectors
from zoo.autoencoder.fitting import indices
from zoo.bottlenecks import FiniteScalar, LookupFree, ResidualQuantized, VectorQuantized
from zoo.distributions.autoregressive_prior import AutoregressivePrior

CENTRES = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32) * 4


def clustered(rows=256, seed=0):
    """Vectors around 8 centres."""
    random = np.random.default_rng(seed)
    return CENTRES[np.arange(rows) % 8] + 0.05 * np.float32(random.normal(size=(rows, 4)))


def bare(made, units=4):
    """A bottleneck whose dense layer hands its features on."""
    made.build((None, units))
    made.dense.set_weights([np.eye(units), np.zeros(units)])
    return made


def trained(bottleneck, steps, batches=clustered):
    """The last code after some training steps."""
    for step in range(steps):
        code = bottleneck.draw(tf.constant(batches(seed=step)), zoo.Noise(0, step), step, True)
    return code


def test_entries_are_the_nearest_and_the_gradient_is_that_of_a_copy():
    bottleneck = bare(VectorQuantized(4, codes=6, beta=0.25))
    x = tf.Variable(make_vectors(20, 4))
    book = np.random.default_rng(1).random((6, 4), np.float32)
    bottleneck.books.assign(book[None])
    with tf.GradientTape() as tape:
        code = bottleneck.draw(x, zoo.Noise(0, 0), 0, False)
        total = tf.reduce_sum(3.0 * code.value)
    distance = np.square(x.numpy()[:, None] - book).sum(axis=-1)
    nearest = distance.argmin(axis=1)
    assert_array_equal(code.notes["index"].numpy()[:, 0], nearest)
    assert_allclose(code.value, book[nearest], rtol=1e-5, atol=1e-6)
    assert_allclose(tape.gradient(total, x), 3.0)
    # A sum over the code, as -log p(x|z) is over the event, and not a mean.
    assert_allclose(code.losses["commitment"], 0.25 * distance.min(axis=1), rtol=1e-4, atol=1e-6)


def test_the_nearest_is_found_far_from_0_too():
    random = np.random.default_rng(0)
    bottleneck = bare(VectorQuantized(4, codes=32))
    book, x = (np.float32(3000 + random.normal(size=(count, 4))) for count in (32, 500))
    bottleneck.books.assign(book[None])
    index = bottleneck.quantise(tf.constant(x))[1].numpy()[:, 0]
    distance = np.square(x[:, None].astype("float64") - book).sum(axis=-1)
    assert_array_equal(index, distance.argmin(axis=1))


def test_usage_and_perplexity_are_those_of_the_batch():
    bottleneck = bare(VectorQuantized(4, codes=6))
    code = bottleneck.draw(make_vectors(50, 4), zoo.Noise(0, 0), 0, False)
    counts = np.bincount(code.notes["index"].numpy()[:, 0], minlength=6)
    assert_allclose(code.measures["usage"], (counts > 0).mean())
    assert_allclose(code.measures["perplexity"], np.exp(entropy(counts)), rtol=1e-5)


def test_averages_are_those_of_the_appendix():
    bottleneck = bare(VectorQuantized(4, codes=3, decay=0.9, restart=0.0))
    bottleneck.begun.assign(1.0)
    book = np.random.default_rng(1).random((3, 4), np.float32)
    bottleneck.books.assign(book[None])
    bottleneck.shares.assign([[0.5, 0.3, 0.2]])
    x = make_vectors(30, 4)
    code = bottleneck.draw(x, zoo.Noise(0, 0), 0, True)
    index = code.notes["index"].numpy()[:, 0]
    one_hot = np.eye(3)[index]
    shares = 0.9 * np.array([0.5, 0.3, 0.2]) + 0.1 * one_hot.mean(axis=0)
    sums = 0.9 * np.array([0.5, 0.3, 0.2])[:, None] * book + 0.1 * one_hot.T @ x / 30
    assert_allclose(bottleneck.shares[0], shares, rtol=1e-5)
    assert_allclose(bottleneck.books[0], sums / shares[:, None], rtol=1e-5)
    assert_allclose(code.value, book[index], rtol=1e-5, atol=1e-6)  # of before the step


def test_the_book_begins_as_k_means_of_the_first_batch():
    bottleneck = bare(VectorQuantized(4, codes=8))
    code = trained(bottleneck, 1)
    assert float(code.measures["perplexity"]) > 4
    centres = bottleneck.books.numpy()[0]
    nearest = np.linalg.norm(CENTRES[:, None] - centres, axis=-1).min(axis=1)
    assert np.median(nearest) < 0.2


def test_entries_that_nothing_chooses_stay_where_they_are_or_are_placed_anew():
    """Averages that begin at 0 threw them to 193 (van den Oord's data lie within 13)."""
    for restart in (0.0, 0.03):
        bottleneck = bare(VectorQuantized(4, codes=24, restart=restart, decay=0.9))
        bottleneck.begun.assign(1.0)
        bottleneck.books.assign(np.full((1, 24, 4), 9.0) + np.arange(24)[None, :, None] * 0.01)
        bottleneck.shares.assign(np.full((1, 24), 1 / 24))
        trained(bottleneck, 60)
        books = bottleneck.books.numpy()[0]
        assert np.abs(books).max() < 14
        used = len(np.unique(bottleneck.quantise(tf.constant(clustered()))[1]))
        assert used > 12 if restart else used < 12


def test_each_level_quantises_what_is_left():
    bottleneck = bare(ResidualQuantized(4, codes=8, levels=3, decay=0.8))
    data = lambda seed: make_vectors(200, 4)  # noqa: E731
    for step in range(3):
        bottleneck.draw(tf.constant(data(step)), zoo.Noise(0, step), step, True)
    x, books = data(0), bottleneck.books.numpy()
    left, losses = x.copy(), 0.0
    for book in books:
        left = left - book[np.square(left[:, None] - book).sum(axis=-1).argmin(axis=1)]
        losses += 0.25 * np.square(left).sum(axis=1)
    code = bottleneck.draw(tf.constant(x), zoo.Noise(0, 0), 0, False)
    assert_allclose(code.value, x - left, rtol=1e-4, atol=1e-5)
    assert_allclose(code.losses["commitment"], losses, rtol=1e-4)
    index = code.notes["index"]
    assert index.shape == (200, 3)
    assert_allclose(bottleneck.look_up(index), code.value, rtol=1e-5, atol=1e-6)
    errors = [np.square(x - books[:1].mean(axis=(0, 1))).mean(), np.square(left).mean()]
    assert errors[1] < errors[0] / 8


@pytest.mark.parametrize("sizes", [(5, 4, 3), (8, 2), (7,)])
def test_finite_scalars_take_every_level_and_no_other(sizes):
    units = len(sizes)
    bottleneck = bare(FiniteScalar(sizes), units)
    spread = np.float32(np.random.default_rng(0).uniform(-3, 3, (9000, units)))
    raw = bottleneck.raw(tf.constant(spread))
    code, index = bottleneck.quantise(raw)
    for unit, size in enumerate(sizes):
        levels = np.unique(code.numpy()[:, unit])
        assert_allclose(levels, (np.arange(size) - size // 2) / (size // 2))
    assert bottleneck.vocabulary == np.prod(sizes)
    assert_array_equal(np.unique(index), np.arange(np.prod(sizes)))
    assert_allclose(bottleneck.look_up(index), code)
    assert_array_equal(bottleneck.indices(code), index)


def test_finite_scalars_are_those_of_the_paper():
    """`bound` of appendix A.1: where there is an even number of levels, 0 is a level, and not an edge."""
    sizes = np.array([8, 5, 4, 2])
    half = (sizes - 1) * (1 - 1e-3) / 2
    offset = np.where(sizes % 2, 0.0, 0.5)
    z = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    normalised = z / np.sqrt(1 + 1e-3)  # by the epsilon of the normalisation
    bound = half * np.tanh(normalised + np.tan(offset / half)) - offset
    bottleneck = bare(FiniteScalar(sizes), 4)
    raw = bottleneck.raw(tf.constant(z))
    assert_allclose(raw * (sizes // 2), bound, rtol=1e-4, atol=1e-5)
    assert_allclose(bottleneck.quantise(raw)[0] * (sizes // 2), np.round(bound), atol=1e-6)
    assert_array_equal(bottleneck.quantise(bottleneck.raw(tf.zeros((1, 4))))[0], np.zeros((1, 4)))


def test_finite_scalars_do_not_saturate():
    """Without normalisation before tanh a small network was left with one entry in 90 steps."""
    model = zoo.create("fsq_vae", (6,), sizes=(5, 5), places=2, hidden=(16,), seed=0)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    x = make_vectors(256, 6)
    model.fit(x, epochs=20, batch_size=32, verbose=0)
    index = model.bottleneck.indices(model.encode(x)).numpy()
    assert len(np.unique(index)) > 25 / 2


def test_bits_are_cut_at_the_middle_of_the_units():
    """Cut at 0, units that lie on one side of it make one entry, which no gradient leaves."""
    bottleneck = bare(LookupFree(4))
    x = make_vectors(200, 4) + 5
    code = bottleneck.draw(tf.constant(x), zoo.Noise(0, 0), 0, True)
    assert_array_equal(np.sign(code.value), np.where(x > x.mean(axis=0), 1, -1))
    assert float(code.measures["usage"]) >= 0.5  # the units go together


def test_bits_and_their_entropies():
    bottleneck = bare(LookupFree(4))
    x = np.float32(np.random.default_rng(0).normal(size=(30, 4)))
    code, index = bottleneck.quantise(tf.constant(x))
    assert_array_equal(code, np.where(x > 0, 1, -1))
    assert_array_equal(index[:, 0], (x > 0) @ (2 ** np.arange(4)))
    assert_allclose(bottleneck.look_up(index), code)
    entries = 2.0 * (np.arange(16)[:, None] // 2 ** np.arange(4) % 2) - 1
    chances = np.exp(-np.square(x[:, None] - entries).sum(axis=-1))
    chances /= chances.sum(axis=1, keepdims=True)
    sure, varied = bottleneck.entropies(tf.constant(x))
    assert_allclose(sure, entropy(chances, axis=1), rtol=1e-4, atol=1e-5)
    assert_allclose(varied, entropy(chances.mean(axis=0)), rtol=1e-4)
    losses = bottleneck.draw(tf.constant(x) * np.sqrt(1 + 1e-3), zoo.Noise(0, 0), 0, False).losses
    assert_allclose(losses["confidence"], 0.1 * sure, rtol=1e-4)
    assert_allclose(losses["diversity"], -0.1 * varied, rtol=1e-4)


def test_the_entropy_of_many_bits_is_that_of_groups_of_them():
    bottleneck = bare(LookupFree(10), 10)
    x = np.float32(np.random.default_rng(0).normal(size=(20, 10)))
    parts = [bare(LookupFree(n), n).entropies(x[:, a : a + n])[1] for a, n in ((0, 8), (8, 2))]
    assert_allclose(bottleneck.entropies(x)[1], sum(map(float, parts)), rtol=1e-5)


FLAT = {
    "vq_vae": {"latents": 4, "codes": 16},
    "rq_vae": {"latents": 4, "codes": 4, "levels": 2},
    "fsq_vae": {"sizes": (4, 4)},
    "lfq_vae": {"latents": 4},
}


@pytest.mark.parametrize("name", FLAT)
def test_more_than_half_of_the_entries_are_used_where_the_data_need_them(name):
    """Patterns of 16 kinds, each with an entry at hand."""
    kinds = np.float32(np.random.default_rng(0).random((16, 12)) > 0.5)
    x = kinds[np.arange(512) % 16]
    model = zoo.create(name, (12,), places=1, hidden=(32,), seed=0, **FLAT[name])
    model.compile(keras.optimizers.Adam(5e-3), jit_compile=False)
    history = model.fit(x, epochs=16, batch_size=64, verbose=0).history
    index = model.bottleneck.indices(model.encode(x)).numpy().reshape(len(x), -1)
    entries = model.bottleneck.vocabulary
    used = np.mean([len(np.unique(level)) / entries for level in index.T])
    assert used > 0.5 and history["usage"][-1] > 0.5
    assert history["perplexity"][-1] > entries / 3


def test_a_prior_over_indices_learns_which_go_together():
    """Places that always hold the same entry: half of the pairs never occur, and are not drawn."""
    model = zoo.create("vq_vae", (6,), latents=2, codes=4, places=2, hidden=(8,), seed=0)
    model.bottleneck.books.assign([[[0, 0], [0, 5], [5, 0], [5, 5]]])
    prior = zoo.get("autoregressive", kind="prior", width=16, layers=1, heads=2, steps=150)
    prior.see(model)
    index = np.repeat(np.random.default_rng(0).integers(0, 4, (300, 1)), 2, axis=1)
    keras.utils.set_random_seed(0)
    prior.fit(model.bottleneck.look_up(tf.constant(index[..., None])).numpy())
    assert prior.report["held_out_log_likelihood"] > -1.6  # log 4 = 1.39 nats, and not 2.77
    every = np.stack(np.meshgrid(range(4), range(4)), axis=-1).reshape(-1, 2).astype(np.int32)
    assert_allclose(np.exp(prior.log_likelihood(tf.constant(every))).sum(), 1, rtol=1e-4)
    code = prior.sample(zoo.Noise(0, 0), 500, 2, 2)
    drawn = model.bottleneck.indices(code).numpy()[..., 0]
    assert (drawn[:, 0] == drawn[:, 1]).mean() > 0.95
    assert_allclose(np.bincount(drawn[:, 0], minlength=4) / 500, 0.25, atol=0.1)


def test_nothing_is_left_out_when_a_prior_over_indices_is_drawn_from():
    """Pythae's PixelCNN runs in training mode then, its normalisation by the codes that are drawn."""
    model = zoo.create("fsq_vae", (6,), sizes=(3,), places=2, hidden=(4,), seed=0)
    prior = zoo.get("autoregressive", kind="prior", width=4, layers=1, heads=2, steps=2)
    prior.see(model)
    prior.fit(make_vectors(20, 2).reshape(20, 2, 1) * 2 - 1)
    for weight in prior.trainable_variables:
        weight.assign(2 * weight.value)  # away from all alike
    every = np.stack(np.meshgrid(range(3), range(3)), axis=-1).reshape(-1, 2).astype(np.int32)
    stated = np.exp(prior.log_likelihood(tf.constant(every)))
    drawn = model.bottleneck.indices(prior.sample(zoo.Noise(0, 0), 4000, 2, 1)).numpy()[..., 0]
    found = np.array([(drawn == pair).all(axis=1).mean() for pair in every])
    assert_allclose(found, stated, atol=4 * np.sqrt(0.25 / 4000))
    assert stated.max() > 1.5 / 9
    alone = prior.sample(zoo.Noise(0, 0), 5, 2, 1)
    assert_array_equal(alone, prior.sample(zoo.Noise(0, 0), 4000, 2, 1)[:5])  # whatever is beside


def test_a_grid_generates_by_its_fitted_prior(tmp_path):
    options = {"latents": 2, "codes": 8, "networks": "grid", "hidden": (4,)}
    model = zoo.create("vq_vae", (8, 8, 1), seed=0, **options)
    x = make_vectors(40, 64).reshape(40, 8, 8, 1)
    with pytest.raises(ValueError, match="no prior to draw codes from"):
        model.generate(2)
    small = {"width": 8, "layers": 1, "heads": 2, "steps": 5}
    fitted = model.fit_prior("autoregressive", x, **small)
    assert fitted.prior.length == 16 and fitted.generate(3, seed=1).shape == (3, 8, 8, 1)
    fitted.save(tmp_path / "m.keras")
    loaded = zoo.load_model(tmp_path / "m.keras")
    assert_array_equal(loaded.generate(3, seed=1), fitted.generate(3, seed=1))
    fitted.export(tmp_path / "saved")  # compares the answers itself
    with pytest.raises(ValueError, match="needs a quantized code"):
        zoo.create("vae", (6,), latents=2, hidden=(4,)).fit_prior(
            "autoregressive", make_vectors(9, 6)
        )


def test_what_a_quantized_code_cannot_be_is_refused():
    with pytest.raises(ValueError, match="A grid of codes has the places of its features"):
        VectorQuantized(2, places=3, grid=True)
    with pytest.raises(ValueError, match="a unit for each of its 2 sizes"):
        FiniteScalar((3, 3), units=4)
    with pytest.raises(ValueError, match="at most 30 bits"):
        LookupFree(31)
    with pytest.raises(ValueError, match="decay must be a number from 0"):
        VectorQuantized(2, decay=1.0)


def test_a_prior_over_several_levels_is_fitted_to_the_indices_that_were_drawn(monkeypatch):
    """A code that is quantized again may have other entries, of nearly the same sum."""
    model = zoo.create("rq_vae", (6,), latents=2, codes=4, levels=3, places=2, hidden=(8,), seed=0)
    x = make_vectors(200, 6)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    model.fit(x, epochs=5, batch_size=50, verbose=0)
    index = indices(model, x)
    assert index.shape == (200, 2, 3) and index.dtype == np.int32
    assert_allclose(model.bottleneck.look_up(index), model.encode(x), atol=1e-5)
    seen = []
    fit = AutoregressivePrior.fit

    def watched(prior, codes, seed=0):
        seen.append(codes)
        fit(prior, codes, seed)

    monkeypatch.setattr(AutoregressivePrior, "fit", watched)
    fitted = model.fit_prior("autoregressive", x, width=4, layers=1, heads=1, steps=2)
    assert_array_equal(seen[0], index)
    assert fitted.generate(3, seed=0).shape == (3, 6)
    plain = zoo.create("autoencoder", (6,), latents=2, hidden=(8,))
    with pytest.raises(
        ValueError, match="needs a quantized code, as that of 'vq_vae'; received a Det"
    ):
        plain.fit_prior("autoregressive", x)
