"""Write one page that shows several runs side by side."""

from __future__ import annotations

from zoo.cli.call import Call

USAGE = "compare RUN RUN ..."


def run(call: Call) -> int:
    """Compare runs."""
    from zoo.visualization import write_comparison

    path = write_comparison(call.flags.output or "comparison.html", call.words)
    print(f"The comparison is in {path}.")
    return 0
