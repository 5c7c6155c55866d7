from __future__ import annotations

import keras
import numpy as np
import pytest

import zoo
from zoo.networks import RandomView
from zoo.recipes.fine_tuning import classifier, linear_head

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, 300)
X = (np.eye(3)[LABELS].repeat(4, axis=1) + 0.3 * RNG.normal(size=(300, 12))).astype(np.float32)


def test_a_classifier_moves_the_weights_of_the_stack_and_learns():
    first = zoo.create("k_sparse_autoencoder", (12,), latents=10, k=3)
    second = zoo.create("k_sparse_autoencoder", (10,), latents=8, k=3)
    network = classifier([first, second], 3)
    before = first.bottleneck.dense.kernel.numpy()
    network.fit(X, LABELS, epochs=40, verbose=0)
    assert network.evaluate(X, LABELS, verbose=0)[1] > 0.9
    assert np.abs(first.bottleneck.dense.kernel.numpy() - before).max() > 0


def test_its_logits_are_linear_in_the_code():
    model = zoo.create("k_sparse_autoencoder", (12,), latents=10, k=2, alpha=2)
    network = classifier(model, 3, input_dropout=0.2, dropout=0.5)
    kernel, bias = network.layers[-1].get_weights()
    codes = model.encode(X)
    assert ((codes != 0).sum(axis=1) == 4).all()
    np.testing.assert_allclose(network(X), codes @ kernel + bias, rtol=1e-4, atol=1e-5)


def test_noise_on_the_inputs_has_its_deviation_in_training_and_none_after():
    model = zoo.create("k_sparse_autoencoder", (12,), latents=10, k=2)
    network, calm = classifier(model, 3, input_noise=0.3), classifier(model, 3)
    calm.set_weights(network.get_weights())
    np.testing.assert_array_equal(network(X), calm(X))
    (noise,) = (la for la in network.layers if isinstance(la, keras.layers.GaussianNoise))
    added = noise(np.zeros((500, 12), np.float32), training=True).numpy()
    np.testing.assert_allclose(added.std(), 0.3, rtol=0.05)
    assert np.abs(network(X, training=True) - calm(X)).max() > 1e-3
    with pytest.raises(ValueError, match=r"input_noise must be .*; received -1"):
        classifier(model, 3, input_noise=-1)


def test_a_saved_classifier_loads(tmp_path):
    options = {"latents": 6, "likelihood": "normal"}  # which takes numbers of any size, as X holds
    network = classifier(zoo.create("dropout_autoencoder", (12,), **options), 3)
    network.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(X), network(X), rtol=1e-6)


def rows_of(likelihood):
    if likelihood == "poisson":
        return RNG.poisson(20, (40, 6)).astype(np.float32)
    if likelihood == "columns":
        return np.stack([RNG.normal(size=40), RNG.poisson(20, 40)], axis=1).astype(np.float32)
    return RNG.integers(0, 7, (40, 5)).astype(np.float32)


@pytest.mark.parametrize(
    "likelihood",
    [
        "poisson",
        {
            "name": "columns",
            "groups": [{"name": "normal", "columns": 1}, {"name": "poisson", "columns": 1}],
        },
        {"name": "categorical", "levels": 7},
    ],
    ids=lambda likelihood: likelihood if isinstance(likelihood, str) else likelihood["name"],
)
def test_counts_and_tokens_reach_the_encoder_as_in_training(likelihood, tmp_path):
    name = likelihood if isinstance(likelihood, str) else likelihood["name"]
    x = rows_of(name)
    model = zoo.create("vae", x.shape[1:], latents=2, hidden=(8,), likelihood=likelihood)
    network = classifier(model, 2, head=keras.layers.Identity(name="code"))
    np.testing.assert_allclose(network.predict(x, verbose=0), model.encode(x), rtol=1e-5, atol=1e-5)
    network.save(tmp_path / "names.keras")
    loaded = keras.models.load_model(tmp_path / "names.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.encode(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vae", {"mask": "nan"}),
        ("conditional_vae", {"condition": 3}),
        ("vq_vae", {"places": 3, "codes": 8}),
    ],
)
def test_models_of_other_inputs_or_codes_are_refused(name, options):
    model = zoo.create(name, (6,), latents=2, hidden=(4,), **options)
    with pytest.raises(ValueError, match="takes neither a condition nor missing values; received"):
        classifier(model, 3)


def test_models_that_do_not_fit_are_refused():
    models = [zoo.create("k_sparse_autoencoder", (12,), latents=n) for n in (5, 6)]
    with pytest.raises(ValueError, match="5 units"):
        classifier(models, 3)


