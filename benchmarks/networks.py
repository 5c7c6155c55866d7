"""``python -m benchmarks.networks``: the convolutions of ``networks="conv"`` beside what they replaced.

The same VAE with both networks, on the same rows in the same order and as many steps; what counts is the
loss on held-out rows, -ELBO in nats. ``--tried`` measures the forms among which they were chosen, on rows of
the training split that were left out. Writes docs/results/benchmarks/networks.json after every run, and goes
on from there when started again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.__main__ import ROOT, machine
from benchmarks.page import write

NETWORKS = {
    "conv": "conv",
    "before": {"name": "conv", "hidden": (64, 128), "dense": (1024,)},
}
SETS = ("mnist", "sprites")
BATCH, LATENTS, HELD_OUT = 64, 10, 2000
# Steps after which a form that is tried is judged.
MARKS = (150, 300)
STRIDES_2 = {"filters": (64, 128, 128, 64), "keep_scale": True}
STRIDE_4 = {"filters": (64, 64), "keep_scale": True, "first_stride": 4}
# Of pictures of 64 x 64: the options of `conv_encoder` and `conv_decoder`; see `form` for "linear_map".
FORMS: dict[str, dict[str, Any]] = {
    "the former: strides 2, 64-128 filters, dense 1,024": {"filters": (64, 128), "dense": (1024,)},
    "strides 2, 64-128-128-64, dense 256": {**STRIDES_2, "dense": (256,)},
    "strides 2, 64-128-128-64, dense 768": {**STRIDES_2, "dense": (768,)},
    "strides 2, 32-32-32-32, dense 256-256": {
        "filters": (32, 32, 32, 32),
        "dense": (256, 256),
        "keep_scale": True,
    },
    "stride 4 and 2, 64-64, no dense layer": {**STRIDE_4, "dense": ()},
    "stride 4 and 2, 64-64, dense 256": {**STRIDE_4, "dense": (256,)},
    "stride 4 and 2, 64-64, dense 336": {**STRIDE_4, "dense": (336,)},
    "stride 4 and 2, 64-64, dense 336, Keras's initial weights": {
        **STRIDE_4,
        "dense": (336,),
        "keep_scale": False,
    },
    "stride 4 and 2, 64-64, dense 336, kernels of 6": {
        **STRIDE_4,
        "dense": (336,),
        "kernel_size": 6,
    },
    "stride 4 and 2, 64-96, dense 192": {**STRIDE_4, "filters": (64, 96), "dense": (192,)},
    "stride 4 and 2, 128-64, dense 320": {**STRIDE_4, "filters": (128, 64), "dense": (320,)},
    "stride 4 and 2, 64-32, dense 512": {**STRIDE_4, "filters": (64, 32), "dense": (512,)},
    "stride 4, 32, dense 160": {**STRIDE_4, "filters": (32,), "dense": (160,)},
    "stride 4 and 2, 64-64, dense 256, SiLU": {**STRIDE_4, "dense": (256,), "activation": "silu"},
    "stride 4 and 2, 64-64, dense 256, linear first map: the default": {
        **STRIDE_4,
        "dense": (256,),
        "linear_map": True,
    },
}


def form(options: dict[str, Any], shape: tuple[int, ...]) -> tuple[Any, Any]:
    """The encoder and the decoder of a form."""
    from zoo.networks import conv_decoder, conv_encoder

    shared = {key: value for key, value in options.items() if key not in ("filters", "linear_map")}
    linear = options.get("linear_map", False)
    filters = options["filters"]
    decoder = conv_decoder(filters, shape, linear_map=linear, **shared)
    return conv_encoder(filters, **shared), decoder


def run(networks: Any, data: Any, held_out: Any, seed: int, marks: tuple[int, ...]) -> dict:
    """One training; its loss on held-out rows after each number of steps, weights and seconds."""
    import zoo

    model = zoo.create("vae", held_out.event_shape, latents=LATENTS, networks=networks, seed=seed)
    model.compile("adam")
    seconds = busy = done = 0.0
    losses: dict[str, float] = {}
    terms: dict[str, float] = {}
    for mark in marks:
        start, cpu = time.perf_counter(), time.process_time()
        steps = mark - int(done)
        model.fit(data, batch_size=BATCH, epochs=1, steps_per_epoch=steps, verbose=0)
        seconds, busy = seconds + time.perf_counter() - start, busy + time.process_time() - cpu
        done = mark
        terms = model.evaluate(held_out, return_dict=True, verbose=0)
        losses[str(mark)] = round(float(terms["loss"]), 1)
    return {
        "weights": model.count_params(),
        **{name: round(float(value), 3) for name, value in terms.items()},
        "losses": losses,
        "seconds": round(seconds, 1),
        "processor_seconds": round(busy, 1),
    }


def try_forms(record: dict, path: Path, names: list[str], seeds: list[int]) -> None:
    """Measure forms on sprites, judged on rows of the training split that are left out."""
    import keras

    import zoo

    rows = BATCH * max(MARKS)
    everything = zoo.data.load("sprites", "train", limit=rows + HELD_OUT)
    data, held_out = everything.take(slice(rows)), everything.take(slice(rows, None))
    for name in names:
        for seed in seeds:
            keras.backend.clear_session()
            keras.utils.set_random_seed(seed)
            found = run(form(FORMS[name], data.event_shape), data, held_out, seed, MARKS)
            kept = ("weights", "losses", "processor_seconds")
            tried = {"network": name, "seed": seed, **{key: found[key] for key in kept}}
            others = [
                each for each in record["tried"] if (each["network"], each["seed"]) != (name, seed)
            ]
            record["tried"] = sorted(
                [*others, tried], key=lambda each: ([*FORMS].index(each["network"]), each["seed"])
            )
            path.write_text(json.dumps(record, indent=1))
            print(tried, flush=True)


def compare(record: dict, path: Path, arguments: argparse.Namespace) -> None:
    """Run both networks on every set, as far as it has not been done."""
    import keras

    import zoo

    done = {(r["set"], r["networks"], r["seed"], r["steps"]) for r in record["runs"]}
    folders = {"data_dir": arguments.data_dir, "manual_dir": arguments.manual_dir}
    for name in arguments.sets:
        rows = BATCH * arguments.steps  # one pass
        where = folders if name == "mnist" else {}
        data = zoo.data.load(name, "train", limit=rows, **where)
        held_out = zoo.data.load(name, "test", limit=HELD_OUT, **where)
        for seed in range(arguments.seeds):
            for networks in arguments.networks:
                if (name, networks, seed, arguments.steps) in done:
                    continue
                keras.backend.clear_session()
                found = run(NETWORKS[networks], data, held_out, seed, (arguments.steps,))
                del found["losses"]
                what = {"set": name, "networks": networks, "seed": seed, "steps": arguments.steps}
                record["runs"].append({**what, **found})
                path.write_text(json.dumps(record, indent=1))
                print(what, found, flush=True)


def main() -> None:
    """Run what has not been run yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks", description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--networks", nargs="+", default=[*NETWORKS], choices=[*NETWORKS])
    parser.add_argument(
        "--tried", nargs="*", default=None, help="forms of FORMS by their place; all without"
    )
    parser.add_argument("--data_dir", default=None, help="TFDS's folder with MNIST")
    parser.add_argument("--manual_dir", default=None, help="TFDS's folder of downloaded files")
    parser.add_argument("--output", default=str(ROOT / "docs" / "results" / "benchmarks"))
    arguments = parser.parse_args()
    path = Path(arguments.output) / "networks.json"
    words = f"--steps={arguments.steps} --seeds={arguments.seeds} --sets {' '.join(arguments.sets)}"
    if arguments.tried is not None:
        words = f"--seeds={arguments.seeds} --tried"
    empty: dict[str, list] = {"commands": [], "runs": [], "tried": []}
    earlier = json.loads(path.read_text()) if path.is_file() else empty
    commands = [*dict.fromkeys([*earlier["commands"], f"python -m benchmarks.networks {words}"])]
    record = {"commands": commands, **machine(), "runs": earlier["runs"], "tried": earlier["tried"]}
    if arguments.tried is None:
        compare(record, path, arguments)
    else:
        names = [*FORMS]
        chosen = [names[int(place)] for place in arguments.tried] or names
        try_forms(record, path, chosen, list(range(arguments.seeds)))
    write(path.parent)


if __name__ == "__main__":
    main()
