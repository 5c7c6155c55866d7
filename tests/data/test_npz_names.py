"""Whatever the arrays of a .npz file are called: labels stay with their examples, or it is said."""

import itertools
import re
import warnings

import numpy as np
import pytest

from zoo.data import load, npz_names

PARTS = {"train": 12, "validation": 4, "test": 6}
WORDS = {"train": ["train", "training"], "validation": ["val", "valid", "dev"], "test": ["test"]}
FORMS = ["{base}_{part}", "{part}_{base}", "{base}{part}", "{part}-{base}", "{base}.{part}"]
PAIRS = [("x", "y"), ("X", "Y"), ("images", "labels"), ("data", "target"), ("features", "label")]


def examples(part):
    """Examples that tell their part and label: (number of the part, row, label)."""
    rows = np.arange(PARTS[part])
    number = np.full_like(rows, list(PARTS).index(part))
    return np.stack([number, rows, rows % 3], 1).astype(np.float32)


def labels(part):
    return np.arange(PARTS[part]) % 3


def right(data, *parts):
    """Whether the examples are those of the parts, each with its label."""
    wanted = np.concatenate([examples(part) for part in parts])
    found = data.inputs[np.lexsort(data.inputs.T[::-1])]
    return np.array_equal(found, wanted) and np.array_equal(data.labels, data.inputs[:, 2])


@pytest.fixture
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize(("form", "pair"), itertools.product(FORMS, PAIRS))
def test_parts_in_any_form(form, pair, tmp_path, quiet):
    path = tmp_path / "f.npz"
    for words in itertools.product(*WORDS.values()):
        arrays = {}
        for part, word in zip(PARTS, words, strict=True):
            arrays[form.format(base=pair[0], part=word)] = examples(part)
            arrays[form.format(base=pair[1], part=word)] = labels(part)
        np.savez(path, **arrays)
        for part in PARTS:
            assert right(load(path, part), part)
        assert right(load(path, "all"), *PARTS)


@pytest.mark.parametrize(
    "pair", [*PAIRS, ("arr_0", "arr_1"), ("arr_0", "y"), ("Inputs", "targets")]
)
def test_names_without_a_part(pair, tmp_path, quiet):
    np.savez(
        tmp_path / "f.npz", **dict(zip(pair, (examples("train"), labels("train")), strict=True))
    )
    assert right(load(tmp_path / "f.npz", "all"), "train")
    train, test = (load(tmp_path / "f.npz", split) for split in ("train", "test"))
    assert len(train) == 10 and len(test) == 2
    np.testing.assert_array_equal(test.labels, test.inputs[:, 2])


KEYS = [*itertools.product("xy", PARTS)]


