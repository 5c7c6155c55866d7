import keras
import numpy as np
import pytest
import scipy
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from zoo_plugins.critics import fake_loss, fooling_loss, real_loss

import zoo
from zoo.trainer.nonfinite import state_variables

PICTURE = (8, 8, 1)
SMALL = {"hidden": (4,)}
CRITICS = ("self_critic", "discriminator", "code_discriminator", "total_correlation")


@pytest.fixture
def pictures():
    return np.random.default_rng(0).random((48, *PICTURE)).astype("float32")


def small_vae(*regularizers, **options):
    keras.utils.set_random_seed(0)
    model = zoo.create(
        "vae", PICTURE, latents=3, hidden=(8,), regularizers=list(regularizers), seed=1, **options
    )
    model.compile()
    return model


def train(model, data, epochs=1):
    return model.fit(data, batch_size=16, epochs=epochs, verbose=0).history


def test_losses_are_cross_entropies():
    logits = np.linspace(-6, 6, 13).astype("float32")
    probability = 1 / (1 + np.exp(-logits.astype("float64")))
    smooth = -0.9 * np.log(probability) - 0.1 * np.log(1 - probability)
    for form in ("saturating", "non_saturating"):
        assert_allclose(real_loss(logits, form, 0.1), smooth, rtol=1e-5)
        assert_allclose(fake_loss(logits, form), -np.log(1 - probability), rtol=1e-5)
    assert_allclose(fooling_loss(logits, "saturating"), np.log(1 - probability), rtol=1e-5)
    assert_allclose(fooling_loss(logits, "non_saturating"), -np.log(probability), rtol=1e-5)
    assert_allclose(real_loss(logits, "hinge"), np.maximum(0, 1 - logits))
    assert_allclose(fake_loss(logits, "hinge"), np.maximum(0, 1 + logits))
    assert_allclose(fooling_loss(logits, "hinge"), -logits)


def test_only_the_saturating_form_saturates():
    logits = tf.constant([-12.0])  # a critic that is sure of the fake
    slopes = {}
    for form in ("saturating", "non_saturating"):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = fooling_loss(logits, form)
        slopes[form] = float(tape.gradient(loss, logits)[0])
    assert -1e-4 < slopes["saturating"] < 0
    assert slopes["non_saturating"] == pytest.approx(-1, abs=1e-4)


def test_batch_spread_is_the_mean_deviation():
    features = np.random.default_rng(1).normal(size=(9, 5)).astype("float32")
    spread = zoo.networks.BatchSpread()(features).numpy()
    assert_array_equal(spread[:, :-1], features)
    assert_allclose(spread[:, -1], features.std(axis=0).mean(), rtol=1e-5)


# The table of conformance resumes the others on every change, in cases that are made of them.
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.long] * (n not in CRITICS[1:3])) for n in CRITICS],
)
def test_each_critic_works_with_a_plain_vae_and_resumes(name, pictures, tmp_path):
    rate = keras.optimizers.schedules.ExponentialDecay(1e-5, 3, 0.5)
    part = {"name": name, "learning_rate": rate, "critic_steps": 2, **SMALL}
    straight = small_vae(part)
    own = {id(v) for v in straight.critics[0].critic_variables}
    assert own.isdisjoint(id(v) for v in straight.model_variables)
    before = [v.numpy() for v in straight.trainable_variables]
    history = train(straight, pictures)
    for variable, value in zip(straight.trainable_variables, before, strict=True):
        # A critic's first steps are small ones, by its own rate.
        moved = np.abs(variable.numpy() - value).max()
        assert 0 < moved < (1e-4 if id(variable) in own else 1e-2), variable.path
    assert np.isfinite(history[name]).all() and history[f"{name}_critic"][0] > 0
    critic = straight.critics[0]
    assert int(critic.optimizer.iterations.numpy()) == 2 * 3
    assert float(critic.optimizer.learning_rate) == pytest.approx(1e-5 * 0.5**2)

    straight.save(tmp_path / "model.keras")
    resumed = keras.saving.load_model(tmp_path / "model.keras")
    for model in (straight, resumed):
        train(model, pictures)
    pairs = zip(state_variables(straight), state_variables(resumed), strict=True)
    assert all(np.array_equal(one.numpy(), other.numpy()) for one, other in pairs)


