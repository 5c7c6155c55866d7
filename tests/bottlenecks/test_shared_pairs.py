"""The codes of pairs against their formula, and pairs at the door."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

import zoo
from tests.conftest import make_vectors

UNITS = 4


def kl(mean, deviation, other_mean, other_deviation):
    """KL(N || N), the oracle of the papers' digest."""
    square = (mean - other_mean) ** 2
    ratio = (deviation**2 + square) / (2 * other_deviation**2)
    return np.log(other_deviation / deviation) + ratio - 0.5


def create(**options):
    model = zoo.create("ada_gvae", (6,), latents=UNITS, hidden=(5,), seed=0, **options)
    model.compile("adam", jit_compile=False)
    return model


def mean_of(m1, s1, m2, s2):
    return (m1 + m2) / 2, np.sqrt((s1**2 + s2**2) / 2)


def product_of(m1, s1, m2, s2):
    """Mean and deviation of the root of the product of two densities, by sums over a grid."""
    z = np.linspace(-60, 60, 100_001)[:, None]
    log_density = (norm(m1, s1).logpdf(z) + norm(m2, s2).logpdf(z)) / 2
    shares = np.exp(log_density - log_density.max(axis=0))
    shares /= shares.sum(axis=0)
    mean = (shares * z).sum(axis=0)
    return mean, np.sqrt((shares * (z - mean) ** 2).sum(axis=0))


@pytest.mark.parametrize(("average", "of_both"), [("mean", mean_of), ("product", product_of)])
def test_units_that_a_pair_shares_have_one_posterior(average, of_both):
    bottleneck = zoo.get("shared_pairs", "bottleneck", units=UNITS, average=average)
    bottleneck.build((None, 3))
    features = np.random.default_rng(0).normal(size=(6, 3)).astype("float32") * 2
    before = bottleneck.posterior(features).distribution
    loc, scale = before.loc.numpy().reshape(3, 2, UNITS), before.scale.numpy().reshape(3, 2, UNITS)
    found = bottleneck.draw_pairs(features, zoo.Noise(0, 0), tf.constant(0), True)
    after = found.posterior.distribution
    means, deviations = (np.reshape(v, (3, 2, UNITS)) for v in (after.loc, after.scale))
    shares = []
    for pair in range(3):
        (m1, m2), (s1, s2) = loc[pair], scale[pair]
        apart = kl(m1, s1, m2, s2) + kl(m2, s2, m1, s1)
        shared = apart < (apart.max() + apart.min()) / 2
        assert 0 < shared.sum() < UNITS
        mean, deviation = of_both(m1, s1, m2, s2)
        assert_allclose(means[pair], np.where(shared, mean, loc[pair]), rtol=1e-4, atol=1e-5)
        assert_allclose(deviations[pair], np.where(shared, deviation, scale[pair]), rtol=1e-4)
        shares += [shared.mean()] * 2
    assert_allclose(found.measures["shared"], shares)


@pytest.mark.parametrize("average", ["mean", "product"])
def test_a_pair_counts_as_two_examples(average):
    """Of equal partners nothing is apart: the terms are those of a VAE of single examples."""
    model, x = create(average=average), make_vectors(20, 6)
    found = model.evaluate(x, x.copy(), return_dict=True, verbose=0)
    plain = zoo.create("vae", (6,), latents=UNITS, hidden=(5,), seed=0)
    for part in ("encoder", "bottleneck", "decoder"):
        getattr(plain, part).set_weights(getattr(model, part).get_weights())
    plain.compile("adam", jit_compile=False)
    assert_allclose(found["kl"], plain.evaluate(x, return_dict=True, verbose=0)["kl"], rtol=1e-4)
    assert_array_equal(model.encode(x), plain.encode(x))
    assert_allclose(model.score(x, samples=3), plain.score(x, samples=3), rtol=1e-4)
    weights = np.r_[np.ones(10), np.zeros(10)]
    some = model.evaluate(x, x.copy(), sample_weight=weights, return_dict=True, verbose=0)
    half = model.evaluate(x[:10], x[:10].copy(), return_dict=True, verbose=0)
    assert_allclose(some["kl"], half["kl"] / 2, rtol=1e-4)


def test_pairs_come_as_arrays_and_as_data_sets():
    x = make_vectors(32, 6)
    partner, histories = np.roll(x, 1, axis=0), []
    pairs = tf.data.Dataset.from_tensor_slices((x, partner)).batch(8)
    for given in ((x, partner), (pairs,)):
        options = {"batch_size": 8, "shuffle": False} if len(given) == 2 else {}
        histories.append(create().fit(*given, verbose=0, **options).history)
    for name in histories[0]:
        assert_allclose(histories[0][name], histories[1][name], rtol=1e-4)


def test_what_is_no_pair_is_refused():
    model, x = create(), make_vectors(32, 6)
    with pytest.raises(ValueError, match="Did you mean 'product'"):
        create(average="produkt")
    with pytest.raises(ValueError, match="y must hold; received none"):
        model.fit(x, verbose=0)
    with pytest.raises(ValueError, match="31"):
        model.fit(x, x[1:], verbose=0)
    with pytest.raises(ValueError, match="needs a bottleneck that draws the codes of pairs"):
        zoo.Autoencoder(
            (6,),
            zoo.networks.mlp([4]),
            {"name": "deterministic", "units": 2},
            zoo.networks.mlp([4], (6,)),
            pairs=True,
        )
    with pytest.raises(ValueError, match="leave target_shape, condition and mask out"):
        zoo.Autoencoder(
            (6,),
            zoo.networks.mlp([4]),
            {"name": "shared_pairs", "units": 2},
            zoo.networks.mlp([4], (6,)),
            prior="normal",
            pairs=True,
            mask="nan",
        )


@pytest.mark.parametrize("changed", [1, 2, None])
def test_sprites_of_a_pair_differ_in_so_many_factors(changed):
    pairs = zoo.data.sprite_pairs(300, changed=changed, seed=1)
    differ = pairs.factors[:, 0] != pairs.factors[:, 1]
    counts = np.bincount(differ.sum(axis=1), minlength=6)
    if changed is not None:
        assert counts[changed] == 300
    else:
        assert counts[0] == counts[5] == 0 and (counts[1:5] > 45).all()
    assert (differ.mean(axis=0) > 0.1).all()
    again = zoo.data.sprites.render(zoo.data.sprites.indices_of(pairs.factors[:, 1]))
    assert_array_equal(pairs.partner, again)
    with pytest.raises(ValueError, match="Sprites have 5 factors; received changed=6"):
        zoo.data.sprite_pairs(3, changed=6)