@pytest.mark.parametrize("present", range(1, 1 << len(KEYS)))
def test_every_subset_of_parts_gives_labels_or_says_why_not(present, tmp_path):
    """Of each subset and split: all its labels; a warning that names what is lacking; or an error."""
    chosen = [key for bit, key in enumerate(KEYS) if present >> bit & 1]
    arrays = {f"{k}_{p}": examples(p) if k == "x" else labels(p) for k, p in chosen}
    np.savez(tmp_path / "f.npz", **arrays)
    inputs = [part for part in PARTS if ("x", part) in chosen]
    targets = [part for part in PARTS if ("y", part) in chosen]
    for split in ("train", "test", "all"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                data = load(tmp_path / "f.npz", split)
            except ValueError as error:
                orphan = not {*targets} <= {*inputs}
                missing = split == "train" and "train" not in inputs
                missing |= split == "test" and not {"test", "validation"} & {*inputs}
                assert orphan or missing, error
                continue
        assert {*targets} <= {*inputs}
        stands_in = "test" if "test" in inputs else "validation"
        wanted = inputs if split == "all" else [stands_in if split == "test" else split]
        if {*wanted} <= {*targets}:
            assert right(data, *wanted) and not caught
        else:
            assert data.labels is None and len(data) == sum(PARTS[part] for part in wanted)
            lacking = ", ".join(part for part in wanted if part not in targets)
            assert [str(w.message) for w in caught] == (
                [f"f.npz has no labels for its part {lacking}: they are left out."]
                if targets
                else []
            )


def test_bare_names_beside_a_part_are_the_training_part(tmp_path, quiet):
    arrays = {"x": examples("train"), "y": labels("train")}
    np.savez(tmp_path / "f.npz", **arrays, x_test=examples("test"), y_test=labels("test"))
    assert right(load(tmp_path / "f.npz"), "train") and right(
        load(tmp_path / "f.npz", "test"), "test"
    )


def test_arrays_called_as_parts_are_examples(tmp_path, quiet):
    np.savez(tmp_path / "f.npz", train=examples("train"), valid=examples("validation"))
    assert len(load(tmp_path / "f.npz")) == 12 and len(load(tmp_path / "f.npz", "test")) == 4


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"x": "train", "images": "train"}, "'x' and 'images', which both may be its inputs"),
        ({"x": "train", "y": 0, "labels": 0}, "'y' and 'labels', which both may be its labels"),
        ({"x": "train", "x_train": "train"}, "'x' and 'x_train', which both may be the inputs"),
        ({"x_train": "train", "y_valid": 1}, "'y_valid' without examples of that part"),
        ({"y_train": 0}, "holds the arrays y_train; expected one called x"),
        ({"arr_0": "train", "arr_1": 0, "arr_2": "test"}, "3 arrays without names"),
        ({"arr_0": "train", "arr_1": "test"}, r"labels of shape \(6, 3\)"),
        ({"x_train": "train", "x_test": "test", "y": 2}, r"labels of shape \(6,\) for train"),
        ({"mean": "train"}, "holds the arrays mean; expected one called x"),
    ],
)
def test_what_can_be_taken_in_two_ways_is_refused(names, message, tmp_path):
    arrays = {
        key: examples(what) if isinstance(what, str) else labels([*PARTS][what])
        for key, what in names.items()
    }
    np.savez(tmp_path / "f.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "f.npz")


def test_names_by_hand(tmp_path, quiet):
    path = tmp_path / "f.npz"
    np.savez(path, cells=examples("train"), kind=labels("train"))
    assert right(load(path, "all", inputs="cells", labels="kind"), "train")
    np.savez(path, Cells_train=examples("train"), fine_train=labels("train"),
             Cells_test=examples("test"), fine_test=labels("test"))  # fmt: skip
    assert right(load(path, "all", inputs="Cells", labels="fine"), "train", "test")
    np.savez(path, x=examples("train"), images=examples("train"), y=labels("train"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert right(load(path, "all", inputs="x"), "train")
    with pytest.raises(ValueError, match="expected the labels 'fine' among them"):
        load(path, inputs="x", labels="fine")
    with pytest.raises(ValueError, match="Say which it is by another name than 'cells'"):
        load(path, inputs="cells")


@pytest.mark.parametrize("kind", ["several", "fractions"])
def test_labels_that_are_no_classes_can_be_left_out(kind, tmp_path, quiet):
    y = np.ones((12, 5), int) if kind == "several" else np.linspace(0, 1, 12)
    np.savez(tmp_path / "f.npz", x=examples("train"), y=y)
    with pytest.raises(ValueError, match="leave others out" if kind == "several" else "fractions"):
        load(tmp_path / "f.npz")
    data = load(tmp_path / "f.npz", "all", labels=False)
    assert data.labels is None
    np.testing.assert_array_equal(data.inputs, examples("train"))


@pytest.mark.parametrize("options", [{"inputs": 3}, {"labels": True}, {"labels": ["y"]}])
def test_names_by_hand_are_text(options, tmp_path):
    np.savez(tmp_path / "f.npz", x=examples("train"), y=labels("train"))
    with pytest.raises(ValueError, match=r"must be the name of an array"):
        load(tmp_path / "f.npz", **options)


def test_what_is_not_read_is_named(tmp_path):
    np.savez(tmp_path / "f.npz", imgs=examples("train"), fine_labels=labels("train"), mean=1.0)
    with pytest.warns(UserWarning, match="these arrays are not read: fine_labels, mean"):
        assert load(tmp_path / "f.npz").labels is None


def test_parts_of_two_types_are_not_joined(tmp_path):
    x = np.zeros((4, 3), np.uint8)
    np.savez(tmp_path / "f.npz", x_train=x, x_test=x.astype(np.float32))
    with pytest.raises(ValueError, match=re.escape("uint8(4, 3) and float32(4, 3); expected one")):
        load(tmp_path / "f.npz", "all")


def test_names_of_classes_are_those_of_all_parts(tmp_path):
    names = np.array(["b", "c", "a"])
    np.savez(tmp_path / "f.npz", x_train=examples("train"), y_train=names[labels("train")][:, None],
             x_test=examples("test"), y_test=np.array(["d"] * 6)[:, None])  # fmt: skip
    train, test = (load(tmp_path / "f.npz", split) for split in ("train", "test"))
    assert train.classes == test.classes == ("a", "b", "c", "d")
    assert {*test.labels} == {3} and {*train.labels} == {0, 1, 2}


@pytest.mark.parametrize("form", [str, lambda number: str(number).encode()])
def test_numbers_as_text_are_numbered_so(form, tmp_path):
    names = np.array([form(number) for number in (10, 2, 1, 11) * 3])
    np.savez(tmp_path / "f.npz", x=examples("train"), y=names)
    data = load(tmp_path / "f.npz", "all")
    assert data.classes == ("1", "2", "10", "11")
    assert data.labels.tolist() == [2, 1, 0, 3] * 3


def test_names_of_classes_are_one_in_both_forms_of_accents(tmp_path):
    names = np.array(["caf\u00e9", "cafe\u0301", "tea"])[labels("train") % 3]
    np.savez(tmp_path / "f.npz", x=examples("train"), y=names)
    data = load(tmp_path / "f.npz", "all")
    assert data.classes == ("caf\u00e9", "tea")
    np.testing.assert_array_equal(data.labels, names == "tea")
    np.savez(tmp_path / "f.npz", x=examples("train"), y=np.array(["a", "a "] * 6))
    with pytest.warns(UserWarning, match="'a' and 'a ' differ in case or blanks only"):
        load(tmp_path / "f.npz", "all")


def test_no_name_means_two_things():
    known = [name for names in npz_names.NAMES.values() for name in names]
    assert len(known) == len({*known})
