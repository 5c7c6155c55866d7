import re
import subprocess
import sys
import warnings

import numpy as np
import pytest

import zoo
from zoo.data import load

RNG = np.random.default_rng(0)


def rows_of(*arrays):
    """All rows as a sorted list, to compare sets of examples."""
    return sorted(map(tuple, np.concatenate(arrays).reshape(sum(map(len, arrays)), -1).tolist()))


def both(path, **options):
    return (load(path, split, **options) for split in ("train", "test"))


def test_npy_is_split_by_the_seed(tmp_path):
    x = RNG.random((50, 3), np.float32)
    np.save(tmp_path / "x.npy", x)
    train, test = both(tmp_path / "x.npy")
    assert train.inputs.shape == (40, 3) and test.inputs.shape == (10, 3)
    assert rows_of(train.inputs, test.inputs) == rows_of(x)
    np.testing.assert_array_equal(load(tmp_path / "x.npy").inputs, train.inputs)
    assert not np.array_equal(load(tmp_path / "x.npy", seed=1).inputs, train.inputs)
    assert len(load(tmp_path / "x.npy", "test", test_fraction=0.5)) == 25
    np.testing.assert_array_equal(load(tmp_path / "x.npy", "all").inputs, x)


def test_npy_of_doubles_becomes_float32_and_grey_pictures_get_a_channel(tmp_path):
    x = RNG.random((6, 4, 5))
    np.save(tmp_path / "x.npy", x)
    data = load(str(tmp_path / "x.npy"), "all")
    assert data.inputs.dtype == np.float32 and data.event_shape == (4, 5, 1)
    np.testing.assert_allclose(data.inputs[..., 0], x, rtol=1e-6)


