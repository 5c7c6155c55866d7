"""latent-zoo: autoencoders for sparse and disentangled representations, as Keras models.

Names are loaded when they are first used, so that ``import zoo`` itself costs nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Public name -> module that defines it.
_PUBLIC = {
    "register": "zoo.registry",
    "get": "zoo.registry",
    "names": "zoo.registry",
    "create": "zoo.models",
    "load_model": "zoo.runs.artefacts",
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
}
_ROOMS = (
    "bottlenecks",
    "data",
    "distributions",
    "evaluation",
    "exporting",
    "models",
    "networks",
    "objectives",
    "recipes",
    "regularizers",
    "registry",
    "runs",
    "trainer",
    "training",
    "visualization",
)
__all__ = sorted([*_PUBLIC, *_ROOMS])


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
