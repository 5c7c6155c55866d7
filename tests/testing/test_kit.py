"""The kit for authors finds what is wrong with a part, and nothing with one that is right."""

import unittest

import pytest
import tensorflow as tf

import zoo
import zoo.testing
from zoo.testing import CHECKS
from zoo.testing.subjects import trial_of


class Right(zoo.Regularizer):
    """The squared code."""

    def penalty(self, forward, training=False):
        return tf.reduce_sum(forward.vectors**2, axis=-1)


class Rooted(Right):
    """A root, whose gradient at 0 is infinite."""

    def penalty(self, forward, training=False):
        return tf.reduce_sum(tf.sqrt(tf.abs(forward.inputs[:, :1] * forward.vectors)), axis=-1)


class Forgetful(Right):
    """Its option is missing from its configuration."""

    def __init__(self, power=2.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power

    def get_config(self):
        return {**super().get_config(), "power": 2.0}

    def penalty(self, forward, training=False):
        return tf.reduce_sum(tf.abs(forward.vectors) ** self.power, axis=-1)


class Unseeded(Right):
    """Its noise is TensorFlow's, which a loaded model does not repeat."""

    def penalty(self, forward, training=False):
        return tf.reduce_sum(tf.random.uniform(tf.shape(forward.vectors)), axis=-1)


class OfTheReplica(Right):
    """A term of the batch that does not ask for the rows of the other devices."""

    def penalty(self, forward, training=False):
        return tf.math.reduce_variance(forward.vectors)


for part in (Right, Rooted, Forgetful, Unseeded, OfTheReplica):
    part.__module__ = __name__


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """The parts have names while a test runs."""
    table = dict(zoo.registry._parts["regularizer"])
    monkeypatch.setitem(zoo.registry._parts, "regularizer", table)
    for part in (Right, Rooted, Forgetful, Unseeded, OfTheReplica):
        zoo.register(f"kit_{part.__name__.lower()}")(part)


right = trial_of(lambda: zoo.create("vae", (6,), latents=2, hidden=(4,), regularizers=[Right()]))


@zoo.testing.parametrize(right)
def test_a_right_part_stands_every_check(trial, check):
    check(trial)


@pytest.mark.parametrize(
    ("part", "check"),
    [
        (Rooted, "gradients are finite at the edges"),
        (Unseeded, "saves loads and trains on"),
        (OfTheReplica, "two devices are as one"),
    ],
)
def test_a_fault_is_found(part, check):
    with pytest.raises(AssertionError):
        CHECKS[check](trial_of(part()))


def test_what_a_configuration_leaves_out_is_found():
    def build():
        regularizers = [Forgetful(power=3.0)]
        return zoo.create("vae", (6,), latents=2, hidden=(4,), regularizers=regularizers)

    with pytest.raises(AssertionError):
        CHECKS["saves loads and trains on"](trial_of(build))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("prior", "student_t"),
        ("likelihood", "laplace"),
        ("objective", "elbo"),
        ("regularizer", "kl"),
        ("regularizer", "l1"),
    ],
)
def test_parts_of_every_kind_find_a_model(kind, name):
    part = zoo.get(name, kind=kind)
    model = trial_of(part).build()
    found = model.regularizers if kind == "regularizer" else [getattr(model, kind)]
    assert name in [member.zoo_name for member in found]


def test_a_part_that_xla_lacks_is_skipped():
    class NotCompiled(Right):
        jit_possible = False

    zoo.register("kit_not_compiled")(NotCompiled)
    with pytest.raises(unittest.SkipTest, match="XLA"):
        CHECKS["compiled by xla it is the same"](trial_of(NotCompiled()))


def test_what_is_no_part_is_refused():
    with pytest.raises(ValueError, match="Expected a part"):
        trial_of(3)
    with pytest.raises(ValueError, match="Did you mean 'exports'"):
        zoo.testing.parametrize(Right, leave_out=("export",))
