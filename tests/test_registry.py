"""Names of parts: those of the zoo, of a notebook, and of other packages, found through entry points."""

import importlib
import os
import py_compile
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from zoo import declarations, models, registry
from zoo.distributions import Family, Likelihood, Prior
from zoo.runs.listing import describe

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
    modules = set(sys.modules)

    def install(name, groups, sources):
        for file, source in sources.items():
            (tmp_path / file).parent.mkdir(exist_ok=True)
            (tmp_path / file).write_text(source)
        info = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = []
        for group, points in groups.items():
            lines += [f"[{group}]", *(f"{key} = {value}" for key, value in points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        registry._declared.cache_clear()
        return info

    monkeypatch.syspath_prepend(tmp_path)
    yield install
    registry._declared.cache_clear()
    for module in set(sys.modules) - modules:
        if str(tmp_path) in (getattr(sys.modules[module], "__file__", None) or ""):
            del sys.modules[module]


PLUGIN = """
import tensorflow as tf
import zoo

@zoo.register("{name}")
class Plugin(zoo.Regularizer):
    \"\"\"The sum of the code.\"\"\"

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


def test_two_local_classes_of_one_name_are_two(clean):
    def define():
        @zoo.register("local", kind="bottleneck")
        class Local:
            pass

    define()
    with pytest.raises(ValueError, match="'local' is taken by"):
        define()


@pytest.mark.parametrize(
    ("name", "kind", "place"),
    [("hoyer", "regularizer", "zoo_plugins.hoyer:Hoyer"), ("vae", "model", "zoo.models.vae:vae")],
)
def test_a_name_of_the_zoo_is_taken_before_it_is_imported(clean, name, kind, place):
    registry._parts[kind].pop(name, None)
    with pytest.raises(ValueError, match=f"'{name}' is taken by {place}"):
        zoo.register(name, kind)(type("Mine", (), {}))


def test_the_name_of_an_installed_part_is_taken_before_it_is_imported(clean, distribution):
    distribution("far-parts", {"zoo.priors": {"far": "far_parts:Far"}}, {"far_parts.py": ""})
    with pytest.raises(ValueError, match=r"'far' is taken by the plugin 'far' of far-parts 1.0"):
        zoo.register("far", "prior")(type("Mine", (), {}))


@pytest.mark.parametrize("name", ["", "two words", "a-b", "1st"])
def test_a_name_is_an_identifier(name, clean):
    with pytest.raises(ValueError, match="letters, digits and underscores"):
        zoo.register(name)(type("Part", (), {}))


def test_only_classes_and_functions_have_names(clean):
    with pytest.raises(ValueError, match="a class or a function; received 3"):
        zoo.register("three")(3)


@pytest.mark.parametrize(
    ("kind", "wrong", "near"),
    [
        ("regularizer", "lp_nrom", "lp_norm"),
        ("prior", "laplac", "laplace"),
        ("likelihood", "bernouli", "bernoulli"),
        ("posterior", "cauchi", "cauchy"),
        ("bottleneck", "topk", "top_k"),
        ("network", "con", "conv"),
        ("model", "laplace_va", "laplace_vae"),
        ("model", "VQ-VAE", "vq_vae"),
        ("dataset", "digit", "digits"),
        ("experiment", "OX-LIM", "OX-LIN"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(kind, wrong, near):
    with pytest.raises(ValueError, match=f"Unknown {kind} '{wrong}'. Did you mean '{near}'"):
        zoo.get(wrong, kind)


@pytest.mark.parametrize("kind", registry.KINDS)
def test_names_are_sorted_and_each_is_there(kind):
    names = zoo.names(kind)
    assert names == sorted(names)
    assert all(callable(registry.lookup(name, kind)) for name in names)


def test_an_unknown_kind_and_an_unknown_option():
    with pytest.raises(ValueError, match="Did you mean 'prior'"):
        zoo.names("priors")
    with pytest.raises(ValueError, match=r"'l1' has no option 'wieght'\. Did you mean 'weight'"):
        zoo.get("l1", wieght=1.0)


def test_names_import_no_part():
    code = (
        "import sys, zoo\n"
        "names = {kind: zoo.names(kind) for kind in zoo.registry.KINDS}\n"
        "assert {'mmd', 'kl'} <= set(names['regularizer']) and 'vae' in names['model']\n"
        "heavy = {'tensorflow', 'keras', 'zoo_plugins.mmd', 'zoo.models.vae'}\n"
        "assert not heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)


PARTS = '''
import numpy as np
import keras
from tensorflow_probability import distributions as tfd
import zoo
from zoo.data import Data
from zoo.experiments import Experiment


@zoo.register("far_prior", kind="prior")
class FarPrior(zoo.distributions.Prior):
    """A wide logistic."""

    def marginal(self, shape=()):
        return tfd.Logistic(np.zeros(shape, np.float32), self.scale)


@zoo.register("far_likelihood", kind="likelihood")
class FarLikelihood(zoo.distributions.Likelihood):
    """A far one."""


@zoo.register("far_posterior", kind="posterior")
class FarPosterior(zoo.distributions.Family):
    """Logistic."""

    distribution = tfd.Logistic


@zoo.register("far_bottleneck", kind="bottleneck")
class FarBottleneck(zoo.bottlenecks.Deterministic):
    """Twice the code."""

    def encode(self, features):
        return 2 * super().encode(features)


@zoo.register("far_objective", kind="objective")
def far_objective():
    """A far objective."""


@zoo.register("far_network", kind="network")
def far_network(input_shape, hidden=3, depth=1):
    """Deep and narrow."""
    return zoo.networks.mlp([*hidden] * depth), zoo.networks.mlp((), input_shape)


@zoo.register("far_model", kind="model")
def far_model(input_shape, latents: int = 2, **others):
    """A far model.

        E[log p(x|z)]

    With a code of two units.
    """
    return zoo.create("autoencoder", input_shape, latents=latents, **others)


@zoo.register("far_dataset", kind="dataset")
def far_dataset(split, rows=4, **others):
    """Ones."""
    return Data("far", split, np.full((rows, others.get("width", 2)), 1, "float32"))


@zoo.register("FAR_1", kind="experiment")
def far_1():
    """A far figure."""
    return Experiment("FAR_1", "far", "A far figure", None, None, [], {}, {})


@zoo.register("far_regularizer")
class FarRegularizer(zoo.Regularizer):
    """Nothing."""
'''
KINDS = {
    "regularizer": "far_regularizer",
    "prior": "far_prior",
    "likelihood": "far_likelihood",
    "posterior": "far_posterior",
    "bottleneck": "far_bottleneck",
    "objective": "far_objective",
    "network": "far_network",
    "model": "far_model",
    "dataset": "far_dataset",
    "experiment": "FAR_1",
}


@pytest.fixture
def far(clean, distribution):
    """A package that brings a part of every kind, in a module that its first module imports."""
    attributes = {name: "".join(w.title() for w in name.split("_")) for name in KINDS.values()}
    plain = {KINDS[kind] for kind in ("objective", "network", "model", "dataset")}
    attributes |= {name: name for name in plain} | {"FAR_1": "far_1"}
    distribution(
        "far-parts",
        {f"zoo.{kind}s": {name: f"far:{attributes[name]}"} for kind, name in KINDS.items()},
        {
            "far/__init__.py": f"from far.parts import {', '.join(attributes.values())}\n",
            "far/parts.py": PARTS,
        },
    )


def test_every_kind_has_a_part_of_another_package():
    assert tuple(KINDS) == registry.KINDS


def test_parts_of_another_package_are_listed_without_their_import(far):
    for kind, name in KINDS.items():
        assert name in zoo.names(kind)
        assert describe(f"{kind}s")[name].endswith("[far-parts 1.0]")
    assert describe("priors")["far_prior"] == "A wide logistic. [far-parts 1.0]"
    assert "far" not in sys.modules
    lines = {kind: describe(f"{kind}s")[name] for kind, name in KINDS.items()}
    for kind, name in KINDS.items():
        assert registry.lookup(name, kind).__module__ == "far.parts"
    assert lines == {kind: describe(f"{kind}s")[name] for kind, name in KINDS.items()}


def test_parts_of_another_package_are_built_by_name(far):
    from zoo.data import load
    from zoo.experiments import find

    assert isinstance(zoo.get("far_prior", "prior", scale=2.0), Prior)
    assert isinstance(zoo.get("far_likelihood", "likelihood"), Likelihood)
    assert isinstance(zoo.get("far_posterior", "posterior"), Family)
    assert load("far_dataset", "test", rows=3, width=5).inputs.shape == (3, 5)
    assert find("far-1").title == "A far figure"
    model = zoo.create("far_model", (6,), hidden=(4,), regularizers=["far_regularizer"])
    assert model.units == 2 and model.formula == "E[log p(x|z)]"
    assert models.options("far_model") == {"latents": 2}
    assert models.function("far_model").__module__ == "far.parts"


def test_a_network_of_another_package_gets_the_options_that_it_names(far):
    def widths(**options):
        model = zoo.create("vae", (6,), latents=2, likelihood="normal", **options)
        return [w.shape[-1] for w in model.encoder.get_weights() if w.ndim == 2]

    assert widths(networks={"name": "far_network", "depth": 3}, hidden=(4,)) == [4, 4, 4]
    assert widths(networks={"name": "far_network", "hidden": 5}) == [5]
    with pytest.raises(ValueError, match=r"has no option 'dept'. Did you mean 'depth'"):
        widths(networks={"name": "far_network", "dept": 3})
    with pytest.raises(ValueError, match=r"hidden has no effect on networks=.*'hidden': 5"):
        widths(networks={"name": "far_network", "hidden": 5}, hidden=(4,))
    with pytest.raises(ValueError, match="activation has no effect on networks='far_network'"):
        widths(networks="far_network", activation="tanh")


def test_a_model_with_parts_of_another_package_is_saved_and_loaded(far, tmp_path):
    model = zoo.Autoencoder(
        (6,),
        encoder=zoo.networks.mlp((4,)),
        bottleneck={"name": "far_bottleneck", "units": 2},
        decoder=zoo.networks.mlp((4,), (6,)),
        prior="far_prior",
    )
    x = np.random.default_rng(0).random((5, 6), np.float32)
    model.save(tmp_path / "far.keras")
    np.testing.assert_array_equal(zoo.load_model(tmp_path / "far.keras").encode(x), model.encode(x))
    twin = zoo.bottlenecks.Deterministic(2)
    twin.build((None, 4))
    twin.set_weights(model.bottleneck.get_weights())
    np.testing.assert_allclose(model.encode(x), 2 * twin.encode(model.encoder(x)), rtol=1e-5)


def test_a_bottleneck_is_named_as_any_other_part():
    def built(bottleneck):
        networks = zoo.networks.mlp((8,)), zoo.networks.mlp((8,), (6,))
        return zoo.Autoencoder((6,), networks[0], bottleneck, networks[1]).get_config()[
            "bottleneck"
        ]

    named = built({"name": "top_k", "units": 4, "k": 2})
    made = built(zoo.bottlenecks.TopK(4, k=2, name=named["config"]["name"]))
    assert named == made and made["zoo_name"] == "top_k"
    with pytest.raises(ValueError, match=r"'top_k' cannot be built from \{\}.*'units'"):
        built("top_k")
    with pytest.raises(ValueError, match=r"Unknown bottleneck 'topk'. Did you mean 'top_k'"):
        built("topk")
    with pytest.raises(ValueError, match="Expected a bottleneck as a Bottleneck, a name or a dict"):
        built(4)


@pytest.mark.parametrize("kind", ["network", "model", "prior", "dataset"])
def test_a_function_that_gives_another_thing_is_told(clean, kind):
    from zoo.data import load

    zoo.register("odd", kind)(lambda *args, **options: 3)
    zoo.register("odd_split", "dataset")(lambda seed=0: 3)
    use = {
        "network": lambda: zoo.create("vae", (6,), networks="odd"),
        "model": lambda: zoo.create("odd", (6,)),
        "prior": lambda: zoo.create("vae", (6,), prior="odd"),
        "dataset": lambda: load("odd_split"),
    }[kind]
    wanted = {"network": "must give a pair", "dataset": "must take split"}
    with pytest.raises(ValueError, match=f"'odd.*{wanted.get(kind, 'must give a')}"):
        use()


def test_one_name_may_be_of_two_kinds(clean, distribution):
    source = (
        "import zoo\n"
        "@zoo.register('same', 'prior')\nclass A(zoo.distributions.Prior): pass\n"
        "@zoo.register('same', 'posterior')\nclass B(zoo.distributions.Family): pass\n"
    )
    groups = {"zoo.priors": {"same": "twice:A"}, "zoo.posteriors": {"same": "twice:B"}}
    distribution("twice", groups, {"twice.py": source})
    assert zoo.get("same", "posterior").__class__.__name__ == "B"
    assert registry.lookup("same", "prior").__name__ == "A"
    assert "same" not in zoo.names() + zoo.names("likelihood")


@pytest.mark.parametrize("group", ["zoo.plugins", "zoo.regularizers"])
def test_a_regularizer_is_found_in_either_group(distribution, clean, group):
    source = PLUGIN.format(name="found")
    distribution(
        "found-plugin", {group: {"found": "found_plugin:Plugin"}}, {"found_plugin.py": source}
    )
    assert "found" in zoo.names()
    assert "found_plugin" not in sys.modules
    made = zoo.get("found", weight=2.0)
    assert type(made).__module__ == "found_plugin" and made.weight == 2.0


def test_a_class_that_is_declared_but_not_decorated_gets_its_name(distribution, clean):
    source = PLUGIN.replace('@zoo.register("{name}")', "")
    distribution("bare", {"zoo.regularizers": {"bare": "bare:Plugin"}}, {"bare.py": source})
    made = zoo.get("bare")
    assert made.name == "bare" == type(made).zoo_name


@pytest.mark.parametrize("kind", ["regularizer", "prior", "model", "network"])
def test_a_broken_part_is_named_and_harms_nothing_else(distribution, clean, kind):
    points = {f"zoo.{kind}s": {"broken": "broken_part:Part"}}
    distribution("broken-part", points, {"broken_part.py": "raise RuntimeError('no')"})
    with pytest.raises(ValueError, match=r"'broken' of broken-part 1.0.*RuntimeError"):
        zoo.get("broken", kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert zoo.get("l1").name == "l1"
        assert "broken" in describe(f"{kind}s")


def test_a_part_in_the_group_of_another_kind_is_told(distribution, clean):
    source = (
        "import zoo\n@zoo.register('wide', 'prior')\nclass Wide(zoo.distributions.Prior): pass\n"
    )
    distribution("wide", {"zoo.plugins": {"wide": "wide:Wide"}}, {"wide.py": source})
    with pytest.raises(ValueError, match=r"it is the prior 'wide': declare it .* zoo\.priors"):
        zoo.get("wide")


def test_two_packages_with_one_name_are_told(distribution, clean):
    for name in ("one", "two"):
        source = {f"{name}.py": PLUGIN.format(name="same")}
        distribution(name, {"zoo.plugins": {"same": f"{name}:Plugin"}}, source)
    with pytest.warns(UserWarning, match="'same' is declared by .* and by"):
        zoo.names()


def test_a_package_without_sources_is_imported(tmp_path, clean, monkeypatch):
    source = "from zoo import registry\n@registry.register('packed', 'model')\ndef packed(input_shape): ...\n"
    (tmp_path / "packed.py").write_text(source)
    folder = tmp_path / "sourceless"
    folder.mkdir()
    py_compile.compile(tmp_path / "packed.py", folder / "packed.pyc")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(registry._HOME, "model", ("sourceless",))
    registry._declared.cache_clear()
    try:
        assert "packed" in zoo.names("model")
    finally:
        registry._declared.cache_clear()


def test_the_zoo_needs_no_install_for_its_plugins(tmp_path):
    """A checkout of which only `zoo` and `plugins` are there, beside everything else that is installed."""
    places = {Path(module.__file__).parents[1] for module in (np, keras)}
    (tmp_path / "site").mkdir()
    for entry in (entry for place in places for entry in place.iterdir()):
        if "latent_zoo" not in entry.name and entry.suffix not in (".pth", ".egg-link"):
            (tmp_path / "site" / entry.name).symlink_to(entry)
    for room in ("zoo", "plugins"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "import importlib.util, sys\nsys.path.append('site')\nimport zoo\n"
        "assert importlib.util.find_spec('zoo_plugins') is None\n"
        "model = zoo.create('vae', (4,), latents=2, hidden=(3,), regularizers=['mmd', 'hoyer'])\n"
        "print([type(r).__module__ for r in model.regularizers])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    wanted = ["zoo.regularizers.kl", "zoo_plugins.mmd", "zoo_plugins.hoyer"]
    assert done.stdout.splitlines()[-1] == str(wanted)


CELL = """
import zoo

@zoo.register("of_a_cell", kind="{kind}")
class OfACell(zoo.{base}):
    number = {number}
"""


@pytest.mark.parametrize(
    ("kind", "base"), [("regularizer", "Regularizer"), ("prior", "distributions.Prior")]
)
def test_a_notebook_cell_can_be_run_again(clean, kind, base):
    notebook = {"__name__": "__main__"}
    for number in (1, 2):
        exec(CELL.format(kind=kind, base=base, number=number), notebook)
        assert zoo.get("of_a_cell", kind).number == number
        assert registry.lookup("of_a_cell", kind) is notebook["OfACell"]
    with pytest.raises(ValueError, match=r"'of_a_cell' is taken by __main__.OfACell"):
        exec("zoo.register('of_a_cell', kind)(type('Other', (), {}))", {**notebook, "kind": kind})


def test_declarations_are_those_of_the_modules():
    """What is read of the zoo's own packages is what their import registers."""
    for kind, packages in registry._HOME.items():
        for package in packages:
            if package in registry._IMPORTED:
                continue
            for declared in declarations.registered(package):
                if declared.kind == kind:
                    part = registry.lookup(declared.name, kind)
                    assert declared.value == f"{part.__module__}:{part.__qualname__}"


def test_a_saved_model_says_which_plugin_is_missing(distribution, clean, tmp_path):
    points = {"zoo.plugins": {"gone": "gone_plugin:Plugin"}}
    info = distribution("gone-plugin", points, {"gone_plugin.py": PLUGIN.format(name="gone")})
    model = zoo.create("autoencoder", (4,), latents=2, hidden=(4,), regularizers=["gone"])
    path = tmp_path / "gone.keras"
    model.save(path)
    x = np.random.default_rng(0).uniform(size=(5, 4)).astype("float32")
    np.testing.assert_array_equal(zoo.load_model(path).encode(x), model.encode(x))
    del registry._parts["regularizer"]["gone"]
    (info / "entry_points.txt").write_text("")
    registry._declared.cache_clear()
    with pytest.raises(ValueError, match="'gone', which is not there: install or import") as error:
        zoo.load_model(path)
    assert len(str(error.value)) < 2000  # without the configuration, which Keras tells


def test_a_file_of_an_earlier_version_loads():
    """Written by 0.1.0: parts by their names, among layers that Keras finds by theirs."""
    importlib.import_module("zoo.recipes.fine_tuning")
    network = keras.saving.load_model(ROOT / "tests/fixtures/network_of_0_1_0.keras")
    assert isinstance(network.layers[0].bottleneck, registry.lookup("deterministic", "bottleneck"))
    assert network(np.zeros((2, 28, 28, 1), np.float32)).shape == (2, 10)
