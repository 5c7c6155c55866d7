"""Names of terms are found once for all models of the same parts.

A model traces a step to find them, which is a fifth of the start of a small fit. A step that gave other terms
than these would fail.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Hashable
from typing import Any


def remember(trainer: type) -> None:
    """Let models of the same parts share what one of them has found.

    Args:
        trainer: `zoo.trainer.BlockTrainer`.
    """
    find, known = trainer._found_names, {}

    @functools.wraps(find)
    def found(model: Any) -> list[str]:
        key = _key(model)
        if key is None or key not in known:
            known[key] = find(model)
        return list(known[key])

    trainer._found_names = found


def _key(model: Any) -> Hashable:
    """What the names follow from; None where it cannot be written down."""
    from zoo.serialization import serialize_part

    parts = model.objective, model.bottleneck, model.prior, model.likelihood, model.corruption
    try:
        chosen = json.dumps([serialize_part(part) for part in parts])
        added = json.dumps([serialize_part(part) for part in model.regularizers])
    except (TypeError, ValueError, NotImplementedError):
        return None
    # Keras numbers the names of equal parts; those of regularizers are names of terms.
    chosen = re.sub(r'_\d+"', '"', chosen)
    kinds = type(model), *map(type, model.parts)
    return chosen, added, kinds, model.skip_nonfinite
