import numpy as np
import pytest
from scipy import ndimage

from zoo.data import load, sprites

SIZES = sprites.FACTOR_SIZES


def area(pictures):
    return pictures.astype(float).sum((1, 2, 3)) / 255


def upright(shape, **factors):
    """Indices that differ in one factor, the others fixed."""
    fixed = {"scale": 5, "orientation": 0, "x_position": 16, "y_position": 16, **factors}
    columns = np.broadcast_arrays(shape, *(fixed[name] for name in sprites.FACTOR_NAMES[1:]))
    return sprites.indices_of(np.stack([np.ravel(column) for column in columns], -1))


def test_indices_and_factors_are_inverse():
    indices = np.random.default_rng(0).integers(0, sprites.COUNT, 1000)
    np.testing.assert_array_equal(sprites.indices_of(sprites.factors_of(indices)), indices)
    np.testing.assert_array_equal(
        sprites.factors_of([0, 1, 32, 1024])[:, 2:], [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]
    )
    assert sprites.COUNT == 737_280


@pytest.mark.parametrize("shape", range(3))
def test_position_moves_the_centroid_by_whole_pixels(shape):
    x, y = (grid.ravel() for grid in np.meshgrid([0, 3, 17, 31], [0, 8, 31]))
    pictures = sprites.render(upright(shape, x_position=x, y_position=y, orientation=7))
    centroids = np.array([ndimage.center_of_mass(picture[..., 0]) for picture in pictures])
    np.testing.assert_allclose(centroids - centroids[0], np.stack([y, x], -1), atol=1e-9)
    # The centre lies on the middle of pixel 16 + position.
    np.testing.assert_allclose(centroids[0], [16, 16], atol=0.4)


@pytest.mark.parametrize("shape", range(3))
def test_area_grows_with_the_square_of_the_scale(shape):
    pictures = sprites.render(upright(shape, scale=np.arange(6)), antialias=True)
    per_scale = area(pictures) / sprites.SCALES**2
    np.testing.assert_allclose(per_scale, per_scale.mean(), rtol=0.04)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [(0, 21.0**2), (1, np.pi * 9 * 15), (2, 3.661972 * 11**2)],
    ids=sprites.SHAPES,
)
def test_area_is_the_outlines(shape, expected):
    for antialias, tolerance in ((True, 0.02), (False, 0.05)):
        pictures = sprites.render(upright(shape, orientation=np.arange(40)), antialias=antialias)
        np.testing.assert_allclose(area(pictures), expected, rtol=tolerance)


@pytest.mark.parametrize("shape", range(3))
def test_quarter_turns_are_numpys(shape):
    pictures = sprites.render(upright(shape, orientation=np.array([0, 10, 20, 30, 3, 13])))[..., 0]
    window = pictures[:, 16:49, 16:49]  # centred on pixel 32
    for turn in (1, 2, 3):
        same = np.mean(np.rot90(window[0], turn) == window[turn])
        assert same > 0.99, turn
    assert np.mean(np.rot90(window[4]) == window[5]) > 0.99


def test_orientation_turns_counter_clockwise():
    # The heart points down; a quarter of a turn counter-clockwise points it to the right.
    pictures = sprites.render(upright(2, orientation=np.array([0, 10])))[..., 0] > 0
    rows, columns = (np.flatnonzero(pictures[0].any(axis)) for axis in (1, 0))
    assert pictures[0][rows[-1]].sum() < pictures[0][rows[0]].sum()  # a tip below, two lobes above
    columns = np.flatnonzero(pictures[1].any(0))
    assert pictures[1][:, columns[-1]].sum() < pictures[1][:, columns[0]].sum()


def test_heart_is_symmetric_and_has_a_notch():
    picture = sprites.render(upright(2))[0, :, :, 0]
    window = picture[16:49, 16:49]
    np.testing.assert_array_equal(window, window[:, ::-1])
    top = np.flatnonzero(window.any(1))[0]
    assert window[top, 16] == 0 and window[top + 4, 16] == 255


def test_square_and_ellipse_are_as_wide_as_said():
    pictures = sprites.render(upright(np.array([0, 1])), antialias=True)[..., 0] / 255
    np.testing.assert_allclose(pictures[:, 32].sum(1), [21, 18], atol=0.3)
    np.testing.assert_allclose(pictures[:, :, 32].sum(1), [21, 30], atol=0.3)


def test_shapes_stay_within_the_picture():
    corners = np.array([0, 31])
    x, y = (grid.ravel() for grid in np.meshgrid(corners, corners))
    full = area(sprites.render(upright(2)))
    for shape in range(3):
        for orientation in range(0, 40, 3):
            pictures = sprites.render(
                upright(shape, orientation=orientation, x_position=x, y_position=y)
            )
            assert len({*area(pictures)}) == 1
    assert full > 0


def test_binary_and_antialiased_values():
    indices = np.arange(0, sprites.COUNT, 9973)
    binary, grey = sprites.render(indices), sprites.render(indices, antialias=True)
    assert binary.dtype == grey.dtype == np.uint8 and binary.shape == (74, 64, 64, 1)
    np.testing.assert_array_equal(np.unique(binary), [0, 255])
    np.testing.assert_array_equal(binary, np.where(grey > 127, 255, 0))
    assert len(np.unique(grey)) > 10


def test_every_kind_is_another_picture_but_for_symmetry():
    kinds = sprites.render(np.arange(0, sprites.COUNT, 32 * 32))
    # The square repeats after a quarter of a turn, the ellipse after half of one.
    distinct = len(np.unique(kinds.reshape(720, -1), axis=0))
    assert distinct <= 6 * (10 + 20 + 40)
    assert distinct > 0.95 * 6 * (10 + 20 + 40)


@pytest.mark.parametrize("indices", [[-1], [sprites.COUNT], [0.5]])
def test_indices_out_of_range_are_refused(indices):
    with pytest.raises(ValueError, match="indices from 0 to 737279"):
        sprites.render(indices)


@pytest.mark.parametrize("factors", [[[3, 0, 0, 0, 0]], [[0, 0, 0]], [[0, 0, -1, 0, 0]]])
def test_factors_out_of_range_are_refused(factors):
    with pytest.raises(ValueError, match="5 factors below"):
        sprites.indices_of(factors)


def test_loaded_sprites_are_the_rendered_ones():
    train, test = (load("sprites", split, limit=300, seed=5) for split in ("train", "test"))
    np.testing.assert_array_equal(train.inputs, sprites.render(sprites.indices_of(train.factors)))
    assert train.factor_names == ("shape", "scale", "orientation", "x_position", "y_position")
    np.testing.assert_array_equal(train.labels, train.factors[:, 0])
    both = {*sprites.indices_of(train.factors)} | {*sprites.indices_of(test.factors)}
    assert len(both) == 600
    np.testing.assert_array_less(np.zeros(5), train.factors.std(0))


def test_many_sprites_go_to_a_file_that_is_mapped_again(tmp_path):
    options = {"limit": 5000, "data_dir": tmp_path, "memory_limit": 1 << 20}
    mapped = load("sprites", **options)
    assert isinstance(mapped.inputs, np.memmap) and not mapped.inputs.flags.writeable
    (file,) = (tmp_path / "latent_zoo").glob("*.npy")
    stamp = file.stat().st_mtime_ns
    again = load("sprites", **options)
    assert file.stat().st_mtime_ns == stamp
    in_memory = load("sprites", limit=5000)
    np.testing.assert_array_equal(mapped.inputs, in_memory.inputs)
    np.testing.assert_array_equal(again.factors, in_memory.factors)
