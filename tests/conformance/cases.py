"""The table of cases: every part of the zoo stands in at least one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

import zoo
from tests.conftest import make_vectors
from tests.third_party import novelties  # noqa: F401 - its parts register themselves
from zoo import registry
from zoo.models import options as model_options

VECTOR = (6,)
PICTURE = (8, 8, 1)
ROWS = 160
HOME = ("zoo", "zoo_plugins")


class Case(NamedTuple):
    """A model to build.

    Attributes:
        model: name of the model.
        shape: of one example.
        options: gives the options; called anew for every build, since a layer belongs to one model.
        beside: gives what `fit` has beside x, from x: the condition or the target; None for nothing.
        values: gives x from numbers in [0, 1] of its shape; None for these.
    """

    model: str
    shape: tuple[int, ...]
    options: Callable[[], dict[str, Any]]
    beside: Callable[[np.ndarray], Any] | None = None
    values: Callable[[np.ndarray], np.ndarray] | None = None

    def build(self, **changes):
        """A model that is the same each time."""
        keras.utils.set_random_seed(0)
        model = zoo.create(self.model, self.shape, **{"seed": 3, **self.options(), **changes})
        model.seed = 3  # of the noise and the order; the weights are drawn already
        if isinstance(model.bottleneck, zoo.bottlenecks.BatchTopK):
            model.bottleneck.begin_at(0.5)  # before it, or training, there is no code to ask for
        return model

    def data(self):
        """(160, *shape) float32 in [0, 1], or what `values` makes of that; the same each time."""
        x = make_vectors(ROWS, int(np.prod(self.shape))).reshape(ROWS, *self.shape)
        return x if self.values is None else np.float32(self.values(x))

    def given(self):
        """What `fit` is given: x, or (x, y)."""
        x = self.data()
        return x if self.beside is None else (x, self.beside(x))


def vector(model, **options):
    return Case(model, VECTOR, lambda: options)


def picture(model, **options):
    return Case(model, PICTURE, lambda: options)


def decay(first, last):
    return keras.optimizers.schedules.PolynomialDecay(first, 10, end_learning_rate=last)


def own_networks():
    layers = keras.layers
    encoder = keras.Sequential(
        [
            layers.Dense(8, use_bias=False),
            layers.BatchNormalization(synchronized=True),
            layers.Activation("elu"),
        ]
    )
    code = keras.Input((3,))
    decoder = keras.Model(code, layers.Dense(6)(layers.Dense(8, activation="elu")(code)))
    return {
        "latents": 3,
        "networks": (encoder, decoder),
        "likelihood": "normal",
        "posterior": "laplace",
        "prior": "student_t",
        "standardize": True,
    }


def taught():
    small = {"latents": 3, "filters": (4, 4), "dense": (6,)}
    teacher = zoo.create(
        "invariant_autoencoder", PICTURE, classes=3, heads=(3, 5), cells=(8, 9), **small
    )
    data = make_vectors(ROWS, 64).reshape(ROWS, *PICTURE)
    teacher.classifier.merge(teacher.encode(data), data)
    return {"teacher": teacher, "bootstrap": 0.5, "classes": 3, **small}


def fitted(name, **options):
    """A prior that is fitted to some codes of three units."""
    prior = zoo.get(name, kind="prior", **options)
    codes = make_vectors(40, 3) * 2 - 1
    prior.fit((codes, np.full_like(codes, 0.5)) if prior.of_posteriors else codes)
    prior.trainable = False
    return prior


def indices():
    """Two indices of 12 entries, with a prior of them."""
    options = {"width": 4, "layers": 1, "heads": 2, "vocabulary": 12, "length": 2}
    prior = zoo.get("autoregressive", kind="prior", **options)
    prior.trainable = False
    return {"sizes": (4, 3), "places": 2, "hidden": (8,), "prior": prior}


SMALL = {"latents": 3, "hidden": (8,)}
SPARSE = {"latents": 12}
GROUPS = [
    {"name": "normal", "columns": 2, "scale": "each"},
    "bernoulli",
    {"name": "one_hot", "columns": 2},
    "poisson",
]
CRITIC = {"critic": (4,), "generator": (6,), "classifier": (4,)}

# The first case of a model bears its name; further ones say what is special about them.
CASES = {
    "autoencoder": vector(
        "autoencoder",
        **SMALL,
        dropout=0.2,
        likelihood={"name": "normal", "scale": "learned"},
        prior={"name": "generalized_normal", "p": 0.7, "scale": 2.0},
        regularizers=[{"name": "l1", "weight": 0.01}, {"name": "hoyer", "weight": 0.01}],
    ),
    "vae_columns": Case(
        "vae",
        VECTOR,
        lambda: {**SMALL, "likelihood": {"name": "columns", "groups": GROUPS}},
        values=lambda u: np.concatenate(
            [
                u[:, :2],
                np.rint(u[:, 2:3]),
                np.eye(2)[np.int64(u[:, 3] > 0.5)],
                np.rint(u[:, 5:] * 4),
            ],
            axis=1,
        ),
    ),
    "vae_one_hot": Case(
        "vae",
        VECTOR,
        lambda: {**SMALL, "likelihood": "one_hot"},
        values=lambda u: np.eye(6)[u.argmax(axis=1)],
    ),
    "autoencoder_tied": Case(
        "autoencoder",
        VECTOR,
        lambda: {
            "latents": 3,
            "hidden": (8, 7),
            "networks": "tied",
            "code_activation": "tanh",
            "regularizers": [keras.regularizers.L1L2(0.01, 0.02)],
        },
    ),
    "denoising_autoencoder": picture(
        "denoising_autoencoder",
        latents=3,
        hidden=(4, 6),
        networks="conv",
        likelihood={"name": "laplace", "scale": 0.5, "activation": "sigmoid"},
    ),
    "denoising_autoencoder_gaussian": vector(
        "denoising_autoencoder", latents=3, hidden=(), noise="gaussian", likelihood="squared_error"
    ),
    "k_sparse_autoencoder": vector("k_sparse_autoencoder", latents=12, k=3, alpha=2.0),
    "k_sparse_autoencoder_schedule": Case(
        "k_sparse_autoencoder",
        PICTURE,
        lambda: {"latents": 12, "k": decay(12.0, 2.0), "code_activation": "relu"},
    ),
    "lp_autoencoder": picture("lp_autoencoder", **SMALL, form="difference"),
    "vae": picture("vae", **SMALL, samples=2),
    "vae_own_networks": Case("vae", VECTOR, own_networks),
    # Penalties that other cases have one by one: what is dear is checked of all of them at once.
    "vae_penalties": vector(
        "vae",
        **SMALL,
        regularizers=[
            "dip",
            "kl_capacity",
            {"name": "lp_norm", "form": "direction"},
            "minibatch_total_correlation",
            "mmd",
            {"name": "weight_decay", "weight": 0.01},
        ],
    ),
    "beta_vae": Case(
        "beta_vae",
        VECTOR,
        lambda: {
            **SMALL,
            "beta": decay(0.1, 1.0),
            "posterior": "laplace",
            "prior": "student_t",
            "regularizers": ["mmd"],
        },
    ),
    "laplace_vae": vector("laplace_vae", **SMALL),
    "cauchy_vae": vector("cauchy_vae", **SMALL),
    "linear_autoencoder": vector("linear_autoencoder", latents=3),
    "deep_autoencoder": vector("deep_autoencoder", hidden=(8, 7)),
    "dropout_autoencoder": vector("dropout_autoencoder", latents=12),
    "contractive_autoencoder": vector("contractive_autoencoder", latents=12),
    "uniform_to_gaussian_vae": vector("uniform_to_gaussian_vae", hidden=(8,), weight_decay=0.01),
    "two_template_vae": picture("two_template_vae"),
    "beta_vae_shapes": picture("beta_vae_shapes", latents=3),
    "beta_vae_chairs": picture("beta_vae_chairs", latents=3),
    # The rows are shuffled: all are of one factor.
    "dc_ign": Case(
        "dc_ign",
        PICTURE,
        lambda: {"sizes": (1, 2)},
        beside=lambda x: np.ones(len(x), np.int32),
    ),
    "info_vae": vector("info_vae", **SMALL, lam=10.0),
    "wae_mmd": vector("wae_mmd", **SMALL),
    "rae_l2": vector("rae_l2", **SMALL, beta=0.1, decay=0.01),
    "rae_gp": vector("rae_gp", **SMALL, beta=0.1, smoothness=0.01),
    "annealed_vae": vector("annealed_vae", **SMALL, steps=100),
    "beta_tc_vae": vector("beta_tc_vae", **SMALL),
    "dip_vae": vector("dip_vae", **SMALL),
    "factor_vae": vector("factor_vae", **SMALL, critic_hidden=(6,)),
    "adversarial_autoencoder": vector("adversarial_autoencoder", **SMALL, classes=4, critic=(6,)),
    "info_gan": vector("info_gan", classes=3, styles=1, noise_units=2, critic=(6,)),
    "info_gan_shared": vector(
        "info_gan", classes=3, styles=1, noise_units=2, critic=(6,), shared=True
    ),
    "info_gan_shapes": picture(
        "info_gan", networks="info_gan", classes=1, styles=2, noise_units=2, shared=True
    ),
    "info_ae": vector("info_ae", latents=3, classes=3, noise_units=4, **CRITIC),
    "info_ae_shared": vector(
        "info_ae", latents=3, classes=3, noise_units=4, shared=True, label_scale=5.0, **CRITIC
    ),
    # From other weights a unit comes to the kink of its ReLU in 20 steps, and rounding decides the side.
    "info_ae_robust": picture(
        "info_ae_robust", latents=3, classes=3, noise_units=4, seed=0, **CRITIC
    ),
    "invariant_autoencoder": picture(
        "invariant_autoencoder", latents=3, classes=3, heads=(3, 5), filters=(4, 4), dense=(6,)
    ),
    "sparse_dictionary": Case(
        "sparse_dictionary",
        VECTOR,
        lambda: {**SPARSE, "bottleneck": {"name": "top_k", "k": 3, "select": "magnitude"}},
    ),
    "relu_sae": vector("relu_sae", **SPARSE, target_l0=3),
    "gated_sae": vector("gated_sae", **SPARSE, target_l0=3),
    "top_k_sae": vector("top_k_sae", **SPARSE, target_l0=3),
    "batch_top_k_sae": vector("batch_top_k_sae", **SPARSE, target_l0=3),
    "jump_relu_sae": vector("jump_relu_sae", **SPARSE, target_l0=3),
    "matryoshka_sae": vector("matryoshka_sae", **SPARSE, target_l0=3),
    "matching_pursuit_sae": vector("matching_pursuit_sae", **SPARSE, target_l0=3),
    "archetypal_sae": vector("archetypal_sae", **SPARSE, target_l0=3, points=5),
    "crosscoder": Case("crosscoder", (2, 3), lambda: {**SPARSE, "target_l0": 3}),
    "transcoder": Case(
        "transcoder",
        VECTOR,
        lambda: {"target_shape": (4,), "latents": 12, "target_l0": 3},
        beside=lambda x: x[:, :4] * x[:, 2:],
    ),
    "invariant_autoencoder_taught": Case("invariant_autoencoder", PICTURE, taught),
}

# Generative models; the priors that are fitted after training stand in for theirs.
CASES |= {
    "iwae": Case(
        "iwae",
        VECTOR,
        lambda: {**SMALL, "samples": 3, "gradient": "dreg", "prior": fitted("kernel_density")},
    ),
    "miwae": vector("miwae", **SMALL, groups=2, samples=3, gradient="stl"),
    "piwae": Case(
        "piwae",
        VECTOR,
        lambda: {
            **SMALL,
            "groups": 2,
            "samples": 3,
            "prior": fitted("manifold", limit=4, steps=2, trained_with="normal"),
        },
    ),
    "ciwae": vector("ciwae", **SMALL, samples=3, likelihood="normal"),
    "vq_vae": picture("vq_vae", latents=3, codes=8, networks="grid", hidden=(4, 4)),
    "rq_vae": Case(
        "rq_vae",
        VECTOR,
        lambda: {"latents": 2, "codes": 4, "levels": 2, "places": 2, "hidden": (8,)},
    ),
    "fsq_vae": Case("fsq_vae", VECTOR, indices),
    "lfq_vae": vector("lfq_vae", latents=3, places=2, hidden=(8,)),
    "vade": vector("vade", **SMALL, components=2),
    "vamp_vae": vector("vamp_vae", **SMALL, components=4),
    "iaf_vae": Case(
        "iaf_vae",
        VECTOR,
        lambda: {
            **SMALL,
            "flow_hidden": 6,
            "context": 2,
            "prior": {"name": "flow", "layers": 2, "hidden": 4},
        },
    ),
    "planar_vae": vector("planar_vae", **SMALL, steps=2, prior="laplace"),
    "planar_vae_radial": Case(
        "planar_vae",
        VECTOR,
        lambda: {
            **SMALL,
            "steps": 2,
            "posterior": "radial",
            "beta": 0.0,
            "prior": fitted("two_stage", hidden=(4,), steps=10, trained_with="normal"),
        },
    ),
    "vae_coupling": Case(
        "vae",
        VECTOR,
        lambda: {
            **SMALL,
            "posterior": {"name": "coupling", "hidden": 4, "context": 2},
            "prior": fitted("codes", limit=20, noise=0.5),
        },
    ),
    "vae_of_constant_scale": vector(
        "vae", **SMALL, posterior={"name": "constant_normal", "scale": 0.3}
    ),
    "conditional_vae": Case(
        "conditional_vae",
        VECTOR,
        lambda: {
            **SMALL,
            "condition": {"label": 3, "angle": (2,)},
            "prior": "conditional_normal",
        },
        beside=lambda x: {"label": np.arange(len(x)) % 3, "angle": x[:, :2]},
    ),
    "semi_supervised_vae": Case(
        "semi_supervised_vae",
        VECTOR,
        lambda: {"classes": 3, "latents": 2, "hidden": (8,), "style_hidden": 6, "weight": 1.0},
        beside=lambda x: np.where(np.arange(len(x)) % 2, -1, np.arange(len(x)) % 3),
    ),
}

# Whole numbers, and windows of a series.
CASES |= {
    "vae_poisson": Case(
        "vae", VECTOR, lambda: {**SMALL, "likelihood": "poisson"}, values=lambda x: np.rint(9 * x)
    ),
    "vae_negative_binomial": Case(
        "vae",
        VECTOR,
        lambda: {**SMALL, "likelihood": {"name": "negative_binomial", "dispersion": "each"}},
        values=lambda x: np.rint(9 * x),
    ),
    "vae_tokens": Case(
        "vae",
        VECTOR,
        lambda: {**SMALL, "likelihood": {"name": "categorical", "levels": 4}},
        values=lambda x: np.rint(3 * x),
    ),
    "vae_levels": picture(
        "vae",
        **SMALL,
        networks="conv",
        likelihood={"name": "categorical", "levels": 5, "pixels": True},
    ),
}

CASES |= {
    "vae_conv1d": Case(
        "vae",
        (7, 2),
        lambda: {"latents": 3, "networks": "conv1d", "hidden": (4, 4), "likelihood": "normal"},
    ),
    "vae_gru": Case(
        "vae",
        (4,),
        lambda: {
            "latents": 3,
            "networks": "gru",
            "hidden": (6, 5),
            "likelihood": {"name": "categorical", "levels": 3},
        },
        values=lambda x: np.rint(2 * x),
    ),
    "ada_gvae": Case(
        "ada_gvae", VECTOR, lambda: dict(SMALL), beside=lambda x: np.roll(x, 1, axis=0)
    ),
    "pixel_vae": picture(
        "pixel_vae",
        latents=2,
        hidden=(6,),
        networks="mlp",
        levels=3,
        filters=4,
        layers=2,
        context=2,
    ),
    "pixel_gan_autoencoder": picture(
        "pixel_gan_autoencoder",
        classes=3,
        hidden=(6,),
        networks="mlp",
        filters=4,
        layers=1,
        context=2,
        critic=(4,),
    ),
    "cat_gan": vector("cat_gan", classes=3, noise_units=2, hidden=(6,)),
    "spherical_vae": vector("spherical_vae", **SMALL),
    "poincare_vae": vector("poincare_vae", **SMALL, curvature=2.0),
    "vae_ms_ssim": picture("vae", **SMALL, likelihood={"name": "ms_ssim", "window": 4}),
    "vae_gan": picture("vae_gan", **SMALL, critic=(4,), layer=0),
    "hamiltonian_vae": vector("hamiltonian_vae", **SMALL, steps=2, step_size=0.05),
    "hierarchical_vae": vector("hierarchical_vae", **SMALL, levels=3, level_hidden=6),
}

# Of a package outside the zoo that uses public names only: each is one file there, and one case here.
CASES |= {
    "codebook_vae": Case("codebook_vae", PICTURE, lambda: {"latents": 3, "codes": 8, "filters": 4}),
    "renyi_vae": vector("renyi_vae", latents=3, hidden=(8,), samples=3),
    "householder_vae": vector("householder_vae", latents=3),
    "exemplar_vae": vector("exemplar_vae", latents=3, components=4),
}

# Cases whose parts all stand in others too, as test_table.py holds: they take one step on every change, and
# run every check in .ci/long. Networks of Keras's own layers count as alike; so does "consistency", whose
# model takes half a minute.
REPEATS = {
    "denoising_autoencoder_gaussian",
    "lp_autoencoder",
    "beta_vae",
    "laplace_vae",
    "uniform_to_gaussian_vae",
    "annealed_vae",
    "beta_tc_vae",
    "dip_vae",
    "k_sparse_autoencoder",
    "linear_autoencoder",
    "deep_autoencoder",
    "dropout_autoencoder",
    "two_template_vae",
    "beta_vae_shapes",
    "beta_vae_chairs",
    "info_gan_shapes",
    "info_vae",
    "wae_mmd",
    "info_ae_robust",
    "miwae",
    "ciwae",
    "sparse_dictionary",
    "relu_sae",
    "top_k_sae",
    "batch_top_k_sae",
}

# Cases with parts of their own that stand beside a near relative in the table: what is dear is checked of the
# relative on every change, and of these in .ci/long.
RELATIVES = {
    "rq_vae": "vq_vae",
    "lfq_vae": "fsq_vae",
    "piwae": "iwae",
    "renyi_vae": "iwae",
    "vamp_vae": "vade",
    "exemplar_vae": "vade",
    "vae_coupling": "iaf_vae",
    "householder_vae": "iaf_vae",
    "planar_vae_radial": "planar_vae",
    "codebook_vae": "vq_vae",
    "invariant_autoencoder_taught": "invariant_autoencoder",
    "pixel_gan_autoencoder": "pixel_vae",
    "vae_poisson": "vae_negative_binomial",
    "vae_levels": "vae_tokens",
    "vae_conv1d": "vae_tokens",
    "vae_gru": "vae_tokens",
}


def parts(case):
    """The (kind, name) pairs of the parts that a case is made of."""
    options = case.options()  # some fit a prior
    model = case._replace(options=lambda: options).build()
    networks = options.get("networks", model_options(case.model).get("networks"))
    found = {("model", case.model)}
    if isinstance(networks, str):
        found.add(("network", networks))
    named = {
        "bottleneck": [model.bottleneck],
        "posterior": [getattr(model.bottleneck, "family", None)],
        "prior": [model.prior],
        "likelihood": [model.likelihood],
        "objective": [model.objective],
        # A penalty whose weight is held by another one is a part like any other.
        "regularizer": [part for r in model.regularizers for part in (r, getattr(r, "held", None))],
    }
    for kind, members in named.items():
        for member in members:
            name = vars(type(member)).get("zoo_name")
            if name is not None:
                found.add((kind, name))
    return found


def all_parts():
    """The (kind, name) pairs of everything that the zoo and its own plugins bring."""
    found = set()
    for kind in set(registry.KINDS) - {"dataset", "experiment"}:
        for name in zoo.names(kind):
            if registry.lookup(name, kind).__module__.split(".")[0] in HOME:
                found.add((kind, name))
    return found
