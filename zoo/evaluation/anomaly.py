"""How well a score tells anomalies from what a model was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.evaluation.checks import NotComputable


def scores(typical: Any, anomalous: Any) -> dict[str, float]:
    """Area under the ROC curve, and average precision, of a score that is low for anomalies.

    Args:
        typical: (n,) how well each example fits, as `zoo.Autoencoder.score` says it.
        anomalous: (n,) whether each is an anomaly.

    Returns:
        ``roc_auc``, the chance that an anomaly scores below another example, ties counted half;
        ``average_precision``, the mean over the anomalies of the precision down to each, and
        ``anomaly_share``, what it is for scores at random.

    Raises:
        ValueError: for scores that are not finite numbers, or another number of them.
        NotComputable: where all examples are of one kind.

    Example:
        >>> from zoo.evaluation.anomaly import scores
        >>> found = scores([-9.0, -1.0, -2.0, -8.0], [True, False, False, True])
        >>> found["roc_auc"], found["average_precision"], found["anomaly_share"]
        (1.0, 1.0, 0.5)
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    typical, anomalous = np.asarray(typical, np.float64), np.asarray(anomalous)
    if (
        typical.ndim != 1
        or typical.shape != anomalous.shape
        or not np.isin(anomalous, (0, 1)).all()
    ):
        raise ValueError(
            f"Expected a score and true or false for each example; received shapes {typical.shape} and "
            f"{anomalous.shape}."
        )
    if not np.isfinite(typical).all():
        raise ValueError("The scores hold NaN or infinity.")
    anomalous = anomalous.astype(bool)
    if anomalous.all() or not anomalous.any():
        raise NotComputable("needs examples of both kinds, anomalies and others")
    return {
        "roc_auc": float(roc_auc_score(anomalous, -typical)),
        "average_precision": float(average_precision_score(anomalous, -typical)),
        "anomaly_share": float(anomalous.mean()),
    }
