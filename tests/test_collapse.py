"""A code that tells nothing is told once, unless a schedule holds it down or the model has no such term."""

import warnings

import keras
import numpy as np
import pytest

import zoo
from tests.conftest import make_vectors
from tests.trainer.tiny import tiny
from zoo.autoencoder import collapse
from zoo.distributions.divergences import least_kl

LOW, HIGH = {"kl": 0.01}, {"kl": 0.3}
FALLS = zoo.recipes.LinearSchedule(50.0, 1.0, steps=1000)
ANNEALED = {"name": "annealed_vae", "steps": 1000}
RISES = zoo.recipes.LinearSchedule(0.0, 4.0, steps=1000)


def after(step, logs, name="vae", **options):
    model = tiny(name=name, **options)
    model.step.assign(step)
    return model.collapsed(logs)


def test_a_low_divergence_is_told_with_what_to_look_at():
    said = after(200, LOW)
    assert "0.01 nats" in said and "reconstruct(x)" in said and "beta" in said
    assert not after(200, HIGH)
    assert not after(99, LOW)  # too early to say


@pytest.mark.parametrize(
    ("options", "step", "told"),
    [
        ({"beta": FALLS}, 200, False),
        ({"beta": FALLS}, 1001, True),
        ({"beta": RISES}, 200, True),  # a low weight is no reason for a low divergence
        ({**ANNEALED}, 500, False),
        ({**ANNEALED}, 1001, True),
        ({**ANNEALED, "capacity": 0.0}, 1001, False),
    ],
)
def test_what_holds_the_divergence_down_on_purpose_is_no_collapse(options, step, told):
    assert bool(after(step, LOW, **options)) == told


@pytest.mark.parametrize(
    ("options", "least"),
    [
        ({"prior": "laplace"}, 2 * 0.048417),  # at s = b sqrt(pi / 2), see kl_normal_laplace
        (
            {"posterior": "laplace"},
            np.log(np.pi) - 1,
        ),  # at b = s / sqrt(2), see kl_laplace_normal
        ({"posterior": "cauchy", "prior": "cauchy"}, 0.0),
    ],
)
def test_what_the_families_cannot_do_without_tells_nothing_either(options, least):
    assert least_kl(*families(**options)) * 2 == pytest.approx(least, abs=4e-3)
    said = after(200, {"kl": least + 0.03}, **options)
    assert said and ("of which 0.1" in said or "of which 0.09" in said) == (least > 0)
    assert not after(200, {"kl": least + 0.07}, **options)


def families(**options):
    model = tiny(**options)
    return model.example_posterior(), model.prior_distribution()


def test_a_model_without_the_term_is_never_told():
    assert not after(200, {"loss": 1.0}, name="autoencoder")


def test_fit_says_it_once():
    model = tiny(beta=1000.0)
    model.compile(keras.optimizers.Adam(0.03), jit_compile=False)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.fit(make_vectors(160), batch_size=4, epochs=5, verbose=0)
    said = [str(each.message) for each in told if "tells nothing" in str(each.message)]
    assert len(said) == 1 and said[0].startswith("After epoch ")


@pytest.mark.parametrize(("prior", "asked"), [("laplace", 1), ("vamp", 2)])
def test_what_the_families_cannot_do_without_is_found_once(prior, asked, monkeypatch):
    """Unless the prior has weights, which a step changes."""
    found = []
    monkeypatch.setattr(collapse, "least_kl", lambda *pair: found.append(pair) or 0.048)
    model = tiny(name="vae", prior=prior)
    model.step.assign(200)
    assert not any(model.collapsed({"kl": 0.5}) for _ in range(2))
    assert len(found) == asked
