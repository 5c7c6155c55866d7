"""What a run is measured by: the same rows, draws and features whatever its seed."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from zoo.autoencoder import Autoencoder
from zoo.data import Data

# Probes need no more, and their time grows with it.
_PROBED_ROWS = 10_000
# Of the groups whose intervals cost little beside the scores themselves.
_RESAMPLES = {"reconstruction": 200, "density": 200, "probing": 200}


def measure(
    model: Autoencoder,
    data: Data,
    held_out: Data,
    cache: str | os.PathLike[str] | None = None,
    level: str = "quick",
) -> dict[str, Any]:
    """The terms of the loss, and every metric that the data allow, on held-out data.

    Nothing depends on the run's seed: runs of several seeds are measured by the same draws and, in the
    group "generation", by the same features.

    Args:
        model: the model.
        data: what it was trained on; probes are fitted to its first 10,000 rows.
        held_out: what is measured.
        cache: where to keep the features of generated examples, see
            `zoo.evaluation.features.reference_features`.
        level: "quick" or "full" as of `zoo.evaluation.evaluate`, "none" for the terms of the loss alone.

    Returns:
        group -> metric -> value, the group "loss" first; then under "intervals" group -> metric -> the
        ends of the 95 % interval, where there is one, and under "measured_on" the number of held-out
        examples, fingerprints of them and of the features of generated examples, the level, and "loss" where
        the terms of the loss are not in the units of the data. Of a table of mixed columns, under "columns"
        what `zoo.evaluation.columns.column_errors` gives.
    """
    from zoo.evaluation import evaluate
    from zoo.evaluation.checks import NotComputable
    from zoo.evaluation.columns import column_errors
    from zoo.evaluation.features import reference_features
    from zoo.evaluation.fingerprint import fingerprint

    terms = model.evaluate(held_out, verbose=0, return_dict=True)
    probed = data.take(slice(_PROBED_ROWS))
    measured_on = {
        "examples": len(held_out),
        "rows": fingerprint(held_out.inputs),
        "level": level,
    }
    if model.standardization is not None:
        measured_on["loss"] = "of standardized data"
    ordered = [name for name in model.term_names if name in terms]
    loss = {name: float(terms[name]) for name in ordered}
    if level == "none":
        return {"loss": loss, "measured_on": measured_on}
    settings: dict[str, Any] = {}
    if model.prior is not None and probed.labels is not None:
        try:
            features = reference_features(probed.inputs, probed.labels, cache)
            settings["generation"] = {"features": features}
            measured_on["features"] = features.fingerprint
        except NotComputable:
            pass  # the group says so itself
    scores = evaluate(
        model,
        held_out,
        x_train=probed,
        settings=settings,
        level=level,
        bootstrap=_RESAMPLES,
        verbose=False,
    )
    values, intervals = _split(_plain(scores))
    table = {} if held_out.columns is None else {"columns": column_errors(model, held_out)}
    return {
        "loss": loss,
        **values,
        **table,
        "intervals": intervals,
        "measured_on": measured_on,
    }


def _split(scores: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values and intervals apart, so that every metric is a number."""
    values: dict[str, Any] = {}
    intervals: dict[str, Any] = {}
    for group, found in scores.items():
        values[group] = {}
        for name, score in found.items():
            if isinstance(score, dict):
                intervals.setdefault(group, {})[name] = [score["low"], score["high"]]
                score = score["value"]
            values[group][name] = score
    return values, intervals


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value
