"""Measure a trained model again."""

from __future__ import annotations

from zoo.cli.call import Call

USAGE = "evaluate"


def run(call: Call) -> int:
    """Measure a trained model, and write its metrics, figures and report anew."""
    call.expect(0, USAGE)
    call.require("evaluate", "run_dir")
    call.import_quietly()
    from zoo.evaluation.table import table
    from zoo.runs.run import evaluate

    level = call.flags.evaluate or "full"
    outcome = evaluate(call.flags.run_dir, print, level, call.program)
    print(table(outcome.metrics))
    call.farewell(outcome)
    return 0
