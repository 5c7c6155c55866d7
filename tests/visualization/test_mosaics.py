import numpy as np
import pytest

from zoo.visualization.drawing.mosaics import (
    fit_columns,
    mosaic,
    mosaic_size,
    to_pictures,
    value_range,
)


@pytest.mark.parametrize("colour", [False, True])
def test_every_picture_stands_in_its_place(colour):
    rng = np.random.default_rng(0)
    shape = (7, 20, 5, 3) if colour else (7, 20, 5)
    pictures = rng.uniform(size=shape)
    canvas = mosaic(pictures, 3)
    gap = 1  # a sixteenth of 20 pixels
    assert canvas.shape[:2] == mosaic_size(7, 3, (20, 5)) == (3 * 21 - 1, 3 * 6 - 1)
    covered = np.zeros(canvas.shape[:2], bool)
    for index, picture in enumerate(pictures):
        rows = slice(index // 3 * (20 + gap), index // 3 * (20 + gap) + 20)
        columns = slice(index % 3 * (5 + gap), index % 3 * (5 + gap) + 5)
        found = canvas[rows, columns]
        np.testing.assert_array_equal(found[..., :3] if colour else found, picture)
        covered[rows, columns] = True
    empty = canvas[..., 3] == 0 if colour else np.isnan(canvas)
    np.testing.assert_array_equal(empty, ~covered)


def test_colour_is_scaled_to_the_limits():
    pictures = np.array([-1.0, 0.0, 1.0, 3.0]).reshape(4, 1, 1, 1).repeat(3, axis=3)
    canvas = mosaic(pictures, 4, (-1.0, 1.0))
    np.testing.assert_allclose(canvas[0, ::2, 0], [0, 0.5, 1, 1])


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_no_channel_is_hidden(channels):
    x = np.random.default_rng(0).uniform(size=(4, 6, 7, channels))
    shown = to_pictures(x)
    if channels == 3:
        np.testing.assert_array_equal(shown, x)
        return
    assert shown.shape == (4, 6, 7 * channels)
    for channel in range(channels):
        np.testing.assert_array_equal(shown[:, :, 7 * channel : 7 * channel + 7], x[..., channel])


def test_range_is_zero_to_one_or_that_of_the_data():
    assert value_range(np.array([0.2, 0.4])) == (0.0, 1.0)
    assert value_range(np.array([-2.0, 0.5])) == (-2.0, 0.5)
    low, high = value_range(np.array([7.0, 7.0]))
    assert low < 7 < high


@pytest.mark.parametrize("count", [1, 2, 9, 10, 64, 100, 137])
def test_columns_are_between_one_and_the_count(count):
    columns = fit_columns(count, (8, 8))
    assert 1 <= columns <= count
    rows = -(-count // columns)
    assert rows <= columns  # wider than high
    assert columns * (rows - 1) < count  # no empty row


def test_pictures_need_two_or_three_axes():
    with pytest.raises(ValueError, match=r"\(n, h, w\).*received shape \(4, 5\)"):
        to_pictures(np.zeros((4, 5)))


def test_no_pictures_are_an_empty_row():
    for shape in ((0, 5, 6), (0, 5, 6, 3)):
        canvas = mosaic(np.zeros(shape), 4)
        assert canvas.shape[:2] == (5, 4 * 7 - 1)
        assert not np.nan_to_num(canvas).any()
