"""The page of docs/results/benchmarks, from the JSON beside it; ``python -m benchmarks.page``."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "results" / "benchmarks"
SLICED = "bare TensorFlow in slices"
NAMES = (
    "bare TensorFlow",
    SLICED,
    "PyTorch",
    "PyTorch compiled",
    "pythae",
    "dictionary_learning",
    "SAELens",
    "JAX",
)
OF_DICTIONARIES = ("dictionary_learning", "SAELens")
# (workload, threads) -> how many times as fast as the best PyTorch in float32 and in bfloat16, on a processor
# without AMX; with it at least as fast.
TORCH: dict[tuple[str, int], tuple[float, float | None]] = {
    ("W1", 1): (9.0, None),
    ("W2", 1): (1.27, 1.35),
    ("W3", 1): (1.33, 1.19),
    ("W4", 1): (1.15, 1.05),
    ("W5", 1): (1.36, 1.3),
    ("W5-sampled", 1): (1.36, 1.3),
    ("W2", 2): (1.4, 1.3),
    ("W2-1000", 2): (1.2, 1.2),
    ("W3", 2): (1.3, 1.2),
    ("W4", 2): (1.15, 1.1),
    ("W5", 2): (1.35, 1.3),
    ("W5-sampled", 2): (1.35, 1.3),
}
# The same against pythae.
PYTHAE = {"W2": (2.2, 2.8)}
PRECISIONS = ("float32", "bfloat16")
WORK = """\
W1: VAE 2-30-30-2 on the square, batch 128. W2: VAE 784-400-400-20, batch 128 and 1000. W3: k-sparse
784-1000-784, batch 128. W4: convolutional VAE 32-64-128, batch 128. W5: Laplace VAE as W2, KL analytic
and sampled. W6: a step of InfoAE, batch 128. W7: encoding by the exported SavedModel of W2, batch 1 and 1000.
W8: a sparse dictionary of 3072 atoms on rows of 384 numbers, 32 in a code, batch 1024: top-k, batch top-k,
JumpReLU.
"""


def table(results: list[dict], amx: bool = False) -> str:
    """A Markdown table: images a second, and how many times as fast the zoo is as each contender.

    Args:
        results: what `benchmarks.__main__.compare` gives.
        amx: whether the processor has AMX, for which other targets hold.
    """
    head = [
        "work",
        "precision",
        "threads",
        "the rest of the machine",
        "images/s",
        "a fit beside its steps",
        *(f"/ {name}" for name in NAMES),
    ]
    lines = ["| " + " | ".join([*head, "of matrix peak", "targets"]) + " |"]
    lines.append("|" + "---|" * (len(head) + 2))
    for r in results:
        cells = [r["workload"], r["precision"], str(r["threads"]), r["beside"]]
        cells.append(f"{r['images_per_second']['zoo']:,.0f}")
        fixed = r.get("fit_fixed_seconds")
        cells.append("" if fixed is None else f"{1e3 * fixed:.0f} ms")
        times = r["zoo_times"]
        cells += [f"{times[name]:.2f}" if name in times else "" for name in NAMES]
        cells.append(f"{r['share_of_peak']:.0%}" if r.get("share_of_peak") else "")
        cells.append(verdict(r, amx))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def verdict(result: dict, amx: bool = False) -> str:
    """Each target with "met" or by how much it is missed."""
    times, asked = result["zoo_times"], []
    name, column = result["workload"], PRECISIONS.index(result["precision"])
    if name[:2] in ("W6", "W7"):
        asked.append(("bare TensorFlow", times.get("bare TensorFlow"), 0.85))
    elif name.startswith("W8"):
        found = [times[n] for n in OF_DICTIONARIES if n in times]
        asked.append(("the faster library", min(found, default=None), 1.3))
    else:
        target = 1.0 if amx else TORCH.get((name, result["threads"]), (None, None))[column]
        found = [times[n] for n in ("PyTorch", "PyTorch compiled") if n in times]
        if target:
            asked.append(("best PyTorch", min(found, default=None), target))
        if name in PYTHAE:
            asked.append(("pythae", times.get("pythae"), PYTHAE[name][column]))
    if result["workload"] == "W2-1000" and result["precision"] == "float32":
        asked.append(("share of peak", result.get("share_of_peak"), 0.6))
    return "; ".join(
        f"{name} {target:g}: {'met' if value >= target else f'missed by {_share(1 - value / target)}'}"
        for name, value, target in asked
        if value is not None
    )


def _share(missing: float) -> str:
    return f"{missing:.0%}" if missing >= 0.01 else f"{missing:.1%}"


def page(folder: Path) -> str:
    """The page's text; parts whose JSON is missing are left out."""
    parts = [
        "# Benchmarks" if folder == FOLDER else f"# Benchmarks on {folder.name}",
        "Written by `python -m benchmarks.page` from the JSON beside this page, which `python -m "
        "benchmarks` and its modules `against`, `costs`, `job`, `likelihoods`, `memory`, `networks`, "
        '`selection` and `stability` write. PyTorch and pythae come with `pip install -e ".[bench]"`; JAX '
        "is measured where it is installed. `python -m benchmarks --gpu` does the same on a GPU: it has "
        "never run.",
    ]
    others = sorted(path.parent.name for path in folder.glob("*/training.json"))
    if others:
        links = ", ".join(f"[{name}]({name}/README.md)" for name in others)
        parts.append(f"This page is of one processor; others have pages of their own: {links}.")
    training = _read(folder / "training.json")
    if training:
        parts += [
            "## Training and encoding",
            "Medians over rounds that alternate between the contenders, each a process of its own; a column "
            "`/ name` says how many times as fast `model.fit` is with its defaults. pythae has no bfloat16: "
            "its column compares with its float32. One thread: processor time; several: wall time. The "
            "rounds include what a `fit` takes beside its steps, which stands in a column of its own: a "
            "`fit` of one batch, less one step. Bare TensorFlow in slices is a loop without Keras whose "
            "threads compute a slice of the batch each: what TensorFlow gives. It and pythae on two threads "
            "ran beside the zoo in rounds of their own.",
            WORK,
            ". ".join(
                filter(None, [training["machine"], training.get("versions"), training["date"]])
            )
            + ".",
            table(training["results"], amx="no AMX" not in training["machine"]),
        ]
    recorded = _read(folder / "activations.json")
    if recorded:
        parts += ["## Recorded activations", _activations(recorded)]
    costs = _read(folder / "costs.json")
    if costs:
        start = statistics.median(costs["first_step_seconds"])
        memory = ", ".join(f"{peak:.2f} GiB for {size:g}" for size, peak in costs["peak_memory"])
        parts += [
            "## What a run costs",
            f"From `python` to the first training step on 60,000 digits: {start:.1f} s (median of "
            f"{len(costs['first_step_seconds'])}), TensorFlow's import included. Peak memory while training "
            f"on a mapped file, above 2 GiB streamed: {memory} GiB of data. {costs['machine']}, "
            f"{costs['date']}.",
            "![Time of a step or an epoch against sizes, and peak memory](costs.png)",
        ]
    job = _read(folder / "job.json")
    if job:
        parts += [
            "## The default job",
            "Seconds of `python launch.py`, from the start of the process to its end: medians of "
            f"{job['rounds']} rounds that alternate between this revision and former ones. "
            f"{job['machine']}, {job['date']}: `{job['command']}`.",
            _job(job["medians"]),
        ]
    networks = _read(folder / "networks.json")
    if networks:
        parts += [
            "## The default convolutions",
            'The VAE with `networks="conv"` beside the network of that name before it, {"hidden": (64, 128), '
            '"dense": (1024,)}: the same rows, seeds and steps of 64 pictures, 10 latents, Adam. The loss is '
            "-ELBO in nats on 2,000 held-out pictures, after so few steps that it says how fast they learn "
            f"rather than how far. {networks['machine']}, shared with other work, {networks['date']}: "
            + ", ".join(f"`{command}`" for command in networks["commands"])
            + ".",
            _networks(networks["runs"]),
            _behind(networks["runs"]),
        ]
        if networks["tried"]:
            parts += [
                "Shapes that were tried on sprites of 64 x 64, and the loss after so many steps (a number "
                "for each seed) of 2,000 training rows that were left out, by `python -m "
                "benchmarks.networks --tried`. The steps were taken in two calls of `fit`, so that the "
                "losses differ a little from those above.",
                _tried(networks["tried"]),
            ]
    against = _read(folder / "against.json")
    if against:
        parts += ["## Against former revisions", _against(against)]
    selection = _read(folder / "selection.json")
    if selection:
        parts += [
            "## The k largest of a row",
            f"Milliseconds of processor time on one thread for {selection['rows']} rows of float32, "
            "`tf.math.top_k` and then `zoo.keep_largest`; both give the same numbers, bit for bit. "
            f"{selection['machine']}, {selection['date']}: `{selection['command']}`.",
            _selection(selection["results"]),
        ]
    memory = _read(folder / "memory.json")
    if memory:
        parts += [
            "## Memory of a fit",
            "MiB at the peak of a process that trains an autoencoder of 2048-8-2 for an epoch, x and "
            "TensorFlow included, and how much of it there is for every byte of x. float64 is converted "
            f"to float32, which takes half of x. {memory['machine']}, {memory['date']}: "
            f"`{memory['command']}`.",
            _memory(memory["results"]),
        ]
    likelihoods = _read(folder / "likelihoods.json")
    if likelihoods:
        sizes = likelihoods["sizes"]
        parts += [
            "## What models learn here and in pythae",
            f"The same networks (784-200-200-16, ReLU), {sizes['examples']:,} binarised digits, Adam, "
            f"{sizes['epochs']} epochs of batches of 100, in one process; means over the seeds. NLL in nats "
            f"by {sizes['samples']} importance samples on {sizes['judged']} test digits, by our estimator of "
            "both libraries' models, and by pythae's of its own; the error is the squared one of a picture. "
            f"`{likelihoods['command']}`, {likelihoods['machine']}, {likelihoods['date']}.",
            _likelihoods(likelihoods["runs"]),
        ]
    stability = _read(folder / "stability.json")
    if stability:
        parts += ["## Heavy tails and p < 1", _stability(stability)]
    return "\n\n".join(parts) + "\n"


