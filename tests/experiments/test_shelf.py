import numpy as np
import pytest

import zoo
from zoo.experiments.shelf import kept
from zoo.serialization import policy


@pytest.fixture
def made():
    """How often a model was trained."""
    return []


def make(made):
    made.append(1)
    return zoo.create("vae", (4,), latents=2, hidden=(3,), seed=len(made))


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
    assert len(made) == 2 and "Training it again" in capsys.readouterr().out
    with policy("mixed_bfloat16"):
        kept(tmp_path, "a", lambda: make(made))
    assert len(made) == 3
