"""Two logical processors: what the conformance table does not cover."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from tests.conftest import make_vectors
from tests.trainer.tiny import compiled, tiny
from zoo.trainer.replicas import gather
from zoo.trainer.updates import apply_gradients


@pytest.fixture(scope="module")
def models(two_devices):
    with two_devices.scope():
        two = compiled()
    return two, compiled()


def test_evaluation_of_any_number_of_rows(models):
    """An odd row is filled up and weighs nothing, also where the last batch holds a single row."""
    for rows, batch in [(160, None), (33, 16), (7, 500), (1, None)]:
        two, one = (
            m.evaluate(make_vectors(rows), batch_size=batch, verbose=0, return_dict=True)
            for m in models
        )
        for name in one:
            assert_allclose(two[name], one[name], rtol=1e-5, err_msg=f"{name} of {rows} rows")


def test_inference_of_any_number_of_rows(models):
    two, one = models
    x = make_vectors(33)
    assert_allclose(two.encode(x, batch_size=16), one.encode(x), rtol=1e-5, atol=1e-6)
    assert_allclose(two.reconstruct(x), one.reconstruct(x), rtol=1e-5, atol=1e-6)
    assert_allclose(two.decode(two.encode(x[:1])), one.decode(one.encode(x[:1])), 1e-5, 1e-6)
    assert_allclose(two.generate(5, seed=2), one.generate(5, seed=2), rtol=1e-5, atol=1e-6)


def test_a_data_set_is_shared_too(models, two_devices):
    x = make_vectors(64)
    with two_devices.scope():
        two = compiled()
    one = compiled()
    histories = [
        m.fit(tf.data.Dataset.from_tensor_slices(x).batch(16), epochs=2, verbose=0).history
        for m in (two, one)
    ]
    assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-4)


def test_validation_while_training(two_devices):
    x = make_vectors(64)
    with two_devices.scope():
        two = compiled()
    one = compiled()
    for model in (two, one):
        model.fit(x, batch_size=16, validation_data=x[:33], epochs=2, verbose=0)
    for name, series in one.history.history.items():
        assert_allclose(two.history.history[name], series, rtol=1e-4, err_msg=name)


def test_gathered_rows_stand_in_order_and_pass_gradients(two_devices):
    values = two_devices.experimental_distribute_values_from_function(
        lambda context: tf.constant([[1.0], [2.0]]) + 2 * context.replica_id_in_sync_group
    )

    def squares(rows):
        with tf.GradientTape() as tape:
            tape.watch(rows)
            together = gather(rows)
            loss = tf.reduce_sum(together) ** 2 / 2  # its share of two replicas
        return together, tape.gradient(loss, rows)

    together, gradients = tf.function(lambda: two_devices.run(squares, args=(values,)))()
    for replica in two_devices.experimental_local_results(together):
        assert_allclose(replica[:, 0], [1, 2, 3, 4])
    for replica in two_devices.experimental_local_results(gradients):
        assert_allclose(replica, 20.0 * np.ones((2, 1)))  # d (sum z)^2 = 2 * 10


@pytest.mark.parametrize("rows", [3, 7])
def test_a_batch_that_does_not_divide_is_refused(two_devices, rows):
    with two_devices.scope():
        model = tiny()
        model.compile()
    with pytest.raises(ValueError, match=f"must be a multiple of 2; received {rows}"):
        model.fit(make_vectors(), batch_size=rows, verbose=0)


def test_skipping_needs_one_replica(two_devices):
    with two_devices.scope(), pytest.raises(ValueError, match="skip_nonfinite works on one"):
        tiny().compile(skip_nonfinite=True)


@pytest.mark.parametrize("optimizer", ["adam", pytest.param("sgd", marks=pytest.mark.long)])
def test_a_strategy_of_one_device_trains_like_none(optimizer):
    """A machine with one GPU: replicas meet within a step even where there is but one."""
    histories = []
    for strategy in (tf.distribute.MirroredStrategy(["CPU:0"]), tf.distribute.get_strategy()):
        with strategy.scope():
            model = tiny()
            model.compile(optimizer, jit_compile=False)
        x = make_vectors()
        model.fit(x, batch_size=16, epochs=2, validation_data=x[:33], verbose=0)
        histories.append(model.history.history)
    for name, series in histories[1].items():
        assert_allclose(histories[0][name], series, rtol=1e-4, err_msg=name)


def test_the_last_batch_of_a_data_set_need_not_divide(two_devices):
    """Of 33 rows in batches of 16 the last has one, which one replica gets; of 35 rows three."""
    options = {"name": "autoencoder", "regularizers": ["mmd"], "prior": "normal"}
    with two_devices.scope():
        two = compiled(**options)
    one = compiled(**options)
    for rows in (33, 35):
        data = tf.data.Dataset.from_tensor_slices(make_vectors(rows)).batch(16)
        for model in (two, one):
            model.fit(data, epochs=2, verbose=0)
        terms = [m.evaluate(data, verbose=0, return_dict=True) for m in (two, one)]
        for name in ("reconstruction", "loss"):
            assert np.isfinite(two.history.history[name]).all()
        assert_allclose(*(m.history.history["reconstruction"] for m in (two, one)), rtol=1e-3)
        assert_allclose(*(t["reconstruction"] for t in terms), rtol=1e-3)


def test_a_replica_without_rows_goes_through_convolutions(two_devices):
    """Of no rows oneDNN's convolutions give the shape of what went in."""
    options = {"name": "autoencoder", "networks": "conv", "hidden": (3, 4)}
    with two_devices.scope():
        two = compiled((8, 8, 1), **options)
    one = compiled((8, 8, 1), **options)
    x = make_vectors(5, 64).reshape(5, 8, 8, 1)
    data = tf.data.Dataset.from_tensor_slices(x).batch(4)
    losses = [model.fit(data, verbose=0).history["loss"] for model in (two, one)]
    assert_allclose(losses[0], losses[1], rtol=1e-5)


