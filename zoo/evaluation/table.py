"""The result of `evaluate` as one aligned table of plain text."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import Any

from zoo.evaluation.metrics import metric

_NOT_METRICS = ("skipped", "details")
_WIDTH = 100


def table(result: Mapping[str, Any], title: str = "") -> str:
    """A table with one line a metric: its name, its value, its interval, which way is better.

    Args:
        result: what `zoo.evaluation.evaluate` returned.
        title: the first line.

    Returns:
        Lines without trailing spaces, no line break at the end.

    Example:
        >>> from zoo.evaluation.table import table
        >>> print(table({"reconstruction": {"psnr": 21.5}}, title="my model").splitlines()[0])
        my model
    """
    rows: list[tuple[str, str, str, str]] = []
    for group, scores in result.items():
        if group in _NOT_METRICS:
            continue
        rows.append((group, "", "", ""))
        rows.extend(_row(name, score) for name, score in scores.items())
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    lines = [title] if title else []
    for label, value, interval, better in rows:
        line = f"{label:<{widths[0]}}  {value:>{widths[1]}}  {interval:<{widths[2]}}  {better}"
        if not value:
            lines.append("")
            line = label
        lines.append(line.rstrip())
    skipped = result.get("skipped", {})
    if skipped:
        lines += ["", "left out"]
        width = max(map(len, skipped))
        for group, reason in skipped.items():
            lines += textwrap.wrap(
                f"  {group:<{width}}  {reason}", _WIDTH, subsequent_indent=" " * (width + 4)
            )
    return "\n".join(lines)


def number(value: float) -> str:
    """Whole numbers as they are, others with four significant digits."""
    if math.isfinite(value) and value == round(value) and abs(value) < 1e6:
        return str(int(value))
    if 1e4 <= abs(value) < 1e6:
        return f"{value:.1f}"
    return f"{value:#.4g}" if abs(value) >= 1e-4 else f"{value:.3e}"


def _row(name: str, score: Any) -> tuple[str, str, str, str]:
    label, better = metric(name)
    interval = ""
    if isinstance(score, Mapping):
        interval = f"[{number(score['low'])}, {number(score['high'])}]"
        score = score["value"]
    return f"  {label}", number(score), interval, better
