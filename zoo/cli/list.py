"""Show what there is of a kind, with a line on each."""

from __future__ import annotations

from zoo.cli.call import Call

USAGE = "list KIND"


def run(call: Call) -> int:
    """Show a list."""
    from zoo.runs.listing import KINDS, describe

    call.expect(1, f"list {'|'.join(KINDS)}")
    lines = describe(call.words[0])
    width = max(map(len, lines), default=0)
    print("\n".join(f"{name:<{width}}  {line}" for name, line in lines.items()))
    return 0
