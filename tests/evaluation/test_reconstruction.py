import numpy as np
import pytest
import scipy.signal
from sklearn.metrics import log_loss

from zoo.evaluation import reconstruction
from zoo.evaluation.checks import NotComputable


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    x = rng.random((6, 14, 13, 2)).astype(np.float32)
    return x, np.clip(x + rng.normal(scale=0.1, size=x.shape), 0, 1).astype(np.float32)


def test_errors_equal_their_formulas(pictures):
    x, r = pictures
    found = reconstruction.per_example(x, r, batch_size=4)
    squared = ((x.astype(float) - r) ** 2).reshape(6, -1)
    np.testing.assert_allclose(found["squared_error"], squared.sum(1), rtol=1e-5)
    np.testing.assert_allclose(found["mean_squared_error"], squared.mean(1), rtol=1e-5)
    np.testing.assert_allclose(found["psnr"], -10 * np.log10(squared.mean(1)), rtol=1e-5)
    scores = reconstruction.scores(found)
    assert scores["squared_error"] == pytest.approx(squared.sum(1).mean(), rel=1e-5)
    assert scores["psnr_total"] == pytest.approx(-10 * np.log10(squared.mean()), rel=1e-5)
    assert scores["psnr_total"] <= scores["psnr"]


def test_cross_entropy_equals_sklearns_log_loss():
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, (4, 9)).astype(np.float32)
    p = rng.uniform(0.05, 0.95, (4, 9)).astype(np.float32)
    found = reconstruction.per_example(x, p)["bernoulli_cross_entropy"]
    expected = [log_loss(a, b, normalize=False) for a, b in zip(x, p, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_pixels_that_are_wrong_count_alike():
    x = np.float32([[0, 0], [1, 1]])
    found = reconstruction.per_example(x, 1 - x)["bernoulli_cross_entropy"]
    np.testing.assert_allclose(found, -2 * np.log(1e-7), rtol=1e-6)


def test_ssim_equals_the_papers_formula(pictures):
    x, r = (values.astype(float) for values in pictures)
    grid = np.arange(11) - 5
    line = np.exp(-(grid**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def smooth(a):
        return scipy.signal.convolve2d(a, window, mode="valid")

    def ssim(a, b):
        c1, c2 = 0.01**2, 0.03**2
        ma, mb = smooth(a), smooth(b)
        va, vb, cov = smooth(a * a) - ma**2, smooth(b * b) - mb**2, smooth(a * b) - ma * mb
        ratio = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
        return ratio.mean()

    expected = [
        np.mean([ssim(a[..., c], b[..., c]) for c in (0, 1)]) for a, b in zip(x, r, strict=True)
    ]
    found = reconstruction.per_example(*pictures)["ssim"]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_an_exact_reconstruction(pictures):
    x, _ = pictures
    scores = reconstruction.scores(reconstruction.per_example(x, lambda batch: batch))
    assert scores["squared_error"] == 0
    assert scores["psnr"] == scores["psnr_total"] == np.inf
    assert scores["ssim"] == pytest.approx(1, abs=1e-6)


def test_bytes_are_on_the_scale_of_their_reconstructions():
    x = np.array([[0, 255], [51, 102]], np.uint8)
    found = reconstruction.per_example(x, np.array([[0, 1], [0.4, 0.4]], np.float32))
    np.testing.assert_allclose(found["squared_error"], [0, 0.04], atol=1e-7)


def test_vectors_have_no_ssim_and_other_ranges_no_cross_entropy():
    x = np.array([[-3.0, 1.0], [2.0, 7.0]], np.float32)
    found = reconstruction.per_example(x, x + 1)
    assert set(found) == {"squared_error", "mean_squared_error", "psnr"}
    np.testing.assert_allclose(found["psnr"], 20 * np.log10(10.0), rtol=1e-6)


def test_a_reconstruction_outside_the_unit_interval_anywhere_has_no_cross_entropy():
    x = np.full((4, 3), 0.5, np.float32)
    r = x.copy()
    r[3] = 1.5
    assert "bernoulli_cross_entropy" not in reconstruction.per_example(x, r, batch_size=2)


def test_bootstrap_interval_holds_the_value(pictures):
    errors = reconstruction.per_example(*pictures)
    found = reconstruction.scores(errors, bootstrap=200)
    for name in ("squared_error", "psnr_total"):
        assert found[name]["low"] < found[name]["value"] < found[name]["high"]


def test_bad_input_is_refused(pictures):
    x, r = pictures
    with pytest.raises(ValueError, match="shape of x"):
        reconstruction.per_example(x, r[:, :5])
    with pytest.raises(ValueError, match="Reconstructions must be finite"):
        reconstruction.per_example(x, np.where(r > 0.9, np.nan, r))
    with pytest.raises(ValueError, match="x must be finite"):
        reconstruction.per_example(np.where(x > 0.9, np.inf, x), r)
    with pytest.raises(NotComputable, match="one value only"):
        reconstruction.per_example(np.full((3, 2), 5.0), np.zeros((3, 2)))
