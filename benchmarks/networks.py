"""``python -m benchmarks.networks``: the convolutions of ``networks="conv"`` beside what they replaced.

The same VAE with both networks, on the same rows in the same order and as many steps; what counts is the
loss on held-out rows, -ELBO in nats. Writes docs/results/benchmarks/networks.json after every run, and goes
on from there when started again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from benchmarks.__main__ import ROOT, machine
from benchmarks.page import write

NETWORKS = {
    "conv": "conv",
    "before": {"name": "conv", "hidden": (64, 128), "dense": (1024,)},
}
SETS = ("mnist", "sprites")
BATCH, LATENTS, HELD_OUT = 64, 10, 2000


def run(networks: object, data, held_out, seed: int, steps: int) -> dict:
    """One training; its loss on held-out rows, weights and seconds."""
    import zoo

    model = zoo.create("vae", data.event_shape, latents=LATENTS, networks=networks, seed=seed)
    model.compile("adam")
    start, busy = time.perf_counter(), time.process_time()
    model.fit(data, batch_size=BATCH, epochs=1, steps_per_epoch=steps, verbose=0)
    found = {
        "seconds": round(time.perf_counter() - start, 1),
        "processor_seconds": round(time.process_time() - busy, 1),
    }
    terms = model.evaluate(held_out, return_dict=True, verbose=0)
    return {
        "weights": model.count_params(),
        **{name: round(float(value), 3) for name, value in terms.items()},
        **found,
    }


def main() -> None:
    """Run what has not been run yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks", description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--data_dir", default=None, help="TFDS's folder with MNIST")
    parser.add_argument("--manual_dir", default=None, help="TFDS's folder of downloaded files")
    parser.add_argument("--output", default=str(ROOT / "docs" / "results" / "benchmarks"))
    arguments = parser.parse_args()
    import keras

    import zoo

    path = Path(arguments.output) / "networks.json"
    words = f"--steps={arguments.steps} --seeds={arguments.seeds} --sets {' '.join(arguments.sets)}"
    earlier = json.loads(path.read_text()) if path.is_file() else {"commands": [], "runs": []}
    commands = [*earlier["commands"], f"python -m benchmarks.networks {words}"]
    record = {"commands": commands, **machine(), "runs": earlier["runs"]}
    done = {(r["set"], r["networks"], r["seed"], r["steps"]) for r in record["runs"]}
    folders = {"data_dir": arguments.data_dir, "manual_dir": arguments.manual_dir}
    for name in arguments.sets:
        rows = BATCH * arguments.steps  # one pass
        where = folders if name == "mnist" else {}
        data = zoo.data.load(name, "train", limit=rows, **where)
        held_out = zoo.data.load(name, "test", limit=HELD_OUT, **where)
        for seed in range(arguments.seeds):
            for networks, option in NETWORKS.items():
                if (name, networks, seed, arguments.steps) in done:
                    continue
                keras.backend.clear_session()
                found = run(option, data, held_out, seed, arguments.steps)
                what = {"set": name, "networks": networks, "seed": seed, "steps": arguments.steps}
                record["runs"].append({**what, **found})
                path.write_text(json.dumps(record, indent=1))
                print(what, found, flush=True)
    write(path.parent)


if __name__ == "__main__":
    main()
