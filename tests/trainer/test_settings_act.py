"""A setting acts whenever it is changed, or is refused in one line."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

import zoo
from tests.conftest import make_vectors
from tests.trainer.tiny import tiny

X = make_vectors(64)


def weight_in_force(terms):
    return (np.ravel(terms["loss"]) - np.ravel(terms["reconstruction"])) / np.ravel(terms["kl"])


def ready(**options):
    model = tiny(**options)
    model.compile(keras.optimizers.SGD(1e-3), jit_compile=False)
    return model


def evaluated(model):
    return model.evaluate(X, verbose=0, return_dict=True)


@pytest.mark.parametrize(("kind", "jit"), [(keras.Variable, True), (tf.Variable, False)])
def test_a_variable_as_weight_is_asked_for_in_every_step(kind, jit):
    weight = kind(0.0)
    model = tiny(beta=weight)
    model.compile(keras.optimizers.SGD(1e-3), jit_compile=jit)
    assert len(model.trainable_weights) == len(tiny().trainable_weights)
    anneal = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: weight.assign(0.0 if epoch < 2 else 5.0)
    )
    history = model.fit(X, epochs=4, callbacks=[anneal], verbose=0).history
    assert_allclose(weight_in_force(history), [0, 0, 5, 5], atol=0.01)
    assert_allclose(weight_in_force(evaluated(model)), 5, rtol=1e-3)


def test_a_variable_changes_between_steps_and_is_saved_as_a_number(tmp_path):
    weight = keras.Variable(1.0)
    model = ready(beta=weight)
    seen = []

    class Anneal(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(weight_in_force(logs)[0] * (batch + 1))  # logs are means so far
            weight.assign(weight + 1)

    model.fit(X, batch_size=16, shuffle=False, callbacks=[Anneal()], verbose=0)
    assert float(weight) == 5 and len(seen) == 4
    model.save(tmp_path / "m.keras")
    assert zoo.load_model(tmp_path / "m.keras").regularizers[0].weight == 5.0


SETTINGS = {
    "weight of a regularizer": lambda m: setattr(m.regularizers[0], "weight", 50.0),
    "p of lp_norm": lambda m: setattr(m.regularizers[1], "p", 1.5),
    "weight of the objective": lambda m: setattr(m.objective, "weight", 3.0),
    "scale of the likelihood": lambda m: setattr(m.likelihood, "scale", 0.1),
    "scale of the prior": lambda m: setattr(m.prior, "scale", 4.0),
    "estimator": lambda m: setattr(m.regularizers[0], "estimator", "sampled"),
    "seed": lambda m: setattr(m, "seed", 77),
}


def test_every_setting_acts_after_a_fit_and_an_evaluation():
    """One setting after the other, of a model whose weights and step stay: what changes is their doing."""
    model = tiny(likelihood="normal", regularizers=["lp_norm"])
    model.compile(keras.optimizers.SGD(0.0), jit_compile=False)

    def terms():
        model.step.assign(0)  # the same order and the same noise
        return [*model.fit(X, verbose=0).history.items()], evaluated(model)

    before = terms()
    assert terms() == before
    for name, change in SETTINGS.items():
        change(model)
        after = terms()
        assert after[0] != before[0] and after[1] != before[1], name
        before = after


def test_a_setting_acts_within_a_fit():
    model = ready()

    class Change(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                self.model.regularizers[0].weight = 7.0

    history = model.fit(X, epochs=4, callbacks=[Change()], verbose=0).history
    assert_allclose(weight_in_force(history), [1, 1, 7, 7], rtol=1e-3)


def test_units_kept_change_what_is_encoded():
    model = zoo.create("k_sparse_autoencoder", (6,), latents=12, k=3)
    assert (model.encode(X) != 0).sum(axis=1).max() == 3
    model.bottleneck.k = 5
    assert (model.encode(X) != 0).sum(axis=1).max() == 5
    model.bottleneck.alpha = 2.0
    assert (model.encode(X) != 0).sum(axis=1).max() == 10


@pytest.mark.parametrize(
    "name", ["encoder", "decoder", "prior", "likelihood", "regularizers", "event_shape", "mask"]
)
def test_a_part_is_chosen_when_the_model_is_made(name):
    model = tiny()
    with pytest.raises(ValueError, match=f"{name} is chosen when a model is made"):
        setattr(model, name, getattr(model, name))


def test_every_argument_of_a_model_is_refused_afterwards_or_acts():
    model = ready()
    acting = {"seed", "formula", "scale"}  # seed is among SETTINGS above, scale in test_bytes.py
    for name in set(inspect.signature(zoo.Autoencoder).parameters) - {*acting, "kwargs"}:
        with pytest.raises(ValueError, match=f"{name} is chosen when a model is made"):
            setattr(model, name, getattr(model, name, None))
    model.formula = "f(x)"
    assert model.get_config()["formula"] == "f(x)"
    for name in ("optimizer", "loss", "jit_compile", "skip_nonfinite", "steps_per_execution"):
        with pytest.raises(ValueError, match=rf"{name} is chosen in compile"):
            setattr(model, name, 4)


# What may be set of a model, and what it does then.
SET = {
    "formula": "the test above",
    "scale": "test_bytes.py",
    "seed": "SETTINGS",
    "trainable": "test_a_model_that_is_frozen_stays",
    "run_eagerly": "test_run_eagerly_runs_eagerly",
    "name": "Keras's, of the summary",
    "stop_training": "Keras's, of callbacks",
    "history": "Keras's",
    **dict.fromkeys(["compiled", "built", "call_signature_parameters"], "Keras's"),
    **{f"{step}_function": "Keras's, of a trace" for step in ("train", "test", "predict")},
    "traces": "of the trainer",
}


def test_every_public_attribute_of_a_model_acts_or_is_refused():
    model = ready()
    methods = {name for name in dir(keras.Model) if callable(getattr(keras.Model, name))}
    own = {name for name in (*dir(type(model)), *vars(model)) if name[0] != "_"} - methods
    functions = {n for n in own if callable(getattr(type(model), n, None))}
    taken = set()
    for name in own - functions:
        try:
            setattr(model, name, object())
            taken.add(name)
        except (ValueError, AttributeError, TypeError) as error:
            assert "\n" not in str(error)
    assert taken <= set(SET), taken - set(SET)


def test_options_of_the_function_that_made_a_model_are_refused_later():
    """Set as attributes they would do nothing, or hide a method."""
    model = ready(name="beta_vae")
    for name in set(zoo.models.options("beta_vae")) - {"seed"}:
        with pytest.raises(ValueError, match=name):
            setattr(model, name, 4.0)
    model.note = "a user's own"


def test_a_model_that_is_frozen_stays():
    model = ready()
    model.trainable = False
    before = model.get_weights()
    model.fit(X, verbose=0)
    for one, other in zip(before[1:], model.get_weights()[1:], strict=True):
        assert_allclose(one, other)


@pytest.mark.parametrize(
    ("make", "option", "value"),
    [
        (lambda: keras.layers.Dropout(0.01), "rate", 0.9),
        (lambda: keras.layers.LeakyReLU(0.1), "negative_slope", 0.9),
        (lambda: keras.layers.Dense(4), "activation", keras.activations.tanh),
    ],
)
def test_a_setting_of_a_layer_of_keras_acts_on_a_model_in_use(make, option, value):
    layer = make()
    networks = (
        keras.Sequential([keras.layers.Dense(4), layer]),
        keras.Sequential([keras.layers.Dense(6)]),
    )
    model = ready(name="autoencoder", hidden=None, networks=networks)
    model.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    model.fit(X, verbose=0)
    setattr(layer, option, value)
    model.step.assign(0)
    loss = model.fit(X, verbose=0).history["loss"]
    fresh = zoo.Autoencoder.from_config(model.get_config())
    fresh.set_weights(model.get_weights())
    fresh.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    fresh.step.assign(0)
    if option == "rate":  # Keras's own noise is another one each time
        assert loss[0] > 1.05 * model.evaluate(X, verbose=0)[0]
    else:
        assert_allclose(fresh.fit(X, verbose=0).history["loss"], loss, rtol=1e-5)


def test_the_bounds_of_inputs_are_those_of_the_likelihood():
    assert tiny().input_bounds == (0, 1)
    assert tiny(likelihood="normal").input_bounds is None


def test_a_bad_weight_is_refused_where_it_is_set():
    with pytest.raises(ValueError, match="weight of kl must be a finite number of at least 0"):
        tiny().regularizers[0].weight = -1.0


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("loss", "mse"),
        ("loss_weights", [1.0]),
        ("metrics", ["mae"]),
        ("weighted_metrics", ["mae"]),
        ("steps_per_execution", 4),
    ],
)
def test_arguments_of_compile_without_a_use_are_refused(option, value):
    with pytest.raises(ValueError, match=f"{option}|loss or metrics"):
        tiny().compile(**{option: value})


def test_run_eagerly_runs_eagerly():
    eager = []

    class Looks(zoo.Regularizer):
        def penalty(self, forward, training=False):
            eager.append(tf.executing_eagerly())
            return tf.zeros(tf.shape(forward.code)[0])

    model = tiny(regularizers=[Looks(name="looks")])
    model.compile("sgd", run_eagerly=True)
    eager.clear()
    history = model.fit(X, batch_size=32, verbose=0).history
    assert eager[-1] and np.isfinite(history["loss"]).all()
    graph = tiny(regularizers=[Looks(name="looks")])
    graph.compile("sgd", jit_compile=False)
    assert_allclose(graph.fit(X, batch_size=32, verbose=0).history["loss"], history["loss"], 1e-5)
    graph.run_eagerly = True
    eager.clear()
    graph.fit(X, batch_size=32, verbose=0)
    assert eager[-1]


def by_layers(encoder, trains):
    for layer in encoder.layers:
        layer.trainable = trains


def as_a_whole(encoder, trains):
    encoder.trainable = trains


@pytest.mark.parametrize(
    ("options", "freeze"),
    [
        ({}, as_a_whole),
        ({"name": "k_sparse_autoencoder", "k": 1}, by_layers),
    ],
)
def test_a_frozen_encoder_leaves_codes_where_they_are(options, freeze):
    """With the code's own dense layer and its normalisation, and without a new compile()."""
    model = ready(**options)
    model.fit(X, verbose=0)
    freeze(model.encoder, False)
    codes, decoder = model.encode(X), model.decoder.get_weights()[0]
    model.fit(X, verbose=0)
    assert_allclose(model.encode(X), codes, rtol=1e-6)
    assert np.abs(model.decoder.get_weights()[0] - decoder).max() > 0
    freeze(model.encoder, True)
    model.fit(X, verbose=0)
    assert np.abs(model.encode(X) - codes).max() > 0


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("batch_top_k_sae", {"target_l0": 2}),  # the threshold is a mean over batches
        ("vq_vae", {"latents": 2, "codes": 4, "hidden": (4,)}),  # the book is, too
        ("transcoder", {"target_l0": 2}),  # what the encoder holds is never trained
    ],
)
def test_what_codes_are_made_by_is_frozen_with_the_encoder(name, options):
    model = zoo.create(name, (6,), seed=0, **{"latents": 8, **options})
    model.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    data = (X, X[:, ::-1]) if name == "transcoder" else (X,)
    model.fit(*data, batch_size=16, verbose=0)
    model.encoder.trainable = False
    codes = model.encode(X)
    model.fit(*data, batch_size=16, verbose=0)
    assert_allclose(model.encode(X), codes, rtol=1e-6)
    model.encoder.trainable = True
    model.fit(*data, batch_size=16, verbose=0)
    assert np.abs(model.encode(X) - codes).max() > 0


