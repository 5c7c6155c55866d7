"""Every option of every part acts when it is changed on a model in use, or is refused in one line.

Nothing is traced: what a part gives is measured step by step. That a change has a model traced anew is shown
in test_settings_act.py.
"""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.conformance.cases import CASES, all_parts
from tests.conftest import make_vectors
from zoo import registry
from zoo.autoencoder.step import critic_loss
from zoo.networks.corruption import Corruption
from zoo.noise import Noise

# For every option the values to change it to; the first that differs from the one in force is taken.
VALUES = {
    "weight": (2.0, 3.0),
    "average": ("mean", "product"),
    "estimator": ("sampled", "analytic"),
    "p": (1.5, 0.7),
    "form": ("saturating", "non_saturating", "power", "norm", "tanh"),
    "scale": (0.5, 2.0),
    "df": (2.0, 3.0),
    "reduction": ("mean", "sum"),
    "activation": ("tanh", "elu"),
    "probes": (2, None),
    "variant": ("ii", "i"),
    "ratio": (2.5,),
    "kernel": ("laplacian",),
    "bandwidth": (0.3, 0.6),
    "unbiased": (False, True),
    "capacity": (3.0,),
    "codes": ("generated",),
    "styles": (0, 1),
    "both_pairs": (True, False),
    "joint": (3,),
    "hidden": ((3,),),
    "norm": ("none", "batch"),
    "label_smoothing": (0.2,),
    "instance_noise": (0.7,),
    "learning_rate": (0.3,),
    "beta_1": (0.1,),
    "critic_steps": (2,),
    "units": (2, 3),
    "classes": (2, 3),
    "of_classes": (True,),
    "fakes": ("generated", "reconstructed"),
    "spread": (True,),
    "pictures": ("data", "generated"),
    "view": ("weak", "strong"),
    "heads": ((3, 4),),
    "information": (0.7,),
    "balance": (1.5,),
    "confident": (0.8,),
    "threshold": (0.0,),
    "cells": ((5, 6),),
    "teacher": ("somebody.keras",),
    "bootstrap": (0.9,),
    "noise_units": (2,),
    "label_scale": (2.0,),
    "noise": ("normal",),
    "batch_norm": (False,),
    "style": ("uniform",),
    "grid": (True,),
    "use_bias": (False,),
    "kernel_initializer": ("zeros",),
    "outputs": (3,),
    "dropout": (0.4,),
    "family": ("laplace", "normal"),
    "samples": (3,),
    "k": (2, 3),
    "alpha": (3.0,),
    "rate": (0.6,),
    "stddev": (0.6,),
    "groups": (3, 1),
    "mix": (0.5,),
    "pooled": (True,),
    "gradient": ("standard", "dreg"),
    "beta": (0.7,),
    "entropy": (0.9,),
    "diversity": (0.3,),
    "decay": (0.2,),
    "restart": (0.9,),
    "places": (3,),
    "levels": (3,),
    "sizes": ((5, 4),),
    "steps": (7,),
    "adversarial": (2.0,),
    "layer": (1,),
    "window": (5,),
    "floor": (0.5,),
    "context": (5,),
    "components": (5,),
    "covariance": ("diagonal",),
    "layers": (3,),
    "width": (8,),
    "vocabulary": (5,),
    "length": (3,),
    "limit": (7,),
    "rows": (7,),
    "second": (None,),
    "report": ({"rows": 1},),
    "trained_with": ("laplace",),
    "select": ("magnitude", "value"),
    "decoder_norms": (True,),
    "of": ("raw", "code"),
    "momentum": (0.3,),
    "surrogate": ("triangle",),
    "widths": ((2,),),
    "dead_after": (1,),
    "target": (4.0,),
    "penalty": ("l1",),
    "gain": (0.5,),
    "start": (0.5,),
    "c": (2.0,),
    "pre_act": (0.5,),
    "least": (0.04,),
    "filters": ((3,),),
    "kernel_size": (3,),
    "pixels": (True,),
    "largest": (0.9,),
    "curvature": (0.5, 2.0),
    "pull": (2.0,),
    "dispersion": ("each",),
    "step_size": (0.2,),
    "tempering": (0.6,),
    "name": ("another",),
}
# Options that act on gradients alone.
OF_GRADIENTS = {"gradient", "surrogate", "bandwidth"}
# Parts that remember batches of training.
REMEMBER = {"aux_k", "hold_l0", "batch_top_k"}
# What must be in force for an option to have a use.
GIVEN = {
    ("invariant_information", "threshold"): {"confident": 1.0},
    ("invariant_information", "confident"): {"threshold": 0.0},
    ("importance_weighted", "pooled"): {"groups": 3},
    ("aux_k", "k"): {"dead_after": 1},
    ("aux_k", "weight"): {"dead_after": 1},
    ("hold_l0", "least"): {"target": 12.0},
    ("hold_l0", "pull"): {"target": 12.0},
    ("l0", "c"): {"form": "tanh"},
    ("l0", "pre_act"): {"form": "tanh"},
}
# Options that a part has from its base and refuses, whatever the value.
REFUSED = {
    ("prior", "generator", "scale"),
    ("prior", "categorical_style", "scale"),
    ("prior", "autoregressive", "scale"),
    ("prior", "codes", "scale"),
    ("prior", "conditional_normal", "scale"),
    ("prior", "flow", "scale"),
    ("prior", "gaussian_mixture", "scale"),
    ("prior", "hierarchical", "scale"),
    ("prior", "kernel_density", "scale"),
    ("prior", "manifold", "scale"),
    ("prior", "spherical_uniform", "scale"),
    ("prior", "two_stage", "scale"),
    ("prior", "vamp", "scale"),
    ("likelihood", "bernoulli", "activation"),
    ("likelihood", "one_hot", "activation"),
    ("likelihood", "ms_ssim", "activation"),
    ("likelihood", "ms_ssim", "reduction"),
    ("likelihood", "negative_binomial", "activation"),
    ("likelihood", "poisson", "activation"),
    ("bottleneck", "stochastic", "activation"),
    ("regularizer", "feature_discriminator", "fakes"),
    ("regularizer", "total_correlation", "form"),
    ("regularizer", "l0", "target"),  # it comes with the form
}
KINDS = {
    "regularizer": zoo.Regularizer,
    "prior": zoo.distributions.Prior,
    "likelihood": zoo.distributions.Likelihood,
    "bottleneck": zoo.bottlenecks.Bottleneck,
    "objective": zoo.objectives.Objective,
    "posterior": zoo.distributions.Family,
}
PARTS = sorted((kind, name) for kind, name in all_parts() if kind in KINDS)
CORRUPTIONS = [c for c in Corruption.__subclasses__() if c.__module__.startswith("zoo.")]


