"""Atoms and units beside others: true features, a second seed, values that are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.evaluation.bootstrap import Score, intervals
from zoo.evaluation.dictionary.counting import PARTS, stream


def against_features(
    model: Any,
    x: Any,
    features: Any,
    active: Any,
    batch_size: int = 500,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Score]:
    """Whether the atoms are the true features, where these are known.

    mcc         the mean |cosine| of the best one-to-one pairs of atoms and features
    f1          the mean over units of F1 of "the unit fires" for "its feature is on", its feature the one of
                the largest |cosine|
    uniqueness  distinct features among those of the units, as a share of the units

    Source: Chanin, "SynthSAEBench", 2026, section 4.

    Args:
        model: an `Autoencoder` whose decoder has atoms.
        x: (n, d) examples.
        features: (m, d) true directions.
        active: (n, m) which features are on in each example, not 0 for on; a memory-mapped or sparse matrix
            serves.
        batch_size: rows that are encoded at a time.
        bootstrap: resamples of batches for the 95 % interval of F1, the one that depends on the examples; 0
            for none.
        seed: of the resamples.

    Returns:
        name -> number from 0 to 1, or {"value", "low", "high"}.

    Example:
        >>> from zoo.evaluation.dictionary import against_features
        >>> model = zoo.create("matching_pursuit_sae", (6,), latents=6, target_l0=1)
        >>> _ = model.decoder.kernel.assign(np.eye(6))
        >>> x = np.eye(6, dtype="float32")
        >>> against_features(model, x, np.eye(6), active=np.eye(6))
        {'mcc': 1.0, 'f1': 1.0, 'uniqueness': 1.0}
    """
    atoms = np.asarray(model.decoder.atoms).reshape(model.units, -1)
    cosine = np.abs(cosines(atoms, features))
    nearest = cosine.argmax(axis=1)
    # What fires, what is on and both, in a bounded number of parts of the examples to resample.
    counts, batches = np.zeros((3, PARTS, model.units), np.int64), 0
    for rows, code in stream(model, x, batch_size):
        fired = code != 0
        truth = active[rows]
        truth = np.asarray(truth.toarray() if hasattr(truth, "toarray") else truth)[:, nearest] != 0
        for number, on in enumerate((fired, truth, fired & truth)):
            counts[number, batches % PARTS] += on.sum(axis=0)
        batches += 1

    def f1(chosen: np.ndarray) -> dict[str, float]:
        fires, on, both = counts[:, chosen].sum(axis=1)
        return {"f1": float(np.mean(2 * both / np.maximum(fires + on, 1)))}

    parts = min(batches, PARTS)
    return {
        "mcc": matched(cosine),
        **intervals(f1, parts, bootstrap if parts > 1 else 0, seed=seed),
        "uniqueness": len(np.unique(nearest)) / model.units,
    }


def agreement(first: Any, second: Any) -> float:
    """The mean |cosine| of the best one-to-one pairs of two models' atoms, as of two seeds.

    Source: Paulo & Belrose, "Sparse Autoencoders Trained on the Same Data Learn Different Features", 2025.

    Example:
        >>> from zoo.evaluation.dictionary import agreement
        >>> models = [zoo.create("top_k_sae", (6,), latents=12, target_l0=3, seed=s) for s in (0, 1)]
        >>> agreement(models[0], models[0]) > 0.999, agreement(*models) < 0.95
        (True, True)
    """
    atoms = [np.asarray(model.decoder.atoms).reshape(model.units, -1) for model in (first, second)]
    return matched(np.abs(cosines(*atoms)))


def matched(similarity: np.ndarray) -> float:
    """The mean of the pairs of an assignment with the largest sum, (n, m) -> a number.

    Example:
        >>> from zoo.evaluation.dictionary import matched
        >>> matched(np.array([[0.9, 0.8], [0.7, 0.1]]))  # 0.8 + 0.7 is more than 0.9 + 0.1
        0.75
    """
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(similarity, maximize=True)
    return float(similarity[rows, columns].mean())


def cosines(first: Any, second: Any) -> np.ndarray:
    """The cosines of all pairs of rows, (n, d) and (m, d) -> (n, m); 0 for a row of zeros.

    Example:
        >>> from zoo.evaluation.dictionary import cosines
        >>> cosines([[1.0, 0.0]], [[2.0, 0.0], [0.0, 3.0]]).tolist()
        [[1.0, 0.0]]
    """
    units = []
    for rows in (first, second):
        rows = np.asarray(rows, np.float64)
        units.append(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300))
    return units[0] @ units[1].T


def correlations(codes: Any, values: Any) -> np.ndarray:
    """Pearson's correlation of every unit with every column, (n, units) and (n, m) -> (units, m).

    0 for a unit or a column that is constant. With factors as columns, one for each value of each factor,
    ``matched(abs(correlations(...).T))`` says how closely units follow factors.

    Example:
        >>> from zoo.evaluation.dictionary import correlations
        >>> correlations([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]], [[4.0], [2.0], [0.0]]).round(6).tolist()
        [[-1.0], [0.0]]
    """
    units = []
    for rows in (codes, values):
        rows = np.asarray(rows, np.float64)
        rows = rows - rows.mean(axis=0)
        size = np.linalg.norm(rows, axis=0)
        units.append(np.divide(rows, size, out=np.zeros_like(rows), where=size > 1e-12))
    return units[0].T @ units[1]
