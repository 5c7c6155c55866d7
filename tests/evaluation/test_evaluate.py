import json
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.ensemble import ExtraTreesClassifier
from tensorflow_probability import distributions as tfd

import zoo
from zoo.evaluation import evaluate, features, groups, levels
from zoo.evaluation.features import pixels
from zoo.evaluation.metrics import metric

QUICK = {
    "density": {"samples": 4, "examples": 20, "prior_samples": 2000},
    "probing": {"strengths": (1.0,), "labels_per_class": (2,), "draws": 2},
    "clustering": {"restarts": 1},
    "generation": {"samples": 60, "features": pixels},
    "disentanglement": {
        "options": {
            "beta_vae_score": {"num_train": 100, "num_eval": 50},
            "factor_vae_score": {"num_train": 100, "num_eval": 50},
            "dci": {"classifier": lambda seed: ExtraTreesClassifier(5, random_state=seed)},
        }
    },
}
GROUPS = {
    "reconstruction",
    "density",
    "sparsity",
    "probing",
    "clustering",
    "disentanglement",
    "generation",
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 3, (120, 2))
    x = np.zeros((120, 6, 6, 1), np.uint8)
    for picture, (row, column) in zip(x, factors, strict=True):
        picture[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = 255
    return x, factors[:, 0], factors


@pytest.fixture(scope="module")
def model():
    return zoo.create("laplace_vae", (6, 6, 1), latents=3, hidden=(16,))


def mean_rows(x):
    return np.asarray(x, np.float32).reshape(len(x), 6, 6).mean(2)


def quiet(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return evaluate(*args, verbose=False, settings=QUICK, **kwargs)


def test_a_model_of_the_zoo_in_every_group(model, data, capsys):
    x, labels, factors = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        result = evaluate(model, x, labels, factors, x_train=x, labels_train=labels, settings=QUICK)
    assert set(result) == {*GROUPS, "skipped"} and set(result["skipped"]) == {"dictionary"}
    json.dumps(result)
    scores = {name: score for group in GROUPS for name, score in result[group].items()}
    assert all(isinstance(score, float) for score in scores.values())
    assert result["density"]["elbo"] <= result["density"]["log_likelihood"]
    printed = capsys.readouterr().out
    assert printed.startswith("Evaluation of the model 'laplace_vae': 120 examples, 3 units")
    for name in scores:
        assert metric(name).label in printed


def test_scores_are_those_of_the_groups(model, data):
    x, _, _ = data
    found = quiet(model, x, groups=["reconstruction", "sparsity"])
    unit = x.astype(np.float64) / 255
    error = ((unit - model.reconstruct(x)) ** 2).sum((1, 2, 3)).mean()
    assert found["reconstruction"]["squared_error"] == pytest.approx(error, rel=1e-4)
    expected = zoo.evaluation.sparsity.scores(model.encode(x))
    assert found["sparsity"] == pytest.approx(expected)
    assert set(found) == {"reconstruction", "sparsity", "skipped"}


def test_groups_that_do_not_apply_are_left_out_with_the_reason(data):
    x, _, _ = data
    result = quiet(mean_rows(x))
    assert set(result) == {"sparsity", "skipped"}
    skipped = result["skipped"]
    assert set(skipped) == GROUPS - {"sparsity"} | {"dictionary"}
    assert skipped["probing"] == skipped["clustering"] == "needs labels"
    assert skipped["disentanglement"] == "needs factors"
    assert "no decoder" in skipped["reconstruction"] and "posterior" in skipped["density"]


@pytest.fixture(scope="module")
def network():
    inputs = keras.Input((6, 6, 1))
    outputs = keras.layers.Dense(6)(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, outputs)


def saved_model(network, folder, signatures):
    module = tf.Module()
    module.network = network
    spec = tf.TensorSpec((None, 6, 6, 1), tf.float32)
    encode = tf.function(lambda x: module.network(x), input_signature=[spec])
    if signatures:
        tf.saved_model.save(module, folder, signatures={"encode": encode})
    else:
        module.encode = encode
        module.decode = tf.function(
            lambda z: tf.repeat(z[:, :, None, None] * 0 + 0.5, 6, 2),
            input_signature=[tf.TensorSpec((None, 6), tf.float32)],
        )
        tf.saved_model.save(module, folder)


@pytest.mark.parametrize("kind", ["function", "keras", "keras file", "endpoint", "signature"])
def test_any_encoder_scores_as_its_codes(kind, network, data, tmp_path):
    x, labels, _ = data
    x = x.astype(np.float32) / 255
    codes = network.predict(x, verbose=0)
    subject = {"function": lambda batch: network(batch).numpy(), "keras": network}.get(kind)
    if kind == "keras file":
        subject = tmp_path / "network.keras"
        network.save(subject)
    elif subject is None:
        subject = str(tmp_path / "exported")
        saved_model(network, subject, signatures=kind == "signature")
    arguments = {"labels": labels, "groups": ("sparsity", "probing", "reconstruction")}
    expected = quiet(codes, x, **arguments)
    found = quiet(subject, x, batch_size=50, **arguments)
    assert found["probing"] == expected["probing"]
    assert found["sparsity"] == pytest.approx(expected["sparsity"], rel=1e-4)
    if kind == "endpoint":  # it has a decoder, which answers .5 everywhere
        assert found["reconstruction"]["mean_squared_error"] == pytest.approx(0.25)


def test_training_examples_are_what_probes_learn_from(data):
    x, labels, _ = data
    wrong = quiet(mean_rows, x, labels, x_train=x, labels_train=2 - labels, groups="probing")
    right = quiet(mean_rows, x, labels, x_train=x, labels_train=labels, groups="probing")
    assert right["probing"]["knn"] == 1
    assert wrong["probing"]["knn"] == pytest.approx(np.mean(labels == 1))


def test_a_decoder_can_be_brought_along(data):
    x, _, _ = data
    for subject in (pixels, pixels(x)):
        found = quiet(subject, x, decode=lambda z: z.reshape(-1, 6, 6, 1), groups="reconstruction")
        assert found["reconstruction"]["squared_error"] == 0


def test_a_data_record_brings_its_labels_and_factors(data):
    x, labels, factors = data
    record = zoo.data.Data("squares", "test", x, labels=labels, factors=factors)
    found = quiet(mean_rows, record)
    assert {"probing", "clustering", "disentanglement"} <= set(found)
    assert found["clustering"] == quiet(mean_rows, x, labels)["clustering"]


def test_intervals_and_details(model, data):
    x, labels, factors = data
    found = quiet(model, x, labels, factors, bootstrap=10, details=True, x_train=x)
    for group in ("reconstruction", "sparsity", "probing", "disentanglement"):
        scores = found[group].values()
        assert any(isinstance(s, dict) and s["low"] <= s["value"] <= s["high"] for s in scores)
    details = found["details"]
    assert details["reconstruction"]["ssim"].shape == (120,)
    assert details["sparsity"]["unit_pictures"].shape == (3, 6, 6, 1)
    assert details["disentanglement"]["mutual_information"].shape == (3, 2)
    assert details["generation"]["nearest_training_examples"].shape == (60,)


def test_the_bounds_of_a_grid_of_codes():
    layers = keras.layers
    grid = {"name": "stochastic", "units": 2, "grid": True}
    down = keras.Sequential([keras.Input((4, 4, 1)), layers.Conv2D(3, 3, 2, "same")])
    up = keras.Sequential([keras.Input((2, 2, 2)), layers.Conv2DTranspose(1, 3, 2, "same")])
    model = zoo.Autoencoder(
        (4, 4, 1), down, grid, up, prior="normal", regularizers=["kl"], likelihood="normal"
    )
    x = np.random.default_rng(0).random((30, 4, 4, 1), np.float32)
    found = quiet(model, x, groups=["density"])
    expected = model.score(x, samples=50, seed=1).mean()
    assert found["density"]["log_likelihood"] == pytest.approx(expected, abs=1.5)


def test_a_deterministic_model_has_no_bounds(data):
    x, _, _ = data
    plain = zoo.create("autoencoder", (6, 6, 1), latents=2, hidden=(8,))
    skipped = quiet(plain, x)["skipped"]
    assert skipped["density"] == "the model has no prior"
    assert "cannot generate" in skipped["generation"]


def test_the_default_features_are_a_trained_classifier(model, data):
    x, labels, _ = data
    found = evaluate(
        model, x, x_train=255 - x, labels_train=labels, groups=["generation"], verbose=False,
        settings={"generation": {"samples": 100}},
    )  # fmt: skip
    assert 0 <= found["generation"]["precision"] <= 1
    assert found["generation"]["frechet_distance"] > 0
    reason = evaluate(model, x, groups=["generation"], verbose=False)["skipped"]["generation"]
    assert "x_train and labels_train" in reason


class Wide:
    """q(z|x) is wide where x is: its divergence from the prior is known for each example."""

    def encode(self, x):
        return np.asarray(x)[:, :2]

    def posterior(self, x):
        return tfd.Independent(tfd.Normal(x[:, :2], 1.0), 1)

    def conditional(self, z):
        return tfd.Independent(tfd.Normal(tf.repeat(z, 2, axis=1), 1.0), 1)

    def prior_distribution(self):
        return tfd.MultivariateNormalDiag(tf.zeros(2))

    def sample_prior(self, n, seed):
        return np.random.default_rng(seed).normal(size=(n, 2)).astype("f4")


@pytest.mark.parametrize("examples", ["auto", None, 40])
def test_scores_of_single_examples_stand_in_the_order_of_x(examples):
    x = np.repeat(np.linspace(0, 9, 2100, dtype=np.float32)[:, None], 4, axis=1)
    found = evaluate(
        Wide(), x, groups=["density", "reconstruction"], decode=lambda z: np.repeat(z, 2, axis=1),
        settings={"density": {"samples": 4, "examples": examples, "prior_samples": 2000}},
        details=True, verbose=False,
    )  # fmt: skip
    assert {len(a) for group in found["details"].values() for a in group.values()} == {len(x)}
    kl = found["details"]["density"]["kl"]
    taken = np.isfinite(kl)
    assert taken.sum() == (40 if examples == 40 else len(x))
    # KL(N(m, 1) || N(0, 1)) = m^2 / 2 for each of the two units, here with the noise of four draws.
    assert np.corrcoef(kl[taken], x[taken, 0] ** 2)[0, 1] > 0.9
    assert found["density"]["kl"] == pytest.approx(kl[taken].mean())


def test_without_details_the_bounds_take_a_part(monkeypatch):
    seen = []
    monkeypatch.setattr(
        zoo.evaluation.density, "per_example",
        lambda model, x, **_: seen.append(len(x)) or {"log_likelihood": np.zeros(len(x))},
    )  # fmt: skip
    options = {"prior_samples": 2000}
    for details in (False, True):
        evaluate(Wide(), np.ones((2100, 4)), groups="density", settings={"density": options},
                 details=details, verbose=False)  # fmt: skip
    assert seen == [2000, 2100]


def test_a_seed_is_a_whole_number_from_0_on(model, data):
    with pytest.raises(ValueError, match="seed must be a whole number of at least 0; received -1"):
        quiet(model, data[0], seed=-1)
    with pytest.raises(ValueError, match="seed must be a whole number of at least 0; received -1"):
        model.fit_prior("gaussian_mixture", data[0], seed=-1)


def test_the_features_of_generated_examples_have_no_seed(model, data, monkeypatch):
    """Runs of several seeds, and evaluations of several seeds, are measured by one network."""
    x, labels, _ = data
    used = []
    monkeypatch.setattr(
        groups.generation, "scores", lambda real, *_, **__: used.append(np.sort(real, 0)) or {}
    )
    for seed in (0, 1):
        keras.utils.set_random_seed(seed)
        evaluate(model, x, x_train=x, labels_train=labels, groups="generation", seed=seed,
                 verbose=False)  # fmt: skip
        features._KEPT.clear()
    np.testing.assert_allclose(used[0], used[1], atol=1e-6)


def test_resamples_may_be_asked_for_by_group(data):
    x, labels, _ = data
    found = quiet(mean_rows, x, labels, groups=["sparsity", "probing"], bootstrap={"probing": 5})
    assert isinstance(found["sparsity"]["l0"], float)
    assert set(found["probing"]["knn"]) == {"value", "low", "high"}
    with pytest.raises(ValueError, match="Did you mean 'probing'"):
        quiet(mean_rows, x, labels, bootstrap={"probes": 5})


def test_a_quick_evaluation_takes_fewer_rows_and_says_so(monkeypatch):
    seen = {}
    for name in ("density", "disentanglement", "probing"):
        run = lambda task, name=name, **options: seen.update({name: options}) or ({}, {})  # noqa: E731
        monkeypatch.setitem(groups.GROUPS, name, groups.Group(run, groups.GROUPS[name].delegates))
    names = ["density", "disentanglement", "probing"]
    settings = {"probing": {"draws": 7}}
    monkeypatch.setattr(groups.Group, "options", lambda self: ["draws"])
    codes = np.random.default_rng(0).normal(size=(50, 3))
    full = evaluate(codes, groups=names, settings=settings, verbose=False)
    assert seen == {"density": {}, "disentanglement": {}, "probing": {"draws": 7}}
    quick = evaluate(codes, groups=names, settings=settings, level="quick", verbose=False)
    assert seen["probing"]["draws"] == 7 and seen["probing"]["max_train"] == 3000
    assert seen["density"]["examples"] == 500
    assert "not the protocol's" in quick["skipped"]["disentanglement: protocol"]
    assert full["skipped"] == {}
    with pytest.raises(ValueError, match="Did you mean 'quick'"):
        evaluate(codes, level="quik", verbose=False)


def test_quick_settings_are_options_of_their_groups():
    for name, options in levels._QUICK.items():
        assert set(options) <= set(groups.GROUPS[name].options()), name


class Wasserstein:
    """A deterministic encoder with a prior, as a Wasserstein autoencoder has."""

    def encode(self, x):
        return mean_rows(x)

    def posterior(self, x):
        return None

    def conditional(self, z):
        raise AssertionError("without draws of q(z|x) nothing is decoded")

    def prior_distribution(self):
        return tfd.MultivariateNormalDiag(tf.zeros(6))


def test_a_deterministic_encoder_with_a_prior_is_compared_with_it(data):
    found = quiet(Wasserstein(), data[0], groups="density")
    assert set(found["density"]) >= {"active_units", "aggregate_mmd2", "aggregate_kl"}
    assert "elbo" not in found["density"]
    assert "deterministic" in found["skipped"]["density: bounds"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.zeros(7)}, "labels must match the 120 examples; received 7"),
        ({"factors": np.zeros((7, 2))}, "factors must match the 120 examples; received 7"),
        ({"labels_train": np.zeros(7)}, "labels_train need x_train"),
        ({"groups": ["probes"]}, r"Unknown group of metrics 'probes'\. Did you mean 'probing'"),
        ({"settings": {"probing": {"neighbors": 3}}}, "Did you mean 'neighbours'"),
        ({"x": np.full((120, 4), np.nan)}, "x must be finite"),
        ({"x": np.zeros(120)}, "shape"),
        ({"model_or_codes": np.zeros((7, 3))}, "Codes must match the 120 examples"),
        ({"model_or_codes": np.full((120, 3), np.nan)}, "120 of 120 rows hold NaN"),
        ({"model_or_codes": lambda x: np.full((len(x), 2), np.inf)}, "Codes must be finite"),
        ({"model_or_codes": lambda x: np.zeros(3)}, "one code for each of the 120 examples"),
        ({"model_or_codes": "nowhere"}, "SavedModel folder or a .keras file; received nowhere"),
        ({"model_or_codes": mean_rows, "x": None}, "needs x"),
    ],
)
def test_bad_input_is_refused(change, message, data):
    x, labels, factors = data
    arguments = {"model_or_codes": mean_rows(x), "x": x, "labels": labels, "factors": factors}
    with pytest.raises(ValueError, match=message):
        evaluate(**{**arguments, **change}, verbose=False)


def test_few_examples_or_one_class_leave_groups_out(data):
    x, labels, factors = data
    few = quiet(mean_rows, x[:8], labels[:8], factors[:8])["skipped"]
    assert {"probing", "disentanglement"} <= set(few)
    one_class = quiet(mean_rows, x, np.zeros(120))["skipped"]
    assert "one class only" in one_class["probing"] and "one class only" in one_class["clustering"]


def test_codes_alone_need_no_tensorflow():
    program = (
        "import sys, numpy as np, zoo\n"
        "codes = np.random.default_rng(0).normal(size=(60, 3))\n"
        "zoo.evaluation.evaluate(codes, labels=np.arange(60) % 2, groups=['sparsity', 'clustering'])\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "kmeans: NMI" in done.stdout
