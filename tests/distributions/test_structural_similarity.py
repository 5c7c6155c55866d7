"""MS-SSIM against TensorFlow's own, and what a likelihood that is no density may be used for."""

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

import zoo
from zoo.distributions.structural_similarity import WEIGHTS, ms_ssim, scales_of
from zoo.evaluation import density
from zoo.evaluation.checks import NotComputable


def pairs(side=28, channels=1):
    random = np.random.default_rng(0)
    x = random.random((4, side, side, channels), np.float32)
    return x, np.clip(x + 0.2 * random.normal(size=x.shape), 0, 1).astype(np.float32)


@pytest.mark.parametrize(("side", "channels", "window"), [(28, 1, 11), (40, 3, 5)])
def test_it_is_that_of_tensorflow(side, channels, window):
    x, y = pairs(side, channels)
    powers = np.array(WEIGHTS[: scales_of((side, side), window)])
    assert len(powers) == {11: 2, 5: 4}[window]
    other = tf.image.ssim_multiscale(x, y, 1.0, list(powers / powers.sum()), window)
    assert_allclose(ms_ssim(x, y, window), other, rtol=1e-4)


def test_rows_are_judged_by_themselves():
    x, y = pairs()
    together = ms_ssim(x, y).numpy()
    assert_allclose(together[:1], ms_ssim(x[:1], y[:1]), rtol=1e-5)
    assert len(set(together.round(4))) == 4


def test_slopes_are_finite_where_pictures_are_opposites():
    x, _ = pairs()
    for output in (tf.zeros_like(x), tf.constant(20 - 40 * x), tf.constant(20 * np.sign(0.5 - x))):
        with tf.GradientTape() as tape:
            tape.watch(output)
            loss = zoo.get("ms_ssim", "likelihood").loss(output, x)
        assert np.isfinite(loss).all() and np.isfinite(tape.gradient(loss, output)).all()
        assert (loss.numpy() <= 100).all()


def picture_vae(name="vae", **options):
    measure = {"name": "ms_ssim", "weight": 50.0, "window": 4}
    return zoo.create(
        name, (8, 8, 1), latents=2, hidden=(16,), likelihood=measure, seed=0, **options
    )


def test_a_model_learns_by_it():
    x = np.zeros((64, 8, 8, 1), np.float32)
    x[:32, 2:6, :4], x[32:, :3, 3:] = 1, 1
    model = picture_vae()
    model.compile(zoo.trainer.Adam(1e-2), jit_compile=False)
    history = model.fit(x, batch_size=32, epochs=30, verbose=0).history
    assert history["reconstruction"][-1] < 0.5 * history["reconstruction"][0]
    assert ms_ssim(x, model.reconstruct(x), 4).numpy().min() > 0.9


def test_no_likelihood_is_made_of_it():
    x = pairs(8)[0]
    model = picture_vae()
    for by in ("bound", "probability"):
        with pytest.raises(ValueError, match="likelihood that is a density"):
            model.score(x, by)
    assert model.score(x, "error").shape == (4,)
    with pytest.raises(NotComputable, match="no density"):
        density.per_example(model, x)
    for name in ("iwae", "hamiltonian_vae"):
        with pytest.raises(ValueError, match="'ms_ssim' is no density"):
            picture_vae(name)
    with pytest.raises(ValueError, match="at least 11 pixels a side"):
        zoo.create("vae", (8, 8, 1), likelihood="ms_ssim")
    with pytest.raises(ValueError, match="neither missing pixels"):
        picture_vae(mask="nan")
    with pytest.raises(ValueError, match="has the reduction 'sum'"):
        zoo.get("ms_ssim", "likelihood", reduction="mean")


def test_its_weight_is_a_number():
    rising = {"name": "ms_ssim", "window": 7, "weight": zoo.recipes.WarmUp(4.0, steps=10)}
    with pytest.raises(ValueError, match="weight must be a number, not a schedule"):
        zoo.create("vae", (16, 16, 1), latents=2, hidden=(4,), likelihood=rising)
