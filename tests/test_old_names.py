"""What 0.1.0 wrote and what its users imported is found where it is now."""

import importlib
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from zoo.recipes import fine_tuning

# A network of `zoo.training.fine_tuning`, whose weights were set to .01 so that the file is small.
NETWORK = Path(__file__).parent / "fixtures" / "network_of_0_1_0.keras"


@pytest.mark.parametrize("room", ["runs", "recipes"])
def test_the_names_of_both_rooms_are_in_the_old_one(room):
    new = getattr(zoo, room)
    for name in set(new.__all__) - {"start_at_clusters"}:  # which is younger
        assert getattr(zoo.training, name) is getattr(new, name)


def test_modules_are_the_same_under_both_names():
    assert importlib.import_module("zoo.training.fine_tuning") is fine_tuning
    assert zoo.training.fine_tuning is fine_tuning
    assert importlib.import_module("zoo.training.settings").value("0.5,1") == [0.5, 1]
    with pytest.raises(ImportError, match="no_such_part"):
        from zoo.training import no_such_part  # noqa: F401


def test_a_schedule_saved_under_the_old_name_loads():
    saved = {
        "module": "zoo.training.schedules",
        "class_name": "LinearSchedule",
        "config": {"start": 0.0, "end": 2.0, "steps": 4},
        "registered_name": "zoo>LinearSchedule",
    }
    schedule = keras.saving.deserialize_keras_object(saved)
    assert isinstance(schedule, zoo.recipes.LinearSchedule)
    assert [float(schedule(step)) for step in (0, 2, 8)] == [0.0, 1.0, 2.0]


def test_a_network_of_0_1_0_loads():
    network = keras.saving.load_model(NETWORK)
    assert network.output_shape == (None, 10)
    assert any(isinstance(layer, fine_tuning.Encoding) for layer in network.layers)
    assert all((weight == np.float32(0.01)).all() for weight in network.get_weights())
