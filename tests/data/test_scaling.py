"""The same numbers as bytes, as bytes / 255 and as floats: one meaning through every loader, or an error."""

import warnings

import numpy as np
import pytest
from PIL import Image

from zoo.data import load, scaling

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (12, 5, 4, 1), np.uint8)
MASKS = RNG.integers(0, 2, (12, 5, 4, 1), np.uint8)
CLASSES = RNG.integers(0, 9, (12, 5, 4, 1), np.uint8)
TABLE = RNG.integers(0, 256, (12, 6), np.uint8)
GENOTYPES = RNG.integers(0, 3, (12, 6), np.uint8)
ONE_HOT = np.eye(6, dtype=np.uint8)[RNG.integers(0, 6, 12)]


def values(data):
    """What a model sees: `Data` holds uint8 from 0 to 255, or float32."""
    return data.inputs / np.float32(255) if data.inputs.dtype == np.uint8 else data.inputs


def write_npy(place, array):
    np.save(place / "x.npy", array)
    return place / "x.npy"


def write_npz(place, array):
    np.savez(place / "x.npz", x=array)
    return place / "x.npz"


def write_parts(place, array):
    np.savez(place / "parts.npz", x_train=array[:7], x_test=array[7:])
    return place / "parts.npz"


def write_csv(place, array):
    np.savetxt(place / "x.csv", array, delimiter=",", fmt="%.9g")
    return place / "x.csv"


def write_folder(place, array):
    (place / "x").mkdir()
    for number, picture in enumerate(array[..., 0]):
        suffix = "png" if picture.dtype == np.uint8 else "tif"
        Image.fromarray(picture).save(place / "x" / f"{number:03}.{suffix}")
    return place / "x"


ARRAYS = {"npy": write_npy, "npz": write_npz, "npz of parts": write_parts}
LOADERS = {
    **{(kind, 4): writer for kind, writer in ARRAYS.items()},
    **{(kind, 2): writer for kind, writer in ARRAYS.items()},
    ("csv", 2): write_csv,
    ("folder", 4): write_folder,
}


CONTENTS = {
    "pictures": PICTURES,
    "masks": MASKS,
    "table": TABLE,
    "genotypes": GENOTYPES,
    "one-hot": ONE_HOT,
}


def readable(*names):
    """Every loader with every content that it can hold."""
    return [
        pytest.param(loader, CONTENTS[name], id=f"{name} {loader[0]}")
        for name in names
        for loader in LOADERS
        if loader[1] == CONTENTS[name].ndim
    ]


@pytest.mark.parametrize(("loader", "content"), readable(*CONTENTS))
def test_one_meaning_of_the_same_numbers(loader, content, tmp_path):
    """Pictures: bytes are bytes / 255, and floats above 1 are refused. Others: bytes are those floats."""
    rank, as_numbers = content.ndim, content is not PICTURES
    path = LOADERS[loader](tmp_path, content)
    wanted = content.astype(np.float32) / (1 if as_numbers else 255)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = values(load(path, "all"))
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, rtol=1e-6)
    told = any("divide by 255" in str(each.message) for each in caught)
    # Only a table whose numbers could be pixels needs a word; a .csv file holds numbers anyway.
    assert told == (rank == 2 and content.max() > 1 and loader[0] != "csv")
    assert len(caught) == told


@pytest.mark.parametrize(("loader", "content"), readable("pictures", "table"))
def test_scale_makes_bytes_and_floats_one(loader, content, tmp_path):
    wanted = content.astype(np.float32) / 255
    for number, array in enumerate((content, content.astype(np.float32))):
        (tmp_path / str(number)).mkdir()
        path = LOADERS[loader](tmp_path / str(number), array)
        for scale in (255, "255"):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = values(load(path, "all", scale=scale))
            np.testing.assert_allclose(found, wanted, rtol=1e-6)
        as_it_is = values(load(path, "all", scale=1))
        np.testing.assert_array_equal(as_it_is, content)


@pytest.mark.parametrize("loader", [loader for loader in LOADERS if loader[1] == 4])
def test_pictures_of_few_values_are_refused_until_their_scale_is_said(loader, tmp_path):
    path = LOADERS[loader](tmp_path, CLASSES)
    with pytest.raises(
        ValueError, match=r"bytes of at most 8: .* Say scale=255 .*, scale=8 where 8"
    ):
        load(path, "all")
    for scale in (1, 8, 255):
        np.testing.assert_allclose(
            values(load(path, "all", scale=scale)), CLASSES / scale, rtol=1e-6
        )


@pytest.mark.parametrize("writer", ARRAYS.values())
def test_floats_of_pictures_that_nobody_divided_are_refused(writer, tmp_path):
    with pytest.raises(ValueError, match="divide by 255"):
        load(writer(tmp_path, PICTURES.astype(np.float32)), "all")


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint16, np.float16, ">f8", bool])
def test_any_number_may_be_scaled(dtype, tmp_path):
    content = (PICTURES // 2).astype(dtype)
    np.save(tmp_path / "x.npy", content)
    found = load(tmp_path / "x.npy", "all", scale=127).inputs
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, content.astype(np.float32) / 127, rtol=1e-6)


