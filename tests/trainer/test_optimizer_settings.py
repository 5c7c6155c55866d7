"""What is set of an optimizer on a model in use acts from the next step on, or is refused in one line."""

import keras
import numpy as np
import pytest

import zoo
from tests.conftest import make_vectors
from tests.trainer.test_keras_optimizers import OPTIMIZERS, one_for_each
from tests.trainer.tiny import tiny
from zoo.trainer.optimizer_settings import settings

X = make_vectors(16)
SCHEDULE = keras.optimizers.schedules.ExponentialDecay


def ready(optimizer, **options):
    """A model in use: its steps are traced."""
    model = tiny(**options)
    model.compile(optimizer, jit_compile=False)
    model.fit(X, verbose=0)
    return model


def weights_after_a_step(model):
    """From the weights, the slots and the noise that are there now; all is as before afterwards."""
    parts = [*model.variables, *(v for each in model.optimizers for v in each.variables)]
    before = [variable.numpy() for variable in parts]
    model.fit(X, verbose=0)
    after = np.concatenate([np.ravel(weight) for weight in model.trainable_weights])
    for variable, value in zip(parts, before, strict=True):
        variable.assign(value)
    return after


def sgd(**options):
    return keras.optimizers.SGD(0.1, **options)


MADE = {
    "sgd": sgd,
    "momentum": lambda: sgd(momentum=0.5),
    "averages": lambda: sgd(use_ema=True),
    "adam": lambda: "adam",
}
# The optimizer, what is set of it, and to what.
ACT = [
    ("sgd", "clipnorm", 1e-3),
    ("sgd", "clipvalue", 1e-3),
    ("sgd", "global_clipnorm", 1e-3),
    ("sgd", "weight_decay", 0.5),
    ("sgd", "learning_rate", 0.5),
    ("momentum", "momentum", 0.9),
    ("momentum", "nesterov", True),
    ("averages", "ema_momentum", 0.1),
    ("adam", "beta_1", 0.1),
    ("adam", "epsilon", 1.0),
]


@pytest.fixture(scope="module")
def models():
    made = {}

    def find(name):
        if name not in made:
            model = ready(MADE[name](), name="autoencoder")
            made[name] = model, weights_after_a_step(model)
        return made[name]

    return find


@pytest.mark.parametrize(("name", "option", "value"), ACT)
def test_it_acts_on_the_next_step(models, name, option, value):
    model, before = models(name)
    old = getattr(model.optimizer, option)
    setattr(model.optimizer, option, value)
    assert np.abs(weights_after_a_step(model) - before).max() > 1e-5
    setattr(model.optimizer, option, old)


def test_it_acts_within_a_fit():
    class Change(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append(self.model.encoder.get_weights()[0])
            self.model.optimizer.clipnorm = 1e-9 if epoch else None

        def on_train_end(self, logs=None):
            seen.append(self.model.encoder.get_weights()[0])

    seen = []
    ready(sgd(), name="autoencoder").fit(X, epochs=2, callbacks=[Change()], verbose=0)
    assert np.abs(seen[1] - seen[0]).max() > 1e-4
    assert np.abs(seen[2] - seen[1]).max() < 1e-7


def test_a_schedule_takes_the_place_of_a_number():
    model = ready(sgd(), name="autoencoder")
    before = weights_after_a_step(model)
    model.optimizer.learning_rate = SCHEDULE(0.5, 10, 0.9)
    assert np.abs(weights_after_a_step(model) - before).max() > 1e-5


def test_what_stands_within_an_optimizer_acts():
    """A schedule, optimizers within others, and the optimizer of a critic."""
    schedule = SCHEDULE(0.1, 10, 0.9)
    scaled = keras.optimizers.LossScaleOptimizer(sgd())
    critic = zoo.create("factor_vae", (6,), latents=2, hidden=(4,))
    critic.compile("sgd")
    several = one_for_each()
    for optimizers, change in (
        ([several], lambda: setattr(several.optimizers[0], "weight_decay", 0.1)),
        ([keras.optimizers.SGD(schedule)], lambda: setattr(schedule, "initial_learning_rate", 0.3)),
        ([scaled], lambda: setattr(scaled.inner_optimizer, "clipnorm", 1.0)),
        (critic.optimizers, lambda: setattr(critic.critics[0].optimizer, "beta_2", 0.5)),
    ):
        before = [settings(each) for each in optimizers]
        change()
        assert [settings(each) for each in optimizers] != before


REFUSED = {
    "momentum": ("sgd", 0.9),
    "use_ema": ("sgd", True),
    "gradient_accumulation_steps": ("sgd", 2),
    "amsgrad": ("adam", True),
}


@pytest.mark.parametrize("option", REFUSED)
def test_it_is_refused_where_variables_are_lacking(option):
    name, value = REFUSED[option]
    model = tiny(name="autoencoder")
    model.compile(MADE[name](), jit_compile=False)
    old = getattr(model.optimizer, option)
    setattr(model.optimizer, option, value)
    with pytest.raises(ValueError, match=f"lacks variables .* received {option}=.*compile") as told:
        model.fit(X, verbose=0)
    assert "\n" not in str(told.value)
    setattr(model.optimizer, option, old)
    model._refresh()


def test_what_an_optimizer_refuses_when_it_is_made_is_refused_later():
    model = tiny()
    model.compile(sgd(clipnorm=1.0), jit_compile=False)
    model.optimizer.clipvalue = 1.0
    with pytest.raises(ValueError, match="Only one of"):
        model.fit(X, verbose=0)


def test_what_needs_one_replica_is_refused_on_two(two_devices):
    with two_devices.scope():
        model = tiny()
        model.compile(sgd(use_ema=True))
    model.optimizer.ema_overwrite_frequency = 1
    with pytest.raises(ValueError, match="ema_overwrite_frequency works on one replica only"):
        model.fit(X, verbose=0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_setting_of_every_optimizer_is_watched(name):
    """All that its configuration holds, so that a new one of Keras fails by its name."""
    optimizer = getattr(keras.optimizers, name)()
    for option in set(optimizer.get_config()) - {
        "learning_rate",
        "exclude_layers",
        "exclude_embeddings",
    }:
        old, before = getattr(optimizer, option), settings(optimizer)
        setattr(optimizer, option, "another" if option == "name" else 0.123)
        assert settings(optimizer) != before, option
        setattr(optimizer, option, old)
