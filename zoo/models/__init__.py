"""One paper, one file: functions that put an `Autoencoder` together, and `create`, which finds them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo import registry

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder


def function(name: str) -> Callable[..., Autoencoder]:
    """The function of a registered model, its module imported.

    Raises:
        ValueError: for an unknown name, with the nearest known one.

    Example:
        >>> zoo.models.function("beta_vae").__module__
        'zoo.models.beta_vae'
        >>> zoo.models.function("beta_vea")
        Traceback (most recent call last):
            ...
        ValueError: Unknown model 'beta_vea'. Did you mean 'beta_vae'? ...
    """
    return registry.lookup(name, "model")


def options(name: str) -> dict[str, Any]:
    """The options of a model and their defaults, `input_shape` left out.

    Example:
        >>> zoo.models.options("laplace_vae")["prior"]
        'laplace'
    """
    parameters = inspect.signature(function(name)).parameters
    return {
        key: p.default
        for key, p in parameters.items()
        if key != "input_shape" and p.kind is not p.VAR_KEYWORD
    }


def create(
    name: str, input_shape: Sequence[int], *, scale: Any = None, **settings: Any
) -> Autoencoder:
    """Build a model by name.

    Args:
        name: see ``zoo.names("model")``.
        input_shape: shape of one example, (h, w, channels) or (d,).
        scale: what bytes (uint8) are divided by: a number, or "none" for 1; None to decide by the first that
            come, see `zoo.data.scaling`. It is saved with the model.
        **settings: options of the model's function, see its docstring. A `seed` that is given draws the
            weights too, so that two models of one seed are equal bit for bit; no global random state is
            changed. Layers of your own keep the initializers that they were made with.

    Returns:
        A built, not yet compiled `Autoencoder`.

    Raises:
        ValueError: for an unknown name or option, with the nearest known one, or a bad value.

    Example:
        >>> model = zoo.create("laplace_vae", input_shape=(6,), latents=2, hidden=(4,))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.encode(x).shape, model.generate(3, seed=0).shape
        ((20, 2), (3, 6))
        >>> zoo.create("laplace_vae", input_shape=(6,), latent=2)
        Traceback (most recent call last):
            ...
        ValueError: The model 'laplace_vae' has no option 'latent'. Did you mean 'latents'? ...
    """
    from zoo.autoencoder import Autoencoder
    from zoo.serialization import weights_drawn_by

    _refuse_unused(options(name), settings)
    with weights_drawn_by(settings.get("seed")):
        model = registry.get(name, "model", input_shape=input_shape, **settings)
    if not isinstance(model, Autoencoder):
        raise ValueError(f"The model {name!r} must give a zoo.Autoencoder; it gives {model!r}.")
    model.name = name
    if scale is not None:
        model.scale = scale
    model.formula = objective(name) or model.formula
    return model


def _refuse_unused(known: dict[str, Any], settings: dict[str, Any]) -> None:
    """Options of layers, where the networks are made already or take none."""
    from zoo.networks.build import layer_options

    networks = settings.get("networks", known.get("networks"))
    if networks is None:
        return
    for key in {"hidden", "activation"} - layer_options(networks):
        if key in known and settings.get(key) is not None:
            named = isinstance(networks, str | Mapping)
            shown = f"networks={networks!r}" if named else "own networks"
            raise ValueError(
                f"{key} has no effect on {shown}; received {key}={settings[key]!r}. Leave it out."
            )


def objective(name: str) -> str:
    """The formula of a model: the first indented paragraph of its docstring.

    Example:
        >>> zoo.models.objective("beta_vae")
        'E_q[log p(x|z)] - beta KL(q(z|x) || p(z))'
    """
    prose = (inspect.getdoc(function(name)) or "").split("Args:")[0]
    formulas = [part for part in prose.split("\n\n") if part.startswith("    ")]
    return inspect.cleandoc(formulas[0]) if formulas else ""