def test_codes_that_the_decoder_finds_are_not_frozen_without_it():
    model = zoo.create("matching_pursuit_sae", (6,), latents=8, target_l0=2)
    model.compile("sgd", jit_compile=False)
    model.fit(X, verbose=0)  # the mean of the data is taken by the first step
    model.encoder.trainable = False
    with pytest.raises(
        ValueError, match=r"found by the decoder's atoms.*model\.decoder\.trainable"
    ):
        model.fit(X, verbose=0)
    model.decoder.trainable = False
    codes = model.encode(X)
    model.fit(X, verbose=0)
    assert_allclose(model.encode(X), codes, rtol=1e-6)


def test_an_encoder_without_weights_freezes_the_code_too():
    model = ready(name="linear_autoencoder", hidden=None)
    model.encoder.trainable = False
    codes = model.encode(X)
    model.fit(X, verbose=0)
    assert_allclose(model.encode(X), codes, rtol=1e-6)


def test_a_model_is_saved_with_its_encoder_frozen(tmp_path):
    model = ready()
    model.encoder.trainable = False
    model.fit(X, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = zoo.load_model(tmp_path / "m.keras")
    codes = loaded.encode(X)
    loaded.fit(X, verbose=0)
    assert_allclose(loaded.encode(X), codes, rtol=1e-6)


def test_an_encoder_that_is_frozen_from_the_start_leaves_the_code_to_be_trained():
    """As one that was trained elsewhere."""
    model = tiny()
    model.encoder.trainable = False
    networks = model.encoder, zoo.networks.mlp([5], (6,))
    model = ready(networks=networks, hidden=None)
    before, codes = model.encoder.get_weights(), model.encode(X)
    model.fit(X, verbose=0)
    assert_allclose(model.encoder.get_weights()[0], before[0])
    assert np.abs(model.encode(X) - codes).max() > 0


def test_weights_that_the_optimizer_does_not_know_are_named():
    model = tiny()
    model.encoder.trainable = False
    model.compile("sgd", jit_compile=False)
    model.encoder.trainable = True
    with pytest.raises(ValueError, match="before some were freed"):
        model.fit(X, verbose=0)


def test_fit_of_a_model_that_is_not_compiled_says_so(tmp_path):
    model = ready()
    model.save(tmp_path / "m.keras")
    for bare in (tiny(), keras.saving.load_model(tmp_path / "m.keras", compile=False)):
        for use in (bare.fit, bare.evaluate, bare.train_on_batch, bare.test_on_batch):
            with pytest.raises(ValueError, match=r"not compiled. Call compile"):
                use(X)


def test_a_saved_model_can_be_written_after_a_fit(tmp_path):
    model = ready()
    model.fit(X, verbose=0)
    model.encode(X)
    tf.saved_model.save(model, str(tmp_path / "saved"))