@pytest.mark.parametrize("shape", [(5, 3, 8, 8), (5, 1, 6, 9), (5, 4, 8, 16)])
@pytest.mark.parametrize("limit", [1 << 30, 10])
def test_channels_first_are_told(shape, limit, tmp_path):
    np.save(tmp_path / "x.npy", RNG.integers(0, 256, shape, np.uint8))
    with pytest.warns(
        UserWarning, match=rf"read as {shape[1]}x{shape[2]} pictures of {shape[3]} channels"
    ):
        assert load(tmp_path / "x.npy", "all", memory_limit=limit).event_shape == shape[1:]
    np.save(tmp_path / "x.npy", RNG.integers(0, 256, (*shape[:1], *shape[2:], shape[1]), np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(tmp_path / "x.npy", "all", memory_limit=limit)


@pytest.mark.parametrize("limit", [2**31, 1])
@pytest.mark.filterwarnings("ignore:windows.npy .* stays on disk")
def test_windows_of_a_series_are_not_taken_for_grey_pictures(tmp_path, limit):
    windows = np.random.default_rng(0).normal(size=(10, 12, 3)).astype("float32")
    np.save(tmp_path / "windows.npy", windows)
    data = load(tmp_path / "windows.npy", "all", series=True, memory_limit=limit)
    np.testing.assert_array_equal(np.sort(data.inputs, axis=0), np.sort(windows, axis=0))
    np.savez(tmp_path / "windows.npz", x=windows)
    assert load(tmp_path / "windows.npz", "all", series=True).inputs.shape == (10, 12, 3)
    pictures = load(tmp_path / "windows.npy", "all", memory_limit=limit)
    assert pictures.event_shape == (12, 3, 1)


def test_npy_with_labels_of_another_file(tmp_path):
    x = np.arange(20, dtype=np.float32)[:, None]
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", np.array(["even", "odd"] * 10))
    data = load(tmp_path / "x.npy", labels=tmp_path / "y.npy")
    np.testing.assert_array_equal(data.labels, data.inputs[:, 0] % 2)
    assert data.classes == ("even", "odd")


def test_binary_bytes_become_black_and_white(tmp_path):
    x = RNG.integers(0, 2, (9, 4, 4), np.uint8)
    np.save(tmp_path / "x.npy", x)
    np.testing.assert_array_equal(load(tmp_path / "x.npy", "all").inputs[..., 0], 255 * x)


def test_npy_above_the_memory_limit_stays_on_disk(tmp_path):
    x = RNG.integers(0, 256, (100, 4, 4, 1), np.uint8)
    np.save(tmp_path / "x.npy", x)
    with pytest.warns(UserWarning, match="last 20% are the test split"):
        train, test = both(tmp_path / "x.npy", memory_limit=1000)
    assert isinstance(train.inputs, np.memmap) and isinstance(test.inputs, np.memmap)
    np.testing.assert_array_equal(train.inputs, x[:80])
    np.testing.assert_array_equal(test.inputs, x[80:])
    assert isinstance(load(tmp_path / "x.npy", "all", memory_limit=1000).inputs, np.memmap)


def test_narrow_floats_above_the_memory_limit_are_not_copied(tmp_path):
    """What counts is their size as float32, which a batch becomes when it is read."""
    x = RNG.normal(size=(100, 3)).astype(np.float16)
    np.save(tmp_path / "x.npy", x)
    limit = 4 * x.size - 1  # and 2 * x.size on the disk
    mapped = load(tmp_path / "x.npy", "all", memory_limit=limit).inputs
    assert isinstance(mapped, np.memmap) and mapped.dtype == np.float16
    model = zoo.create("top_k_sae", (3,), latents=4, target_l0=2)
    np.testing.assert_array_equal(model.encode(mapped), model.encode(x.astype(np.float32)))
    x[90, 1] = np.inf
    np.save(tmp_path / "x.npy", x)
    with pytest.raises(ValueError, match=re.escape("first at x.npy[90, 1]")):
        load(tmp_path / "x.npy", memory_limit=limit)
    np.save(tmp_path / "x.npy", np.full((100, 3), 1e300))
    with pytest.raises(ValueError, match="holds 300 values that are NaN or infinite as float32"):
        load(tmp_path / "x.npy", memory_limit=limit)


def test_mapped_file_is_checked(tmp_path):
    x = np.zeros((100, 3), np.float32)
    x[90, 1] = np.nan
    np.save(tmp_path / "x.npy", x)
    with pytest.raises(ValueError, match=re.escape("first at x.npy[90, 1]")):
        load(tmp_path / "x.npy", memory_limit=100)
    np.save(tmp_path / "b.npy", np.ones((100, 3), np.uint8))
    with pytest.raises(ValueError, match="0 and 1: multiply by 255"):
        load(tmp_path / "b.npy", memory_limit=100)


def test_npy_with_objects_garbage_or_a_cut_end_is_refused(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{1}, {2}]), allow_pickle=True)
    (tmp_path / "garbage.npy").write_bytes(b"not an array")
    np.save(tmp_path / "cut.npy", RNG.random((100, 3)))
    content = (tmp_path / "cut.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(content[: len(content) // 2])
    (tmp_path / "empty.npy").write_bytes(b"")
    for name in ("objects", "garbage", "cut", "empty"):
        with pytest.raises(ValueError, match=rf"{name}.npy cannot be read as an array of numbers"):
            load(tmp_path / f"{name}.npy")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((0, 3)), "empty"),
        (np.zeros((1, 3)), "1 example"),
        (np.zeros(5), "must have shape"),
        (np.full((5, 4, 4, 1), 128.0), "divide by 255"),
        (np.full((5, 4, 4), 128.0), "divide by 255"),
        (np.arange(10).reshape(5, 2), "astype"),
        (np.array([["a"], ["b"]]), "expected numbers"),
    ],
)
def test_npy_of_unusable_values_is_refused(tmp_path, x, message):
    np.save(tmp_path / "x.npy", x)
    with pytest.raises(ValueError, match=rf"x\.npy.*{message}|{message}.*x\.npy"):
        load(tmp_path / "x.npy")


@pytest.mark.parametrize("key", ["inputs", "x", "images", "imgs", "arr_0"])
@pytest.mark.parametrize("label", ["labels", "y"])
def test_npz_keys(tmp_path, key, label):
    x = RNG.random((10, 2), np.float32)
    np.savez(tmp_path / "x.npz", **{key: x, label: np.arange(10) % 3})
    data = load(tmp_path / "x.npz", "all")
    np.testing.assert_array_equal(data.inputs, x)
    np.testing.assert_array_equal(data.labels, np.arange(10) % 3)