def _activations(record: dict) -> str:
    same = "as the other did" if record["killed_and_whole"] else "OTHERWISE than the other"
    rows = [[f"{of:.2f}" for of in peaks.values()] for peaks in record["peak_memory"]]
    return "\n".join(
        [
            f"`{record['command']}`. Rows of 384 float16; the peak of a process in GiB, TensorFlow and pages "
            "of the file included. A recording that was killed twice and went on ended "
            f"{same}, bit for bit. Training on shuffled rows from the disk takes {record['ratio']:.2f} of "
            "the processor time that it takes on the same rows in memory in their order (3,072 top-k units, "
            f"batch 1024). {record['machine']}, shared with other work, {record['date']}.",
            "",
            "| folder | recording | a pass of training | evaluation |",
            "|---|---|---|---|",
            *("| " + " | ".join(row) + " |" for row in rows),
        ]
    )


def _stability(record: dict) -> str:
    groups: dict[tuple[str, str], list[dict]] = {}
    for run in record["runs"]:
        groups.setdefault((run["model"], run["policy"]), []).append(run)
    lines = [
        "Training on MNIST, batch 128, the default optimizer.",
        "",
        "| model | precision | runs | epochs | runs with a loss that is no number | last loss, median |",
        "|---|---|---|---|---|---|",
    ]
    for (model, policy), runs in groups.items():
        bad = sum(not run["finite"] for run in runs)
        last = statistics.median(run["last_loss"] for run in runs)
        lines.append(
            f"| {model} | {policy} | {len(runs)} | {runs[0]['epochs']} | {bad} | {last:.2f} |"
        )
    return "\n".join(lines)


