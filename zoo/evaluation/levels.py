"""How much an evaluation may cost: "full" is what the sources describe, "quick" costs seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.registry import one_of

LEVELS = ("quick", "full")
FEWER_ROWS = (
    "not the protocol's: few rows and draws, and DCI by 50 extra trees; compare these with each other "
    "only. level='full' follows the protocol"
)


def _extra_trees(seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(50, random_state=seed)


_QUICK: dict[str, dict[str, Any]] = {
    "density": {"samples": 20, "examples": 500, "prior_samples": 10_000},
    "probing": {"strengths": (1.0,), "labels_per_class": (10,), "draws": 2, "max_train": 3000},
    "clustering": {"restarts": 2, "silhouette_limit": 1000},
    "generation": {"samples": 1000},
    "disentanglement": {
        "options": {
            "beta_vae_score": {"num_train": 1000, "num_eval": 1000},
            "factor_vae_score": {"num_train": 1000, "num_eval": 1000},
            "dci": {"num_train": 2000, "num_test": 1000, "classifier": _extra_trees},
            "sap": {"num_train": 2000, "num_test": 1000},
            "modularity_explicitness": {"num_train": 2000, "num_test": 1000},
        }
    },
}


def settings_of(
    level: str, settings: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    """The options of every group at a level; what the caller sets overrides them.

    Args:
        level: one of `LEVELS`.
        settings: group -> options, as `zoo.evaluation.evaluate` takes them.

    Returns:
        group -> options.

    Raises:
        ValueError: for an unknown level.
    """
    one_of(level, "level of evaluation", LEVELS)
    defaults = _QUICK if level == "quick" else {}
    return {
        group: {**defaults.get(group, {}), **settings.get(group, {})}
        for group in dict.fromkeys([*defaults, *settings])
    }