@pytest.mark.parametrize(("batch", "samples"), [pytest.param(5, 1, marks=pytest.mark.long), (8, 2)])
def test_uneven_batches_draw_the_noise_of_one_device(two_devices, batch, samples):
    """Batches of 5 are shared as 3 and 2 rows; of 19 rows in batches of 8 the last has 2 and 1."""
    options = {"name": "info_vae", "estimator": "sampled", "samples": samples, "lam": 5.0}
    with two_devices.scope():
        two = compiled(**options)
    one = compiled(**options)
    data = tf.data.Dataset.from_tensor_slices(make_vectors(19)).batch(batch)
    for model in (two, one):
        model.fit(data, epochs=2, verbose=0, validation_data=data)
    for name, series in one.history.history.items():
        assert_allclose(two.history.history[name], series, rtol=1e-3, atol=1e-4, err_msg=name)
    for weight, other in zip(two.weights, one.weights, strict=True):
        assert_allclose(weight.numpy(), other.numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"name": "factor_vae"},
        {"name": "adversarial_autoencoder", "critic": (4,)},
        {"regularizers": "l1"},
    ],
)
def test_evaluation_weighs_rows_alike_beside_critics_and_keras_regularizers(two_devices, options):
    if "regularizers" in options:
        options = {"regularizers": [keras.regularizers.L1(0.1)]}
    with two_devices.scope():
        two = compiled(**options)
    one = compiled(**options)
    x = make_vectors(7)
    got, expected = (m.evaluate(x, verbose=0, return_dict=True) for m in (two, one))
    assert got.keys() == expected.keys()
    for name in expected:
        assert_allclose(got[name], expected[name], rtol=1e-5, err_msg=name)


def test_terms_that_couple_rows_leave_out_what_fills_up_a_batch(two_devices):
    regularizers = ["mmd", "dip", {"name": "kl_capacity", "capacity": 1.0}]
    options = {"regularizers": regularizers, "estimator": "analytic"}
    with two_devices.scope():
        two = compiled(**options)
    one = compiled(**options)
    for rows, batch in [(5, None), (33, 16)]:
        x = make_vectors(rows)
        got, expected = (
            m.evaluate(x, batch_size=batch, verbose=0, return_dict=True) for m in (two, one)
        )
        for name in ("dip", "kl_capacity", "mmd"):
            assert_allclose(got[name], expected[name], rtol=1e-4, err_msg=f"{name}, {rows} rows")


