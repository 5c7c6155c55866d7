"""The result of `evaluate` as one aligned table of plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from zoo.evaluation.metrics import metric
from zoo.values import number_text

_NOT_METRICS = ("columns", "details", "intervals", "measured_on", "prior", "training")
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
    groups = with_intervals(result)
    skipped = groups.pop("skipped", {})
    for group, scores in groups.items():
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
    if skipped:
        lines += ["", "left out"]
        width = max(map(len, skipped))
        for group, reason in skipped.items():
            lines += textwrap.wrap(
                f"  {group:<{width}}  {reason}", _WIDTH, subsequent_indent=" " * (width + 4)
            )
    return "\n".join(lines)


def with_intervals(result: Mapping[str, Any]) -> dict[str, Any]:
    """The groups of metrics of a result or of a run's metrics.json, and nothing else of it.

    Args:
        result: what `zoo.evaluation.evaluate` returned, or what metrics.json holds, whose intervals stand
            beside the groups: "intervals" -> group -> metric -> [low, high].

    Returns:
        group -> metric -> value, or {"value", "low", "high"} where there is an interval; "skipped" too.
    """
    groups = {group: scores for group, scores in result.items() if group not in _NOT_METRICS}
    for group, intervals in result.get("intervals", {}).items():
        scores = dict(groups.get(group, {}))
        for name, (low, high) in intervals.items():
            if name in scores:
                scores[name] = {"value": scores[name], "low": low, "high": high}
        groups[group] = scores
    return groups


def _row(name: str, score: Any) -> tuple[str, str, str, str]:
    label, better, _ = metric(name)
    interval = ""
    if isinstance(score, Mapping):
        interval = (
            f"[{number_text(score['low'], padded=True)}, {number_text(score['high'], padded=True)}]"
        )
        score = score["value"]
    return f"  {label}", number_text(score, padded=True), interval, better
