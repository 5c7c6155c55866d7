"""The measures of dictionaries against closed forms, NumPy and each other."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

import zoo
from tests.dictionaries.architectures import ACTIVE, UNITS, WIDTH, activations, build, fit
from zoo.evaluation import dictionary
from zoo.evaluation.checks import NotComputable
from zoo.evaluation.splicing import attach


@pytest.fixture(scope="module")
def model():
    found = build("batch_top_k")
    fit(found, activations(1024), 4)
    return found


def counted(x, code, output, batch=100, **options):
    tally = dictionary.Tally(code.shape[1], **options)
    for first in range(0, len(x), batch):
        rows = slice(first, first + batch)
        tally.add(x[rows], code[rows], output[rows])
    return tally


def test_variance_explained_by_hand():
    x, output = np.array([[2.0, 0], [0, 4]]), np.array([[2.0, 1], [0, 3]])
    code = np.ones((2, 1))
    assert_allclose(counted(x, code, output).scores()["explained_variance"], 0.8)
    mean = np.broadcast_to(x.mean(axis=0), x.shape)
    assert_allclose(counted(x, code, mean).scores()["explained_variance"], 0, atol=1e-12)
    assert counted(x, code, x + 1).scores()["explained_variance"] < 1


def test_variance_explained_does_not_depend_on_the_batch_and_keeps_its_digits():
    x = 1e4 + activations(1000).astype(np.float64)
    output = x + 0.1 * np.random.default_rng(0).normal(size=x.shape)
    expected = 1 - np.square(x - output).sum() / np.square(x - x.mean(axis=0)).sum()
    for batch in (1, 7, 1000):
        found = counted(x, np.ones((1000, 2)), output, batch).scores()
        assert_allclose(found["explained_variance"], expected, rtol=1e-9)


def test_other_measures_are_those_of_numpy():
    rng = np.random.default_rng(0)
    x, output = rng.normal(size=(2, 500, 6))
    code = rng.normal(size=(500, 9)) * (rng.random((500, 9)) < np.linspace(0, 0.4, 9))
    found = counted(x, code, output)
    scores = found.scores(rare=0.06)
    norms = np.linalg.norm(x, axis=1), np.linalg.norm(output, axis=1)
    cosine = (x * output).sum(axis=1) / (norms[0] * norms[1])
    assert_allclose(scores["dictionary_l0"], np.count_nonzero(code) / 500)
    assert_allclose(scores["cosine"], cosine.mean())
    assert_allclose(scores["norm_ratio"], (norms[1] / norms[0]).mean())
    assert_allclose(
        scores["reconstruction_bias"], (norms[1] ** 2).mean() / (x * output).sum(1).mean()
    )
    density = (code != 0).mean(axis=0)
    assert_allclose(found.density, density)
    assert_allclose(scores["log_density"], np.log10(density[density > 0]).mean())
    assert_allclose(scores["dead_share"], (density == 0).mean())
    assert scores["dead_share"] > 0
    assert_allclose(scores["rare_share"], ((density > 0) & (density < 0.06)).mean())
    for unit in range(9):
        best = np.argsort(-code[:, unit], kind="stable")[:8]
        best = best[code[best, unit] > 0]
        assert_array_equal(found.top_rows[unit][: len(best)], best)
        assert_array_equal(found.top_rows[unit][len(best) :], -1)


def test_evaluate_has_the_group_with_intervals_and_without_dense_codes(model, monkeypatch):
    x = activations(1200, 3)
    sizes = []
    encode = type(model).encode

    def watched(self, rows, *args, **kwargs):
        sizes.append(len(rows))
        return encode(self, rows, *args, **kwargs)

    monkeypatch.setattr(type(model), "encode", watched)
    found = zoo.evaluation.evaluate(model, x, groups=["dictionary"], bootstrap=50, details=True)
    assert max(sizes) <= 500
    scores = found["dictionary"]
    assert scores["explained_variance"]["low"] <= scores["explained_variance"]["value"]
    assert abs(scores["dictionary_l0"]["value"] - ACTIVE) < 1
    for name, score in scores.items():
        assert score["low"] <= score["value"] <= score["high"], name
    density = (model.encode(x) != 0).mean(axis=0)
    assert scores["dead_share"]["value"] == (density == 0).mean()
    assert_allclose(scores["log_density"]["value"], np.log10(density[density > 0]).mean())
    assert found["details"]["dictionary"]["top_examples"].shape == (UNITS, 8)
    for name in scores:
        assert zoo.evaluation.metrics.metric(name).text, name
    better = {name: zoo.evaluation.metrics.metric(name).better for name in scores}
    assert better["explained_variance"] == better["alive_share"] == "higher"
    assert better["dead_share"] == "lower" and better["dictionary_l0"] == ""
    plain = zoo.create("autoencoder", (WIDTH,), latents=3, hidden=())
    skipped = zoo.evaluation.evaluate(plain, np.clip(x, 0, 1), groups=["dictionary"], verbose=False)
    assert "no dictionary" in skipped["skipped"]["dictionary"]


def test_a_transcoder_with_a_skip_is_measured_beside_its_targets():
    model = zoo.create("transcoder", (6,), latents=12, target_l0=3, skip=True)
    x = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    y = np.maximum(x, 0)
    model.compile()
    model.fit(x, {"target": y, "condition": x}, verbose=0)
    groups = ["reconstruction", "dictionary"]
    found = zoo.evaluation.evaluate(model, x, condition=x, groups=groups, verbose=False)
    assert all("reconstructs y" in found["skipped"][group] for group in groups)
    measured = dictionary.tally(model, x, y, condition=x).scores()
    left = np.square(y - model.reconstruct(x, condition=x)).sum()
    expected = 1 - left / np.square(y - y.mean(axis=0)).sum()
    assert float(measured["explained_variance"]) == pytest.approx(expected, abs=1e-5)
    with pytest.raises(ValueError, match="Pass y="):
        dictionary.tally(model, x, condition=x)
    with pytest.raises(ValueError, match="declares a condition"):
        dictionary.tally(model, x, y)


def test_evaluate_probes_classes_and_compares_seeds(model):
    """Labels that say whether a unit fires: one unit tells them."""
    x = activations(800, 3)
    labels = model.encode(x)[:, 5] != 0
    settings = {"dictionary": {"other": build("batch_top_k")}}
    scores = zoo.evaluation.evaluate(
        model, x, labels=labels.astype(int), groups=["dictionary"], settings=settings, verbose=False
    )["dictionary"]
    assert scores["probe_of_1"] > 0.99 and scores["probe_of_5"] > 0.9
    expected = dictionary.agreement(model, settings["dictionary"]["other"])
    assert scores["agreement"] == expected < 0.99
    for name in ("agreement", "probe_of_1", "probe_of_5"):
        assert zoo.evaluation.metrics.metric(name).better == "higher"
    codes, atoms = model.encode(x), np.asarray(model.decoder.atoms)
    means = [x[labels == side].mean(axis=0) for side in (False, True)]
    shares = [
        dictionary.absorption(codes, atoms, means[side] - means[not side], labels == side)
        for side in (False, True)
    ]
    assert_allclose(scores["absorption"], np.mean(shares), rtol=1e-5)
    assert 0 < scores["absorption"] < 1
    assert zoo.evaluation.metrics.metric("absorption").better == "lower"


def test_evaluate_measures_what_a_network_loses(model):
    network = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(WIDTH, name="middle"), keras.layers.Dense(2)]
    )
    inputs = np.random.default_rng(4).normal(size=(60, 5)).astype("float32")
    wanted = network.predict(inputs, verbose=0)
    spliced = attach(network, "middle", model)
    x = spliced.activations(inputs)
    settings = {
        "network": network,
        "layer": "middle",
        "inputs": inputs,
        "loss": lambda outputs: float(np.square(outputs - wanted).mean()),
    }

    def scores(**options):
        return zoo.evaluation.evaluate(
            model, x, groups=["dictionary"], settings={"dictionary": options}, verbose=False
        )["dictionary"]

    last = network.layers[-1].get_weights()
    lost = [
        np.square((rows - x) @ last[0]).mean() for rows in (model.reconstruct(x), x.mean(axis=0))
    ]
    assert_allclose(scores(**settings)["loss_recovered"], 1 - lost[0] / lost[1], rtol=1e-3)
    assert zoo.evaluation.metrics.metric("loss_recovered").better == "higher"
    with pytest.raises(ValueError, match="received none for layer, loss"):
        scores(network=network, inputs=inputs)


def test_codes_as_a_sparse_matrix(model):
    x = activations(700, 3)
    codes = dictionary.encode_csr(model, x)
    assert codes.nnz == np.count_nonzero(model.encode(x))
    assert_array_equal(codes.toarray(), model.encode(x))


def test_known_features_are_matched_as_by_hand():
    model = build("top_k")
    truth = np.linalg.qr(np.random.default_rng(0).normal(size=(WIDTH, WIDTH)))[0]
    atoms = np.concatenate([truth, truth, truth])  # three units for each feature
    model.decoder.kernel.assign(atoms)
    x = activations(300)
    code = model.encode(x)
    active = code[:, :WIDTH] != 0  # feature i is on where unit i fires
    found = dictionary.against_features(model, x, truth, active, batch_size=70)
    f1 = []
    for unit in range(UNITS):
        fires, on = code[:, unit] != 0, active[:, unit % WIDTH]
        f1.append(2 * (fires & on).sum() / max(fires.sum() + on.sum(), 1))
    assert_allclose(found["f1"], np.mean(f1))
    assert_allclose(found["mcc"], 1, atol=1e-5)
    assert_allclose(found["uniqueness"], 1 / 3)
    known = {"features": truth, "active": np.tile(active, (4, 1))}
    among = {"settings": {"dictionary": known}, "bootstrap": 50}
    scores = zoo.evaluation.evaluate(
        model, np.tile(x, (4, 1)), groups=["dictionary"], verbose=False, **among
    )["dictionary"]
    assert_allclose(scores["f1"]["value"], found["f1"])
    assert scores["f1"]["low"] <= found["f1"] <= scores["f1"]["high"]
    assert scores["mcc"] == found["mcc"]


def test_agreement_does_not_depend_on_the_order_of_units():
    first, second = build("top_k"), build("top_k")
    second.decoder.kernel.assign(np.roll(first.decoder.kernel.numpy(), 5, axis=0))
    assert_allclose(dictionary.agreement(first, second), 1, atol=1e-6)


def test_one_unit_tells_a_class_and_others_do_not():
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=600)
    codes = rng.random((600, 20))
    assert abs(dictionary.k_sparse_probe(codes, labels, 3) - 0.5) < 0.1
    codes[:, 7] += 2 * labels
    assert dictionary.k_sparse_probe(codes, labels, 1) == 1


def absorbed(share, rows=400):
    """Codes of a parent that a child's unit writes as well, on a share of the examples."""
    rng = np.random.default_rng(0)
    atoms = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [0, 0, 1.0]])
    on = rng.random(rows) < 0.5
    child = on & (rng.random(rows) < share)
    codes = np.stack([2.0 * (on & ~child), 2.5 * child, rng.random(rows)], axis=1)
    return codes, atoms, on, child


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_absorption_is_the_share_that_a_child_takes_over(share):
    codes, atoms, on, child = absorbed(share)
    found = dictionary.absorption(codes, atoms, [5.0, 0, 0], on)
    assert_allclose(found, child.sum() / on.sum())
    assert dictionary.absorption(sparse.csr_matrix(codes), atoms, [5.0, 0, 0], on) == found


