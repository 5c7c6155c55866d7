"""What a process finds that has imported nothing of the zoo yet."""

import importlib
import json
import sys

import keras
import numpy as np
import pytest

import zoo
from tests import fresh
from zoo import registry
from zoo.recipes import WarmUp

LAYERS = """
import keras
import zoo

@zoo.register("of_a_module", kind="bottleneck")
class OfAModule(zoo.bottlenecks.Deterministic):
    def call(self, features):
        return self.encode(features)

@zoo.register("named_already", kind="bottleneck")
@keras.saving.register_keras_serializable("mine")
class NamedAlready(zoo.bottlenecks.Deterministic):
    pass
"""
ROOMS = "import zoo; zoo.trainer.Adam; [getattr(zoo, name) for name in zoo._ROOMS]"
LAYERS_LOADED = """
import json, sys
folder = sys.argv[1]
sys.path.insert(0, folder)
import zoo
import its_module
import keras, numpy as np
x = np.load(folder + "/x.npy")
plain = keras.saving.load_model(folder + "/plain.keras")
model = keras.saving.load_model(folder + "/model.keras")
print(json.dumps([plain(x).numpy().tolist(), model.encode(x).tolist()]))
"""
LOADED = """
import json, sys, numpy as np, keras, zoo
path, x = sys.argv[1], np.load(sys.argv[2])
models = zoo.load_model(path), keras.saving.load_model(path)
print(json.dumps([model.encode(x).tolist() for model in models]))
"""
PEAK = """
import sys
import numpy as np, zoo

x = np.zeros((int(sys.argv[1]) * 2**14, 2048), np.float32)
x[::2] = 1
model = zoo.create("autoencoder", (2048,), latents=2, hidden=(4,))
model.compile(jit_compile=False)
model.fit(x, batch_size=512, verbose=0)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) / 2**20)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Name -> (exit code, output) of each program; and the codes that it should print."""
    folder = tmp_path_factory.mktemp("fresh")
    x = np.random.default_rng(0).random((5, 4), np.float32)
    np.save(folder / "x.npy", x)
    with pytest.MonkeyPatch.context() as patch:
        for kind, table in registry._parts.items():
            registry.names(kind)  # what the library itself registers stays
            patch.setitem(registry._parts, kind, dict(table))
        patch.syspath_prepend(folder)
        (folder / "its_module.py").write_text(LAYERS)
        its_module = importlib.import_module("its_module")
        names = [
            keras.saving.get_registered_name(cls)
            for cls in (its_module.OfAModule, its_module.NamedAlready)
        ]
        assert names == ["zoo.bottleneck>of_a_module", "mine>NamedAlready"]
        encoder, decoder = zoo.networks.mlp((3,)), zoo.networks.mlp((3,), (4,))
        part = {"name": "of_a_module", "units": 2}
        own = zoo.Autoencoder((4,), encoder=encoder, bottleneck=part, decoder=decoder)
        assert own.get_config()["bottleneck"]["zoo_name"] == "of_a_module"
        plain = keras.Sequential([keras.Input((4,)), its_module.OfAModule(2)])
    models = {
        "model": own,
        "plain": plain,
        "lp": zoo.create("lp_autoencoder", (4,), latents=2, hidden=(4,)),
        "schedule": zoo.create("vae", (4,), latents=1, hidden=[], beta=WarmUp(1.0, 10)),
    }
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
    programs = {
        name: [LOADED, str(folder / f"{name}.keras"), str(folder / "x.npy")]
        for name in ("lp", "schedule")
    }
    programs |= {"rooms": [ROOMS], "layers": [LAYERS_LOADED, str(folder)]}
    programs |= {f"peak {eighths}": [PEAK, str(eighths)] for eighths in (1, 3)}
    programs["fails"] = ["import sys; print(sys.argv[1]); 1 / 0", "here"]
    found = fresh.run(programs, folder)
    wanted = {name: [models[name].encode(x)] * 2 for name in ("lp", "schedule")}
    return found, {**wanted, "layers": [np.asarray(plain(x)), own.encode(x)]}


def printed(answer):
    code, output = answer
    assert code == 0, output[-2000:]
    return output


@pytest.mark.parametrize("name", ["lp", "schedule", "layers"])
def test_a_model_is_loaded_by_zoo_and_by_keras(answers, name):
    """With parts that are imported by their names, a schedule, and layers of a module of its own."""
    found, wanted = answers
    codes = json.loads(printed(found[name]).splitlines()[-1])
    for one, other in zip(codes, wanted[name], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_every_room_is_there_after_importing_the_zoo_alone(answers):
    printed(answers[0]["rooms"])


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_fit_takes_a_fifth_of_the_data_beside_them(answers):
    """Wherever NumPy has put them: its large arrays do not begin where TensorFlow takes them as they are."""
    low, high = (float(printed(answers[0][f"peak {n}"]).splitlines()[-1]) for n in (1, 3))
    heap = 64 / 1024  # GiB that a heap grows by: one of the two may be past a step of it
    assert high - low < 1.2 * (3 - 1) / 8 + heap


def test_a_program_that_fails_says_so(answers):
    code, output = answers[0]["fails"]
    assert code == 1 and output.startswith("here\n") and "ZeroDivisionError" in output
