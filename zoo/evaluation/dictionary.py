"""How good a sparse dictionary is: what it explains, how sparsely, and whether its atoms are the true ones.

Everything that is asked of codes is counted while they stream past: memory grows with the units and not with
the examples. A unit fires where its code is not 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.storage import release
from zoo.evaluation.bootstrap import Score, intervals
from zoo.evaluation.checks import NotComputable, batches

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

RARE = 1e-4
"""A unit is rare that fires on fewer than this share of the examples, and on one at least."""
# In so many parts of the examples units are counted, for intervals that resample these.
_PARTS = 64
_PIECE = 5000  # rows that are read at a time


class Tally:
    """What was counted of the codes and reconstructions so far.

    Args:
        units: of a code.
        top: examples that are kept of each unit, those with its largest codes.

    Attributes:
        top_rows: (units, top) numbers of examples, -1 where there are fewer.
        top_values: (units, top) their codes, falling.

    Example:
        >>> from zoo.evaluation.dictionary import Tally
        >>> tally = Tally(units=1)
        >>> x = np.array([[2.0, 0.0], [0.0, 4.0]])
        >>> tally.add(x, np.array([[1.0], [0.0]]), np.array([[2.0, 1.0], [0.0, 3.0]]))
        >>> {name: round(value, 3) for name, value in tally.scores().items()}["explained_variance"]
        0.8
    """

    def __init__(self, units: int, top: int = 8):
        self.units, self.rows = units, 0
        self._fired_in = np.zeros((_PARTS, units), np.int64)
        self._rows_in = np.zeros(_PARTS, np.int64)
        self.top_rows = np.full((units, top), -1, np.int64)
        self.top_values = np.zeros((units, top), np.float32)
        self._sums: list[np.ndarray] = []  # a row for each batch
        self._means: list[np.ndarray] = []
        self._shift: np.ndarray | Any = None

    def add(self, x: np.ndarray, code: np.ndarray, output: np.ndarray) -> None:
        """Count a batch.

        Args:
            x: (n, *event).
            code: (n, units).
            output: (n, *event), the reconstruction.
        """
        on = code != 0
        part = len(self._sums) % _PARTS
        self._fired_in[part] += on.sum(axis=0)
        self._rows_in[part] += len(x)
        self._keep_largest(code)
        x, output = (a.reshape(len(a), -1).astype(np.float64) for a in (x, output))
        error = np.square(x - output).sum(axis=1)
        size, own = np.linalg.norm(x, axis=1), np.linalg.norm(output, axis=1)
        product = (x * output).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            cosine = np.where(size * own > 0, product / (size * own), 0.0)
            ratio = np.where(size > 0, own / size, np.nan)
        # About a point near the data, so that no digits are lost where their mean is large.
        self._shift = x.mean(axis=0) if self._shift is None else self._shift
        moved = x - self._shift
        squares = np.square(moved).sum()
        each = (on.sum(), error.sum(), squares, cosine.sum(), np.nansum(ratio), (own**2).sum())
        self._sums.append(np.array([len(x), *each, product.sum()]))
        self._means.append(moved.sum(axis=0))
        self.rows += len(x)

    @property
    def fired(self) -> np.ndarray:
        """The number of examples on which each unit fired, (units,)."""
        return self._fired_in.sum(axis=0)

    @property
    def density(self) -> np.ndarray:
        """The share of the examples on which each unit fires, (units,)."""
        return self.fired / max(self.rows, 1)

    def scores(self, bootstrap: int = 0, seed: int = 0, rare: float = RARE) -> dict[str, Score]:
        """The measures by name; intervals resample batches.

        Args:
            bootstrap: resamples for 95 % intervals; 0 for none.
            seed: of the resamples.
            rare: see `RARE`.

        Returns:
            name -> number, or {"value", "low", "high"}.

        Raises:
            NotComputable: where nothing was counted.
        """
        if not self.rows:
            raise NotComputable("needs an example")
        sums, means = np.array(self._sums), np.array(self._means)

        def of(chosen: np.ndarray) -> dict[str, float]:
            n, on, error, squares, cosine, ratio, own, product = sums[chosen].sum(axis=0)
            total = squares - np.square(means[chosen].sum(axis=0)).sum() / n
            measures = {
                "dictionary_l0": on / n,
                "explained_variance": 1 - error / total if total > 0 else float("nan"),
                "cosine": cosine / n,
                "norm_ratio": ratio / n,
                "reconstruction_bias": own / product if product > 0 else float("nan"),
            }
            return {name: float(value) for name, value in measures.items()}

        found = intervals(of, len(sums), bootstrap if len(sums) > 1 else 0, seed=seed)

        def logs(chosen: np.ndarray) -> dict[str, float]:
            density = self._density_in(chosen)
            known = np.log10(density[density > 0])
            return {"log_density": float(known.mean()) if len(known) else float("nan")}

        def shares(chosen: np.ndarray) -> dict[str, float]:
            density = self._density_in(chosen)
            alive = density > 0
            return {
                "alive_share": float(alive.mean()),
                "rare_share": float((alive & (density < rare)).mean()),
                "dead_share": float(1 - alive.mean()),
            }

        parts = min(len(sums), _PARTS)
        resamples = bootstrap if parts > 1 else 0
        found |= intervals(logs, parts, resamples, seed=seed)
        return found | intervals(shares, parts, resamples, bounds=(0, 1), seed=seed)

    def _density_in(self, parts: np.ndarray) -> np.ndarray:
        return self._fired_in[parts].sum(axis=0) / self._rows_in[parts].sum()

    def _keep_largest(self, code: np.ndarray) -> None:
        top = self.top_values.shape[1]
        if not top:
            return
        count = min(top, len(code))
        rows = np.argpartition(-code, count - 1, axis=0)[:count].T  # (units, count)
        values = np.take_along_axis(code.T, rows, axis=1)
        values = np.concatenate([self.top_values, values], axis=1)
        numbers = np.concatenate([self.top_rows, rows + self.rows], axis=1)
        numbers = np.where(values > 0, numbers, -1)
        order = np.argsort(-values, axis=1, kind="stable")[:, :top]
        self.top_values = np.take_along_axis(values, order, axis=1)
        self.top_rows = np.take_along_axis(numbers, order, axis=1)


def stream(model: Any, x: Any, batch_size: int = 500) -> Iterator[tuple[Any, np.ndarray]]:
    """(rows, codes) of x, batch by batch; x may be a memory-mapped array.

    Example:
        >>> from zoo.evaluation.dictionary import stream
        >>> model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
        >>> x = np.zeros((1200, 6), "float32")
        >>> [len(code) for rows, code in stream(model, x)]
        [500, 500, 200]
    """
    for rows in batches(len(x), batch_size):
        yield rows, model.encode(np.asarray(x[rows]), batch_size)
        release(x)  # or all pages of its file would be in memory at the end


def tally(model: Any, x: Any, y: Any = None, batch_size: int = 500, top: int = 8) -> Tally:
    """Count what a model's codes and reconstructions do on examples.

    Args:
        model: an `Autoencoder`.
        x: (n, *event) examples, memory-mapped ones included.
        y: (n, *target) where the model reconstructs y.
        batch_size: rows that are encoded at a time.
        top: as in `Tally`.

    Returns:
        See `Tally`.

    Example:
        >>> from zoo.evaluation.dictionary import tally
        >>> model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
        >>> x = np.random.default_rng(0).normal(size=(100, 6)).astype("float32")
        >>> float(tally(model, x).scores()["dictionary_l0"]) <= 3
        True
    """
    counted = Tally(model.units, top)
    for rows, code in stream(model, x, batch_size):
        target = x[rows] if y is None else y[rows]
        counted.add(np.asarray(target), code, model.decode(code, batch_size))
        release(target)
    return counted


def encode_csr(model: Any, x: Any, batch_size: int = 500) -> csr_matrix:
    """The codes of x as a sparse matrix, (n, units) float32, of which only what is not 0 is held.

    Example:
        >>> from zoo.evaluation.dictionary import encode_csr
        >>> model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
        >>> x = np.random.default_rng(0).normal(size=(100, 6)).astype("float32")
        >>> codes = encode_csr(model, x)
        >>> np.array_equal(codes.toarray(), model.encode(x))
        True
    """
    from scipy import sparse

    parts = [sparse.csr_matrix(code) for _, code in stream(model, x, batch_size)]
    return sparse.csr_matrix(sparse.vstack(parts))


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
    counts, batches = np.zeros((3, _PARTS, model.units), np.int64), 0
    for rows, code in stream(model, x, batch_size):
        fired = code != 0
        truth = active[rows]
        truth = np.asarray(truth.toarray() if hasattr(truth, "toarray") else truth)[:, nearest] != 0
        for number, on in enumerate((fired, truth, fired & truth)):
            counts[number, batches % _PARTS] += on.sum(axis=0)
        batches += 1

    def f1(chosen: np.ndarray) -> dict[str, float]:
        fires, on, both = counts[:, chosen].sum(axis=1)
        return {"f1": float(np.mean(2 * both / np.maximum(fires + on, 1)))}

    parts = min(batches, _PARTS)
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


def k_sparse_probe(
    codes: Any, labels: Any, k: int = 1, train_share: float = 0.5, seed: int = 0
) -> float:
    """How well k units tell classes from each other: balanced accuracy on test examples, a class against all.

    The units are those whose means differ most between a class and the others, on training examples; a
    logistic regression of them is fitted to these (Gurnee et al., "Finding Neurons in a Haystack", 2023).

    Args:
        codes: (n, units), an array or a scipy matrix.
        labels: (n,) classes.
        k: units of a probe.
        train_share: of the examples.
        seed: of which these are.

    Returns:
        The mean over the classes, from 0 to 1; 0.5 is chance.

    Raises:
        NotComputable: for fewer than two classes with examples on both sides.

    Example:
        >>> from zoo.evaluation.dictionary import k_sparse_probe
        >>> rng = np.random.default_rng(0)
        >>> labels = rng.integers(3, size=300)
        >>> codes = np.eye(3)[labels] + 0.1 * rng.normal(size=(300, 3))  # a unit for each class
        >>> k_sparse_probe(codes, labels)
        1.0
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score

    labels = np.asarray(labels)
    order = np.random.default_rng(seed).permutation(len(labels))
    train, test = np.split(order, [int(train_share * len(order))])
    dense = (lambda a: a.toarray()) if hasattr(codes, "toarray") else np.asarray
    found = []
    for label in np.unique(labels):
        here = labels == label
        if not (0 < here[train].sum() < len(train) and 0 < here[test].sum() < len(test)):
            continue
        of_class = np.asarray(codes[train[here[train]]].mean(axis=0)).ravel()
        others = np.asarray(codes[train[~here[train]]].mean(axis=0)).ravel()
        units = np.sort(np.argsort(-np.abs(of_class - others), kind="stable")[:k])
        chosen = dense(codes[:, units])
        probe = LogisticRegression(class_weight="balanced").fit(chosen[train], here[train])
        found.append(balanced_accuracy_score(here[test], probe.predict(chosen[test])))
    if not found:
        raise NotComputable("needs two classes with examples to train on and to test on")
    return float(np.mean(found))


