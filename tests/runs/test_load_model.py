"""What `zoo.load_model` takes beside a path."""

import keras
import numpy as np
import pytest

import zoo


@pytest.mark.filterwarnings("ignore:.*Lambda")
def test_code_of_a_file_runs_only_where_it_is_allowed(tmp_path):
    encoder = keras.Sequential([keras.layers.Lambda(lambda x: 2 * x), keras.layers.Dense(8)])
    networks = (encoder, zoo.networks.mlp((8,), (6,)))
    model = zoo.create("vae", (6,), latents=2, networks=networks)
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="safe_mode=False"):
        zoo.load_model(tmp_path / "m.keras")
    x = np.random.default_rng(0).random((5, 6), np.float32)
    loaded = zoo.load_model(tmp_path / "m.keras", safe_mode=False)
    np.testing.assert_array_equal(loaded.encode(x), model.encode(x))


def test_a_model_is_saved_in_a_new_folder_and_a_folder_is_no_model(tmp_path):
    model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
    model.save(tmp_path / "run" / "model.keras")
    with pytest.raises(ValueError, match=r"folder of a run. Load its model, '.*model\.keras'"):
        zoo.load_model(tmp_path / "run")
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "saved_model.pb").touch()
    with pytest.raises(ValueError, match=r"is a SavedModel.*expected a \.keras file"):
        zoo.load_model(tmp_path / "served")
    for name in ("m", "m.h5", "m.pb"):
        with pytest.raises(ValueError, match=r"^A model is saved to a \.keras file; received .*m"):
            model.save(tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*.keras")] == ["model.keras"]
    model.save(tmp_path / "unzipped", zipped=False)
    x = np.random.default_rng(0).random((5, 6), np.float32)
    loaded = zoo.load_model(tmp_path / "unzipped")
    np.testing.assert_array_equal(loaded.encode(x), model.encode(x))