@pytest.mark.parametrize(
    ("models", "head", "error"),
    [
        (None, 2, "head must give 3 logits, one for each class; it gives 2"),
        ([], None, r"models must be a trained Autoencoder.*received \[\]"),
        ("vae", None, "models must be a trained Autoencoder.*received 'vae'"),
    ],
)
def test_what_makes_no_classifier_is_refused(models, head, error):
    trained = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
    head = head and keras.layers.Dense(head)
    with pytest.raises(ValueError, match=error):
        classifier(trained if models is None else models, 3, head=head)


def test_a_part_of_the_model_can_be_the_head_and_views_act_in_training_only():
    pictures = np.random.default_rng(0).random((40, 8, 8, 1)).astype(np.float32)
    model = zoo.create("autoencoder", (8, 8, 1), latents=5)
    head = keras.layers.Dense(3, dtype="float32")
    network = classifier(model, 3, view="strong", head=head, seed=1)
    assert network.layers[-1] is head
    kernel, bias = head.get_weights()
    expected = model.encode(pictures) @ kernel + bias
    np.testing.assert_allclose(network(pictures), expected, rtol=1e-4, atol=1e-5)
    assert np.abs(network(pictures, training=True) - expected).max() > 1e-3


@pytest.mark.parametrize("classes", [2, 3])
def test_a_linear_head_is_the_logistic_regression_of_the_codes(classes):
    from sklearn.linear_model import LogisticRegression

    rows = classes > LABELS
    model = zoo.create("k_sparse_autoencoder", (12,), latents=10, k=3)
    codes = model.encode(X[rows])
    network = classifier(model, classes, head=linear_head(codes, LABELS[rows], 0.1, 500))
    scale = 1 / np.sqrt(codes.var(axis=0).mean())
    fit = LogisticRegression(C=0.1, max_iter=500).fit(codes * scale, LABELS[rows])
    chances = keras.ops.softmax(network(X[rows])).numpy()
    np.testing.assert_allclose(chances, fit.predict_proba(codes * scale), atol=1e-4)


@pytest.mark.parametrize("labels", [[0, 2, 0, 2], [0, 0, 0, 0], [0, 1, 1], [-1, 0, 1, 1]])
def test_labels_that_leave_out_a_class_are_refused(labels):
    with pytest.raises(ValueError, match="linear_head needs"):
        linear_head(np.eye(4), np.array(labels))


def small(units=2):
    options = {"latents": units, "hidden": (4,), "seed": 0, "likelihood": "normal"}
    return zoo.create("autoencoder", (12,), **options)


def test_a_record_brings_its_labels():
    data = zoo.data.Data("mine", "all", X, labels=LABELS)
    found = []
    for given in ((data,), (X, LABELS)):
        keras.utils.set_random_seed(0)
        network = classifier(small(4), 3)
        held_out = data if len(given) == 1 else given
        history = network.fit(*given, epochs=2, validation_data=held_out, verbose=0).history
        found.append([*history["loss"], *history["val_loss"], *network.evaluate(*given, verbose=0)])
    np.testing.assert_allclose(*found, rtol=1e-6)
    with pytest.raises(ValueError, match="'mine', which has no labels"):
        network.fit(zoo.data.Data("mine", "all", X))


@pytest.mark.parametrize("door", ["fit", "evaluate", "validation_data"])
@pytest.mark.parametrize(
    ("y", "told"),
    [
        (LABELS + 1, "from 0 to 2, one for each class; received 3"),
        (LABELS - 1, "received -1"),
        (LABELS + 0.5, "received [012].5"),
        (LABELS[:-1], r"shape \(299,\)"),
        (np.eye(3)[LABELS], "argmax"),
        (LABELS.astype(str), "return_inverse"),
    ],
)
def test_labels_that_the_network_has_no_logit_for_are_refused(y, told, door):
    network = classifier(small(), 3)
    with pytest.raises(ValueError, match=told):
        if door == "validation_data":
            network.fit(X, LABELS, validation_data=(X, y))
        else:
            getattr(network, door)(X, y)


def test_another_loss_has_its_own_labels():
    network = classifier(small(), 3)
    network.compile("adam", keras.losses.CategoricalCrossentropy(from_logits=True))
    losses = network.fit(X, np.eye(3)[LABELS], verbose=0).history["loss"]
    assert np.isfinite(losses).all()


def test_a_random_view_loads_with_its_strength(tmp_path):
    layer = RandomView("weak", seed=3)
    again = RandomView.from_config(layer.get_config())
    pictures = np.random.default_rng(0).random((4, 8, 8, 1)).astype(np.float32)
    np.testing.assert_array_equal(layer(pictures), pictures)
    np.testing.assert_array_equal(again(pictures, training=True), layer(pictures, training=True))
    with pytest.raises(ValueError, match="weak, medium, strong"):
        RandomView("wild")
