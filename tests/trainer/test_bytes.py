"""What bytes mean is decided once, said, and kept: the same numbers give the same answers, or are refused."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from tensorflow_probability import distributions as tfd

import zoo
from zoo.recipes.centering import start_at_mean
from zoo.recipes.fine_tuning import classifier
from zoo.trainer.intake import Intake

RNG = np.random.default_rng(0)
SHAPE = (4, 3, 1)
PICTURES = RNG.integers(0, 256, (8, *SHAPE), np.uint8)
MASKS = RNG.integers(0, 2, (8, *SHAPE), np.uint8)
TABLE = RNG.integers(0, 200, (8, 6), np.uint8)
GENOTYPES = RNG.integers(0, 3, (8, 6), np.uint8)
ONE_HOT = np.eye(6, dtype=np.uint8)[RNG.integers(0, 6, 8)]
COUNTS = RNG.poisson(4.0, (8, *SHAPE)).astype("uint8")


class Counted(zoo.distributions.Likelihood):
    """Poisson counts, as a user writes them: the decoder gives log rates."""

    bounds = (0.0, float("inf"))

    def distribution(self, output):
        return tfd.Independent(tfd.Poisson(log_rate=output), len(output.shape) - 1)

    def elementwise(self, output, inputs):
        return tf.nn.log_poisson_loss(inputs, output, compute_full_loss=True)


def model_of(shape=SHAPE, likelihood="bernoulli", **options):
    keras.utils.set_random_seed(0)
    model = zoo.create(
        "autoencoder", shape, latents=2, hidden=(3,), likelihood=likelihood, seed=1, **options
    )
    model.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    return model


def stream(x):
    return tf.data.Dataset.from_tensor_slices(x).batch(len(x))


METHODS = {
    "fit": lambda m, x: m.fit(x, shuffle=False, verbose=0).history["loss"],
    "evaluate": lambda m, x: m.evaluate(x, verbose=0),
    "test_on_batch": lambda m, x: m.test_on_batch(x),
    "encode": lambda m, x: m.encode(x),
    "reconstruct": lambda m, x: m.reconstruct(x),
    "predict": lambda m, x: m.predict(x, verbose=0),
    "call": lambda m, x: m(x).numpy(),
    "validation": lambda m, x: m.fit(x, shuffle=False, validation_data=x, verbose=0).history[
        "val_loss"
    ],
    "train_on_batch": lambda m, x: m.train_on_batch(x),
    "predict_on_batch": lambda m, x: m.predict_on_batch(x),
    "score": lambda m, x: m.score(x, by="error"),
    "score of a stream": lambda m, x: m.score(stream(x), by="error"),
    "fit of a stream": lambda m, x: m.fit(stream(x), verbose=0).history["loss"],
    "evaluate of a stream": lambda m, x: m.evaluate(stream(x), verbose=0),
    "encode of a stream": lambda m, x: m.encode(stream(x)),
    "predict of a stream": lambda m, x: m.predict(stream(x), verbose=0),
    "fit of a generator": lambda m, x: m.fit(iter([x]), verbose=0).history["loss"],
}
SOME = ["fit", "encode", "predict of a stream", "fit of a generator"]
CONTENTS = {
    "pictures": (PICTURES, "bernoulli", 255),
    "pictures, normal": (PICTURES, "normal", 255),
    "masks": (MASKS, "bernoulli", 1),
    "table": (TABLE, "normal", 1),
    "genotypes": (GENOTYPES, "normal", 1),
    "one-hot": (ONE_HOT, "bernoulli", 1),
    "counts": (COUNTS, Counted(), 1),
}


def seen(intake, x):
    """What a step is given of x: as an array, as a batch of a data set, and as one of a generator."""
    yield intake.values(x)

    @tf.function(autograph=False)
    def in_graph(batch):
        return intake.floats(intake.stream_fields(batch, "evaluation")).x

    yield in_graph(intake.floats(intake.arrays(x)).x)
    for data in (stream(x), iter([x])):
        (batch,) = intake.stream(data, "x")
        yield in_graph(batch)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("content", CONTENTS)
def test_bytes_are_their_numbers_at_every_door(content):
    x, likelihood, divisor = CONTENTS[content]
    floats = (x / np.float32(divisor)).astype("float32")
    intake = model_of(x.shape[1:], likelihood).intake
    for numbers in (x, floats):
        for found in seen(intake, numbers):
            assert_array_equal(found, floats)
    assert intake.scales["x"].divisor == divisor
    if divisor == 255:
        with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
            intake.values(x.astype("float32"))
        with pytest.raises(tf.errors.InvalidArgumentError, match="must lie in"):
            tf.function(lambda b: intake.stream_fields(b, "training"))(x.astype("float32"))


@pytest.mark.filterwarnings("ignore")
def test_bytes_are_their_numbers_in_every_method():
    floats = PICTURES / np.float32(255)
    model, other = model_of(), model_of()
    for name, use in METHODS.items():
        of_bytes = use(model, PICTURES)
        assert_allclose(of_bytes, use(other, floats), rtol=1e-5, atol=1e-6, err_msg=name)
    assert model.scale == 255 and other.scale is None


def test_division_is_that_of_numpy():
    every = np.arange(256, dtype=np.uint8).reshape(4, 4, 4, 4)
    intake = Intake((4, 4, 4), scale=255)
    expected = every / np.float32(255)
    assert_array_equal(intake.floats({"x": tf.constant(every)}).x, expected)
    assert_array_equal(intake.values(every), expected)


@pytest.mark.parametrize("verbose", [0, 1])
@pytest.mark.parametrize(
    ("x", "likelihood", "said"),
    [
        (PICTURES, "bernoulli", "The uint8 pictures of x are divided by 255"),
        (TABLE, "normal", "x is a table of bytes: its numbers are taken as they are, up to 1"),
        (COUNTS, Counted(), "The bytes of x are taken as counts"),
    ],
    ids=["pictures", "table", "counts"],
)
def test_the_decision_is_said_once(x, likelihood, said, verbose):
    model = model_of(x.shape[1:], likelihood)
    with pytest.warns(UserWarning, match=said) as caught:
        model.fit(x, verbose=verbose)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x, verbose=verbose)
        model.encode(x)
        model_of(x.shape[1:], likelihood, scale=model.scale).encode(x)


def test_nothing_is_said_where_nothing_can_be_taken_otherwise():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model_of().encode(MASKS)
        model_of((6,)).encode(ONE_HOT)
        model_of().encode(zoo.data.Data("x", "all", PICTURES))
        model_of().encode(PICTURES / np.float32(255))


@pytest.mark.parametrize(
    ("x", "likelihood", "error"),
    [
        (COUNTS, "bernoulli", "are bytes of at most .* Say scale=255 for such pixels"),
        (COUNTS, "normal", "are bytes of at most .* Say scale=255 for such pixels"),
        (
            GENOTYPES,
            "bernoulli",
            "table of bytes up to 2, and the likelihood takes values of 0 to 1",
        ),
    ],
    ids=["dark pictures", "dark pictures, normal", "genotypes"],
)
@pytest.mark.parametrize("method", SOME)
def test_bytes_that_can_be_taken_in_two_ways_are_refused(x, likelihood, error, method):
    model = model_of(x.shape[1:], likelihood)
    with pytest.raises(ValueError, match=error):
        METHODS[method](model, x)
    assert model.scale is None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("method", SOME)
def test_bytes_that_do_not_fit_the_decision_are_refused(method):
    model = model_of(likelihood="normal")
    model.encode(MASKS)
    with pytest.raises(
        ValueError, match=r"x holds bytes up to \d+, and the model takes them up to 1"
    ):
        METHODS[method](model, PICTURES)


@pytest.mark.parametrize("method", SOME)
def test_a_likelihood_of_counts_never_sees_scaled_ones(method):
    model = model_of(likelihood=Counted())
    with pytest.raises(
        ValueError, match="x holds fractions from 0 to 1, and the likelihood counts"
    ):
        METHODS[method](model, PICTURES / np.float32(255))
    METHODS[method](model, COUNTS + np.float32(0.25))  # counts that were corrected
    with pytest.raises(ValueError, match=r"a record whose bytes are .* counts whole numbers"):
        model.encode(zoo.data.Data("x", "all", PICTURES))


def test_scale_by_hand():
    by_255 = model_of((6,), scale=255)
    assert_allclose(by_255.encode(TABLE), by_255.encode(TABLE / np.float32(255)), rtol=1e-6)
    classes = model_of(likelihood="normal", scale="none")
    assert_allclose(classes.encode(COUNTS), classes.encode(COUNTS.astype("float32")), rtol=1e-6)
    with pytest.raises(
        ValueError, match=r"x holds bytes up to \d+, and the model takes them up to 16"
    ):
        model_of(scale=16).encode(PICTURES)
    for scale in (0, -1, "bytes", True, np.nan):
        with pytest.raises(ValueError, match="scale must be a number above 0"):
            model_of(scale=scale)
    with pytest.raises(ValueError, match="scale may name x; received a dict of target"):
        model_of(scale={"target": 1})


@pytest.mark.filterwarnings("ignore")
def test_a_decision_is_not_changed_later():
    model = model_of()
    model.scale = 16
    assert model.scale == 16
    with pytest.raises(ValueError, match=r"decided once: by 16.0; received 255 later"):
        model.scale = 255
    model = model_of()
    model.encode(PICTURES)
    with pytest.raises(ValueError, match="decided once"):
        model.scale = 1


@pytest.mark.filterwarnings("ignore")
def test_the_decision_is_saved(tmp_path):
    model, by_hand, new = model_of(), model_of(likelihood="normal", scale=1), model_of()
    codes = model.encode(PICTURES)
    masked = model_of(likelihood="normal")
    masked.encode(MASKS)
    for name, each in {"a": model, "b": by_hand, "c": new, "d": masked}.items():
        each.save(tmp_path / f"{name}.keras")
    loaded = {name: zoo.load_model(tmp_path / f"{name}.keras") for name in "abcd"}
    assert [loaded[name].scale for name in "abcd"] == [255, 1, None, 1]
    dark = (PICTURES // 64).astype("uint8")
    assert_array_equal(loaded["a"].encode(PICTURES), codes)
    assert_allclose(loaded["a"].encode(dark), model.encode(dark / np.float32(255)), rtol=1e-5)
    loaded["b"].encode(PICTURES)  # said by hand: any numbers
    with pytest.raises(ValueError, match="takes them up to 1"):
        loaded["d"].encode(PICTURES)
    copy = zoo.Autoencoder.from_config(model.get_config())
    assert copy.scale == 255


def test_a_model_of_before_divides_all_bytes():
    config = model_of((6,)).get_config()
    del config["scale"]
    old = zoo.Autoencoder.from_config(config)
    assert_allclose(old.encode(TABLE), old.encode(TABLE / np.float32(255)), rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_zeros_decide_nothing():
    model = model_of()
    black = np.zeros((2, *SHAPE), np.uint8)
    assert_allclose(model.encode(black), model.encode(black.astype("float32")))
    assert model.scale is None
    with pytest.raises(ValueError, match="begins with a batch of zeros"):
        model.fit(stream(black), verbose=0)
    codes = model.encode(PICTURES)
    assert model.scale == 255
    assert_allclose(codes, model_of().encode(PICTURES / np.float32(255)), rtol=1e-5, atol=1e-6)


def test_in_a_graph_of_the_users_own_nothing_is_guessed():
    model = model_of()
    with pytest.raises(ValueError, match="Nothing says yet what bytes mean"):
        tf.function(lambda x: model.encode_batch(x), autograph=False)(PICTURES)


def write_folder(place):
    (place / "x").mkdir()
    for number, picture in enumerate(PICTURES[..., 0]):
        Image.fromarray(picture).save(place / "x" / f"{number}.png")
    return place / "x", PICTURES / np.float32(255)


def write_npy(place):
    np.save(place / "x.npy", PICTURES)
    return place / "x.npy", PICTURES / np.float32(255)


def write_masks(place):
    np.savez(place / "x.npz", x=MASKS)
    return place / "x.npz", MASKS.astype("float32")


def write_csv(place):
    np.savetxt(place / "x.csv", ONE_HOT, delimiter=",", fmt="%d")
    return place / "x.csv", ONE_HOT.astype("float32")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("write", [write_folder, write_npy, write_masks, write_csv])
def test_what_a_loader_gives_is_what_the_file_holds(write, tmp_path):
    path, expected = write(tmp_path)
    data = zoo.data.load(path, "all")
    model = model_of(expected.shape[1:])
    evaluated = model.evaluate(expected, verbose=0)
    assert_allclose(model.evaluate(data, verbose=0), evaluated, rtol=1e-5)
    for use in (model.encode, model.reconstruct):
        assert_allclose(use(data), use(expected), rtol=1e-5, atol=1e-6)
    assert_allclose(model.evaluate(data.inputs, verbose=0), evaluated, rtol=1e-5)


def test_a_record_that_means_other_bytes_than_the_model_is_refused():
    model = model_of(likelihood="normal", scale=1)
    with pytest.raises(ValueError, match=r"divides bytes by 1\. Load it with scale='none'"):
        model.evaluate(zoo.data.Data("x", "all", PICTURES), verbose=0)


@pytest.mark.filterwarnings("ignore")
def test_bytes_of_a_target_have_a_scale_of_their_own():
    keras.utils.set_random_seed(0)
    options = {"noise": "pairs", "latents": 2, "hidden": (3,)}
    model = zoo.create("denoising_autoencoder", SHAPE, **options)
    model.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    noisy, clean = PICTURES, np.flip(PICTURES, 1)
    expected = model.evaluate(noisy / np.float32(255), clean / np.float32(255), verbose=0)
    assert_allclose(model.evaluate(noisy, clean, verbose=0), expected, rtol=1e-5)
    assert model.scale == {"x": 255, "target": 255}
    assert_allclose(model.evaluate(stream((noisy, clean)), verbose=0), expected, rtol=1e-5)
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]; y reaches"):
        model.evaluate(noisy, clean.astype("float32"), verbose=0)


@pytest.mark.filterwarnings("ignore")
def test_a_classifier_takes_what_the_model_takes(tmp_path):
    model, y = model_of(), np.arange(8) % 3
    network = classifier(model, 3)
    floats = PICTURES / np.float32(255)
    expected = network.evaluate(floats, y, verbose=0)
    ways = {
        "array": lambda n, x: n.evaluate(x, y, verbose=0),
        "stream": lambda n, x: n.evaluate(stream((x, y)), verbose=0),
        "generator": lambda n, x: n.evaluate(iter([(x, y)]), verbose=0),
        "batch": lambda n, x: n.test_on_batch(x, y),
    }
    for name, way in ways.items():
        assert_allclose(way(network, PICTURES), expected, rtol=1e-5, err_msg=name)
        with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
            way(network, PICTURES.astype("float32"))
    assert model.scale == 255
    logits = network.predict(floats, verbose=0)
    assert_allclose(network.predict(PICTURES, verbose=0), logits, rtol=1e-4, atol=1e-6)
    assert_allclose(network(PICTURES), logits, rtol=1e-4, atol=1e-6)
    network.save(tmp_path / "classifier.keras")
    loaded = keras.saving.load_model(tmp_path / "classifier.keras")
    assert_allclose(loaded.evaluate(PICTURES, y, verbose=0), expected, rtol=1e-5)
    history = network.fit(PICTURES, y, validation_data=(PICTURES, y), verbose=0).history
    assert np.isfinite(history["val_loss"]).all()
    with pytest.raises(ValueError, match="validation_data holds 96 values that are NaN"):
        network.fit(floats, y, validation_data=(np.full_like(floats, np.nan), y), verbose=0)


@pytest.mark.filterwarnings("ignore")
def test_what_is_measured_and_started_sees_the_same_numbers():
    floats = TABLE.astype("float32")
    model = zoo.create("vae", (6,), latents=2, hidden=(3,), likelihood="normal")
    options = {"groups": ["reconstruction", "density"], "verbose": False}
    expected = zoo.evaluation.evaluate(model, floats, **options)
    found = zoo.evaluation.evaluate(model, TABLE, **options)
    for group in ("reconstruction", "density"):
        assert found[group] == pytest.approx(expected[group], rel=1e-5)
    started = zoo.create("k_sparse_autoencoder", (6,), latents=2, k=1, likelihood="squared_error")
    start_at_mean(started, TABLE)
    assert_allclose(
        started.reconstruct(floats.mean(axis=0)[None])[0], floats.mean(axis=0), rtol=1e-4
    )


@pytest.mark.filterwarnings("ignore")
def test_weights_alone_keep_the_decision(tmp_path):
    path = tmp_path / "m.weights.h5"
    model = model_of()
    model.save_weights(path)  # of a model that has met no bytes
    model_of(scale=16).load_weights(path)
    codes = model.encode(PICTURES)
    model.save_weights(path)
    fresh, same, other = model_of(), model_of(scale=255), model_of(likelihood="normal", scale=1)
    for each in (fresh, same):
        each.load_weights(path)
        dark = (PICTURES // 128).astype("uint8")  # by which a fresh model would decide for masks
        assert_array_equal(each.encode(dark), model.encode(dark))
        assert_array_equal(each.encode(PICTURES), codes)
    with pytest.raises(ValueError, match=r"divides bytes by \{'x': 255.0\}, and this one divides"):
        other.load_weights(path)
    assert other.scale == 1
    pairs = [
        zoo.create("transcoder", (6,), target_shape=(6,), latents=8, target_l0=2) for _ in "ab"
    ]
    pairs[0].compile("adam", jit_compile=False)
    pairs[0].fit(TABLE, TABLE, batch_size=4, verbose=0)
    pairs[0].save_weights(path)
    pairs[1].load_weights(path)
    assert pairs[1].scale == pairs[0].scale == {"x": 1.0, "target": 1.0}