@pytest.mark.parametrize(("name", "calls"), zip(CRITICS, (2, 3, 2, 2), strict=True))
def test_the_same_examples_are_judged_once_a_step(name, calls, pictures, monkeypatch):
    counted = []
    for noise in (0.0, 0.1):
        model = small_vae({"name": name, "instance_noise": noise, **SMALL})
        critic = model.regularizers[-1].critic
        call, count = critic.call, []
        monkeypatch.setattr(
            critic, "call", lambda *a, c=call, n=count, **k: n.append(1) or c(*a, **k)
        )
        model.update(zoo.Batch(tf.constant(pictures[:16])), zoo.Noise(0, 0))
        counted.append(len(count))
    assert counted == [calls, calls + 1]


@pytest.mark.parametrize("name", CRITICS)
def test_what_is_judged_once_trains_as_what_is_judged_twice(name, pictures, monkeypatch):
    options = {"name": name, "norm": "batch", "critic_steps": 2, **SMALL}

    def stepped():
        model = small_vae(options)
        for step in range(2):
            batch = zoo.Batch(tf.constant(pictures[16 * step : 16 * step + 16]))
            model.update(batch, zoo.Noise(0, step))
        return model

    once = stepped()
    monkeypatch.setattr(zoo.ForwardPass, "once", lambda forward, key, compute: compute())
    twice = stepped()
    for weight, other in zip(once.trainable_weights, twice.trainable_weights, strict=True):
        assert_allclose(weight.numpy(), other.numpy(), rtol=1e-5, atol=1e-7)


def test_spectral_norm_bounds_the_critic(pictures):
    model = small_vae({"name": "code_discriminator", "norm": "spectral", "hidden": (6, 6)})
    train(model, pictures, epochs=4)
    kernels = [v.numpy() for v in model.critics[0].critic_variables if len(v.shape) == 2]
    assert len(kernels) == 3
    for kernel in kernels:
        assert np.linalg.norm(kernel, 2) < 1.1


def test_instance_noise_has_the_scale_asked_for(pictures):
    model = small_vae({"name": "discriminator", "instance_noise": 0.3, **SMALL})
    critic = model.critics[0]
    noise = zoo.noise.Noise(0, 0)
    forward = model.forward(tf.constant(pictures), noise, False)
    difference = critic.blurred(forward.inputs, forward, "real").numpy() - pictures
    assert difference.std() == pytest.approx(0.3, rel=0.05)
    assert abs(difference.mean()) < 0.02


def test_permuted_codes_keep_every_unit_and_lose_the_pairing():
    model = zoo.create("vae", (4,), latents=3, hidden=(4,), regularizers=["total_correlation"])
    inputs = tf.random.stateless_uniform((64, 4), (1, 2))
    forward = model.forward(inputs, zoo.noise.Noise(0, 0), False)
    permuted = model.critics[0].permuted(forward).numpy()
    code = forward.code.numpy()
    assert_array_equal(np.sort(permuted, axis=0), np.sort(code, axis=0))
    rows = {tuple(row) for row in code}
    assert sum(tuple(row) in rows for row in permuted) < 8


def test_total_correlation_finds_that_of_a_correlated_gaussian():
    keras.utils.set_random_seed(0)
    rho = 0.8
    random = np.random.default_rng(0)
    data = random.multivariate_normal([0, 0], [[1, rho], [rho, 1]], 20_000).astype("float32")
    critic = {"name": "total_correlation", "learning_rate": 3e-3, "hidden": (32, 32), "weight": 0.0}
    model = zoo.Autoencoder(
        (2,),
        encoder=keras.layers.Identity(),
        bottleneck=zoo.bottlenecks.Deterministic(2, use_bias=False, kernel_initializer="identity"),
        decoder=keras.layers.Dense(2),
        likelihood="squared_error",
        regularizers=[critic],
    )
    model.compile(keras.optimizers.SGD(0.0))
    model.fit(data, batch_size=500, epochs=10, verbose=0)
    found = model.evaluate(data, return_dict=True, verbose=0)["total_correlation"]
    assert found == pytest.approx(-0.5 * np.log(1 - rho**2), abs=0.08)


