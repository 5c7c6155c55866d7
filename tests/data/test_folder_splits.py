"""Whatever the splits of a folder are called and wherever they stand, no test picture is trained on."""

import itertools
import warnings

import numpy as np
import pytest
from PIL import Image

from zoo.data import load, split_names

NAMES = {
    "train": ["train", "Train", "TRAINING", "training_set", "train-images", "trn"],
    "validation": ["val", "valid", "Validation", "dev", "validation_split", "VAL"],
    "test": ["test", "Testing", "TEST", "eval", "test_set", "holdout"],
}


@pytest.fixture
def place(tmp_path):
    """Writes pictures of different numbers into a folder, and says which numbers went there."""
    numbers = itertools.count(20)

    def write(folder, count=3):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        written = [next(numbers) for _ in range(count)]
        for number in written:
            Image.fromarray(np.full((3, 3), number, np.uint8)).save(
                tmp_path / folder / f"{number}.png"
            )
        return {*written}

    write.root = tmp_path
    return write


def numbers(data):
    return {*data.inputs[:, 0, 0, 0].tolist()}


def read(place, *splits, **options):
    return [numbers(load(place.root, split, **options)) for split in splits]


@pytest.mark.parametrize("part", NAMES)
def test_names_of_parts(part):
    for name in NAMES[part]:
        assert split_names.part_of(name) == part, name
    for name in (
        "cat",
        "trains",
        "tester",
        "contest",
        "evaluate_me",
        "",
        "device",
        "valley",
        "set",
    ):
        assert split_names.part_of(name) is None, name


@pytest.mark.parametrize("classes", [(), ("cat", "dog")])
@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("order", ["splits first", "classes first", "within a folder"])
def test_splits_in_any_form(classes, number, order, place):
    """Three parts, named in one form, above or below the classes."""
    wanted = {}
    for part, names in NAMES.items():
        wanted[part] = set()
        for label in classes or ("",):
            folder = f"{names[number]}/{label}"
            if order == "classes first":
                folder = f"{label}/{names[number]}".lstrip("/")
            elif order == "within a folder":
                folder = f"archive/inner/{folder}"
            wanted[part] |= place(folder)
    train, validation, test, everything = read(place, "train", "validation", "test", "all")
    assert (train, validation, test) == tuple(wanted.values())
    assert everything == train | validation | test
    data = load(place.root, "test")
    assert data.classes == (classes or None)
    if classes:
        assert sorted(data.labels) == [0] * 3 + [1] * 3


@pytest.mark.parametrize("number", range(6))
def test_validation_stands_in_for_a_test_split(number, place):
    train, held_out = place(NAMES["train"][number]), place(NAMES["validation"][number])
    assert read(place, "train", "test", "validation", "all") == [
        train,
        held_out,
        held_out,
        train | held_out,
    ]


def test_labels_are_numbered_alike_in_all_parts(place):
    for folder in ("train/b", "train/c", "test/a", "test/c"):
        place(folder, 2)
    train, test = (load(place.root, split) for split in ("train", "test"))
    assert train.classes == test.classes == ("a", "b", "c")
    assert sorted(train.labels) == [1, 1, 2, 2] and sorted(test.labels) == [0, 0, 2, 2]


@pytest.mark.parametrize("parts", [("",), ("train", "test")])
def test_numbered_classes_are_numbered_so(parts, place):
    """Class 10 has the label 10, not that of its place in the alphabet."""
    wanted = {}
    for part, number in itertools.product(parts, range(12)):
        wanted |= dict.fromkeys(place(f"{part}/{number}".lstrip("/"), 2), number)
    for split in ("train", "test", "all"):
        data = load(place.root, split)
        assert data.classes == tuple(map(str, range(12)))
        assert data.labels.tolist() == [wanted[n] for n in data.inputs[:, 0, 0, 0].tolist()]


def test_a_part_without_classes_has_no_labels(place):
    place("train/a"), place("train/b"), place("test")
    assert load(place.root).labels is not None
    test = load(place.root, "test")
    assert test.labels is None and test.classes is None
    with pytest.warns(UserWarning, match="one of its splits has no class folders"):
        assert load(place.root, "all").labels is None


