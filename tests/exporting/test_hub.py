"""Models go to a hub and come back; the hub is stood in for by a folder."""

import json
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import zoo


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A folder in the place of the hub, with huggingface_hub's functions that Keras and the zoo call."""
    home = tmp_path / "hub"

    class Api:
        def __init__(self, **_):
            pass

        def create_repo(self, name, exist_ok):
            (home / name).mkdir(parents=True, exist_ok=True)
            return SimpleNamespace(repo_id=name)

        def upload_folder(self, repo_id, folder_path, path_in_repo="", **_):
            shutil.copytree(folder_path, home / repo_id / path_in_repo, dirs_exist_ok=True)

        def upload_file(self, path_or_fileobj, path_in_repo, repo_id, **_):
            (home / repo_id / path_in_repo).write_bytes(path_or_fileobj)

    package = SimpleNamespace(HfApi=Api, snapshot_download=lambda repo_id, **_: str(home / repo_id))
    monkeypatch.setitem(sys.modules, "huggingface_hub", package)
    keras_saving = sys.modules[keras.saving.load_model.__module__]
    monkeypatch.setattr(keras_saving.saving_lib, "huggingface_hub", package)
    return home


def test_a_model_goes_to_the_hub_with_its_card_and_comes_back(hub, tmp_path):
    model = zoo.create("beta_vae", (6,), latents=2, hidden=(4,), beta=4.0)
    model.compile("adam")
    x = np.random.default_rng(0).random((20, 6), np.float32)
    run = tmp_path / "run"
    (run / "figures").mkdir(parents=True)
    (run / "figures" / "samples.png").write_bytes(b"picture")
    settings = {"model": "beta_vae", "dataset": "mine", "epochs": 7, "manual_dir": "/secret"}
    (run / "config.json").write_text(json.dumps(settings))
    (run / "metrics.json").write_text(json.dumps({"reconstruction": {"psnr": 21.5}}))
    model.save("hf://me/mine", run=run)
    text = (hub / "me" / "mine" / "README.md").read_text()
    assert 'zoo.load_model("hf://me/mine")' in text and model.formula in text
    assert "21.5" in text and "figures/samples.png" in text and "secret" not in text
    assert (hub / "me/mine/figures/samples.png").read_bytes() == b"picture"
    back = zoo.load_model("hf://me/mine")
    np.testing.assert_array_equal(back.encode(x), model.encode(x))


@pytest.mark.parametrize("address", ["hf://mine", "hf://a/b/c", "hf:///b"])
def test_what_is_no_address_is_refused(address, hub):
    model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
    with pytest.raises(ValueError, match="hf://user/name"):
        model.save(address)
    assert not hub.exists()


def test_without_the_package_one_line_says_so(monkeypatch, tmp_path):
    model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match="pip install huggingface_hub"):
        model.save("hf://me/mine")
    with pytest.raises(ValueError, match="for the card of a hub"):
        model.save(tmp_path / "m.keras", run=tmp_path)
    keras_saving = sys.modules[keras.saving.load_model.__module__]
    monkeypatch.setattr(keras_saving.saving_lib, "huggingface_hub", None)
    with pytest.raises(ImportError, match="huggingface_hub"):
        zoo.load_model("hf://me/mine")


@pytest.mark.parametrize("name", zoo.presets.names())
def test_presets_load_and_are_small(name):
    path = Path(zoo.presets.__file__).parent / f"{name}.keras"
    assert path.stat().st_size < 4e6
    assert f'zoo.load_preset("{name}")' in zoo.presets.card(name)
    assert isinstance(zoo.load_preset(name), keras.Model)


def test_a_preset_keeps_what_its_card_says():
    model, test = zoo.load_preset("laplace_digits"), zoo.data.load("digits", "test")
    found = zoo.evaluation.evaluate(
        model, test, groups=["reconstruction"], level="quick", verbose=False
    )
    error = found["reconstruction"]["mean_squared_error"]
    assert f"{error:.4g}" in zoo.presets.card("laplace_digits")
    with pytest.raises(ValueError, match="Did you mean 'cluster_mnist'"):
        zoo.load_preset("clusters_mnist")