def _job(medians: dict[str, dict[str, float]]) -> str:
    stages = list(next(iter(medians.values())))
    lines = [f"| | {' | '.join(medians)} |", "|---" * (1 + len(medians)) + "|"]
    for stage in stages:
        cells = " | ".join(f"{found[stage]:.1f}" for found in medians.values())
        lines.append(f"| {stage} | {cells} |")
    return "\n".join(lines)


def _against(records: list[dict]) -> str:
    lines = [
        "How many times as fast `model.fit` is as at a former revision, the median of rounds that alternate "
        "between the two (least to most). One thread: processor time; several: wall time. Written by "
        "`python -m benchmarks.against CHECKOUT`.",
        "",
        "| work | precision | threads | before | rows/s | before | ratio | date |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in records:
        now, before = (f"{rate:,.0f}" for rate in r["rates"])
        low, middle, high = (f"{ratio:.3f}" for ratio in r["ratios"])
        lines.append(
            f"| {r['workload']} | {r['precision']} | {r['threads']} | {r['before']} | {now} | {before} | "
            f"{middle} ({low} to {high}) | {r['date']} |"
        )
    return "\n".join(lines)


def _selection(results: list[dict]) -> str:
    kept = sorted({r["k"] for r in results})
    lines = [
        "| units | | " + " | ".join(f"k = {k}" for k in kept) + " |",
        "|---" * (2 + len(kept)) + "|",
    ]
    found = {(r["xla"], r["units"], r["k"]): r["milliseconds"] for r in results}
    for xla, units in dict.fromkeys((r["xla"], r["units"]) for r in results):
        cells = []
        for k in kept:
            pair = found.get((xla, units, k), {})
            cells.append(
                ", ".join(f"{pair[n]:.1f}" if n in pair else "-" for n in ("top_k", "zoo") if pair)
            )
        lines.append(f"| {units:,} | {'XLA' if xla else 'plain'} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _memory(results: dict[str, dict]) -> str:
    sizes = [size for size, _ in next(iter(results.values()))["peaks"]]
    head = " | ".join(f"{size} MiB" for size in sizes)
    lines = [f"| x | {head} | for each byte |", "|---" * (2 + len(sizes)) + "|"]
    for form, found in results.items():
        peaks = " | ".join(f"{peak:,.0f}" for _, peak in found["peaks"])
        lines.append(f"| {form} | {peaks} | {found['slope']:.2f} |")
    return "\n".join(lines)


def _likelihoods(runs: list[dict]) -> str:
    groups: dict[str, list[dict]] = {}
    for run in runs:
        groups.setdefault(run["model"], []).append(run)
    lines = [
        "| model | seeds | NLL, ours | pythae's | by its own estimate | error, ours | pythae's | "
        "processor seconds, ours | pythae's |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]

    def cell(found: list[dict], who: str, what: str, digits: int) -> str:
        values = [run[who][what] for run in found if what in run[who]]
        if not values:
            return ""
        spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
        return f"{statistics.mean(values):.{digits}f}{spread}"

    columns = (
        ("ours", "nll", 1),
        ("pythae", "nll", 1),
        ("pythae", "own_nll", 1),
        ("ours", "error", 1),
        ("pythae", "error", 1),
        ("ours", "processor_seconds", 0),
        ("pythae", "processor_seconds", 0),
    )
    for model, found in groups.items():
        cells = [model, str(len(found)), *(cell(found, *column) for column in columns)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _networks(runs: list[dict]) -> str:
    groups: dict[tuple[str, int, str], list[dict]] = {}
    for run in runs:
        groups.setdefault((run["set"], run["steps"], run["networks"]), []).append(run)
    lines = [
        "| data | steps | network | weights | loss, mean | of each seed | processor seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for (name, steps, network), found in groups.items():
        losses = [run["loss"] for run in found]
        each = ", ".join(f"{loss:.1f}" for loss in losses)
        seconds = statistics.median(run["processor_seconds"] for run in found)
        mean, weights = statistics.mean(losses), found[0]["weights"]
        lines.append(
            f"| {name} | {steps} | {network} | {weights:,} | {mean:.1f} | {each} | {seconds:.0f} |"
        )
    return "\n".join(lines)


def _behind(runs: list[dict]) -> str:
    """How far the default is from what it replaced, for each data set and number of steps."""
    found: dict[tuple[str, int], dict[str, list[float]]] = {}
    for run in runs:
        of_kind = found.setdefault((run["set"], run["steps"]), {})
        of_kind.setdefault(run["networks"], []).append(run["loss"])
    words = []
    for (name, steps), losses in found.items():
        if {"conv", "before"} <= set(losses):
            gap = statistics.mean(losses["conv"]) - statistics.mean(losses["before"])
            side = "behind" if gap > 0 else "ahead of"
            words.append(
                f"on {name} after {steps} steps {abs(gap):.1f} nats {side} what was before"
            )
    return f"The default is, by these means, {'; '.join(words)}." if words else ""


def _tried(runs: list[dict]) -> str:
    marks = sorted({int(steps) for run in runs for steps in run["losses"]})
    lines = [
        f"| network | weights | {' | '.join(f'{mark} steps' for mark in marks)} | processor seconds |",
        "|---|---|" + "---|" * (len(marks) + 1),
    ]
    for name in dict.fromkeys(run["network"] for run in runs):
        own = [run for run in runs if run["network"] == name]
        losses = [", ".join(str(run["losses"][str(mark)]) for run in own) for mark in marks]
        seconds = ", ".join(f"{run['processor_seconds']:.0f}" for run in own)
        lines.append(f"| {name} | {own[0]['weights']:,} | {' | '.join(losses)} | {seconds} |")
    return "\n".join(lines)


def _read(path: Path) -> Any:
    return json.loads(path.read_text()) if path.is_file() else None


def write(folder: Path = FOLDER) -> None:
    """Write the page into the folder of its JSON."""
    (folder / "README.md").write_text(page(folder))


if __name__ == "__main__":
    write()