def test_absorption_in_part_is_by_what_each_writes():
    codes, atoms, on, child = absorbed(0.3)
    codes[child, 0] = 0.5  # the unit itself writes 0.5 along the feature, the child's 0.8 * 2.5
    found = dictionary.absorption(codes, atoms, [1.0, 0, 0], on)
    assert_allclose(found, child.sum() / on.sum() * 2.0 / 2.5)
    assert dictionary.absorption(codes, atoms, [1.0, 0, 0], on, least=0.9) == 0
    with pytest.raises(NotComputable, match="with the feature and without"):
        dictionary.absorption(codes, atoms, [1.0, 0, 0], np.ones(len(on)))


def test_correlations_are_those_of_numpy():
    rng = np.random.default_rng(0)
    codes, values = rng.normal(size=(50, 4)), rng.normal(size=(50, 3))
    expected = np.corrcoef(codes.T, values.T)[:4, 4:]
    assert_allclose(dictionary.correlations(codes, values), expected)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inputs = keras.Input((5, WIDTH))
    middle = layers.Dense(WIDTH, name="middle", use_bias=False)(inputs)
    return keras.Model(inputs, layers.Dense(3, name="head")(middle))


def sequences(rows=200):
    return activations(5 * rows, 2).reshape(rows, 5, WIDTH)