def test_npz_splits_of_its_own(tmp_path):
    x = RNG.random((10, 2), np.float32)
    names = np.array(list("abcabcabab"))
    np.savez(tmp_path / "x.npz", x_train=x[:8], x_test=x[8:], y_train=names[:8], y_test=names[8:])
    train, test = both(tmp_path / "x.npz")
    assert rows_of(train.inputs) == rows_of(x[:8]) and rows_of(test.inputs) == rows_of(x[8:])
    assert train.classes == test.classes == ("a", "b", "c")
    assert sorted(test.labels) == [0, 1]
    np.testing.assert_array_equal(load(tmp_path / "x.npz", "all").inputs.shape, (10, 2))


def test_npz_factors_stay_with_their_examples(tmp_path):
    factors = np.stack([np.arange(30) % 2, np.arange(30) % 5], 1)
    np.savez(tmp_path / "x.npz", imgs=factors.astype(np.float32), latents_classes=factors)
    data = load(tmp_path / "x.npz")
    np.testing.assert_array_equal(data.factors, data.inputs)
    assert data.factor_names == ("factor_0", "factor_1")


def test_unusable_npz_is_refused(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, a=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="holds the arrays a; expected one called x, "):
        load(path)
    np.savez(path, x=np.array([{1}, {2}]))
    with pytest.raises(ValueError, match="cannot be read as arrays of numbers"):
        load(path)
    np.savez(path, x=np.zeros((3, 2)), y=np.zeros(4, int))
    with pytest.raises(ValueError, match=re.escape("labels of shape (4,); expected one for each")):
        load(path)
    np.savez(path, x=np.zeros((3, 2)), y=np.array([0.5, 1, 2]))
    with pytest.raises(ValueError, match="whole numbers or names"):
        load(path)
    np.savez(path, x=np.zeros((3, 2)), y=np.array([0, 1, np.inf]))
    with pytest.raises(ValueError, match="NaN or infinity"):
        load(path)
    np.savez(path, x=np.zeros((3, 2)), factors=np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"factors of x\.npz must be whole"):
        load(path)
    np.savez(path, x=np.zeros((100, 20)))
    with pytest.raises(ValueError, match=r"Save it as a \.npy file"):
        load(path, memory_limit=1000)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match="truncated"):
        load(path)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_round_trip(tmp_path):
    x = RNG.normal(size=(20, 4)).astype(np.float32)
    np.savetxt(tmp_path / "x.csv", x, delimiter=",")
    np.testing.assert_allclose(load(tmp_path / "x.csv", "all").inputs, x, rtol=1e-6)
    train, test = both(tmp_path / "x.csv")
    assert len(train) == 16 and len(test) == 4


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a,label,b\n1,0,2\n3,1,4\n5,0,6\n", {}),
        ("a,digit,b\n1,0,2\n3,1,4\n5,0,6\n", {"label_column": "digit"}),
        ("0,label,2\n1,0,2\n3,1,4\n5,0,6\n", {}),
        ("1,0,2\n3,1,4\n5,0,6\n", {"label_column": 1}),
        ("1,0,2\n3,1,4\n5,0,6", {"label_column": "-2"}),
        ('a;"label";b\n1;0;2\n\n3;1;4\n5;0;6\n', {"delimiter": ";"}),
        ("\ufeffa,label,b\r\n1,0,2\r\n3,1,4\r\n5,0,6\r\n", {}),
    ],
)
def test_csv_header_labels_and_delimiter(tmp_path, text, options):
    data = load(write(tmp_path / "x.csv", text), "all", **options)
    np.testing.assert_array_equal(data.inputs, [[1, 2], [3, 4], [5, 6]])
    np.testing.assert_array_equal(data.labels, [0, 1, 0])


