"""Names, and plugins of other packages found through entry points."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo import registry

ROOT = Path(__file__).parents[1]


@pytest.fixture
def clean(monkeypatch):
    """Names that a test registers are gone after it."""
    for kind, table in registry._parts.items():
        registry.names(kind)  # what the library itself registers stays
        monkeypatch.setitem(registry._parts, kind, dict(table))


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """Installs a distribution with entry points, as pip lays it out."""

    def install(name, points, source=""):
        module = name.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"{key} = {value}" for key, value in points.items()]
        (info / "entry_points.txt").write_text("[zoo.plugins]\n" + "\n".join(lines) + "\n")
        registry._plugins.cache_clear()

    monkeypatch.syspath_prepend(tmp_path)
    yield install
    registry._plugins.cache_clear()


PLUGIN = """
import tensorflow as tf
import zoo

@zoo.register("{name}")
class Plugin(zoo.Regularizer):
    def penalty(self, forward, training=False):
        return tf.reduce_sum(forward.code, axis=-1)
"""


def test_register_get_names(clean):
    @zoo.register("halved")
    class Halved(zoo.Regularizer):
        def penalty(self, forward, training=False):
            return forward.code[:, 0] / 2

    made = zoo.get("halved", weight=0.25)
    assert isinstance(made, Halved) and made.weight == 0.25 and made.name == "halved"
    assert "halved" in zoo.names()
    assert registry.lookup("halved") is Halved


def test_a_taken_name_raises_and_the_first_stays(clean):
    first = registry.lookup("kl")
    with pytest.raises(ValueError, match=r"'kl' is taken by zoo\.regularizers\.kl\.KL"):

        @zoo.register("kl")
        class Another(zoo.Regularizer):
            pass

    assert registry.lookup("kl") is first


def test_the_name_of_an_installed_plugin_is_taken_before_it_is_imported(clean):
    registry._parts["regularizer"].pop("hoyer", None)
    with pytest.raises(ValueError, match="'hoyer' is taken by the plugin"):

        @zoo.register("hoyer")
        class Mine(zoo.Regularizer):
            pass


@pytest.mark.parametrize("name", ["", "two words", "a-b", "1st"])
def test_a_name_is_an_identifier(name, clean):
    with pytest.raises(ValueError, match="letters, digits and underscores"):
        zoo.register(name)(type("Part", (), {}))


@pytest.mark.parametrize(
    ("kind", "wrong", "near"),
    [
        ("regularizer", "lp_nrom", "lp_norm"),
        ("prior", "laplac", "laplace"),
        ("likelihood", "bernouli", "bernoulli"),
        ("posterior", "cauchi", "cauchy"),
        ("model", "laplace_va", "laplace_vae"),
        ("dataset", "digit", "digits"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(kind, wrong, near):
    with pytest.raises(ValueError, match=f"Unknown {kind} '{wrong}'. Did you mean '{near}'"):
        zoo.get(wrong, kind)


def test_an_unknown_kind_and_an_unknown_option():
    with pytest.raises(ValueError, match="Did you mean 'prior'"):
        zoo.names("priors")
    with pytest.raises(ValueError, match=r"'l1' has no option 'wieght'\. Did you mean 'weight'"):
        zoo.get("l1", wieght=1.0)


def test_names_import_no_plugin():
    code = (
        "import sys, zoo; names = zoo.names(); assert 'mmd' in names and 'kl' in names; "
        "assert not any(m.startswith('zoo_plugins.') for m in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)


def test_a_plugin_is_found_by_its_entry_point(distribution, clean):
    distribution("found-plugin", {"found": "found_plugin:Plugin"}, PLUGIN.format(name="found"))
    assert "found" in zoo.names()
    assert "found_plugin" not in sys.modules
    made = zoo.get("found", weight=2.0)
    assert type(made).__module__ == "found_plugin" and made.weight == 2.0


def test_a_broken_plugin_is_named_and_harms_nothing_else(distribution, clean):
    distribution("broken-plugin", {"broken": "broken_plugin:Plugin"}, "raise RuntimeError('no')")
    with (
        pytest.warns(UserWarning, match=r"'broken' of broken-plugin 1.0.*RuntimeError"),
        pytest.raises(ValueError, match="Unknown regularizer 'broken'"),
    ):
        zoo.get("broken")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert zoo.get("l1").name == "l1"


def test_two_packages_with_one_name_are_told(distribution, clean):
    distribution("one-plugin", {"same": "one_plugin:Plugin"}, PLUGIN.format(name="same"))
    distribution("two-plugin", {"same": "two_plugin:Plugin"}, PLUGIN.format(name="same"))
    with pytest.warns(UserWarning, match="'same' is declared by .* and by"):
        zoo.names()


def test_a_saved_model_says_which_plugin_is_missing(distribution, clean, tmp_path):
    distribution("gone-plugin", {"gone": "gone_plugin:Plugin"}, PLUGIN.format(name="gone"))
    model = zoo.create("autoencoder", (4,), latents=2, hidden=(4,), regularizers=["gone"])
    path = tmp_path / "gone.keras"
    model.save(path)
    x = np.random.default_rng(0).uniform(size=(5, 4)).astype("float32")
    np.testing.assert_array_equal(zoo.load_model(path).encode(x), model.encode(x))
    del registry._parts["regularizer"]["gone"]
    (tmp_path / "gone_plugin-1.0.dist-info" / "entry_points.txt").write_text("")
    registry._plugins.cache_clear()
    with pytest.raises(ValueError, match="'gone', which is not there: install or import"):
        zoo.load_model(path)


def test_a_model_loads_in_a_fresh_process(tmp_path):
    model = zoo.create("lp_autoencoder", (4,), latents=2, hidden=(4,))
    x = np.random.default_rng(0).uniform(size=(3, 4)).astype("float32")
    model.save(tmp_path / "m.keras")
    np.save(tmp_path / "x.npy", x)
    code = (
        "import json, sys, numpy as np, keras, zoo; folder = sys.argv[1]; x = np.load(folder + '/x.npy'); "
        "print(json.dumps([keras.saving.load_model(folder + '/m.keras').encode(x).tolist(), "
        "zoo.load_model(folder + '/m.keras').encode(x).tolist()]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    for codes in json.loads(result.stdout.splitlines()[-1]):
        np.testing.assert_allclose(codes, model.encode(x), rtol=1e-6)
