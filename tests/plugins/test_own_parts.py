"""Parts of a user's own: their options are saved, and what they keep for a look harms nothing."""

import numpy as np
import pytest
import tensorflow as tf

import zoo

X = np.random.default_rng(0).random((64, 6), np.float32)


class Target(zoo.Regularizer):
    """Without `get_config`."""

    def __init__(self, target=1.0, weight=1.0, name=None):
        super().__init__(weight, name)
        self.target = target

    def penalty(self, forward, training=False):
        return self.target + 0 * tf.reduce_sum(forward.code, -1)


class SavedTarget(Target):
    """With it."""

    def __init__(self, target=1.0, **kwargs):
        super().__init__(target, **kwargs)

    def get_config(self):
        return {**super().get_config(), "target": self.target}


class Nameless(zoo.Regularizer):
    """Whose constructor does not take what `get_config` of the base gives."""

    def __init__(self):
        super().__init__(1.0, "nameless")

    def penalty(self, forward, training=False):
        return tf.reduce_sum(forward.code, -1)


class Keeps(zoo.Regularizer):
    """Keeps what it computed, and counts."""

    calls = 0

    def penalty(self, forward, training=False):
        self.last = tf.reduce_sum(forward.code**2, -1)
        self.calls += 1
        return self.last


class MovedPrior(zoo.distributions.Prior):
    """A prior without `get_config`."""

    def __init__(self, mu=0.0, **kwargs):
        super().__init__(**kwargs)
        self.mu = mu


def build(**options):
    return zoo.create("autoencoder", (6,), latents=2, hidden=(4,), **options)


def test_an_option_that_would_not_be_saved_is_refused_when_the_model_is_made():
    with pytest.raises(ValueError, match=r"get_config of Target leaves out target.*self.target"):
        build(regularizers=[Target(7.0)])
    with pytest.raises(ValueError, match="get_config of MovedPrior leaves out mu"):
        zoo.create("vae", (6,), latents=2, hidden=(4,), prior=MovedPrior(2.0))
    with pytest.raises(
        ValueError, match=r"gives name, weight, which its constructor does not take"
    ):
        build(regularizers=[Nameless()])


def test_one_that_is_saved_comes_back(tmp_path):
    zoo.register("saved_target")(SavedTarget)
    model = build(regularizers=[{"name": "saved_target", "target": 7.0}])
    model.compile("adam", jit_compile=False)
    model.save(tmp_path / "model.keras")
    loaded = zoo.load_model(tmp_path / "model.keras")
    assert loaded.regularizers[0].target == 7.0
    fitted = model.fit_prior("gaussian_mixture", X, components=1)
    assert fitted.regularizers[0].target == 7.0


@pytest.mark.parametrize("eagerly", [False, True])
def test_what_a_part_sets_while_it_is_computed_is_no_setting(eagerly):
    part = Keeps(name="keeps")
    model = build(regularizers=[part])
    model.compile("adam", run_eagerly=eagerly, jit_compile=False)
    history = model.fit(X, batch_size=32, epochs=2, verbose=0).history
    assert len(history["keeps"]) == 2 and np.isfinite(history["keeps"]).all()
    assert np.isfinite(model.evaluate(X, verbose=0)).all()
    assert np.isfinite(model.train_on_batch(X[:32])).all()
    assert part.calls >= 2