def test_meaning_of_bytes_is_that_of_the_whole_file(tmp_path):
    """A dark part of a set is as the rest of it."""
    np.savez(tmp_path / "x.npz", x_train=PICTURES, x_test=MASKS)
    np.testing.assert_array_equal(np.unique(load(tmp_path / "x.npz", "test").inputs), [0, 1])
    np.savez(tmp_path / "x.npz", x_train=MASKS, x_test=PICTURES)
    np.testing.assert_array_equal(np.unique(load(tmp_path / "x.npz").inputs), [0, 1])
    mixed = np.concatenate([MASKS, PICTURES[:1]])
    np.save(tmp_path / "x.npy", mixed)
    for seed in range(4):
        parts = [load(tmp_path / "x.npy", split, seed=seed).inputs for split in ("train", "test")]
        assert sum(np.sum(part, dtype=int) for part in parts) == np.sum(mixed, dtype=int)


@pytest.mark.parametrize(
    ("content", "options", "fits"),
    [
        (PICTURES, {}, True),
        (PICTURES, {"scale": 255}, True),
        (PICTURES, {"scale": 1}, False),
        (MASKS, {}, False),
        (TABLE, {}, False),
        (TABLE, {"scale": 255}, False),
        (TABLE.astype(np.float32), {}, True),
        (TABLE.astype(np.float32), {"scale": 255}, False),
    ],
)
@pytest.mark.filterwarnings("ignore:.*stays on disk")
def test_what_stays_on_disk_is_not_changed(content, options, fits, tmp_path):
    np.save(tmp_path / "x.npy", content)
    if fits:
        found = load(tmp_path / "x.npy", "all", memory_limit=10, **options)
        np.testing.assert_array_equal(found.inputs, content)
        return
    with pytest.raises(ValueError, match=r"is read from the disk as it is.* Save it so once"):
        load(tmp_path / "x.npy", "all", memory_limit=10, **options)


def test_dark_pictures_on_disk_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", CLASSES)
    with pytest.raises(ValueError, match="bytes of at most 8"):
        load(tmp_path / "x.npy", memory_limit=10)


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf"), "bytes", True, [255]])
def test_scale_is_a_number_or_none(scale, tmp_path):
    np.save(tmp_path / "x.npy", TABLE)
    with pytest.raises(ValueError, match="scale must be a number above 0 to divide by, or 'none'"):
        load(tmp_path / "x.npy", scale=scale)


@pytest.mark.parametrize(
    ("rank", "maximum", "options", "divisor", "said"),
    [
        (4, 255, {}, 255, "divided by 255"),
        (5, 21, {}, 255, "divided by 255"),
        (4, 1, {}, 1, ""),
        (4, 0, {}, 1, ""),
        (4, 255, {"counts": True}, 1, "taken as counts"),
        (4, 9, {"counts": True}, 1, "taken as counts"),
        (2, 255, {}, 1, "numbers are taken as they are, up to 255"),
        (3, 40, {}, 1, "numbers are taken as they are, up to 40"),
        (2, 9, {"counts": True, "bounds": (0, np.inf)}, 1, "taken as counts"),
        (2, 255, {"bounds": (-np.inf, np.inf)}, 1, "taken as they are"),
        (2, 1, {"bounds": (0, 1)}, 1, ""),
        (2, 255, {"bounds": (0, 1), "scale": 255}, 255, ""),
        (4, 9, {"scale": "none"}, 1, ""),
    ],
)
def test_decision_for_bytes(rank, maximum, options, divisor, said):
    found = scaling.decide_scale(np.uint8, rank, maximum, **options)
    assert found.divisor == divisor
    assert said in found.said and bool(said) == bool(found.said)


@pytest.mark.parametrize("rank", [2, 3, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, bool])
def test_floats_and_booleans_are_never_divided_unasked(dtype, rank):
    assert scaling.decide_scale(dtype, rank, 255, bounds=(0, 1)) == scaling.Scale(1.0)
    assert scaling.decide_scale(dtype, rank, 255, scale=255).divisor == 255


def test_a_table_of_bytes_is_refused_by_a_likelihood_that_cannot_take_it():
    with pytest.raises(
        ValueError, match=r"bytes up to 2, and the likelihood takes values of 0 to 1"
    ):
        scaling.decide_scale(np.uint8, 2, 2, bounds=(0, 1), name="x")


def test_division_is_exact_in_float32():
    content = np.arange(256, dtype=np.uint8)
    expected = (content / np.float64(255)).astype(np.float32)
    np.testing.assert_array_equal(scaling.divide(content, 255), expected)


def test_largest_value_is_found_in_pieces(monkeypatch):
    content = np.zeros((50, 3), np.uint8)
    content[37, 1], content[41, 0] = 90, 200
    assert scaling.peak(content) == 200
    assert scaling.peak(np.broadcast_to(np.uint8(3), (5 << 20, 8))) == 3
    assert scaling.peak(np.broadcast_to(np.uint8(3), (5 << 20, 8)), enough=1) == 3
