"""A batch in slices of its rows: the step of the whole batch, whatever lets rows meet."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

import zoo
from tests.conftest import make_vectors
from tests.trainer.tiny import tiny
from zoo.trainer import slices, threads

X = make_vectors(99)


@pytest.fixture(autouse=True)
def small_slices(monkeypatch):
    monkeypatch.setattr(slices, "LEAST_ROWS", 4)


class Centred(keras.layers.Layer):
    """Compares every row with the mean of the batch; nobody told the zoo."""

    def call(self, inputs):
        return inputs - tf.reduce_mean(inputs, axis=0)


class Doubled(keras.layers.Layer):
    row_wise = True

    def call(self, inputs):
        return 2 * inputs


class Spread(zoo.Regularizer):
    def penalty(self, forward, training=False):
        return tf.reduce_sum(tf.abs(forward.code - tf.reduce_mean(forward.code, 0)), -1)


class Variance(zoo.Regularizer):
    def penalty(self, forward, training=False):
        return tf.math.reduce_variance(forward.code)


class Middle(zoo.bottlenecks.DenseBottleneck):
    """Codes less the mean code of the batch, in training."""

    def draw(self, features, noise, step, training):
        code = self.numbers(features) + 0.1 * noise.normal(tf.shape(features)[0], self.units)
        return zoo.Code(code - tf.reduce_mean(code, axis=0))


def networks(*layers):
    return {"networks": (keras.Sequential(layers), zoo.networks.mlp([5], (6,)))}


def meeting_everywhere():
    """Batch norm, a layer and terms of unknown classes, noise in the input, and three draws a row."""
    keras.utils.set_random_seed(0)
    layers = keras.layers.Dense(5), keras.layers.BatchNormalization(), Centred(), Doubled()
    return zoo.Autoencoder(
        (6,),
        keras.Sequential(layers),
        {"name": "stochastic", "units": 2, "samples": 3},
        zoo.networks.mlp([5], (6,)),
        prior="normal",
        regularizers=["kl", Spread(name="spread"), Variance(name="variance"), "mmd"],
        corruption=zoo.networks.MaskingNoise(0.3),
        seed=1,
    )


def own_bottleneck():
    keras.utils.set_random_seed(0)
    encoder, decoder = zoo.networks.mlp([5]), zoo.networks.mlp([5], (6,))
    return zoo.Autoencoder((6,), encoder, Middle(2), decoder, regularizers=["hoyer"], seed=1)


def trained(build, count, x=X, batch=48, weights=None, **options):
    model = build()
    model.compile(keras.optimizers.SGD(0.01), jit_compile=False, slices=count, **options)
    given = {} if weights is None else {"sample_weight": weights}
    history = model.fit(x, batch_size=batch, epochs=1, verbose=0, **given).history
    judged = model.evaluate(x, batch_size=50, return_dict=True, verbose=0, **given)
    return history, judged, [w.numpy() for w in model.weights]


def assert_alike(one, other, tolerance=1e-5):
    for first, second in zip(one[:2], other[:2], strict=True):
        assert first.keys() == second.keys()
        for name in first:
            assert_allclose(first[name], second[name], rtol=tolerance, atol=tolerance, err_msg=name)
    for first, second in zip(one[2], other[2], strict=True):
        assert_allclose(first, second, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("build", [meeting_everywhere, own_bottleneck])
def test_a_step_is_that_of_the_whole_batch(build):
    assert_alike(trained(build, 3), trained(build, 1))


def test_slices_of_different_sizes_count_by_their_rows():
    """Of 49 rows, 17, 16 and 16; with weights, an update that may be left out, and missing values."""
    weights = np.random.default_rng(1).random(len(X)).astype("float32")
    options = {"batch": 49, "weights": weights, "skip_nonfinite": True}
    missing = np.where(np.random.default_rng(2).random(X.shape) < 0.2, np.nan, X)
    build = lambda: tiny(mask="nan")  # noqa: E731
    assert_alike(trained(build, 3, x=missing, **options), trained(build, 1, x=missing, **options))


def test_noise_goes_by_the_row_of_the_batch():
    batch = zoo.Batch(tf.constant(X[:50]), weight=tf.range(50.0))
    noise = zoo.Noise(3, 5).fold("a")
    whole = noise.fold("b").uniform(50, 2)
    for count, sizes in ((2, [25, 25]), (3, [17, 17, 16]), (64, None)):
        cuts = slices.cut(batch, noise, count)
        rows = [len(own.x) for own, _ in cuts]
        assert sum(rows) == 50 and min(rows) >= 4 and rows == (sizes or rows)
        parts = [of_own.fold("b").uniform(len(own.x), 2) for own, of_own in cuts]
        assert_array_equal(np.concatenate(parts), whole)
        assert_array_equal(np.concatenate([own.weight for own, _ in cuts]), batch.weight)
        assert_allclose(sum(float(of_own.share) for _, of_own in cuts), 1, rtol=1e-6)


def test_a_function_of_rows_takes_any_number_of_them():
    def function(x, beside):
        return {"sum": x + beside["y"][:, None], "norm": tf.norm(x, axis=1)}

    traced = tf.function(slices.in_slices(function, 3), reduce_retracing=True)
    for rows in (0, 1, 4, 7, 9, 50):
        x, y = tf.constant(X[:rows]), tf.range(float(rows))
        for name, value in traced(x, {"y": y}).items():
            assert_allclose(value, function(x, {"y": y})[name], rtol=1e-6)
    assert function.__name__ == slices.in_slices(function, 3).__name__


def test_no_slice_is_empty():
    """Of an empty batch oneDNN's convolutions give the shape of what went in, and the next layer fails."""

    def function(x):
        with tf.control_dependencies([tf.debugging.assert_positive(tf.shape(x)[0])]):
            return 2 * x

    traced = tf.function(
        slices.in_slices(function, 3), input_signature=[tf.TensorSpec((None, X.shape[1]))]
    )
    for rows in (1, 4, 9, 50):
        assert_allclose(traced(X[:rows]), 2 * X[:rows], rtol=1e-6)