def absorption(
    codes: Any,
    atoms: Any,
    direction: Any,
    positive: Any,
    k: int = 1,
    least: float = 0.1,
    most: int = 3,
) -> float:
    """The share of a feature that is written by other units than those that stand for it.

    A unit of a rarer feature that implies this one often takes it over, and the unit that seems to stand for
    it is off there. With p the feature's direction of norm 1, the units that stand for it are the k whose
    means differ most between examples with and without it. Of an example with it

        a = others / (others + own),  own = sum over these k of z_j d_j . p,
        others = sum of the `most` largest z_j d_j . p of further units with cos(d_j, p) >= least,

    where own is less than all units write along p, else a = 0; the measure is the mean of a. After
    Chanin et al., "A is for Absorption", 2024, and Karvonen et al., "SAEBench", 2025, section on absorption.

    Args:
        codes: (n, units), an array or a scipy matrix.
        atoms: (units, d).
        direction: (d,) of the feature, or of a probe for it.
        positive: (n,) whether the feature is on.
        k: units that stand for it.
        least: the smallest cosine of a unit that counts as taking it over.
        most: units of an example that count so.

    Returns:
        From 0 to 1.

    Raises:
        NotComputable: where the feature is on in all examples, or in none.

    Example:
        >>> from zoo.evaluation.dictionary import absorption
        >>> atoms = np.array([[1.0, 0.0], [0.6, 0.8]])  # the second implies the first
        >>> codes = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        >>> round(absorption(codes, atoms, [1.0, 0.0], [True, True, True, False]), 3)
        0.333
    """
    positive = np.asarray(positive).astype(bool)
    if positive.all() or not positive.any():
        raise NotComputable("needs examples with the feature and without it")
    direction = np.asarray(direction, np.float64)
    along = np.asarray(atoms, np.float64) @ direction / np.linalg.norm(direction)
    here, there = (
        np.asarray(codes[np.flatnonzero(rows)].mean(axis=0)).ravel()
        for rows in (positive, ~positive)
    )
    own = np.argsort(-np.abs(here - there), kind="stable")[:k]
    near = np.flatnonzero(cosines([direction], atoms)[0] >= least)
    near = np.setdiff1d(near, own)
    rows = codes[np.flatnonzero(positive)]
    rows = np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows, np.float64)
    written = rows[:, own] @ along[own]
    others = np.sort(rows[:, near] * along[near], axis=1)[:, ::-1][:, :most]
    others = np.maximum(others, 0).sum(axis=1)
    taken = (written < rows @ along) & (others > 0)
    share = np.divide(
        others, others + np.maximum(written, 0), out=np.zeros_like(others), where=taken
    )
    return float(share.mean())


