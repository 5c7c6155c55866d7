"""One paper, one file: functions that put an `Autoencoder` together, and `create`, which finds them."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import random
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from zoo import registry

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

# Name -> module; a module, and TensorFlow with it, is imported when one of its models is asked for.
_MODELS = {
    "adversarial_autoencoder": "adversarial_autoencoder",
    "annealed_vae": "annealed_vae",
    "autoencoder": "deep_autoencoder",
    "beta_tc_vae": "beta_tc_vae",
    "beta_vae": "beta_vae",
    "beta_vae_chairs": "beta_vae",
    "beta_vae_shapes": "beta_vae",
    "cauchy_vae": "sparse_vae",
    "contractive_autoencoder": "contractive_autoencoder",
    "dc_ign": "beta_vae",
    "deep_autoencoder": "deep_autoencoder",
    "denoising_autoencoder": "denoising_autoencoder",
    "dip_vae": "dip_vae",
    "dropout_autoencoder": "dropout_autoencoder",
    "factor_vae": "factor_vae",
    "info_ae": "info_ae",
    "info_ae_robust": "info_ae",
    "info_gan": "info_gan",
    "info_vae": "info_vae",
    "invariant_autoencoder": "invariant_autoencoder",
    "k_sparse_autoencoder": "k_sparse_autoencoder",
    "laplace_vae": "sparse_vae",
    "linear_autoencoder": "linear_autoencoder",
    "lp_autoencoder": "lp_autoencoder",
    "two_template_vae": "sparse_vae",
    "uniform_to_gaussian_vae": "uniform_to_gaussian_vae",
    "vae": "vae",
    "wae_mmd": "wae_mmd",
}


def _lazy(name: str) -> Callable[..., Autoencoder]:
    def load(*args: Any, **kwargs: Any) -> Autoencoder:
        return function(name)(*args, **kwargs)

    load.__name__ = load.__qualname__ = name
    return load


for _name in _MODELS:
    registry.register(_name, "model")(_lazy(_name))


def function(name: str) -> Callable[..., Autoencoder]:
    """The function of a registered model, its module imported.

    Raises:
        ValueError: for an unknown name, with the nearest known one.
    """
    found = registry.lookup(name, "model")
    if name in _MODELS and found.__module__ == __name__:
        return getattr(importlib.import_module(f"zoo.models.{_MODELS[name]}"), name)
    return found


def options(name: str) -> dict[str, Any]:
    """The options of a model and their defaults, `input_shape` left out."""
    parameters = inspect.signature(function(name)).parameters
    return {key: p.default for key, p in parameters.items() if key != "input_shape"}


def create(name: str, input_shape: Sequence[int], **settings: Any) -> Autoencoder:
    """Build a model by name.

    Args:
        name: see ``zoo.names("model")``.
        input_shape: shape of one example, (h, w, channels) or (d,).
        **settings: options of the model's function, see its docstring. A `seed` that is given draws the
            weights too, so that two models of one seed are equal bit for bit; no global random state is
            changed. Layers of your own keep the initializers that they were made with.

    Returns:
        A built, not yet compiled `Autoencoder`.

    Raises:
        ValueError: for an unknown name or option, with the nearest known one, or a bad value.
    """
    build = function(name)
    known = options(name)
    for key in settings:
        if key not in known:
            raise ValueError(
                f"The model {name!r} has no option {key!r}.{registry.suggest(key, sorted(known))}"
            )
    _refuse_unused(settings)
    with _weights_drawn_by(settings.get("seed")):
        model = build(input_shape, **settings)
    model.name = name
    if not model.objective:
        model.objective = objective(name)
    return model


@contextlib.contextmanager
def _weights_drawn_by(seed: Any) -> Iterator[None]:
    """Let a seed decide what Keras draws for layers without a seed of their own.

    Keras takes the seeds of initializers and dropout from Python's `random`, which is as before afterwards.
    """
    if not isinstance(seed, int):  # None, or what the model's function refuses
        yield
        return
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def _refuse_unused(settings: dict[str, Any]) -> None:
    """Options of layers, where the networks are made already or fixed by a paper."""
    from zoo.networks.build import FIXED

    networks = settings.get("networks")
    if networks is None or (isinstance(networks, str) and networks not in FIXED):
        return
    for key in ("hidden", "activation"):
        if settings.get(key) is not None:
            shown = f"networks={networks!r}" if isinstance(networks, str) else "own networks"
            raise ValueError(
                f"{key} has no effect on {shown}; received {key}={settings[key]!r}. Leave it out."
            )


def objective(name: str) -> str:
    """The formula of a model: the first indented paragraph of its docstring."""
    prose = inspect.getdoc(function(name)).split("Args:")[0]
    formulas = [part for part in prose.split("\n\n") if part.startswith("    ")]
    return inspect.cleandoc(formulas[0]) if formulas else ""
