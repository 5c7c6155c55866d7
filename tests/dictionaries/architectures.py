"""Every architecture of sparse dictionary at a size that trains in seconds, on data of known features."""

from __future__ import annotations

import contextlib
import functools
from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf

import zoo

WIDTH, FEATURES, UNITS, ACTIVE = 16, 24, 48, 4
ROWS, BATCH = 4096, 128
SMALL = {"latents": UNITS, "target_l0": ACTIVE}


@functools.cache
def activations(rows=ROWS, seed=0, norm=1.0):
    """(rows, 16) float32 about a mean: sums of about 4 of 24 directions."""
    truth, rng = np.random.default_rng(7), np.random.default_rng(seed)
    directions = truth.normal(size=(FEATURES, WIDTH))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    on = rng.random((rows, FEATURES)) < ACTIVE / FEATURES
    sizes = np.where(on, 1 + np.abs(rng.normal(size=on.shape)), 0)
    x = sizes @ directions + 0.05 * rng.normal(size=(rows, WIDTH)) + truth.normal(size=WIDTH)
    return (norm * x).astype("float32")


def plain(rows=ROWS, seed=0, norm=1.0):
    return activations(rows, seed, norm)


def in_layers(rows=ROWS, seed=0, norm=1.0):
    x = activations(rows, seed, norm)
    return np.stack([x, 100 * x[:, ::-1]], axis=1)  # layers of different norm


def with_target(rows=ROWS, seed=0, norm=1.0):
    x = activations(rows, seed, norm)
    return x, np.maximum(x @ np.random.default_rng(1).normal(size=(WIDTH, 10)), 0).astype("float32")


# p of the L_p penalty, annealed; training takes 1,536 steps.
FALLING = zoo.recipes.LinearSchedule(1.0, 0.5, steps=1000)
# name -> (model, options, data); the last are cross products of parts.
ARCHITECTURES = {
    "relu": ("relu_sae", SMALL, plain),
    "relu_norms": (
        "relu_sae",
        {**SMALL, "unit_norm": False, "penalty": {"name": "l1", "decoder_norms": True}},
        plain,
    ),
    "gated": ("gated_sae", SMALL, plain),
    "top_k": ("top_k_sae", SMALL, plain),
    "batch_top_k": ("batch_top_k_sae", SMALL, plain),
    "jump_relu": ("jump_relu_sae", SMALL, plain),
    "jump_relu_tanh": (
        "jump_relu_sae",
        {**SMALL, "penalty": {"name": "l0", "form": "tanh"}},
        plain,
    ),
    "matryoshka": ("matryoshka_sae", SMALL, plain),
    "matching_pursuit": ("matching_pursuit_sae", SMALL, plain),
    "archetypal": ("archetypal_sae", {**SMALL, "points": 32}, plain),
    "crosscoder": ("crosscoder", SMALL, in_layers),
    "transcoder": ("transcoder", {**SMALL, "target_shape": (10,)}, with_target),
    "matryoshka_jump_relu": (
        "jump_relu_sae",
        {**SMALL, "objective": {"name": "nested", "widths": (12, 24)}},
        plain,
    ),
    "gated_nested": (
        "gated_sae",
        {**SMALL, "objective": {"name": "nested", "widths": (12, 24)}},
        plain,
    ),
    "lp_unit_norm": (
        "relu_sae",
        {**SMALL, "penalty": {"name": "lp_norm", "p": FALLING, "weight": 1.0}},
        plain,
    ),
}


def build(name, **changes):
    """A model of an architecture, the same each time, compiled."""
    model_name, options, data = ARCHITECTURES[name]
    shape = (2, WIDTH) if data is in_layers else (WIDTH,)
    keras.utils.set_random_seed(0)
    model = zoo.create(model_name, shape, **{"seed": 3, **options, **changes})
    model.compile(zoo.trainer.Adam(3e-3), jit_compile=False)
    return model


def data_of(name, rows=ROWS, seed=0, norm=1.0):
    return ARCHITECTURES[name][2](rows, seed, norm)


def inputs(data):
    return data[0] if isinstance(data, tuple) else data


def fit(model, data, epochs=1, **options):
    return model.fit(data, epochs=epochs, batch_size=BATCH, verbose=0, **options)


@functools.cache
def trained(name):
    """An architecture after epochs of 32 steps: 48 where the L0 is held by a penalty, else 16."""
    model, data = build(name), data_of(name)
    variables = [*model.weights, *model.optimizer.variables]
    before = [variable.numpy() for variable in variables]
    history = fit(model, data).history["loss"]
    code = model.encode(inputs(data))
    penalty = any(term.name == "hold_l0" for term in model.regularizers)
    # The norms of atoms that are free to grow settle more slowly.
    fit(model, data, 79 if name == "relu_norms" else 47 if penalty else 15)
    held_out = inputs(data_of(name, 2000, 1))
    return SimpleNamespace(
        model=model,
        data=data,
        held_out=held_out,
        variables=variables,
        before=before,  # values at the start
        history=history,  # of the first epoch
        code=code,  # after it
    )


@contextlib.contextmanager
def as_it_was(run):
    """A trained architecture that a test may train on."""
    values = [variable.numpy() for variable in run.variables]
    yield run
    for variable, value in zip(run.variables, values, strict=True):
        variable.assign(value)


def l0(code):
    return float(np.count_nonzero(code, axis=-1).mean())


def norms(model):
    """||d_j||, float64."""
    atoms = np.asarray(model.decoder.atoms, np.float64)
    return np.linalg.norm(atoms.reshape(len(atoms), -1), axis=1)


def batch(data, rows=slice(None)):
    if isinstance(data, tuple):
        return zoo.Batch(tf.constant(data[0][rows]), target=tf.constant(data[1][rows]))
    return zoo.Batch(tf.constant(data[rows]))
