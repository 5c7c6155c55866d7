import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.cli import flags
from zoo.data import load
from zoo.runs import RunConfig

FILES = Path(__file__).resolve().parents[3] / "shared" / "datasets"


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def folder(tmp_path):
    """Ten colour pictures, whose first channel is their number and whose second is their class."""
    rng = np.random.default_rng(0)
    for number in range(10):
        pixels = rng.integers(0, 256, (6, 8, 3), np.uint8)
        pixels[..., 0], pixels[..., 1] = number, number % 2
        save(tmp_path / ("cat", "dog")[number % 2] / f"{number}.png", pixels)
    return tmp_path


def test_subfolders_are_classes(folder):
    data = load(folder, "all")
    assert data.inputs.shape == (10, 6, 8, 3) and data.inputs.dtype == np.uint8
    assert data.classes == ("cat", "dog")
    np.testing.assert_array_equal(data.labels, data.inputs[:, 0, 0, 1])
    expected = np.asarray(Image.open(folder / "dog" / "3.png"))
    np.testing.assert_array_equal(data.inputs[data.inputs[:, 0, 0, 0] == 3][0], expected)


def test_a_link_that_leads_back_adds_nothing(folder):
    (folder / "cat/up").symlink_to("..")
    data = load(folder, "all")
    assert data.classes == ("cat", "dog") and len(data) == 10
    (folder / "dog/round").symlink_to("../cat")  # one more way to other pictures, and on from there
    assert len(load(folder, "all")) == 15


def test_a_name_of_a_set_is_that_set_and_a_path_the_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    Path("digits").symlink_to("cat")
    with pytest.warns(UserWarning, match="read as the data set of that name; './digits'"):
        assert load("digits", "all").inputs.shape == (1797, 8, 8, 1)
    assert len(load("./digits", "all")) == len(load(Path("digits"), "all")) == 5
    known = flags.define()
    known(["train", "--dataset=digits"])
    assert flags.configured(known, RunConfig()).dataset == "digits"


def test_seed_splits_and_orders(folder):
    train, test = (load(folder, split) for split in ("train", "test"))
    numbers = [set(part.inputs[:, 0, 0, 0].tolist()) for part in (train, test)]
    assert len(numbers[0]) == 8 and len(numbers[1]) == 2 and len(numbers[0] | numbers[1]) == 10
    np.testing.assert_array_equal(load(folder).inputs, train.inputs)
    assert not np.array_equal(load(folder, seed=1).inputs, train.inputs)
    assert len({*load(folder, limit=6).labels}) == 2
    np.testing.assert_array_equal(load(folder, limit=6).inputs, train.inputs[:6])


def test_flat_folder_has_no_labels(folder):
    data = load(folder / "cat", "all")
    assert data.labels is None and data.classes is None and len(data) == 5


def test_size_and_grey(folder):
    data = load(folder, "all", size=(3, 4), grayscale=True)
    assert data.inputs.shape == (10, 3, 4, 1)
    with Image.open(folder / "cat" / "0.png") as picture:
        expected = np.asarray(picture.convert("L").resize((4, 3), Image.Resampling.LANCZOS))
    assert any(np.array_equal(expected, row[..., 0]) for row in data.inputs)


def test_grey_pictures_stay_grey(tmp_path):
    for number in range(4):
        save(tmp_path / f"{number}.png", np.full((5, 5), 10 * number, np.uint8))
    assert load(tmp_path, "all").event_shape == (5, 5, 1)
    assert load(tmp_path, "all", grayscale=False).event_shape == (5, 5, 3)
    with pytest.raises(ValueError, match="grayscale must be True or False; received 'no'"):
        load(tmp_path, "all", grayscale="no")
    save(tmp_path / "8.png", np.full((5, 5, 3), 99, np.uint8))  # stored in colour, but grey
    assert (load(tmp_path, "all").inputs == 99).all((1, 2, 3)).sum() == 1
    save(tmp_path / "9.png", np.full((5, 5, 3), (9, 8, 7), np.uint8))
    with pytest.raises(ValueError, match=r"9.png has colours and .*0.png is grey: give grayscale"):
        load(tmp_path, "all")


