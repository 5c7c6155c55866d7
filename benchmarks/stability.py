"""``python -m benchmarks.stability``: heavy tails and p < 1 on MNIST, many seeds, in two precisions.

Each run ends early where a loss is no number (`zoo.trainer.StopOnNonFinite` says so); the table counts them.
Writes docs/results/benchmarks/stability.json after every run, and goes on from there when started again.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path

from benchmarks.__main__ import ROOT, machine
from benchmarks.page import write

MODELS = {
    "cauchy_vae": {"latents": 10, "hidden": (400, 400)},
    "lp_autoencoder": {"latents": 10, "hidden": (400, 400), "p": 0.5},
}
POLICIES = ("float32", "mixed_bfloat16")


def run(name: str, policy: str, seed: int, x, epochs: int) -> dict:
    """One training; what became of its loss."""
    import keras
    import numpy as np

    import zoo

    keras.config.set_dtype_policy(policy)
    model = zoo.create(name, x.shape[1:], seed=seed, **MODELS[name])
    model.compile("adam")
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        losses = model.fit(x, batch_size=128, epochs=epochs, verbose=0).history["loss"]
    finite = len(losses) == epochs and bool(np.isfinite(losses).all())
    return {
        "model": name,
        "policy": policy,
        "seed": seed,
        "epochs": len(losses),
        "finite": finite,
        "first_loss": float(losses[0]),
        "last_loss": float(losses[-1]),
        "seconds": round(time.perf_counter() - start, 1),
        "warnings": [str(w.message) for w in caught if "finite" in str(w.message)],
    }


def main() -> None:
    """Run what has not been run yet, and print the counts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stability", description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--data_dir", default=None, help="TFDS's folder with MNIST")
    parser.add_argument("--manual_dir", default=None, help="TFDS's folder of downloaded files")
    parser.add_argument("--output", default=str(ROOT / "docs" / "results" / "benchmarks"))
    arguments = parser.parse_args()
    import zoo

    data = zoo.data.load(
        "mnist", "train", data_dir=arguments.data_dir, manual_dir=arguments.manual_dir
    )
    path = Path(arguments.output) / "stability.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"command": "python -m benchmarks.stability", **machine(), "runs": []}
    if path.is_file():
        record["runs"] = json.loads(path.read_text())["runs"]
    done = {(r["model"], r["policy"], r["seed"]) for r in record["runs"]}
    for seed in range(arguments.seeds):
        for policy in POLICIES:
            for name in MODELS:
                if (name, policy, seed) in done:
                    continue
                found = run(name, policy, seed, data.inputs, arguments.epochs)
                record["runs"].append(found)
                path.write_text(json.dumps(record, indent=1))
                print(found, flush=True)
    write(path.parent)
    for name in MODELS:
        for policy in POLICIES:
            rows = [r for r in record["runs"] if (r["model"], r["policy"]) == (name, policy)]
            bad = [r["seed"] for r in rows if not r["finite"]]
            print(f"{name}, {policy}: {len(rows)} runs, not finite in seeds {bad or 'none'}")


if __name__ == "__main__":
    main()
