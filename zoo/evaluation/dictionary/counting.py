"""What a sparse dictionary explains, how sparsely, and which examples each unit fires on.

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
from zoo.evaluation.subject import condition_of, of_rows

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

RARE = 1e-4
"""A unit is rare that fires on fewer than this share of the examples, and on one at least."""
# In so many parts of the examples units are counted, for intervals that resample these.
PARTS = 64
PIECE = 5000  # rows that are read at a time


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
        self._fired_in = np.zeros((PARTS, units), np.int64)
        self._rows_in = np.zeros(PARTS, np.int64)
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
        part = len(self._sums) % PARTS
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
        self._sums.append(np.array([len(x), *each, product.sum(), (size > 0).sum()]))
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
            n, on, error, squares, cosine, ratio, own, product, long = sums[chosen].sum(axis=0)
            total = squares - np.square(means[chosen].sum(axis=0)).sum() / n
            measures = {
                "dictionary_l0": on / n,
                "explained_variance": 1 - error / total if total > 0 else float("nan"),
                "cosine": cosine / n,
                "norm_ratio": ratio / long if long else float("nan"),
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

        parts = min(len(sums), PARTS)
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


def stream(
    model: Any, x: Any, batch_size: int = 500, condition: Any = None
) -> Iterator[tuple[Any, np.ndarray]]:
    """(rows, codes) of x, batch by batch; x may be a memory-mapped array.

    Args:
        model: an `Autoencoder`.
        x: (n, *event) examples.
        batch_size: rows that are encoded at a time.
        condition: of each row, where the model declares one.

    Yields:
        A slice of x and the codes of these rows, (rows, units).

    Example:
        >>> from zoo.evaluation.dictionary import stream
        >>> model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
        >>> x = np.zeros((1200, 6), "float32")
        >>> [len(code) for rows, code in stream(model, x)]
        [500, 500, 200]
    """
    given = condition_of(model, condition, len(x))
    for rows in batches(len(x), batch_size):
        beside = None if given is None else of_rows(given, rows)
        yield rows, model.encode(np.asarray(x[rows]), batch_size, beside)
        release(x)  # or all pages of its file would be in memory at the end


def tally(
    model: Any,
    x: Any,
    y: Any = None,
    batch_size: int = 500,
    top: int = 8,
    condition: Any = None,
) -> Tally:
    """Count what a model's codes and reconstructions do on examples.

    Args:
        model: an `Autoencoder`.
        x: (n, *event) examples, memory-mapped ones included; bytes are divided as by the model.
        y: (n, *target) where the model reconstructs y; likewise.
        batch_size: rows that are encoded at a time.
        top: as in `Tally`.
        condition: of each row, where the model declares one, as a transcoder with a skip does.

    Returns:
        See `Tally`.

    Raises:
        ValueError: where y or the condition is missing, or they have other rows.

    Example:
        >>> from zoo.evaluation.dictionary import tally
        >>> model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
        >>> x = np.random.default_rng(0).normal(size=(100, 6)).astype("float32")
        >>> float(tally(model, x).scores()["dictionary_l0"]) <= 3
        True
    """
    counted = Tally(model.units, top)
    _check_target(model, x, y)
    given = condition_of(model, condition, len(x))
    for rows, code in stream(model, x, batch_size, given):
        target = x[rows] if y is None else y[rows]
        beside = None if given is None else of_rows(given, rows)
        scale = model.intake.scales["x" if y is None else "target"]
        counted.add(scale.divided(np.asarray(target)), code, model.decode(code, batch_size, beside))
        release(target)
    return counted


def _check_target(model: Any, x: Any, y: Any) -> None:
    if y is None and getattr(model, "target_shape", None) is not None:
        raise ValueError(
            "The model reconstructs y and not x. Pass y=..., a target for each row of x."
        )
    if y is not None and len(y) != len(x):
        raise ValueError(f"y must have the {len(x)} rows of x; received {len(y)}.")


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


def has_atoms(model: Any) -> bool:
    """Whether a model is a sparse dictionary: its decoder has atoms.

    Example:
        >>> from zoo.evaluation.dictionary import has_atoms
        >>> has_atoms(zoo.create("top_k_sae", (6,), latents=12, target_l0=3)), has_atoms(None)
        (True, False)
    """
    from zoo.networks import Dictionary  # which brings TensorFlow

    return isinstance(getattr(model, "decoder", None), Dictionary)