@pytest.fixture(scope="module")
def found():
    """(kind, name) -> a small model that has the part, the part, and some rows."""
    found, wanted = {}, set(PARTS)
    # A term among several large ones may be too small to be seen in their sum.
    for name in sorted(CASES, key=lambda name: name == "vae_penalties"):
        if not wanted:
            break
        case = CASES[name]
        model = case.build()
        for part in model.parts:
            name = vars(type(part)).get("zoo_name")
            kind = next((kind for kind, base in KINDS.items() if isinstance(part, base)), None)
            if (kind, name) in wanted:
                wanted.remove((kind, name))
                if name == "hold_l0":
                    model.compile(
                        keras.optimizers.SGD(0.1)
                    )  # its multiplier moves by learning rates
                found[kind, name] = model, part, some_rows(model, case.given())
    return found


def some_rows(model, given):
    few = tf.nest.map_structure(lambda a: a[:6], given)
    return model.intake.arrays(*model.intake.columns(few))


def measured(model, fields, option="", remembers=False):
    """What a model gives for some rows, step by step; its weights are as before afterwards."""
    variables = [*model.variables, *(v for c in model.critics for v in c.optimizer.variables)]
    before = [variable.numpy() for variable in variables]
    batch, condition = model.intake.floats(fields), fields.get("condition")
    if remembers:
        few = model.intake.floats(tf.nest.map_structure(lambda a: a[:2] / 2, fields))
        model.terms(model.forward(few, Noise(0, 0), training=True))
    forward = model.forward(batch, Noise(0, 0), training=True)
    given = list(model.terms(forward).values())
    code = model.encode_batch(fields["x"], condition)
    given += [code, model.decode_batch(code, condition)]
    if model.prior is not None:
        given.append(model.sample_prior(len(code), 0, None, batch.condition))
    for critic in model.critics:
        given.append(critic.critic_loss(forward.with_noise(forward.noise.fold("critic"))))
        if option == "critic_steps":
            with tf.GradientTape() as tape:
                loss = critic_loss(critic, forward.anew(), 0)
            slopes = tape.gradient(loss, critic.critic_variables)
            model._critic_update(critic, forward, 1.0, slopes)
            given += [weight.numpy() for weight in critic.critic_variables]
    if option in OF_GRADIENTS:
        weights = [*model.encoder.trainable_weights, *model.bottleneck.trainable_weights]
        with tf.GradientTape() as tape:
            loss = model.terms(model.forward(batch, Noise(0, 0), training=True))["loss"]
        slopes = tape.gradient(loss, [weight.value for weight in weights])
        given += [slope for slope in slopes if slope is not None]
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return [np.asarray(value) for value in given]


