"""All scores of one set of codes against known factors."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from zoo.evaluation.bootstrap import Score
from zoo.evaluation.checks import as_codes, as_factors
from zoo.evaluation.disentanglement.beta_vae_score import beta_vae_score
from zoo.evaluation.disentanglement.dci import dci
from zoo.evaluation.disentanglement.factor_vae_score import factor_vae_score
from zoo.evaluation.disentanglement.irs import irs
from zoo.evaluation.disentanglement.mig import mig
from zoo.evaluation.disentanglement.modularity_explicitness import modularity_explicitness
from zoo.evaluation.disentanglement.sap import sap
from zoo.registry import one_of

SCORES: dict[str, Callable[..., dict[str, Score]]] = {
    "beta_vae_score": beta_vae_score,
    "factor_vae_score": factor_vae_score,
    "mig": mig,
    "dci": dci,
    "sap": sap,
    "modularity_explicitness": modularity_explicitness,
    "irs": irs,
}


def scores(
    codes: Any,
    factors: Any,
    *,
    names: Iterable[str] | None = None,
    factor_bins: int | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict[str, Score]:
    """Disentanglement scores with the protocol's settings.

    Args:
        codes: (n, units).
        factors: (n, factors), discrete, or continuous with ``factor_bins``, which a score whose options
            say ``continuous`` does without.
        names: which of `SCORES`; all by default.
        factor_bins: cuts factors with more values into so many bins.
        options: name -> further arguments of that score, for example
            ``{"dci": {"num_train": 2000}}``.
        bootstrap: resamples for the intervals; what is resampled stands with each score.
        seed: of every random choice.

    Returns:
        name -> value, or {"value", "low", "high"} with a bootstrap.

    Raises:
        ValueError: for an unknown score, or codes and factors that do not match.
        NotComputable: where no factor varies, or there are too few rows.

    Warns:
        UserWarning: for constant factors, and where no unit varies: the scores are then those of a
            representation that holds nothing.

    Example:
        >>> from zoo.evaluation.disentanglement import scores
        >>> factors = np.array([[a, b] for a in range(10) for b in range(10)])
        >>> found = scores(factors.astype(float), factors, names=["mig", "irs"])
        >>> {name: round(value, 3) for name, value in found.items()}
        {'mig': 1.0, 'mig_sup': 1.0, 'irs': 1.0}
    """
    codes = as_codes(codes)
    options = dict(options or {})
    chosen = list(SCORES) if names is None else list(names)
    for name in [*chosen, *options]:
        one_of(name, "score", sorted(SCORES))
    if (codes.max(axis=0) == codes.min(axis=0)).all():
        warnings.warn(
            "All codes are equal: the disentanglement scores are those of no representation.",
            stacklevel=2,
        )
    uncut = {name for name in chosen if options.get(name, {}).get("continuous")}
    cut = None if uncut.issuperset(chosen) else as_factors(factors, len(codes), factor_bins)
    result: dict[str, Score] = {}
    for name in chosen:
        settings = {"bootstrap": bootstrap, "seed": seed, **options.get(name, {})}
        result.update(SCORES[name](codes, factors if name in uncut else cut, **settings))
    return result
