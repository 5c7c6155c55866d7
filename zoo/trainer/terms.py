"""The terms of a step by name: what a user's own objective or step gives, checked when it is traced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf


def scalars(terms: Any, source: str) -> dict[str, tf.Tensor]:
    """The terms as scalars of float32.

    Args:
        terms: name -> number or tensor, "loss" among them.
        source: what gave them, for errors.

    Returns:
        Name -> scalar float32.

    Raises:
        ValueError: for anything else.

    Example:
        >>> from zoo.trainer.terms import scalars
        >>> scalars({"loss": 2.0, "rows": 3}, "update()")["rows"].dtype.name
        'float32'
        >>> scalars({"loss": np.zeros(5)}, "update()")
        Traceback (most recent call last):
            ...
        ValueError: update() must give scalars; its term 'loss' has the shape (5,). ...
    """
    if not isinstance(terms, Mapping) or "loss" not in terms:
        found = ", ".join(map(repr, terms)) if isinstance(terms, Mapping) else repr(terms)
        raise ValueError(
            f"{source} must give a dict of terms, 'loss' among them; received {found or 'none'}."
        )
    values = {name: tf.convert_to_tensor(value) for name, value in terms.items()}
    for name, value in values.items():
        if value.shape.rank != 0:
            raise ValueError(
                f"{source} must give scalars; its term {name!r} has the shape {tuple(value.shape)}. Take a "
                "mean over the rows, such as forward.mean(rows)."
            )
    return {name: tf.cast(value, tf.float32) for name, value in values.items()}


def own_terms(given: Any, expected: list[str], skips: bool) -> list[str]:
    """The names of the terms of a step of a user's own.

    Args:
        given: what `update` returned.
        expected: the names of the terms that evaluation has too.
        skips: whether updates that are not finite are left out, which is the zoo's step's doing.

    Returns:
        The names in the order of their metrics, but for "skipped".

    Raises:
        ValueError: where one is missing, or a term is no scalar.
    """
    terms = scalars(given, "update()")
    if missing := [name for name in expected if name not in terms]:
        raise ValueError(
            f"update() must give all terms of the loss; {', '.join(map(repr, missing))} is missing. Return "
            "what self.terms(passes) or super().update(batch, noise) gave, and further terms beside it."
        )
    if skips and "skipped" not in terms:
        raise ValueError(
            "skip_nonfinite=True is done by the zoo's own step; this model's update() gives no 'skipped'. "
            "Call super().update(batch, noise) in it, or leave skip_nonfinite out."
        )
    return [name for name in terms if name != "skipped"]