def same(first, second):
    return len(first) == len(second) and all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-6, atol=1e-7)
        for a, b in zip(first, second, strict=True)
    )


def refusal(part, option, value):
    """What setting an option says, in one line; "" where it is taken."""
    try:
        setattr(part, option, value)
    except ValueError as error:
        assert "\n" not in str(error)
        return str(error)
    return ""


def assert_it_acts(model, part, option, fields, before=None):
    """That another value is traced anew and gives something else; the old one is then set again."""
    remembers = getattr(type(part), "zoo_name", "") in REMEMBER
    if before is None:
        before = measured(model, fields, option, remembers)
    changes, old, refused = model.changes, getattr(part, option), []
    for value in VALUES[option]:
        if value == old:
            continue
        refused.append(refusal(part, option, value))
        if refused[-1]:
            assert getattr(part, option) == old
            continue
        assert model.changes > changes, f"{option} is not traced anew"
        after = measured(model, fields, option, remembers)
        setattr(part, option, old)
        assert not same(before, after), f"{option}={value!r} of {part.name} changes nothing"
        return
    assert all("from the start" in text for text in refused), f"no value of {option}: {refused}"


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_an_option_of_a_part_acts_or_is_refused(found, kind, name):
    model, part, fields = found[kind, name]
    fixed = {each for cls in type(part).__mro__ for each in vars(cls).get("fixed", ())}
    before = (
        measured(model, fields, "", name in REMEMBER)
        if fixed < registry.option_names(type(part))
        else []
    )
    for option in sorted(registry.option_names(type(part)) | {"name"}):
        assert option in VALUES, f"{option} of the {kind} {name} has no entry in VALUES"
        given = GIVEN.get((name, option), {})
        if option in fixed or not hasattr(part, option):
            assert "is chosen when" in refusal(part, option, VALUES[option][0]), option
        elif (kind, name, option) in REFUSED:
            others = [value for value in VALUES[option] if value != getattr(part, option)]
            assert all(refusal(part, option, value) for value in others), option
        else:
            old = {other: getattr(part, other) for other in given}
            set_all(part, given)
            same_start = not given and option not in {"critic_steps", *OF_GRADIENTS}
            assert_it_acts(model, part, option, fields, before if same_start else None)
            set_all(part, old)
    assert not before or same(before, measured(model, fields, "", name in REMEMBER))


def set_all(part, options):
    for option, value in options.items():
        setattr(part, option, value)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda cls: cls.__name__)
def test_an_option_of_a_corruption_acts(corruption):
    options = {"latents": 2, "hidden": (4,), "corruption": corruption()}
    model = zoo.create("autoencoder", (6,), **options)
    fields = some_rows(model, make_vectors(6))
    for option in registry.option_names(corruption):
        assert option in VALUES, f"{option} of {corruption.__name__} has no entry in VALUES"
        assert_it_acts(model, model.corruption, option, fields)


