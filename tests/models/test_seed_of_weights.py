"""A seed that is given to `create` draws the weights, and leaves everybody else's random numbers alone."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.conformance.cases import CASES

SMALL = {"hidden": (5,)}
MODELS = {
    "vae": {**SMALL, "latents": 2},
    "adversarial_autoencoder": SMALL,
    "factor_vae": SMALL,
    "info_gan": {},
    "dropout_autoencoder": {},
    "k_sparse_autoencoder": {},
    "linear_autoencoder": {},
    "invariant_autoencoder": {},
}


def weights(name, **options):
    return zoo.create(name, (8, 8, 1), **options).get_weights()


@pytest.mark.parametrize("name", MODELS)
def test_one_seed_gives_one_model(name):
    keras.utils.set_random_seed(1)
    first = weights(name, seed=0, **MODELS[name])
    keras.utils.set_random_seed(2)
    random.random()
    second = weights(name, seed=0, **MODELS[name])
    assert first and all(map(np.array_equal, first, second))
    other = weights(name, seed=1, **MODELS[name])
    assert [w.shape for w in other] == [w.shape for w in first]
    assert not all(map(np.array_equal, first, other))


# The first case of each; layers of a user's own keep the numbers that they were made with.
FIRST = {case.model: name for name, case in reversed(CASES.items())}


@pytest.mark.long
@pytest.mark.parametrize("name", FIRST.values())
def test_one_seed_gives_one_model_of_every_paper(name):
    """Bit for bit, and all that is not trained too."""
    case, found = CASES[name], []
    for before in (1, 2):
        keras.utils.set_random_seed(before)
        options = {**case.options(), "seed": 0}
        found.append(zoo.create(case.model, case.shape, **options).variables)
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy(), err_msg=one.path)


def test_layers_of_one_model_differ():
    model = zoo.create("autoencoder", (6,), hidden=(6,), latents=6, seed=0)
    square = [w for w in model.get_weights() if w.shape == (6, 6)]
    assert len(square) > 1
    assert not any(np.array_equal(square[0], other) for other in square[1:])


def draws():
    """The next number of every generator that a program may share with the zoo."""
    return [
        random.random(),
        np.random.random(),  # noqa: NPY002
        float(tf.random.uniform(())),
        float(keras.random.uniform(())),
    ]


def test_global_random_numbers_go_on_as_if_nothing_had_been():
    keras.utils.set_random_seed(4)
    expected = draws()
    keras.utils.set_random_seed(4)
    zoo.create("vae", (6,), hidden=(5,), latents=2, seed=0)
    assert draws() == expected
    keras.utils.set_random_seed(4)
    with pytest.raises(ValueError):
        zoo.create("vae", (6,), hidden=(-5,), latents=2, seed=0)
    assert draws() == expected


def test_without_a_seed_two_models_differ():
    options = {"hidden": (5,), "latents": 2}
    assert not all(map(np.array_equal, weights("vae", **options), weights("vae", **options)))
