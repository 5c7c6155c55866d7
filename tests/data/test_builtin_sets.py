import subprocess
import sys

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_digits, load_sample_images

from zoo import registry
from zoo.data import load


def test_names_cost_no_heavy_import():
    code = (
        "import sys, zoo.registry as r; assert {'digits', 'mnist', 'sprites'} <= {*r.names('dataset')};"
        "heavy = {'tensorflow', 'tensorflow_datasets', 'keras', 'sklearn', 'scipy', 'matplotlib', 'PIL'};"
        "print(*heavy & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_every_set_has_a_line_that_describes_it():
    for name in registry.names("dataset"):
        first = registry.lookup(name, "dataset").__doc__.strip().splitlines()[0]
        assert 10 < len(first) < 110 and first.endswith("."), name


def test_digits_are_scikit_learns_in_a_stratified_split():
    train, test, whole = (load("digits", split) for split in ("train", "test", "all"))
    assert train.inputs.shape == (1437, 8, 8, 1) and test.inputs.shape == (360, 8, 8, 1)
    source = load_digits()
    np.testing.assert_allclose(whole.inputs[..., 0] * 16, source.images)
    np.testing.assert_array_equal(whole.labels, source.target)
    both = np.concatenate([train.inputs, test.inputs]).reshape(1797, -1)
    np.testing.assert_array_equal(
        both[np.lexsort(both.T)], source.data[np.lexsort(source.data.T)].astype(np.float32) / 16
    )
    share = [np.bincount(part.labels, minlength=10) / len(part) for part in (train, test)]
    np.testing.assert_allclose(*share, atol=0.01)


def test_digits_split_does_not_depend_on_the_seed():
    np.testing.assert_array_equal(load("digits", seed=1).labels, load("digits", seed=2).labels)


@pytest.mark.parametrize(
    "name", ["patches", "basis_patches", "two_templates", "uniform_square", "two_points", "sprites"]
)
def test_drawn_sets_repeat_with_the_seed_only(name):
    options = {"limit": 40}
    first, again = (load(name, seed=3, **options) for _ in range(2))
    np.testing.assert_array_equal(first.inputs, again.inputs)
    other = load(name, seed=4, **options)
    test = load(name, "test", seed=3, **options)
    assert first.inputs.shape == other.inputs.shape == test.inputs.shape
    assert len(first) == 40
    assert not np.array_equal(first.inputs, other.inputs)
    assert not np.array_equal(first.inputs, test.inputs)


def test_patches_are_cut_from_the_photographs():
    images = np.stack(load_sample_images().images) @ np.array([0.2989, 0.587, 0.114]) / 255
    for split, region in (("train", images[:, :, :512]), ("test", images[:, :, 512:])):
        data = load("patches", split, n=50, seed=1)
        windows = np.lib.stride_tricks.sliding_window_view(region, (12, 12), axis=(1, 2))
        for patch, label in zip(data.inputs[..., 0], data.labels, strict=True):
            near = np.abs(windows[label, ..., 0, 0] - patch[0, 0]) < 1e-5
            assert np.abs(windows[label][near] - patch).max((1, 2)).min() < 1e-5


def test_patches_have_the_statistics_of_natural_pictures():
    data = load("patches", n=20_000)
    images = np.stack(load_sample_images().images) @ np.array([0.2989, 0.587, 0.114]) / 255
    assert data.inputs.dtype == np.float32
    assert abs(data.inputs.mean() - images[:, :, :512].mean()) < 0.01
    row = data.inputs[:, 5, :, 0]
    near, far = (np.corrcoef(row[:, 2], row[:, 2 + step])[0, 1] for step in (1, 8))
    assert near > 0.9 > far > 0.4
    assert stats.kurtosis(row[:, 5] - row[:, 6]) > 3


def test_patches_places_are_different():
    data = load("patches", n=3000, size=20)
    assert len(np.unique(data.inputs.reshape(3000, -1), axis=0)) > 2950  # flat sky may repeat


@pytest.mark.parametrize("options", [{"size": 0}, {"size": 500}, {"n": 1}, {"n": 10**9}])
def test_patches_refuse_what_the_photographs_do_not_hold(options):
    with pytest.raises(ValueError, match=r"patches .* received"):
        load("patches", **options)


def test_basis_patches_are_mixtures_of_the_basis():
    data = load("basis_patches", n=4000, noise=0.0)
    basis = data.parts["basis"]
    assert basis.shape == (5, 5, 5, 1) and np.abs(basis).max() <= 0.5
    np.testing.assert_allclose(
        data.inputs.reshape(4000, 25), data.latents @ basis.reshape(5, 25), atol=1e-5
    )
    assert np.linalg.matrix_rank(data.inputs.reshape(4000, 25), tol=1e-2) == 5
    assert stats.kstest(data.latents.ravel(), "norm").pvalue > 1e-3
    test = load("basis_patches", "test", n=10)
    np.testing.assert_array_equal(test.parts["basis"], basis)


def test_basis_patches_noise_has_its_size():
    clean, noisy = (load("basis_patches", noise=noise) for noise in (0.0, 0.25))
    assert np.std(noisy.inputs - clean.inputs) == pytest.approx(0.25, rel=0.01)


def test_two_templates_are_least_squares_of_the_templates():
    data = load("two_templates", noise=0.0)
    assert data.inputs.shape == (600, 10, 10, 1)
    templates = data.parts["templates"].reshape(2, 100)
    heights = np.linalg.lstsq(templates.T, data.inputs.reshape(600, 100).T, rcond=None)[0].T
    inside = data.latents.sum(1) < 1.0  # no pixel is clipped
    np.testing.assert_allclose(heights[inside], data.latents[inside], atol=1e-4)
    noisy = load("two_templates")
    assert noisy.inputs.min() >= 0 and noisy.inputs.max() <= 1


def test_uniform_square_is_uniform():
    data = load("uniform_square")
    for column in data.inputs.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(data.inputs.T)[0, 1]) < 0.05
    np.testing.assert_array_equal(
        data.labels, (data.inputs[:, 0] > 0.5) + 2 * (data.inputs[:, 1] > 0.5)
    )


def test_two_points_are_half_and_half():
    data = load("two_points", n=100)
    assert data.inputs.shape == (100, 1) and data.inputs.sum() == 0
    np.testing.assert_array_equal(np.unique(data.inputs), [-1, 1])
    np.testing.assert_array_equal(data.inputs[:, 0], 2 * data.labels - 1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("basis_patches", {"n": 1}),
        ("basis_patches", {"noise": -1.0}),
        ("basis_patches", {"functions": 0}),
        ("two_templates", {"noise": float("nan")}),
        ("two_points", {"n": 7}),
    ],
)
def test_impossible_synthetic_sets_are_refused(name, options):
    with pytest.raises(ValueError, match=f"{name} needs"):
        load(name, **options)


def test_synthetic_sets_have_two_splits():
    with pytest.raises(ValueError, match="train, test; received split='all'"):
        load("uniform_square", "all")


def test_take_slices_all_columns():
    data = load("basis_patches", n=20).take(np.array([3, 1]))
    whole = load("basis_patches", n=20)
    np.testing.assert_array_equal(data.inputs, whole.inputs[[3, 1]])
    np.testing.assert_array_equal(data.latents, whole.latents[[3, 1]])
    assert data.labels is None and data.event_shape == (5, 5, 1)
    assert repr(data) == "Data(name='basis_patches', split='train', inputs=float32(2, 5, 5, 1))"