def test_a_slice_of_no_rows_goes_through_convolutions():
    """Of the last batch, whose rows the graph does not know, there may be one row for two slices."""
    pictures = np.random.default_rng(0).random((33, 8, 8, 1), np.float32)
    found = []
    for count in (1, 2):
        model = tiny((8, 8, 1), networks="conv", hidden=(4, 6))
        model.compile(jit_compile=False, slices=count)
        data = tf.data.Dataset.from_tensor_slices(pictures).batch(32)
        history = model.fit(data, verbose=0).history["loss"]
        judged = model.evaluate(pictures, batch_size=32, verbose=0, return_dict=True)
        found.append([history[0], judged["loss"]])
    assert_allclose(found[1], found[0], rtol=1e-5)


def test_what_treats_rows_by_themselves_is_not_joined():
    def joins(model):
        model.compile(jit_compile=False, slices=2)
        step = tf.function(lambda x: model.look(zoo.Batch(x), zoo.Noise(0, 0)))
        graph = step.get_concrete_function(tf.TensorSpec((8, 6))).graph
        return [op for op in graph.get_operations() if op.type == "ConcatV2" and op.name != "x"]

    assert not joins(tiny())
    assert joins(tiny(regularizers=["mmd"]))


def test_the_number_is_chosen_where_a_model_is_compiled(monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: threads.Cores(4))
    model = tiny()
    model.compile(jit_compile=False)
    assert (model.slices, model.why_whole, model.slices_in_use) == (4, None, 4)
    model.compile(jit_compile=True)
    assert model.slices == 1 and "XLA" in model.why_whole
    with pytest.raises(ValueError, match="slices must be 1 or 'auto' for this model: XLA"):
        model.compile(jit_compile=True, slices=2)
    with pytest.raises(ValueError, match="slices"):
        model.compile(slices=0)
    model.compile(jit_compile=False, slices=3)
    assert model.get_compile_config()["slices"] == 3
    assert tiny(hidden=None, **networks(Centred())).slices_in_use == 1


