"""latent-zoo: autoencoders for sparse and disentangled representations, as Keras models.

Names are loaded when they are first used, so that ``import zoo`` itself costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo import (
        bottlenecks,
        data,
        distributions,
        evaluation,
        exporting,
        models,
        networks,
        objectives,
        presets,
        recipes,
        registry,
        regularizers,
        runs,
        sklearn,
        sweeps,
        testing,
        trainer,
        training,
        visualization,
    )
    from zoo.autoencoder import Autoencoder
    from zoo.batch import Batch
    from zoo.bottlenecks import Code
    from zoo.forward import ForwardPass, as_vectors
    from zoo.models import create
    from zoo.noise import Noise
    from zoo.presets import load_preset
    from zoo.registry import get, names, register, suggest
    from zoo.regularizers import AdversarialRegularizer, Regularizer
    from zoo.runs.artefacts import load_model
    from zoo.selection import keep_largest
    from zoo.serialization import at_step, scalar, scalar_config
    from zoo.trainer.replicas import gather
    from zoo.values import positive_int

__version__ = "0.1.0"

# Written out, and imported above, for editors and checkers.
__all__ = [
    "AdversarialRegularizer",
    "Autoencoder",
    "Batch",
    "Code",
    "ForwardPass",
    "Noise",
    "Regularizer",
    "as_vectors",
    "at_step",
    "bottlenecks",
    "create",
    "data",
    "distributions",
    "evaluation",
    "exporting",
    "gather",
    "get",
    "keep_largest",
    "load_model",
    "load_preset",
    "models",
    "names",
    "networks",
    "objectives",
    "positive_int",
    "presets",
    "recipes",
    "register",
    "registry",
    "regularizers",
    "runs",
    "scalar",
    "scalar_config",
    "sklearn",
    "suggest",
    "sweeps",
    "testing",
    "trainer",
    "training",
    "visualization",
]

# Public name -> module that defines it.
_PUBLIC = {
    "register": "zoo.registry",
    "get": "zoo.registry",
    "names": "zoo.registry",
    "create": "zoo.models",
    "load_model": "zoo.runs.artefacts",
    "load_preset": "zoo.presets",
    "Autoencoder": "zoo.autoencoder",
    "Batch": "zoo.batch",
    "Code": "zoo.bottlenecks",
    "Noise": "zoo.noise",
    "ForwardPass": "zoo.forward",
    "Regularizer": "zoo.regularizers",
    "AdversarialRegularizer": "zoo.regularizers",
    # For plugins: terms over the global batch, and numbers that may be schedules.
    "gather": "zoo.trainer.replicas",
    "as_vectors": "zoo.forward",
    "at_step": "zoo.serialization",
    "positive_int": "zoo.values",
    "scalar": "zoo.serialization",
    "scalar_config": "zoo.serialization",
    "suggest": "zoo.registry",
    "keep_largest": "zoo.selection",
}
_ROOMS = tuple(name for name in __all__ if name not in _PUBLIC)

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the zoo's

    def __getattr__(name: str) -> Any:
        if name in _PUBLIC:
            value = getattr(importlib.import_module(_PUBLIC[name]), name)
        elif name in _ROOMS:
            value = importlib.import_module(f"zoo.{name}")
        else:
            raise AttributeError(f"module 'zoo' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