def test_a_dictionary_takes_the_place_of_a_layers_output(network, model):
    x = sequences()
    spliced = attach(network, "middle", model)
    middle = x @ network.get_layer("middle").kernel.numpy()
    weights, bias = network.get_layer("head").get_weights()
    assert_allclose(spliced.activations(x, 64), middle, atol=1e-4)
    assert_allclose(spliced.plain(x), network.predict(x, verbose=0), atol=1e-5)
    output = model.reconstruct(middle.reshape(-1, WIDTH)).reshape(middle.shape)
    assert_allclose(spliced.reconstructed(x), output @ weights + bias, atol=1e-3)
    code = model.encode(middle.reshape(-1, WIDTH))
    atoms = model.encoder.scale.numpy() * model.decoder.atoms.numpy()
    without = middle - (code[:, [4]] * atoms[4]).reshape(middle.shape)
    assert_allclose(spliced.ablated(x, [4]), without @ weights + bias, atol=1e-3)
    pushed = without + 7 * atoms[4]
    assert_allclose(spliced.steered(x, {4: 7.0}), pushed @ weights + bias, atol=1e-3)
    assert_allclose(network.predict(x, verbose=0), spliced.plain(x), atol=1e-5)  # as it was


def test_what_does_not_fit_a_layer_is_refused(network, model):
    x = sequences(4)
    with pytest.raises(ValueError, match=r"takes a dictionary of vectors.*\(4, 4, 1\)"):
        attach(network, "middle", zoo.create("autoencoder", (4, 4, 1), latents=2, hidden=(4,)))
    with pytest.raises(
        ValueError, match=f"takes vectors of {WIDTH} numbers; the layer 'head' gives"
    ):
        attach(network, "head", model).reconstructed(x)
    with pytest.raises(ValueError, match=r"values of units must be finite.*nan"):
        attach(network, "middle", model).steered(x, {3: float("nan")})


