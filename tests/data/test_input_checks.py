import re

import numpy as np
import pytest

from zoo.data import check_inputs, checks


def test_bytes_pass_unchanged():
    x = np.arange(48, dtype=np.uint8).reshape(3, 4, 4, 1)
    assert check_inputs(x, (4, 4, 1)) is x


def test_float32_passes_unchanged():
    x = np.random.default_rng(0).random((3, 5), np.float32)
    assert check_inputs(x) is x


@pytest.mark.parametrize("dtype", [np.float64, np.float16, ">f4", bool])
def test_other_floats_become_float32(dtype):
    x = np.array([[0, 1], [1, 0]], dtype)
    y = check_inputs(x)
    assert y.dtype == np.float32 and y.dtype.isnative
    np.testing.assert_array_equal(y, [[0, 1], [1, 0]])


def test_lists_are_read():
    np.testing.assert_array_equal(check_inputs([[0.5, 1.0], [0.25, 0.0]]), [[0.5, 1], [0.25, 0]])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array([[1, None]], object), "Python objects"),
        ([[1.0, 2.0], [3.0]], "examples all have one shape"),
        (np.array([["a", "b"]] * 2), "expected numbers"),
        (np.ones((2, 2), complex), "expected numbers"),
        (np.ones((4, 3), np.int64), re.escape("x.astype('uint8')")),
        (np.ones(4, np.float32), "must have shape"),
        (np.float32(1), "must have shape"),
        (np.ones((0, 3), np.float32), "is empty"),
        (np.ones((3, 0), np.float32), "is empty"),
        (np.ones((1, 3), np.float32), "1 example; at least 2"),
        (np.full((2, 2, 2, 1), 255.0), "divide by 255"),
        (np.full((2, 2, 2, 1), 1.1), re.escape("[0, 1]")),
        (np.array([[1.0, 1e300]] * 2), "infinite as float32"),
    ],
)
def test_bad_input_is_refused(x, message):
    with pytest.raises(ValueError, match=message):
        check_inputs(x)


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ((28, 28, 1), r"x\[None\]"),
        ((5, 28, 28), r"x\[..., None\]"),
        ((5, 784), re.escape("x.reshape((-1, 28, 28, 1))")),
        ((5, 32, 32, 3), r"received \(5, 32, 32, 3\)\.$"),
    ],
)
def test_wrong_shape_says_how_to_mend_it(shape, hint):
    with pytest.raises(ValueError, match=hint):
        check_inputs(np.zeros(shape, np.uint8), (28, 28, 1))


@pytest.mark.parametrize("chunk", [1, 1 << 30])
def test_nan_and_infinity_are_counted_and_placed(chunk, monkeypatch):
    monkeypatch.setattr(checks, "_CHUNK_BYTES", chunk)
    x = np.zeros((6, 3), np.float32)
    x[2, 1], x[4, 0], x[4, 2] = np.nan, np.inf, -np.inf
    with pytest.raises(ValueError, match=r"pixels holds 3 values .* first at pixels\[2, 1\]"):
        check_inputs(x, name="pixels")


def test_pictures_that_look_like_undivided_bytes_are_refused():
    x = np.linspace(0, 255, 8, dtype=np.float32).reshape(2, 2, 2, 1)
    assert check_inputs(x, bounds=(-np.inf, np.inf)) is x
    with pytest.raises(ValueError, match=r"in \[0, 1\].*from 0 to 255.*divide by 255"):
        check_inputs(x)


def test_standardised_pictures_are_left_to_the_likelihood():
    x = np.linspace(-3, 3, 8, dtype=np.float32).reshape(2, 2, 2, 1)
    assert check_inputs(x) is x
    with pytest.raises(ValueError, match="from -3 to 3"):
        check_inputs(x, bounds=(0, 1))


def test_vectors_have_a_range_only_where_it_is_given():
    x = np.array([[-100.0], [100.0]], np.float32)
    assert check_inputs(x) is x
    with pytest.raises(ValueError, match=r"values of x must lie in \[0, 1\].*-100 to 100"):
        check_inputs(x, bounds=(0, 1))


def test_minimum_is_an_argument():
    assert check_inputs(np.zeros((1, 2), np.float32), minimum=1).shape == (1, 2)


def test_memory_map_stays_on_disk_and_large_ones_are_not_converted(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((4, 2), np.float32))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert check_inputs(x) is x
    np.save(tmp_path / "y.npy", np.ones((4, 2)))
    y = np.load(tmp_path / "y.npy", mmap_mode="r")
    assert check_inputs(y).dtype == np.float32 and type(check_inputs(y)) is np.ndarray
    assert check_inputs(y, memory_limit=10) is y


def test_checking_keeps_the_changes_of_a_copy_on_write_map(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((4, 2), np.float32))
    x = np.load(tmp_path / "x.npy", mmap_mode="c")
    x[:] = 3
    np.testing.assert_array_equal(check_inputs(x), np.full((4, 2), 3))
    y = np.load(tmp_path / "x.npy", mmap_mode="r+")
    y[1:] = 5
    np.testing.assert_array_equal(check_inputs(y[1:]), np.full((3, 2), 5))