def test_an_unused_weight_is_no_obstacle_to_clipping_on_two_devices(two_devices):
    def networks():
        keras.utils.set_random_seed(0)
        code = keras.Input((2,))
        spare = keras.layers.Dense(3, name="spare")(code)
        out = keras.layers.Dense(6)(code)
        decoder = keras.Model(code, [out, spare])
        encoder = keras.Sequential([keras.layers.Dense(4)])

        class First(keras.layers.Layer):
            def __init__(self):
                super().__init__()
                self.both = decoder

            def call(self, inputs):
                return self.both(inputs)[0]

            def compute_output_shape(self, shape):
                return (shape[0], 6)

        return encoder, First()

    def made():
        model = tiny(name="autoencoder", hidden=None, networks=networks())
        model.compile(keras.optimizers.SGD(0.1, global_clipnorm=0.5), jit_compile=False)
        return model

    with two_devices.scope():
        two = made()
    x = make_vectors(32)
    losses = [m.fit(x, batch_size=16, verbose=0).history["loss"] for m in (two, made())]
    assert_allclose(losses[0], losses[1], rtol=1e-5)


@pytest.mark.parametrize(
    ("gradients", "expected", "scale"),
    [
        (([3.0, 0.0], [0.0, 4.0]), [-0.3, -0.4], 8.0),
        (([1.0, 0.0], [np.inf, 0.0]), [0.0, 0.0], 4.0),
    ],
)
def test_a_scaled_gradient_is_that_of_all_devices(two_devices, gradients, expected, scale):
    """(3, 4), clipped to a norm of .5; an infinity of the second device leaves the update out."""
    with two_devices.scope():
        weight = keras.Variable([0.0, 0.0])
        sgd = keras.optimizers.SGD(1.0, global_clipnorm=0.5)
        optimizer = keras.optimizers.LossScaleOptimizer(sgd, initial_scale=8.0)
        optimizer.build([weight])
    shares = two_devices.experimental_distribute_values_from_function(
        lambda context: 8 * tf.constant(gradients[context.replica_id_in_sync_group])
    )

    def step(gradient):
        apply_gradients(optimizer, [gradient], [weight])

    tf.function(lambda: two_devices.run(step, args=(shares,)))()
    assert_allclose(weight.numpy(), expected, rtol=1e-6)
    assert optimizer.dynamic_scale.numpy() == scale


def test_accumulation_on_two_devices_is_refused(two_devices):
    with two_devices.scope():
        model = tiny()
        with pytest.raises(
            ValueError, match="gradient_accumulation_steps works on one replica only"
        ):
            model.compile(keras.optimizers.Adam(1e-3, gradient_accumulation_steps=2))


@pytest.mark.parametrize("scaled", [False, True])
def test_an_optimizer_of_one_device_is_refused_on_two(two_devices, scaled):
    """Each device would count every step, so that a schedule ran twice as fast."""
    optimizer = keras.optimizers.SGD(keras.optimizers.schedules.PolynomialDecay(0.1, 6))
    with two_devices.scope():
        model = tiny()
        if scaled:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    with pytest.raises(ValueError, match="made outside of the strategy's scope"):
        model.compile(optimizer)


def test_a_keras_regularizer_sees_the_rows_of_all_devices(two_devices):
    def made():
        model = tiny(
            name="autoencoder", regularizers=[keras.regularizers.OrthogonalRegularizer(1.0)]
        )
        model.compile(keras.optimizers.SGD(1e-3), jit_compile=False)
        return model

    with two_devices.scope():
        two = made()
    x = make_vectors(32)
    losses = [m.fit(x, batch_size=16, verbose=0).history["loss"] for m in (two, made())]
    assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_batches_that_do_not_divide_are_evaluated_as_on_one_device(two_devices):
    with two_devices.scope():
        two = compiled()
    one, x = compiled(), make_vectors(50)
    got, expected = (m.evaluate(x, batch_size=17, verbose=0) for m in (two, one))
    assert_allclose(got, expected, rtol=1e-5)
