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