def test_units_of_a_network_in_mixed_precision_are_left_out_and_held(model):
    layers = keras.layers
    half = {"dtype": "mixed_bfloat16"}
    network = keras.Sequential(
        [keras.Input((5,)), layers.Dense(WIDTH, name="middle", **half), layers.Dense(3, **half)]
    )
    spliced = attach(network, "middle", model)
    x = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    for found in (spliced.ablated(x, []), spliced.steered(x, {})):
        assert_allclose(np.float32(found), np.float32(spliced.plain(x)), atol=0.1)


def test_the_mean_of_a_layer_in_mixed_precision_is_that_of_all_rows(model):
    half = {"dtype": "mixed_bfloat16", "kernel_initializer": "zeros", "bias_initializer": "ones"}
    layer = keras.layers.Dense(WIDTH, name="middle", **half)
    head = keras.layers.Dense(1, kernel_initializer="ones", dtype="float32")
    spliced = attach(keras.Sequential([keras.Input((5,)), layer, head]), "middle", model)
    x = np.zeros((2000, 5), np.float32)  # of which a sum in bfloat16 stops at 256
    # The mean is every output: it loses nothing, as the network itself.
    assert np.isnan(spliced.loss_recovered(x, lambda outputs: float(outputs.sum())))


def test_the_loss_that_is_recovered(network, model):
    x = sequences()
    spliced = attach(network, "middle", model)
    truth = spliced.plain(x)

    def loss(outputs):
        return float(np.square(outputs - truth).mean())

    mean = spliced.activations(x).mean(axis=(0, 1))
    weights, bias = network.get_layer("head").get_weights()
    worst = loss(np.broadcast_to(mean @ weights + bias, truth.shape))
    expected = 1 - loss(spliced.reconstructed(x)) / worst
    assert_allclose(spliced.loss_recovered(x, loss), expected, rtol=1e-3)
    with pytest.raises(ValueError, match="Did you mean 'middle'"):
        attach(network, "midle", model)
