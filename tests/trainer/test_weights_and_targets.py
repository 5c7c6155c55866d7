"""Weights of rows, targets, conditions and missing values: used where they are declared, else refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

import zoo
from tests.conftest import make_vectors
from tests.trainer.tiny import tiny
from zoo.data.dataset import Data

X = make_vectors(48)
Y = (X[:, :4] * X[:, 2:]).astype("float32")
LABELS = np.arange(48) % 3


def model_of(kind, **options):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    wrap = zoo.networks.Conditioned if kind == "condition" else lambda network: network
    declared = {"target": {"target_shape": (4,)}, "condition": {"condition": 3}, "plain": {}}[kind]
    width = 4 if kind == "target" else 6
    model = zoo.Autoencoder(
        (6,),
        encoder=wrap(keras.Sequential([layers.Dense(8, activation="relu")])),
        bottleneck={"name": "stochastic", "units": 2},
        decoder=wrap(keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(width)])),
        prior="normal",
        regularizers=["kl"],
        seed=1,
        **declared,
        **options,
    )
    model.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    return model


def trained(model, *data, **options):
    history = model.fit(*data, batch_size=24, epochs=2, shuffle=False, verbose=0, **options)
    return history.history["loss"], model.get_weights()


def assert_same(first, second, tolerance=1e-6):
    assert_allclose(first[0], second[0], rtol=tolerance)
    for one, other in zip(first[1], second[1], strict=True):
        assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def test_a_weight_of_two_is_a_row_twice():
    """As in Keras the mean is over the rows: a batch of weights 2 and 0 is one of the first rows twice."""
    model, other = tiny(name="autoencoder"), tiny(name="autoencoder")
    for each in (model, other):
        each.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    weights = np.tile([2.0, 0.0], 24)
    weighed = trained(model, X, sample_weight=weights)
    assert_same(trained(other, X[::2].repeat(2, axis=0)), weighed)
    assert_allclose(
        model.evaluate(X, sample_weight=weights, verbose=0, return_dict=True)["loss"],
        other.evaluate(X[::2], verbose=0, return_dict=True)["loss"],
        rtol=1e-5,
    )


def test_weights_are_those_of_keras():
    """The same network, weights and optimizer in plain Keras: the same loss and the same weights after."""
    keras.utils.set_random_seed(3)
    plain = keras.Sequential([keras.layers.Dense(2), keras.layers.Dense(6)])
    plain.build((None, 6))
    ours = zoo.Autoencoder(
        (6,),
        encoder=keras.layers.Identity(),
        bottleneck={"name": "deterministic", "units": 2},
        decoder=keras.Sequential([keras.layers.Dense(6)]),
        likelihood={"name": "squared_error", "reduction": "mean"},
    )
    ours.bottleneck.dense.set_weights(plain.layers[0].get_weights())
    ours.decoder.set_weights(plain.layers[1].get_weights())
    weights = np.random.default_rng(0).gamma(2.0, size=48)
    losses = []
    for model, data in ((plain, (X, X)), (ours, (X,))):
        loss = {"loss": "mse"} if model is plain else {"jit_compile": False}
        model.compile(keras.optimizers.SGD(0.1), **loss)
        losses.append(trained(model, *data, sample_weight=weights)[0])
    assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert_allclose(ours.reconstruct(X), plain.predict(X, verbose=0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["plain", "target", "condition"])
def test_streams_and_arrays_agree(kind):
    y = {"plain": LABELS, "target": Y, "condition": LABELS}[kind]
    weights = np.linspace(0, 2, 48).astype("float32")
    arrays = trained(model_of(kind), X, y, sample_weight=weights)
    stream = tf.data.Dataset.from_tensor_slices((X, y, weights)).batch(24)
    model = model_of(kind)
    history = model.fit(stream, epochs=2, verbose=0).history["loss"]
    assert_same(arrays, (history, model.get_weights()))
    assert_allclose(
        model.evaluate(stream, verbose=0, return_dict=True)["loss"],
        model.evaluate(X, y, sample_weight=weights, batch_size=24, verbose=0, return_dict=True)[
            "loss"
        ],
        rtol=1e-5,
    )
    beside = {"condition": LABELS} if kind == "condition" else {}
    assert_allclose(model.encode(stream), model.encode(X, **beside), rtol=1e-5, atol=1e-6)


def test_weights_are_weighed_alike_on_two_devices(two_devices):
    weights = np.linspace(0, 2, 48)
    one = model_of("condition")
    with two_devices.scope():
        two = model_of("condition")
    assert_same(
        trained(two, X, LABELS, sample_weight=weights),
        trained(one, X, LABELS, sample_weight=weights),
        1e-5,
    )


def test_terms_that_couple_rows_are_refused_beside_weights():
    model = tiny(name="wae_mmd")
    model.compile(jit_compile=False)
    with pytest.raises(ValueError, match="'mmd' couples the rows of a batch and knows no weights"):
        model.fit(X, sample_weight=np.ones(48), verbose=0)
    model = zoo.create("lfq_vae", (6,), latents=2, places=2, hidden=(4,))
    model.compile(jit_compile=False)
    with pytest.raises(ValueError, match="'diversity' of the bottleneck couples the rows"):
        model.fit(X, sample_weight=np.ones(48), verbose=0)
    model = tiny(name="autoencoder", regularizers=["weight_decay"])
    model.compile(jit_compile=False)
    model.fit(X, sample_weight=np.ones(48), verbose=0)


@pytest.mark.parametrize(
    ("weights", "error"),
    [
        (
            np.ones(47),
            r"one finite number for each of the 48 rows, none below 0; received shape \(47,\)",
        ),
        (np.full(48, np.nan), "one finite number for each"),
        (np.ones((48, 6)), "one finite number for each"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, error):
    with pytest.raises(ValueError, match=error):
        model_of("plain").fit(X, sample_weight=weights, verbose=0)


def test_class_weight_is_refused_with_a_reason():
    with pytest.raises(ValueError, match=r"class_weight must be left out: .* sample_weight="):
        model_of("plain").fit(X, LABELS, class_weight={0: 2.0}, verbose=0)


def test_a_target_is_what_is_learnt():
    model = tiny(name="autoencoder", target_shape=(4,), likelihood="squared_error")
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    model.fit(X, Y, epochs=60, verbose=0, batch_size=8)
    assert model.reconstruct(X).shape == Y.shape
    assert np.square(model.reconstruct(X) - Y).mean() < np.square(Y - Y.mean(axis=0)).mean()


def test_pairs_of_noisy_and_clean_denoise():
    noisy = np.clip(X + np.random.default_rng(0).normal(0, 0.3, X.shape), 0, 1).astype("float32")
    model = zoo.create("denoising_autoencoder", (6,), noise="pairs", latents=4, hidden=(16,))
    model.compile("adam", jit_compile=False)
    model.fit(noisy, X, epochs=80, batch_size=8, verbose=0)
    made = model.reconstruct(noisy)
    assert np.square(made - X).mean() < np.square(noisy - X).mean()


USES = {
    "fit": lambda m, *data: m.fit(*data, verbose=0),
    "fit of a pair": lambda m, *data: m.fit(data, verbose=0),
    "evaluate": lambda m, *data: m.evaluate(*data, verbose=0),
    "validation": lambda m, *data: m.fit(X, validation_data=data, verbose=0),
    "train_on_batch": lambda m, *data: m.train_on_batch(*data),
    "test_on_batch": lambda m, *data: m.test_on_batch(*data),
    "stream": lambda m, *data: m.fit(in_batches(data), verbose=0),
    "evaluate of a stream": lambda m, *data: m.evaluate(in_batches(data), verbose=0),
    "generator": lambda m, *data: m.evaluate(iter([data]), verbose=0),
    "predict": lambda m, *data: m.predict(data, verbose=0),
    "predict of a stream": lambda m, *data: m.predict(in_batches(data), verbose=0),
}


def in_batches(data):
    return tf.data.Dataset.from_tensor_slices(data).batch(16)


@pytest.fixture(scope="module")
def plain():
    return model_of("plain")


@pytest.mark.parametrize("use", USES)
def test_a_target_that_would_be_dropped_is_refused(use, plain):
    remedy = r"this model reconstructs x and would drop it. Create one with target_shape="
    for y in (1 - X, X.astype("float64") / 2, Y, np.ones((48, 2, 2, 1), "float32")):
        with pytest.raises(ValueError, match=remedy) as caught:
            USES[use](plain, X, y)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="is a dict of clean; the model declares neither"):
        USES[use](plain, X, {"clean": Y})


@pytest.mark.parametrize("use", USES)
def test_labels_and_x_itself_are_left_out(use, plain):
    one_hot = np.eye(3, dtype="float32")[LABELS]
    same = (X, X.copy(), X.astype("float64"))
    for y in (
        LABELS,
        LABELS[:, None],
        LABELS.astype("float32"),
        one_hot,
        LABELS.astype("S"),
        *same,
    ):
        USES[use](plain, X, y)


@pytest.mark.filterwarnings("ignore:The uint8 pictures")
@pytest.mark.parametrize("use", ["fit", "evaluate", "stream", "generator", "predict"])
def test_x_itself_may_be_bytes_and_their_floats(use):
    pictures = (X[:, :, None, None] * 255).astype("uint8")
    model = zoo.create("autoencoder", (6, 1, 1), latents=2, hidden=(3,))
    model.compile(jit_compile=False)
    for y in (pictures.copy(), pictures / np.float32(255)):
        USES[use](model, pictures, y)
    with pytest.raises(ValueError, match="would drop it"):
        USES[use](model, pictures, 255 - pictures)


@pytest.fixture(scope="module")
def declared():
    """A model of a target, which stays as it is in training."""
    model = model_of("target")
    model.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    return model


@pytest.mark.parametrize("use", [name for name in USES if "predict" not in name])
def test_a_target_that_is_declared_is_used(use, declared):
    """Two targets give two values of the loss; `predict`, which has no loss, takes it and leaves it out."""
    model = declared
    use_it = USES[use]
    if use == "validation":
        use_it = lambda m, *data: m.fit(X, Y, validation_data=data, verbose=0)  # noqa: E731

    def loss(y):
        model.step.assign(0)
        found = use_it(model, X, y)
        if isinstance(found, keras.callbacks.History):
            key = "val_reconstruction" if use == "validation" else "reconstruction"
            return found.history[key][-1]
        return found[model.term_names.index("reconstruction")]

    assert abs(loss(Y) - loss(np.ones_like(Y))) > 0.01
    with pytest.raises(
        ValueError, match=r"y.* must have shape \(n, 4\); received \((48|16|n), 6\)"
    ):
        use_it(model, X, X)


def test_rows_that_follow_in_one_array_are_a_target():
    """What comes next in a series lies in the memory of x, and is not x."""
    series = np.random.default_rng(0).random((49, 6), np.float32)
    model = model_of("plain")
    for y in (series[1:], series[:-1][::-1], series[:-1, ::-1]):
        with pytest.raises(ValueError, match="y has the shape of x and other values"):
            model.fit(series[:-1], y, verbose=0)
    model.evaluate(series[:-1], series[:-1], verbose=0)


@pytest.mark.parametrize("use", ["predict", "predict of a stream"])
def test_predicting_takes_a_target_and_has_no_use_for_it(use):
    model = model_of("target")
    assert_allclose(USES[use](model, X, Y), model.reconstruct(X), rtol=1e-5, atol=1e-6)
    assert_allclose(model.predict(X, verbose=0), model.reconstruct(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("use", [name for name in USES if name != "validation"])
@pytest.mark.parametrize("kind", ["target", "condition"])
def test_what_a_model_declares_must_be_there(use, kind):
    if kind == "target" and "predict" in use:
        return  # see above
    with pytest.raises(ValueError, match=f"declares a {kind}"):
        USES[use](model_of(kind), X)


def test_a_condition_decides_what_is_decoded():
    x = np.eye(6, dtype="float32")[LABELS]
    model = model_of("condition")
    model.compile("adam", jit_compile=False)
    model.fit(x, LABELS, epochs=150, batch_size=16, verbose=0)
    made = model.generate(3, condition=[0, 1, 2])
    assert_array_equal(made.argmax(axis=1), [0, 1, 2])
    assert_array_equal(model.generate(2, condition=1).argmax(axis=1), [1, 1])
    record = Data("x", "all", x, labels=LABELS)
    assert_allclose(model.encode(record), model.encode(x, condition=LABELS), rtol=1e-6)
    assert_allclose(
        model.evaluate(record, verbose=0), model.evaluate(x, LABELS, verbose=0), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("y", "error"),
    [
        (LABELS + 1, "from 0 to 2 .*from 1 to 3"),
        (LABELS / 2, "one label for each row"),
        (LABELS[:5], "as many rows as x, 48; received 5"),
        (np.eye(3)[LABELS], "one label for each row"),
    ],
)
def test_conditions_that_do_not_fit_are_refused(y, error):
    with pytest.raises(ValueError, match=error):
        model_of("condition").fit(X, y, verbose=0)
    if len(y) == 48 and y.ndim == 1:
        stream = tf.data.Dataset.from_tensor_slices((X, y)).batch(16)
        if y.dtype.kind == "i":
            with pytest.raises(
                ValueError, match="Labels in y of x must be whole numbers from 0 to 2"
            ):
                model_of("condition").fit(stream, verbose=0)


def test_a_row_without_a_label_has_a_condition_of_zeros():
    encoded = zoo.conditions.Condition({"a": 3, "b": (2,)}).encoded(
        {"a": np.array([-1, 2]), "b": np.float32([[1, 2], [3, 4]])}
    )
    assert_array_equal(encoded, [[0, 0, 0, 1, 2], [0, 0, 1, 3, 4]])


def test_missing_values_are_left_out_and_filled_in():
    rng = np.random.default_rng(0)
    holes = rng.random(X.shape) < 0.2
    seen = np.where(holes, np.nan, X).astype("float32")
    model = zoo.create(
        "autoencoder", (6,), latents=2, hidden=(16,), likelihood="squared_error", mask="nan"
    )
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    with pytest.raises(ValueError, match="NaN"):
        tiny(likelihood="normal").encode(seen)
    model.fit(seen, epochs=100, batch_size=16, verbose=0)
    made = model.reconstruct(seen)
    assert np.isfinite(made).all()
    by_mean = np.nanmean(seen, axis=0)[None].repeat(48, 0)
    assert np.square(made - X)[holes].mean() < np.square(by_mean - X)[holes].mean()
    masked = np.ma.masked_array(X, holes)
    assert_allclose(model.reconstruct(masked), made, rtol=1e-6)
    stream = tf.data.Dataset.from_tensor_slices(seen).batch(16)
    assert_allclose(model.reconstruct(stream), made, rtol=1e-5, atol=1e-6)


def test_missing_values_do_not_reach_the_loss():
    """The term of a row is the sum over what was observed, whatever stands in its holes."""
    model = zoo.create(
        "autoencoder", (6,), latents=2, hidden=(4,), likelihood="squared_error", mask="nan"
    )
    model.compile(jit_compile=False)
    seen = X[:8].copy()
    seen[:, 3] = np.nan
    made = model.reconstruct(seen)
    expected = np.square(made - X[:8])[:, [0, 1, 2, 4, 5]].sum(axis=1).mean()
    terms = model.evaluate(seen, verbose=0, return_dict=True)
    assert_allclose(terms["reconstruction"], expected, rtol=1e-5)
