"""Files that a kill or a full disk cannot spoil."""

import errno
import json
import os
import resource
import subprocess
import sys

import pytest

from zoo.files import read_json, recover, replacing, replacing_file, write_json, write_text
from zoo.runs.lock import FolderLock


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_an_error_in_the_block_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), replacing_file(path) as file:
        file.write(b"half of the new")
        raise RuntimeError
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # the system refuses to write more
    try:
        with pytest.raises(ValueError, match=r"Cannot write .*a\.json.*[Tt]oo large"):
            write_text(path, "x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert json.loads(path.read_text()) == {"old": 1}
    assert names(tmp_path) == ["a.json"]


def test_no_space_left_at_the_last_moment(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ValueError, match="No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"


def test_a_path_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"Not a directory|File exists"):
        write_text(tmp_path / "file" / "a.txt", "new")


def test_two_processes_do_not_write_into_each_others_half(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    with replacing_file(path) as mine:
        mine.write(b"mine, longer")
        with monkeypatch.context() as other:
            other.setattr(os, "getpid", lambda: -1)
            write_text(path, "theirs")
        assert path.read_text() == "theirs"
    assert path.read_text() == "mine, longer"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    for text in ("old", "new"):
        with replacing(tmp_path / "model") as folder:
            folder.mkdir()
            (folder / text).write_text(text)
    assert names(tmp_path) == ["model"]
    assert names(tmp_path / "model") == ["new"]


def test_recover_brings_back_what_a_kill_left_renamed_and_drops_halves(tmp_path):
    (tmp_path / ".model.old").mkdir()
    (tmp_path / ".model.old" / "weights").write_text("old")
    (tmp_path / ".model.7.part").mkdir()
    (tmp_path / ".a.7.part.keras").write_text("half")
    (tmp_path / ".mine").write_text("not ours")
    recover(tmp_path)
    assert names(tmp_path) == [".mine", "model"]
    assert (tmp_path / "model" / "weights").read_text() == "old"


def test_recover_drops_the_old_where_the_new_is_in_place(tmp_path):
    for name in (".model.old", "model"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("")
    recover(tmp_path)
    assert names(tmp_path) == ["model"]
    assert names(tmp_path / "model") == ["model"]


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", "[" * 100_000])
def test_json_that_is_none_is_one_clear_error(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"The thing .*config\.json"):
        read_json(path, "The thing")


HOLDER = """
import sys
from zoo.runs.lock import FolderLock
lock = FolderLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_against_other_processes_until_they_die(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match=f"in use by process {holder.pid}"):
            FolderLock(tmp_path).acquire()
    finally:
        holder.kill()
        holder.communicate()
    with FolderLock(tmp_path):
        pass


def test_a_lock_in_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="Cannot write into"):
        FolderLock(tmp_path / "missing").acquire()