def test_a_resumed_run_keeps_its_number(monkeypatch, tmp_path):
    def run(cores, epochs):
        monkeypatch.setattr(threads, "cores", lambda: threads.Cores(cores))
        model = tiny()
        model.compile(jit_compile=False)
        resume = zoo.runs.Resume(tmp_path / "checkpoint")
        model.fit(X, batch_size=48, epochs=epochs, verbose=0, callbacks=resume.among([]))
        return model

    run(2, 1)
    resumed = run(4, 2)
    assert resumed.slices == 2
    monkeypatch.setattr(threads, "cores", lambda: threads.Cores(2))
    whole = tiny()
    whole.compile(jit_compile=False)
    whole.fit(X, batch_size=48, epochs=2, verbose=0)
    for one, other in zip(whole.weights, resumed.weights, strict=True):
        assert_array_equal(one.numpy(), other.numpy())


class Threading:
    """What tf.config.threading is before TensorFlow runs."""

    def __init__(self, intra=0, running=False):
        self.chosen, self.intra, self.running = {}, intra, running

    def get_intra_op_parallelism_threads(self):
        return self.intra

    def get_inter_op_parallelism_threads(self):
        return 0

    def set_intra_op_parallelism_threads(self, count):
        self._set("intra", count)

    def set_inter_op_parallelism_threads(self, count):
        self._set("inter", count)

    def _set(self, name, count):
        if self.running:
            raise RuntimeError("Intra op parallelism cannot be modified after initialization.")
        self.chosen[name] = count


@pytest.mark.parametrize(
    "switch, environment, given, expected, why",
    [
        (None, {}, {}, 4, None),
        ("3", {"OMP_NUM_THREADS": "1"}, {"intra": 1}, 3, None),
        ("0", {}, {}, 1, "ZOO_CORES=0"),
        (None, {"OMP_NUM_THREADS": "1"}, {}, 1, "OMP_NUM_THREADS"),
        (None, {}, {"intra": 2}, 1, "was set"),
        (None, {}, {"running": True}, 1, "was running"),
    ],
)
def test_threads_are_chosen_where_nobody_else_did(
    monkeypatch, switch, environment, given, expected, why
):
    for name in ("ZOO_CORES", *threads._USERS_OWN):
        monkeypatch.delenv(name, raising=False)
    if switch is not None:
        monkeypatch.setenv("ZOO_CORES", switch)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    threading = Threading(**given)
    monkeypatch.setattr(tf.config, "threading", threading)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    monkeypatch.setattr(threads, "_available", lambda: 4)
    found = threads.cores.__wrapped__()
    assert found.count == expected and (why or "") in (found.why_one or "")
    assert (found.why_one is None) == (why is None)
    assert threading.chosen == ({} if why else {"inter": expected, "intra": 1})


def test_a_wrong_number_of_cores_is_refused(monkeypatch):
    monkeypatch.setenv("ZOO_CORES", "two")
    with pytest.raises(ValueError, match=r"ZOO_CORES must be a number of cores.*'two'"):
        threads.cores.__wrapped__()


def test_a_model_is_used_in_slices(monkeypatch):
    """What a model gives is the same in slices, and as it comes, without a condition too."""
    monkeypatch.setattr(slices, "LEAST_ROWS", 4)
    model = tiny()
    whole = [method(X) for method in (model.encode, model.reconstruct, model.predict)]
    monkeypatch.setattr(type(model), "slices_in_use", 3)
    model._trace_anew()
    for method, expected in zip(
        (model.encode, model.reconstruct, model.predict), whole, strict=True
    ):
        assert_allclose(method(X), expected, rtol=1e-5, atol=1e-6)
