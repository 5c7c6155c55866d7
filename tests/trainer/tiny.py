"""A model that is quick to train, and the same each time."""

import keras
from numpy.testing import assert_allclose

import zoo


def tiny(shape=(6,), name="vae", **options):
    keras.utils.set_random_seed(0)
    return zoo.create(name, shape, **{"latents": 2, "hidden": (5,), "seed": 1, **options})


def compiled(shape=(6,), **options):
    model = tiny(shape, **options)
    model.compile(jit_compile=False)
    return model


def trained(data, *labels, shape=(6,), epochs=2, batch_size=16, shuffle=False, **options):
    """History and weights of a training."""
    model = compiled(shape)
    history = model.fit(
        data,
        *labels,
        batch_size=batch_size,
        epochs=epochs,
        shuffle=shuffle,
        verbose=0,
        **options,
    )
    return history.history, [weight.numpy() for weight in model.weights]


def assert_same(first, second, tolerance=1e-6):
    """That two trainings were the same."""
    assert first[0].keys() == second[0].keys()
    for name in first[0]:
        assert_allclose(first[0][name], second[0][name], rtol=tolerance)
    for one, other in zip(first[1], second[1], strict=True):
        assert_allclose(one, other, rtol=tolerance, atol=tolerance)