@pytest.mark.parametrize("name", sorted(n for kind, n in all_parts() if kind == "network"))
def test_an_option_of_networks_acts(name):
    shape = (8, 1) if name in {"conv1d", "gru"} else (8, 8, 1)
    layers = ((3,), (4,))
    others = {"hidden": layers, "default": layers, "dense": layers, "activation": ("relu", "tanh")}
    bottleneck = {"name": "deterministic", "units": 2, "grid": name == "grid"}
    function = registry.lookup(name, "network")
    for option in registry.option_names(function) - {"input_shape"}:
        assert option in others, f"{option} of the network {name} has no entry"
        small = {"hidden": (5,)} if option in {"activation", "dense"} else {}
        answers = []
        for value in others[option]:
            keras.utils.set_random_seed(0)
            pair = function(shape, **small, **{option: value})
            model = zoo.Autoencoder(shape, pair[0], bottleneck, pair[1])
            answers.append(
                measured(model, {"x": make_vectors(4, math.prod(shape)).reshape(4, *shape)})
            )
        assert not same(*answers), option


def test_a_bad_value_is_refused_as_by_the_constructor(found):
    """And what was in force stays so."""
    bad = {
        ("regularizer", "lp_norm", "p"): -1.0,
        ("regularizer", "kl", "estimator"): "guessed",
        ("bottleneck", "deterministic", "dropout"): 1.5,
        ("bottleneck", "top_k", "k"): 1000,
        ("bottleneck", "top_k", "alpha"): zoo.recipes.WarmUp(2.0, steps=3),
        ("likelihood", "normal", "scale"): 0.0,
        ("prior", "laplace", "scale"): -2.0,
        ("objective", "elbo", "weight"): float("nan"),
    }
    for (kind, name, option), value in bad.items():
        _, part, _ = found[kind, name]
        old = getattr(part, option)
        assert option in refusal(part, option, value)
        assert getattr(part, option) == old


def test_what_does_not_fit_the_model_is_refused_before_the_next_step():
    """An estimator that only this pair of distributions lacks."""
    model = zoo.create("vae", (6,), latents=2, hidden=(4,), posterior="laplace", prior="cauchy")
    model.compile("sgd", jit_compile=False)
    model.regularizers[0].estimator = "analytic"
    with pytest.raises(ValueError, match="no closed-form KL"):
        model.fit(make_vectors(8), verbose=0)


def test_a_number_cannot_become_a_schedule_where_that_needs_a_weight():
    decay = keras.optimizers.schedules.PolynomialDecay(3.0, 10, 1.0)
    of_k = zoo.create("k_sparse_autoencoder", (6,), latents=6, k=3).bottleneck
    assert "from the start" in refusal(of_k, "k", decay)
    of_scale = zoo.create("vae", (6,), latents=2, hidden=(4,), likelihood="normal").likelihood
    assert "from the start" in refusal(of_scale, "scale", "learned")


@pytest.mark.parametrize(
    ("model", "option"),
    [
        ("beta_tc_vae", "beta"),
        ("info_vae", "alpha"),
        ("info_vae", "lam"),
        ("annealed_vae", "capacity"),
        ("k_sparse_autoencoder", "alpha"),
    ],
)
@pytest.mark.parametrize("kind", [zoo.recipes.WarmUp, keras.Variable])
def test_a_schedule_is_refused_where_nothing_asks_it(model, option, kind):
    value = kind(3.0, 10) if kind is zoo.recipes.WarmUp else kind(3.0)
    with pytest.raises(ValueError, match=f"{option}.* must be a number, not a schedule"):
        zoo.create(model, (6,), latents=4, **{option: value})


def test_the_noise_of_inputs_follows_a_schedule():
    noise = zoo.networks.GaussianNoise(zoo.recipes.WarmUp(0.5, steps=10))
    x = tf.zeros((500, 6))
    spreads = [np.std(noise.corrupt(x, Noise(0, step))) for step in (0, 5, 10)]
    np.testing.assert_allclose(spreads, [0, 0.25, 0.5], rtol=0.05)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(noise))
    np.testing.assert_array_equal(again.corrupt(x, Noise(0, 7)), noise.corrupt(x, Noise(0, 7)))