def test_mixed_sizes_name_both_and_the_option(folder):
    save(folder / "dog" / "wide.png", np.zeros((6, 9, 3), np.uint8))
    with pytest.raises(ValueError, match=r"wide.png is 6x9 and .*0.png is 6x8: give size="):
        load(folder, "all")
    assert load(folder, "all", size=(6, 8)).inputs.shape == (11, 6, 8, 3)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_truncated_picture_is_named(tmp_path, suffix):
    rng = np.random.default_rng(0)
    for number in range(4):
        save(tmp_path / f"{number}.{suffix}", rng.integers(0, 256, (40, 40, 3), np.uint8))
    path = tmp_path / f"2.{suffix}"
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(ValueError, match=rf"2\.{suffix} is damaged: .*truncated"):
        load(tmp_path, "all")


def test_what_is_no_picture_is_named(folder):
    (folder / "cat" / "text.png").write_text("not a picture")
    with pytest.raises(ValueError, match=r"text.png cannot be read as a picture"):
        load(folder, "all")


def test_other_files_are_passed_over(folder):
    (folder / "cat" / "notes.txt").write_text("x")
    (folder / ".hidden").mkdir()
    save(folder / ".hidden" / "a.png", np.zeros((2, 2), np.uint8))
    assert len(load(folder, "all")) == 10


@pytest.mark.parametrize("size", [3, (0, 4), ("a", "b"), (1, 2, 3)])
def test_bad_size(folder, size):
    with pytest.raises(ValueError, match="size must be"):
        load(folder, size=size)


def test_folders_without_pictures_or_with_both_kinds(folder, tmp_path_factory):
    with pytest.raises(ValueError, match="holds no pictures"):
        load(tmp_path_factory.mktemp("empty"))
    save(folder / "loose.png", np.zeros((6, 8, 3), np.uint8))
    with pytest.raises(ValueError, match="both loose and in subfolders"):
        load(folder)


def test_large_folder_goes_to_a_file(folder, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    mapped = load(folder, data_dir=cache, memory_limit=100)
    assert isinstance(mapped.inputs, np.memmap)
    np.testing.assert_array_equal(mapped.inputs, load(folder).inputs)
    # A picture that changes is read anew.
    save(folder / "cat" / "0.png", np.full((6, 8, 3), 77, np.uint8))
    changed = load(folder, data_dir=cache, memory_limit=100)
    np.testing.assert_array_equal(changed.inputs, load(folder).inputs)


def test_failed_reading_leaves_no_file(folder, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    (folder / "cat" / "text.png").write_text("not a picture")
    with pytest.raises(ValueError, match="cannot be read"):
        load(folder, "all", data_dir=cache, memory_limit=100)
    assert not [*(cache / "latent_zoo").iterdir()]


def test_disk_without_room_and_folder_that_cannot_be_written(folder, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10}))
        with pytest.raises(ValueError, match=r"GiB free. Choose another data_dir"):
            load(folder, data_dir=tmp_path / "cache", memory_limit=100)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"Cannot write .*Choose another data_dir"):
        load(folder, data_dir=tmp_path / "file", memory_limit=100)


def test_cifar10_patches_of_a_folder(tmp_path):
    archive = FILES / "cifar10_jpeg.tar.gz"
    if not archive.is_file():
        pytest.skip(f"the pictures of CIFAR-10 are not in {archive}")
    with tarfile.open(archive) as tar:
        for _, member in zip(range(60), (m for m in tar if m.name.endswith(".jpg")), strict=False):
            path = tmp_path / member.name  # `extract` has a filter from Python 3.11.4 on only
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(tar.extractfile(member).read())
    (root,) = tmp_path.glob("*")
    root = next(iter(root.glob("*")))
    data = load("cifar10_patches", "all", path=root)
    assert data.inputs.shape == (60, 12, 12, 1) and data.inputs.dtype == np.float32
    colour = load(root, "all")
    grey = colour.inputs[:, 10:22, 10:22] @ np.array([0.2989, 0.587, 0.114]) / 255
    np.testing.assert_allclose(data.inputs[..., 0], grey, atol=1e-6)
    with pytest.raises(ValueError, match="size from 1 to 32"):
        load("cifar10_patches", path=root, size=33)