def class_absorption(x: Any, codes: Any, atoms: Any, labels: Any, k: int = 1) -> float:
    """`absorption` of each class against all others, the mean over the classes.

    A class's direction is the mean of its examples less the mean of the others, the probe that reads a
    feature of activations best where one moves it (Marks and Tegmark, "The Geometry of Truth", 2023, section
    5); SAEBench fits a logistic regression in its place.

    Args:
        x: (n, ...) what was encoded, memory-mapped arrays included.
        codes: (n, units), an array or a scipy matrix.
        atoms: (units, ...).
        labels: (n,) classes.
        k: units that stand for a class.

    Returns:
        From 0 to 1.

    Raises:
        NotComputable: for fewer than two classes.

    Example:
        >>> from zoo.evaluation.dictionary import class_absorption
        >>> x = np.array([[1.0, 0.0], [1.6, 0.8], [0.0, 0.0], [0.0, 0.0]])
        >>> atoms = np.array([[1.0, 0.0], [0.6, 0.8]])
        >>> codes = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
        >>> round(class_absorption(x, codes, atoms, [1, 1, 0, 0]), 2)
        0.25
    """
    labels = np.asarray(labels)
    classes, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise NotComputable("needs examples of two classes")
    sums = np.zeros((len(classes), int(np.prod(np.shape(x)[1:]))))
    for piece in batches(len(labels), _PIECE):
        rows = np.asarray(x[piece], np.float64)
        np.add.at(sums, places[piece], rows.reshape(len(rows), -1))
    others = (sums.sum(axis=0) - sums) / (len(labels) - counts)[:, None]
    directions = sums / counts[:, None] - others
    flat = np.reshape(atoms, (len(atoms), -1))
    shares = [
        absorption(codes, flat, direction, places == index, k)
        for index, direction in enumerate(directions)
    ]
    return float(np.mean(shares))


def has_atoms(model: Any) -> bool:
    """Whether a model is a sparse dictionary: its decoder has atoms.

    Example:
        >>> from zoo.evaluation.dictionary import has_atoms
        >>> has_atoms(zoo.create("top_k_sae", (6,), latents=12, target_l0=3)), has_atoms(None)
        (True, False)
    """
    from zoo.networks import Dictionary  # which brings TensorFlow

    return isinstance(getattr(model, "decoder", None), Dictionary)
