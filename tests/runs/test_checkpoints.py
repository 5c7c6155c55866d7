"""Checkpoint files: exact, checked, and never run code."""

import hashlib
import io
import os

import ml_dtypes
import numpy as np
import pytest

from zoo.runs.checkpoints import (
    Checkpoint,
    CheckpointFolder,
    DamagedCheckpointError,
    nested_arrays,
    read,
    with_arrays,
    write,
)

ARRAYS = {
    "float": np.array([[1.5, np.nan], [-0.0, np.inf]], np.float32),
    "bfloat16": np.array([1.5, -3.0], ml_dtypes.bfloat16),
    "scalar": np.array(7, np.int64),
    "empty": np.zeros((0, 3), np.float32),
    "strided": np.arange(12, dtype=np.int32).reshape(3, 4)[:, ::2],
    "bool": np.array([True, False]),
}


def written(path, arrays=ARRAYS, description=None):
    with path.open("wb") as file:
        write(file, Checkpoint(arrays, description or {"epoch": 3, "value": 0.1}))
    return path


def test_what_is_read_is_what_was_written_bit_for_bit(tmp_path):
    found = read(written(tmp_path / "a.npz"))
    assert found.description == {"epoch": 3, "value": 0.1}
    assert list(found.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
        assert found.arrays[name].tobytes() == array.tobytes()


def test_numpy_reads_the_file_without_pickle(tmp_path):
    with np.load(written(tmp_path / "a.npz"), allow_pickle=False) as archive:
        assert archive["array scalar"].view(np.int64) == 7


def test_every_truncation_and_every_flipped_byte_is_seen(tmp_path):
    path = written(tmp_path / "a.npz", {"x": np.arange(4, dtype=np.float32)}, {})
    whole = path.read_bytes()
    for cut in range(0, len(whole), 7):
        path.write_bytes(whole[:cut])
        with pytest.raises(DamagedCheckpointError):
            read(path)
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DamagedCheckpointError):
            read(path)


def test_a_file_with_pickled_objects_is_refused_and_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "trapped"),))

    content = io.BytesIO()
    np.savez(content, json=np.array([Trap()], dtype=object))
    path = tmp_path / "a.npz"
    body = content.getvalue()
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())
    with pytest.raises(DamagedCheckpointError, match="not a checkpoint"):
        read(path)
    assert not (tmp_path / "trapped").exists()


def test_a_whole_archive_of_something_else_is_refused(tmp_path):
    content = io.BytesIO()
    np.savez(content, weights=np.zeros(3))
    path = tmp_path / "a.npz"
    body = content.getvalue()
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())
    with pytest.raises(DamagedCheckpointError, match="not a checkpoint"):
        read(path)


def saved(folder, epoch):
    folder.save(epoch, Checkpoint({"x": np.full(3, epoch)}, {"epoch": epoch}))


def test_two_are_kept_and_the_newest_is_read(tmp_path):
    folder = CheckpointFolder(tmp_path / "checkpoints")
    assert folder.load() is None
    for epoch in (9, 10, 100):
        saved(folder, epoch)
    assert folder.epochs() == [100, 10]
    assert folder.load().description == {"epoch": 100}


def test_a_damaged_newest_falls_back_to_the_one_before_and_says_so(tmp_path):
    folder = CheckpointFolder(tmp_path)
    saved(folder, 1)
    saved(folder, 2)
    newest = folder.path(2)
    newest.write_bytes(newest.read_bytes()[:100])
    with pytest.warns(UserWarning, match=r"epoch-000002.*damaged.*one before"):
        assert folder.load().description == {"epoch": 1}


def test_none_whole_is_an_error_and_not_a_new_beginning(tmp_path):
    folder = CheckpointFolder(tmp_path)
    saved(folder, 1)
    folder.path(1).write_bytes(b"")
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="Delete the folder"):
        folder.load()


def test_nested_values_come_back():
    value = {
        "best": np.float32(0.1),
        "weights": [np.arange(3), np.zeros((2, 2))],
        "rows": [{"epoch": 1, "loss": 0.5}, {}],
        "nothing": None,
    }
    arrays = {}
    back = with_arrays(nested_arrays(value, arrays, "run"), arrays)
    assert back["best"] == np.float32(0.1) and type(back["best"]) is np.float32
    assert back["rows"] == value["rows"] and back["nothing"] is None
    for a, b in zip(back["weights"], value["weights"], strict=True):
        np.testing.assert_array_equal(a, b)
