"""The part of a model that classifies codes, for regularizers that train it."""

from __future__ import annotations

from typing import Any

import zoo


def classifier_of(model: zoo.Autoencoder, asking: zoo.Regularizer) -> Any:
    """The bottleneck or first regularizer beside `asking` with a method `classify`, or None."""
    for part in (model.bottleneck, *model.regularizers):
        if part is not asking and hasattr(part, "classify"):
            return part
    return None