@pytest.mark.parametrize("lone", ["train", "Test", "archive/train", "archive", "a/b/c"])
def test_a_lone_folder_is_no_class(lone, place):
    place(f"{lone}/cat"), place(f"{lone}/dog")
    data = load(place.root, "all")
    assert data.classes == ("cat", "dog") and len(data) == 6
    assert len(load(place.root)) == 5 and len(load(place.root, "test")) == 1


def test_a_lone_class_stays_a_class(place):
    place("cat")
    assert load(place.root, "all").classes == ("cat",)


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (["train", "test", "cat"], "split folders test, train beside cat"),
        (["train/a", "cat/a"], "split folders train beside cat"),
        (["train", "test", ""], "beside loose pictures"),
        (["train", "Training", "test"], "Training, test, train, of which two name one split"),
        (["val", "dev", "train"], "of which two name one split"),
        (["cat/train", "cat/test", "dog"], "split folders test, train beside loose pictures"),
        (["cat/train", "dog/test", "dog/extra"], "beside extra"),
        (["train/a", "train", "test/a"], "The part train of .* both loose and in subfolders"),
        (["cat", ""], "both loose and in subfolders"),
    ],
)
def test_what_can_be_taken_in_two_ways_is_refused(folders, message, place):
    for folder in folders:
        place(folder)
    for split in ("train", "test", "all"):
        with pytest.raises(ValueError, match=message):
            load(place.root, split)


def test_classes_may_be_called_as_splits(place):
    """Trains, buses and cars."""
    place("bus"), place("car"), place("train")
    data = load(place.root, "all", splits=False)
    assert data.classes == ("bus", "car", "train") and len(data) == 9
    with pytest.raises(ValueError, match="splits=False"):
        load(place.root)


def test_a_share_is_of_a_folder_without_splits(place):
    place("train"), place("test")
    with pytest.raises(ValueError, match=r"has splits of its own, which test_fraction=0\.3"):
        load(place.root, test_fraction=0.3)


@pytest.mark.parametrize(
    ("folders", "split"), [(["test", "val"], "train"), (["a", "b"], "validation")]
)
def test_a_split_that_is_not_there_is_refused(folders, split, place):
    for folder in folders:
        place(folder)
    with pytest.raises(ValueError, match=f"has the splits .*received split='{split}'"):
        load(place.root, split)


def test_files_that_are_no_pictures_are_told(place):
    place("a"), place("b")
    (place.root / "a" / "notes.TXT").write_text("x")
    (place.root / "b" / "LICENSE").write_text("x")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "passed over: 1 .txt, 1 LICENSE" in load(place.root).description
    (place.root / "b" / "photo.HEIC").write_bytes(b"x")
    with pytest.warns(UserWarning, match=r"end in \.heic are not read"):
        load(place.root)


def test_what_an_archive_of_a_mac_brings_is_no_class(place):
    place("set/cat"), place("set/dog")
    (place.root / "__MACOSX" / "set" / "cat").mkdir(parents=True)
    (place.root / "__MACOSX" / "set" / "cat" / "._20.png").write_bytes(b"x")
    (place.root / "set" / ".ipynb_checkpoints").mkdir()
    assert load(place.root, "all").classes == ("cat", "dog")


def test_endings_in_any_case(place):
    wanted = place("", 4)
    for path, ending in zip(sorted(place.root.iterdir()), (".PNG", ".Png", ".apng"), strict=False):
        path.rename(path.with_suffix(ending))
    assert read(place, "all") == [wanted]


@pytest.mark.parametrize("part", ["train", "test", "all"])
def test_a_class_whose_accents_are_written_in_two_forms_is_one(part, place):
    """macOS writes e and its accent as two characters, others as one."""
    place("train/caf\u00e9"), place("train/tea"), place("test/cafe\u0301"), place("test/tea")
    data = load(place.root, part)
    assert data.classes == ("caf\u00e9", "tea")
    assert sorted(data.labels) == sorted([0, 1] * (6 if part == "all" else 3))


@pytest.mark.parametrize("other", ["cat", "CAT", "Cat ", "C at"])
def test_classes_that_differ_in_case_or_blanks_are_told(other, place):
    place("train/Cat"), place("train/dog"), place(f"test/{other}"), place("test/dog")
    with pytest.warns(UserWarning, match="differ in case or blanks only, and are two"):
        assert len(load(place.root, "test").classes) == 3