def test_csv_labels_of_text(tmp_path):
    data = load(write(tmp_path / "x.csv", "dog,1\ncat,2\ndog,3\n"), "all", label_column=0)
    np.testing.assert_array_equal(data.labels, [1, 0, 1])
    assert data.classes == ("cat", "dog")
    np.testing.assert_array_equal(data.inputs, [[1], [2], [3]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,b\n", "empty"),
        ("a,b\n1,2\n3,x\n", r"line 3, column 2 \(b\): expected a finite number, received 'x'"),
        ("1,2\n3,\n", "line 2, column 2: expected a finite number, received ''"),
        ("1,2\n\n3,nan\n", "line 3, column 2: .* received 'nan'"),
        ("1,2\n3,1e99\n", "line 2, column 2: .* received '1e99'"),
        ("1,x\n3,4\n", "line 1, column 2"),
        ("1,2\n3,4,5\n", "line 2: expected 2 cells, received 3"),
        ("a,label\n1,0\n2\n", "line 3: expected 2 cells, received 1"),
        ("a,label\n1,0\n2,\n3,1\n", r"line 3, column 2 \(label\): expected a label"),
        ("1,2\n", "1 example"),
    ],
)
def test_bad_csv_names_the_place(tmp_path, text, message):
    with pytest.raises(ValueError, match=rf"x\.csv.*{message}"):
        load(write(tmp_path / "x.csv", text))


def test_csv_label_column_must_exist(tmp_path):
    path = write(tmp_path / "x.csv", "a,b\n1,2\n3,4\n")
    for column in ("c", 2, -3):
        with pytest.raises(ValueError, match=r"label_column must be a column of .*a, b"):
            load(path, label_column=column)


def test_csv_of_bytes_is_refused(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ValueError, match="cannot be read as a table"):
        load(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name_or_path": 3}, "Expected the name"),
        ({"name_or_path": ""}, "Expected the name"),
        ({"name_or_path": "digits", "split": None}, "split must be a name"),
        (
            {"name_or_path": "digits", "split": "dev"},
            "splits train, test, all; received split='dev'",
        ),
        ({"name_or_path": "digits", "limit": 0}, "limit must be a whole number of at least 2"),
        ({"name_or_path": "digits", "limit": 2.5}, "limit must be"),
        ({"name_or_path": "digits", "seed": -1}, "seed must be"),
        ({"name_or_path": "patches", "sise": 3}, "Did you mean 'size'"),
        ({"name_or_path": "digitz"}, "Did you mean 'digits'"),
        ({"name_or_path": "mnits"}, "Did you mean 'mnist'"),
        ({"name_or_path": "nowhere.npy"}, "no file or folder nowhere.npy"),
        (
            {"name_or_path": "digits", "data_dir": 5},
            "data_dir must be the path of a folder; received 5",
        ),
        ({"name_or_path": "nowhere/"}, "no file or folder nowhere/"),
        ({"name_or_path": "./nowhere"}, r"no file or folder \./nowhere"),
        ({"name_or_path": "pyproject.toml"}, "folder of pictures, or a file that ends in .npy"),
    ],
)
def test_load_refuses_bad_arguments(arguments, message, request, monkeypatch):
    monkeypatch.chdir(request.config.rootpath)
    with pytest.raises(ValueError, match=message):
        load(**arguments)


def test_test_fraction_lies_between_0_and_1(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((5, 2), np.float32))
    for fraction in (0, 1, 1.5, float("nan")):
        with pytest.raises(ValueError, match="between 0 and 1"):
            load(tmp_path / "x.npy", test_fraction=fraction)


def test_a_share_that_would_change_nothing_is_refused(tmp_path):
    x = np.random.default_rng(0).random((10, 2))
    np.savez(tmp_path / "own.npz", x_train=x[:7], x_test=x[7:])
    np.savez(tmp_path / "one.npz", x=x)
    assert len(load(tmp_path / "own.npz", "test")) == 3
    with pytest.raises(ValueError, match=r"own.npz has splits of its own.*test_fraction=0.5"):
        load(tmp_path / "own.npz", "test", test_fraction=0.5)
    assert len(load(tmp_path / "one.npz", "test", test_fraction=0.5)) == 5


def test_large_file_is_read_in_constant_memory(tmp_path):
    path = tmp_path / "x.npy"
    np.lib.format.open_memmap(path, "w+", np.float32, (300_000, 256)).flush()  # 300 MB
    code = f"""
import resource, warnings
warnings.simplefilter("ignore")
import zoo
from zoo.data import load
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
assert load({str(path)!r}, memory_limit=1 << 20).inputs.shape == (240_000, 256)
print(peak() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 150_000  # kB
