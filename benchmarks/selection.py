"""``python -m benchmarks.selection``: `zoo.keep_largest` beside `tf.math.top_k`; writes selection.json.

Both keep the k largest of every row and put 0 for the others. Processor time on one thread, medians of rounds
that alternate between them, plain and compiled by XLA. What was measured before of other sizes stays.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.__main__ import ROOT, machine
from benchmarks.page import write

ROWS = 256
UNITS = (1_000, 4_096, 16_384, 65_536)
KEPT = (8, 32, 128, 512)
ROUNDS = 7


def by_top_k(values: Any, k: int) -> Any:
    """As `zoo.keep_largest`, by `tf.math.top_k`."""
    import tensorflow as tf

    smallest = tf.math.top_k(values, k, sorted=False).values
    smallest = tf.reduce_min(smallest, axis=-1, keepdims=True)
    return tf.where(values >= smallest, values, tf.zeros_like(values))


def measure(units: int, k: int, compiled: bool) -> dict[str, Any]:
    """Milliseconds of both for (ROWS, units) drawn numbers; they must give the same.

    Raises:
        ValueError: where they do not.
    """
    import numpy as np
    import tensorflow as tf

    import zoo

    values = tf.constant(np.random.default_rng(0).normal(size=(ROWS, units)).astype("float32"))

    def traced(select: Callable[[Any, int], Any]) -> Callable[[], Any]:
        function = tf.function(
            lambda x: select(x, k), autograph=False, jit_compile=compiled or None
        )
        return lambda: function(values)

    both = {"zoo": traced(zoo.keep_largest), "top_k": traced(by_top_k)}
    found = [run().numpy() for run in both.values()]
    if not all(np.array_equal(found[0], other) for other in found):
        raise ValueError(f"The {k} largest of {units} differ.")
    seconds: dict[str, list[float]] = {name: [] for name in both}
    for _ in range(ROUNDS):
        for name, run in both.items():
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
    milliseconds = {name: 1e3 * statistics.median(found) for name, found in seconds.items()}
    return {"units": units, "k": k, "xla": compiled, "milliseconds": milliseconds}


def main() -> None:
    """Measure every pair of `--units` and `--kept` with fewer than half of the units kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.selection", description=__doc__)
    parser.add_argument("--units", type=int, nargs="+", default=UNITS)
    parser.add_argument("--kept", type=int, nargs="+", default=KEPT)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "results" / "benchmarks")
    given = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["ZOO_CORES"] = os.environ["TF_NUM_INTRAOP_THREADS"] = "1"
    results = []
    for compiled in (False, True):
        for units in given.units:
            for k in (k for k in given.kept if 2 * k < units):
                results.append(measure(units, k, compiled))
                print(results[-1], flush=True)
    given.output.mkdir(parents=True, exist_ok=True)
    path = given.output / "selection.json"
    earlier = json.loads(path.read_text())["results"] if path.is_file() else []
    new = {_key(result) for result in results}
    results += [result for result in earlier if _key(result) not in new]
    record = {
        "command": "python -m benchmarks.selection",
        **machine(),
        "rows": ROWS,
        "results": sorted(results, key=_key),
    }
    path.write_text(json.dumps(record, indent=1))
    write(given.output)


def _key(result: dict[str, Any]) -> tuple[bool, int, int]:
    return result["xla"], result["units"], result["k"]


if __name__ == "__main__":
    main()
