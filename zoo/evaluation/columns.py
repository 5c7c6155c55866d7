"""How well a model reconstructs each column of a table, in the table's units."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.data import Data


def column_errors(model: Any, data: Data) -> dict[str, dict[str, float]]:
    """The error of each column's reconstruction, beside that of the best constant.

    Of numbers and counts the root mean square error in the table's units, against their mean; of categories
    and of yes and no the share of rows whose likeliest value is another, against the commonest. Cells that
    are missing are left out.

    Args:
        model: reconstructs rows.
        data: encoded rows with their `columns`.

    Returns:
        Name of the column -> {"error", "constant"}; a column of no known cell is left out.

    Raises:
        ValueError: for data without columns.

    Example:
        >>> from zoo.evaluation.columns import column_errors
        >>> table = {"age": [20.0, 30.0, 40.0], "sex": ["f", "m", "f"]}
        >>> columns = zoo.data.columns.fit(table)
        >>> data = zoo.data.Data("people", "all", columns.transform(table), columns=columns)
        >>> perfect = type("Perfect", (), {"reconstruct": staticmethod(lambda x: x)})
        >>> found = column_errors(perfect, data)
        >>> round(found["age"]["constant"], 2), found["sex"]["error"], sorted(found["sex"])
        (8.16, 0.0, ['constant', 'error'])
    """
    if data.columns is None:
        raise ValueError("These data have no columns: expected those of a table that was encoded.")
    given = data.columns.values(data.inputs)
    made = data.columns.values(model.reconstruct(data.inputs))
    found = {}
    for column in data.columns.columns:
        truth, guess = given[column.name], made[column.name]
        if column.levels:
            known = np.array([cell is not None for cell in truth])
            errors = [truth[known] != value for value in (guess[known], _commonest(truth[known]))]
            scores = [float(np.mean(error)) if known.any() else np.nan for error in errors]
        else:
            known = ~np.isnan(truth)
            constant = truth[known].mean() if known.any() else np.nan
            errors = [truth[known] - value for value in (guess[known], constant)]
            scores = [float(np.sqrt(np.mean(np.square(e)))) if len(e) else np.nan for e in errors]
        if known.any():
            found[column.name] = {"error": scores[0], "constant": scores[1]}
    return found


def _commonest(values: np.ndarray) -> Any:
    different, counts = np.unique(values.astype(str), return_counts=True)
    if not len(different):
        return None
    return next(v for v in values if str(v) == different[counts.argmax()])
