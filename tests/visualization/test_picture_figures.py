"""Reconstructions, samples, and what units look for and draw."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from zoo.data import Data
from zoo.visualization import added_by_units, filters, reconstructions, samples, unit_pictures
from zoo.visualization.drawing.files import to_png
from zoo.visualization.figures.filters import first_kernel


def cells(axes, shape, columns, count):
    """Cut the pictures back out of the one image of an axes."""
    canvas = np.asarray(axes.images[0].get_array())
    h, w = shape
    gap = max(1, h // 16)
    return np.stack(
        [
            canvas[r * (h + gap) : r * (h + gap) + h, c * (w + gap) : c * (w + gap) + w]
            for r, c in (divmod(index, columns) for index in range(count))
        ]
    )


def test_reconstructions_show_inputs_outputs_and_errors():
    rng = np.random.default_rng(0)
    x, x_hat = rng.uniform(size=(2, 20, 16, 9, 1)).astype(np.float32)
    figure = reconstructions(x, x_hat, limit=5)
    assert len(figure.axes) == 3
    shown = [cells(axes, (16, 9), 5, 5) for axes in figure.axes]
    np.testing.assert_array_equal(shown[0], x[:5, ..., 0])
    np.testing.assert_array_equal(shown[1], x_hat[:5, ..., 0])
    np.testing.assert_allclose(shown[2], np.abs(x_hat - x)[:5, ..., 0])
    error = ((x_hat - x) ** 2).sum() / 20
    assert f"{error:.4g}" in figure.get_suptitle()


def test_labels_beside_pictures_are_within_the_figure():
    x = np.random.default_rng(0).random((4, 8, 8, 3)).astype(np.float32)
    with Image.open(io.BytesIO(to_png(reconstructions(x, 0 * x + 0.5)))) as picture:
        assert np.asarray(picture.convert("L"))[:, :3].min() == 255


def test_reconstructions_scale_bytes_as_the_model_does():
    x = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    figure = reconstructions(x, (x / 255).astype(np.float32))
    np.testing.assert_allclose(cells(figure.axes[0], (8, 8), 4, 4)[..., :3], x / 255, atol=1e-6)
    assert float(figure.get_suptitle().split("error ")[1].split()[0]) < 1e-9


def test_a_record_is_shown_as_its_pictures():
    dark = np.full((3, 4, 4, 1), 7, np.uint8)
    figure = reconstructions(Data("dark", "test", dark), np.zeros_like(dark, np.float32))
    shown = cells(figure.axes[0], (4, 4), 3, 3)
    np.testing.assert_allclose(shown, np.full((3, 4, 4), 7 / 255), rtol=1e-6)


def test_bytes_of_a_table_are_numbers_and_dark_pictures_are_refused():
    counts = np.random.default_rng(0).integers(0, 200, (4, 7), np.uint8)
    figure = reconstructions(counts, counts.astype(np.float32))
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), counts[0])
    masks = np.eye(8, dtype=np.uint8)[None, ..., None]
    np.testing.assert_allclose(samples(masks).axes[0].images[0].get_clim(), (0, 1))
    with pytest.raises(ValueError, match=r"bytes of at most 9, .* such as inputs / 9"):
        reconstructions(np.full((2, 4, 4, 1), 9, np.uint8), np.zeros((2, 4, 4, 1)))


def test_single_numbers_are_a_histogram_over_that_of_the_data():
    (axes,) = samples(np.array([[1.0], [2.0]]), np.array([[0.0], [3.0]])).axes
    assert axes.get_xlim()[0] < 0 and axes.get_xlim()[1] > 3
    assert [text.get_text() for text in axes.get_legend().texts] == ["data", "sample"]
    assert len(samples(np.zeros((2, 1))).axes[0].get_legend().texts) == 1


def test_points_of_a_plane_are_a_scatter():
    x = np.random.default_rng(0).uniform(size=(50, 2))
    (axes,) = reconstructions(x, x + 0.1).axes
    np.testing.assert_allclose(axes.collections[0].get_offsets(), x)
    np.testing.assert_allclose(axes.collections[1].get_offsets(), x + 0.1)


def test_vectors_have_a_panel_each():
    x = np.random.default_rng(0).uniform(size=(30, 7))
    figure = reconstructions(x, -x, limit=4)
    assert len(figure.axes) == 4
    for axes, row in zip(figure.axes, x, strict=False):
        np.testing.assert_allclose(axes.lines[0].get_ydata(), row)
        np.testing.assert_allclose(axes.lines[1].get_ydata(), -row)


def test_single_numbers_stand_against_the_inputs():
    x = np.linspace(-1, 1, 9)[:, None]
    (axes,) = reconstructions(x, 2 * x).axes
    np.testing.assert_allclose(axes.collections[0].get_offsets(), np.hstack([x, 2 * x]))


def test_samples_are_one_grid_on_the_scale_of_the_data():
    x = np.random.default_rng(0).uniform(-1, 2, size=(12, 8, 8, 1))
    (axes,) = samples(x, np.linspace(-3, 4, 128).reshape(2, 8, 8, 1), columns=4).axes
    np.testing.assert_array_equal(cells(axes, (8, 8), 4, 12), x[..., 0])
    assert axes.images[0].get_clim() == (-3, 4)


def test_samples_of_points_lie_over_the_data():
    (axes,) = samples(np.zeros((5, 2)), np.ones((9, 2))).axes
    assert [len(c.get_offsets()) for c in axes.collections] == [9, 5]


def test_filters_are_divided_by_their_largest_weight():
    w = np.random.default_rng(0).normal(size=(9, 8, 8, 1)) * np.arange(1, 10)[:, None, None, None]
    (axes,) = filters(w).axes
    expected = w[..., 0] / np.abs(w).max(axis=(1, 2, 3))[:, None, None]
    np.testing.assert_allclose(cells(axes, (8, 8), 9, 9), expected, rtol=1e-6)
    assert axes.images[0].get_clim() == (-1, 1)


def test_filters_keep_the_strongest_and_leave_a_dead_one_grey():
    w = np.ones((5, 4, 4)) * np.array([1, 5, 1e-9, 4, 3])[:, None, None]
    (axes,) = filters(w, limit=2).axes
    assert np.asarray(axes.images[0].get_array()).shape == (4, 9)
    dead = cells(filters(w).axes[0], (4, 4), 5, 5)[2]
    assert np.abs(dead).max() < 1e-6


def test_unit_pictures_of_a_linear_decoder_are_its_rows():
    weights = np.random.default_rng(0).normal(size=(3, 6))
    bias = np.arange(6.0)
    z = np.array([[1.0, -4.0, 0.5], [2.0, 3.0, -0.25]])

    def decode(codes):
        return codes @ weights + bias

    np.testing.assert_allclose(
        unit_pictures(decode, np.zeros(3), 2.0), 2 * weights + bias, rtol=1e-5
    )
    largest = np.array([2.0, -4.0, 0.5])[:, None]
    np.testing.assert_allclose(added_by_units(decode, z), largest * weights, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        added_by_units(decode, z, [2]), 0.5 * weights[2:], rtol=1e-5, atol=1e-6
    )


def test_first_kernel_of_dense_and_convolutional_encoders():
    dense = np.arange(12.0).reshape(4, 3)
    model = SimpleNamespace(
        encoder=SimpleNamespace(weights=[]),
        bottleneck=SimpleNamespace(weights=[np.zeros(3), dense]),
    )
    np.testing.assert_array_equal(first_kernel(model, (2, 2, 1))[1].ravel(), dense[:, 1])
    kernel = np.arange(72.0).reshape(3, 3, 2, 4)
    model = SimpleNamespace(encoder=SimpleNamespace(weights=[kernel]))
    np.testing.assert_array_equal(first_kernel(model, (8, 8, 2))[3], kernel[..., 3])
    assert first_kernel(model, (8, 8, 1)) is None
    assert first_kernel(model, (4,)) is None
    assert first_kernel(SimpleNamespace(), (2, 2, 1)) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((3, 8, 8)), np.zeros((3, 8, 7))), r"one shape; received \(3, 8, 8\)"),
        ((np.zeros((0, 8, 8)), np.zeros((0, 8, 8))), "inputs must not be empty"),
        ((np.full((2, 4), np.nan), np.zeros((2, 4))), "received 8 of 8 values that are NaN"),
        ((np.zeros(4), np.zeros(4)), r"received shape \(4,\)"),
        ((np.array([["a"]]), np.zeros((1, 1))), "real numbers"),
        ((np.zeros((2, 4)), np.zeros((2, 4)), 0), "limit must be a whole number of at least 1"),
    ],
)
def test_bad_reconstructions_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        reconstructions(*arguments)


def test_bad_samples_and_units_are_refused():
    with pytest.raises(ValueError, match="data must have the shape of the samples"):
        samples(np.zeros((2, 8, 8)), np.zeros((2, 4, 4)))
    with pytest.raises(ValueError, match="units must be indices from 0 to 2"):
        unit_pictures(lambda z: z, np.zeros(3), units=[3])
    with pytest.raises(ValueError, match="one example for each of the 3 codes; received 1"):
        unit_pictures(lambda z: z[:1], np.zeros(3))
    with pytest.raises(ValueError, match="a model with a decode method"):
        unit_pictures("model", np.zeros(3))