def test_a_critic_of_classes_sees_probabilities_and_labels(pictures, tmp_path):
    """The losses are what NumPy makes of the critic's own weights."""
    watched = {"name": "code_discriminator", "of_classes": True, "hidden": (5,)}
    model = zoo.create(
        "info_ae",
        PICTURE,
        latents=3,
        classes=4,
        noise_units=2,
        critic=(2,),
        networks="mlp",
        regularizers=[watched],
    )
    critic = model.critics[-1]
    first, bias, last, offset = (v.numpy().astype("float64") for v in critic.critic_variables)
    assert first.shape == (4, 5)

    def logits(seen):
        hidden = seen @ first + bias
        return np.where(hidden > 0, hidden, 0.2 * hidden) @ last + offset

    forward = model.forward(tf.constant(pictures), zoo.noise.Noise(0, 0), False)
    fooled = critic.penalty(forward).numpy()
    fake = logits(scipy.special.softmax(model.classifier.classify(forward.code), axis=-1))
    assert_allclose(fooled, np.log1p(np.exp(-fake))[:, 0], rtol=1e-4)
    label = forward.generated.label.numpy()
    assert_array_equal(np.sort(label, axis=1), np.tile([0, 0, 0, 1], (len(label), 1)))
    separated = np.log1p(np.exp(-logits(label))).mean() + np.log1p(np.exp(fake)).mean()
    assert float(critic.critic_loss(forward)) == pytest.approx(separated, rel=1e-4)
    model.compile("adam")
    train(model, pictures)
    model.save(tmp_path / "model.keras")
    assert_array_equal(
        zoo.load_model(tmp_path / "model.keras").cluster(pictures), model.cluster(pictures)
    )


def test_a_critic_of_classes_makes_them_sure_and_keeps_all():
    x = np.random.default_rng(0).normal(size=(512, 2)).astype("float32")
    sure, shares = {}, {}
    for weight in (0.0, 20.0):
        keras.utils.set_random_seed(0)
        model = zoo.Autoencoder(
            (2,),
            encoder=keras.layers.Identity(),
            bottleneck=zoo.bottlenecks.CategoricalStyle(6, classes=4, norm="batch"),
            decoder=keras.layers.Dense(2),
            likelihood="squared_error",
            prior={"name": "categorical_style", "classes": 4},
            regularizers=[{"name": "code_discriminator", "of_classes": True, "weight": weight}],
        )
        model.compile(keras.optimizers.Adam(1e-2))
        model.fit(x, batch_size=64, epochs=40, verbose=0)
        classes = model.encode(x)[:, :4]
        sure[weight], shares[weight] = classes.max(axis=1).mean(), classes.mean(axis=0)
    assert sure[20.0] > sure[0.0] + 0.1, sure
    assert shares[20.0].min() > 0.1, shares


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "discriminator", "form": "wasserstein"}, "Unknown form"),
        ({"name": "discriminator", "fakes": "none"}, "fakes of discriminator"),
        ({"name": "discriminator", "label_smoothing": 0.7}, "label_smoothing"),
        ({"name": "self_critic", "norm": "layer"}, "Unknown norm"),
        ({"name": "self_critic", "learning_rate": -1.0}, "learning_rate"),
        ({"name": "code_discriminator", "units": (2, 9)}, "within the code's 3 units"),
        ({"name": "code_discriminator", "units": (0, 2), "of_classes": True}, "classes or units"),
        ({"name": "code_discriminator", "of_classes": True}, "prior with labels and a part"),
        ({"name": "total_correlation", "form": "hinge"}, "density ratio"),
        ({"name": "mutual_information"}, "prior with labels"),
        ({"name": "consistency"}, "classifies codes"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small_vae(options)


@pytest.mark.parametrize("name", ["self_critic", "discriminator", "code_discriminator"])
def test_a_model_without_prior_is_refused(name):
    with pytest.raises(ValueError, match="prior"):
        zoo.create("autoencoder", PICTURE, latents=3, hidden=(4,), regularizers=[name])


def test_a_file_without_optimizers_has_none_of_the_critics_either(tmp_path):
    model = zoo.create("factor_vae", (6,), latents=2, hidden=(4,), critic_hidden=(64, 64))
    model.compile("adam", jit_compile=False)
    x = np.random.default_rng(0).random((64, 6), np.float32)
    model.fit(x, epochs=1, verbose=0)
    sizes = {}
    for there in (True, False, True):
        path = tmp_path / f"{there}.keras"
        model.save(path, include_optimizer=there)
        assert sizes.setdefault(there, path.stat().st_size) == path.stat().st_size
    slots = 2 * 4 * sum(np.prod(v.shape) for v in model.regularizers[1].critic_variables)
    assert sizes[True] - sizes[False] > slots
    again = zoo.load_model(tmp_path / "False.keras")
    np.testing.assert_array_equal(again.encode(x), model.encode(x))
    again.compile("adam", jit_compile=False)
    assert np.isfinite(again.fit(x, epochs=1, verbose=0).history["loss"]).all()
