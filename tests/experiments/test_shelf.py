import json

import numpy as np
import pytest

import zoo
from zoo.experiments import unfinished
from zoo.experiments.shelf import kept, kept_arrays, watched
from zoo.serialization import policy


@pytest.fixture
def made():
    """How often a model was trained."""
    return []


def make(made):
    made.append(1)
    return zoo.create("vae", (4,), latents=2, hidden=(3,), seed=len(made))


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a test moves it on."""
    now = [0.0]
    monkeypatch.setattr(unfinished.time, "monotonic", lambda: now[0])
    return now


def test_a_model_is_trained_once(tmp_path, made):
    first = kept(tmp_path, "a", lambda: make(made))
    again = kept(tmp_path, "a", lambda: make(made))
    assert len(made) == 1
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    kept(tmp_path, "b", lambda: make(made))
    kept(None, "a", lambda: make(made))
    assert len(made) == 3


def test_a_damaged_one_and_other_number_types_are_trained_again(tmp_path, made, capsys):
    kept(tmp_path, "a", lambda: make(made))
    (path,) = tmp_path.glob("*.keras")
    path.write_bytes(path.read_bytes()[:100])
    kept(tmp_path, "a", lambda: make(made))
    assert len(made) == 2 and "Making it again" in capsys.readouterr().out
    with policy("mixed_bfloat16"):
        kept(tmp_path, "a", lambda: make(made))
    assert len(made) == 3


def test_arrays_are_made_once_and_again_where_they_are_damaged(tmp_path, capsys):
    made = []

    def count():
        made.append(1)
        return {"names": np.array([3, 1]), "alpha": 0.5}

    for folder in (tmp_path, tmp_path, None):
        found = kept_arrays(folder, "a", count)
        assert np.array_equal(found["names"], [3, 1]) and float(found["alpha"]) == 0.5
    assert len(made) == 2
    (path,) = tmp_path.glob("*.npz")
    for content in (path.read_bytes()[:100], b"", b"no zip"):
        path.write_bytes(content)
        assert float(kept_arrays(tmp_path, "a", count)["alpha"]) == 0.5
        assert "Making it again" in capsys.readouterr().out
    assert len(made) == 5


def test_the_time_of_what_was_there_before_is_known(tmp_path, clock):
    """A student takes 5 s by itself; its two teachers 3 s each, of which one is there when it is made."""

    def item(name, seconds, needs=()):
        def make():
            for need in needs:
                need()
            clock[0] += seconds
            return {"x": seconds}

        return kept_arrays(tmp_path, name, make)

    first, second = (lambda name=name: item(name, 3.0) for name in ("first", "second"))
    first()
    with watched() as making:
        item("student", 5.0, (first, second))
    assert making.earlier == {"first-float32": 3.0}
    assert making.made == {"second-float32": 3.0, "student-float32": 5.0}

    with watched() as going_on:
        item("student", 5.0, (first, second))
        first()  # counts once
        item("after", 1.0)
        item("after", 1.0)  # made here
    assert going_on.earlier == {"first-float32": 3.0, "second-float32": 3.0, "student-float32": 5.0}
    assert clock[0] == 3 + 3 + 5 + 1


def test_the_time_of_an_older_shelf_is_not_known(tmp_path, clock):
    def once():
        clock[0] += 2
        return {"x": 1.0}

    kept_arrays(tmp_path, "a", once)
    (note,) = tmp_path.glob("*.seconds.json")
    assert json.loads(note.read_text()) == {"a-float32": 2.0}
    note.unlink()
    with watched() as found:
        kept_arrays(tmp_path, "a", once)
    assert found.earlier == {"a-float32": None}
