"""Terms that could have no effect, or one on other weights than they name, are refused or leave them out."""

import numpy as np
import pytest

import zoo

TOKENS = {"name": "categorical", "levels": 5}
PICTURES = {"latents": 2, "hidden": (4,), "filters": 4, "layers": 1}


@pytest.mark.parametrize(
    "regularizer",
    [
        {"name": "discriminator", "hidden": (4, 4)},
        {"name": "feature_discriminator", "hidden": (4, 4)},
        "decoder_jacobian",
        {"name": "self_critic", "both_pairs": True},
    ],
)
def test_examples_without_a_gradient_are_not_judged(regularizer):
    with pytest.raises(ValueError, match=r"likelihood 'autoregressive' are likeliest values"):
        zoo.create("pixel_vae", (8, 8, 1), regularizers=[regularizer], **PICTURES)


@pytest.mark.parametrize(
    ("name", "options", "judges"),
    [
        ("mutual_information", {"codes": "generated"}, False),
        ("mutual_information", {"codes": "recoded"}, True),
        ("consistency", {"pictures": "data"}, False),
        ("consistency", {"pictures": "both"}, True),
    ],
)
def test_terms_know_whether_they_judge_examples(name, options, judges):
    assert zoo.get(name, **options).judges_pictures == judges


def test_a_term_of_codes_alone_stays_beside_them():
    terms = [{"name": "self_critic", "both_pairs": False, "hidden": (4,), "joint": 4}]
    zoo.create("pixel_vae", (8, 8, 1), regularizers=terms, **PICTURES)
    steep = {"regularizers": ["decoder_jacobian"], "latents": 2, "hidden": (4,)}
    with pytest.raises(ValueError, match="likelihood 'categorical' are likeliest values"):
        zoo.create("vae", (7,), likelihood=TOKENS, **steep)
    zoo.create("vae", (7,), likelihood={**TOKENS, "pixels": True}, **steep)


def test_pseudo_inputs_of_tokens_would_not_be_learned():
    with pytest.raises(ValueError, match="'vamp' learns its pseudo-inputs by a gradient"):
        zoo.create("vamp_vae", (7,), latents=2, hidden=(4,), components=3, likelihood=TOKENS)


@pytest.mark.parametrize("name", ["iwae", "hamiltonian_vae"])
def test_draws_are_weighed_by_densities_only(name):
    mean = {"name": "normal", "reduction": "mean"}
    with pytest.raises(ValueError, match="reduction='mean' the loss is not -log p"):
        zoo.create(name, (6,), latents=2, hidden=(4,), likelihood=mean)


@pytest.mark.parametrize(
    ("name", "shape", "options"),
    [
        ("vae", (5, 3), {"networks": "gru"}),
        ("vamp_vae", (6,), {"hidden": (4,), "components": 3}),
        ("vade", (6,), {"hidden": (4,), "components": 3}),
        ("vae", (4, 4, 1), {"hidden": (4,), "likelihood": {"name": "normal", "scale": "each"}}),
    ],
)
def test_weight_decay_is_of_kernels(name, shape, options):
    model = zoo.create(name, shape, latents=2, regularizers=["weight_decay"], **options)
    for weight in model.trainable_variables:
        if "kernel" not in weight.name:
            weight.assign(np.full(weight.shape, 0.7))
    model.compile(jit_compile=False)
    x = np.random.default_rng(0).random((8, *shape), np.float32)
    found = model.evaluate(x, verbose=0, return_dict=True)["weight_decay"]
    kernels = [w.numpy() for w in model.trainable_variables if "kernel" in w.name]
    assert found == pytest.approx(sum(np.sum(w**2) for w in kernels), rel=1e-4)
