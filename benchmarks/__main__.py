"""``python -m benchmarks``: prints the table and writes docs/results/benchmarks.

Every contender is a process of its own that has warmed up; rounds go A B C A B C, so that a slow minute of
the machine meets all of them. Ratios are taken round by round, and their median is quoted. On one thread the
seconds are processor time, on several wall time.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

from benchmarks.page import OF_DICTIONARIES, SLICED, table, write
from benchmarks.workloads import WORKLOADS, Workload

FIXED = "zoo, one batch"
CONTENDERS = {
    "zoo": ("zoo_fit", "prepare"),
    FIXED: ("zoo_fit", "prepare_one_batch"),
    "bare TensorFlow": ("bare_tensorflow", "prepare"),
    SLICED: ("bare_tensorflow", "prepare_slices"),
    "PyTorch": ("torch_loop", "prepare"),
    "PyTorch compiled": ("torch_loop", "prepare_compiled"),
    "pythae": ("pythae_trainer", "prepare"),
    "JAX": ("bare_jax", "prepare"),
    "dictionary_learning": ("dictionary_learning_trainer", "prepare"),
    "SAELens": ("sae_lens_trainer", "prepare"),
}
ROOT = Path(__file__).parent.parent
PACKAGES = ("tensorflow", "keras", "torch", "pythae", "dictionary_learning", "sae-lens", "jax")


class Contender:
    """A running worker, of this checkout or another one."""

    def __init__(
        self,
        name: str,
        workload: str,
        precision: str,
        threads: int,
        root: Path = ROOT,
        python: str = sys.executable,
        gpu: bool = False,
    ):
        environment = {
            **os.environ,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "OMP_NUM_THREADS": str(threads),
            "MKL_NUM_THREADS": str(threads),
            "ZOO_CORES": str(threads),
            "BENCHMARKS_DEVICE": "gpu" if gpu else "cpu",
        }
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks.worker", *CONTENDERS[name], workload, precision, str(threads)],
            cwd=root, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.start = self._read("ready")

    def round(self) -> float:
        """Seconds of one round."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._read("round")

    def stop(self) -> None:
        """End the worker."""
        self.process.stdin.close()
        self.process.wait()

    def _read(self, word: str) -> float:
        for line in self.process.stdout:
            if line.startswith(word):
                return float(line.split()[1])
        raise RuntimeError(f"A contender ended early: {self.process.args}")


def compare(
    workload: Workload,
    precision: str,
    threads: int,
    rounds: int,
    names: list[str],
    gpu: bool = False,
) -> dict:
    """Seconds of every round of every contender, and what follows from them."""
    if workload.encodes or workload.model == "info_ae":  # no peer has them
        names = [name for name in names if name in ("zoo", "bare TensorFlow")]
    if threads == 1:
        names = [name for name in names if name != SLICED]
    if workload.conv or workload.model == "laplace":
        names = [name for name in names if name != "JAX"]
    others = {*OF_DICTIONARIES}
    if not workload.is_dictionary:
        others = {*CONTENDERS} - others - {FIXED}
    names = [name for name in names if name == "zoo" or name in others]
    if "zoo" in names and not workload.encodes and threads == 1:
        names = [*names, FIXED]
    settings = (workload.name, precision, threads)
    running = {name: Contender(name, *settings, gpu=gpu) for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name, contender in running.items():
            seconds[name].append(contender.round())
    for contender in running.values():
        contender.stop()
    rows = workload.rows * workload.epochs
    ours = seconds["zoo"]
    fixed = {}
    if FIXED in seconds:
        batch = statistics.median(ours) * workload.batch / rows
        fixed["fit_fixed_seconds"] = statistics.median(seconds.pop(FIXED)) - batch
    return {
        **fixed,
        "workload": workload.name,
        "precision": precision,
        "threads": threads,
        "images_per_second": {n: rows / statistics.median(s) for n, s in seconds.items()},
        "start_seconds": {name: contender.start for name, contender in running.items()},
        "zoo_times": {
            name: statistics.median(b / a for a, b in zip(ours, other, strict=True))
            for name, other in seconds.items()
            if name != "zoo"
        },
        "seconds": seconds,
    }


def matrix_throughput(threads: int, precision: str) -> float:
    """Measured FLOP/s of a 1000 x 1000 x 1000 product through TensorFlow, the best of five."""
    code = f"""
import time, tensorflow as tf
clock = time.{"process_time" if threads == 1 else "perf_counter"}
tf.config.threading.set_intra_op_parallelism_threads({threads})
tf.config.threading.set_inter_op_parallelism_threads({threads})
a = tf.cast(tf.random.normal((1000, 1000)), "{precision}")
body = lambda i, y: (i + 1, tf.matmul(y, a))
f = tf.function(lambda x: tf.while_loop(lambda i, y: i < 50, body, (0, x))[1])
f(a)
best = 1e9
for _ in range(5):
    t = clock(); f(a).numpy(); best = min(best, clock() - t)
print(50 * 2e9 / best)
"""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return float(result.stdout.split()[-1])


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help="names, comma-separated")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--precisions", default="float32,bfloat16")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--contenders", default="", help="names; default: all that are installed")
    parser.add_argument("--output", default=str(ROOT / "docs" / "results" / "benchmarks"))
    parser.add_argument("--beside", choices=("idle", "busy"), default="idle",
                        help="what the rest of the machine did meanwhile")  # fmt: skip
    parser.add_argument("--gpu", action="store_true",
                        help="on a GPU, beside PyTorch on it, by wall time, into the folder gpu of the "
                        "output; for whoever has one: it has never run")  # fmt: skip
    arguments = parser.parse_args()
    if arguments.gpu:
        arguments.threads = str(os.cpu_count())
        arguments.output = str(Path(arguments.output) / "gpu")
    names = [n for n in arguments.contenders.split(",") if n] or installed()
    results = []
    peaks: dict[tuple[int, str], float] = {}
    for precision in arguments.precisions.split(","):
        for threads in map(int, arguments.threads.split(",")):
            peaks[threads, precision] = matrix_throughput(threads, precision)
            for workload in map(WORKLOADS.__getitem__, arguments.workloads.split(",")):
                if workload.encodes and precision != "float32":
                    continue  # exported models compute as they were trained; one precision is enough
                result = compare(
                    workload, precision, threads, arguments.rounds, names, arguments.gpu
                )
                if workload.dense:
                    rate = result["images_per_second"]["zoo"] * workload.flops
                    result["share_of_peak"] = rate / peaks[threads, precision]
                result["beside"] = arguments.beside
                results.append(result)
                print(table([result]).splitlines()[-1], flush=True)
    output = Path(arguments.output)
    output.mkdir(parents=True, exist_ok=True)
    store(output / "training.json", results, peaks)
    write(output)
    print("\n" + table(results))


def store(path: Path, results: list[dict], peaks: dict[tuple[int, str], float]) -> None:
    """Put the results in the place of earlier ones of the same work, precision and threads."""
    record = json.loads(path.read_text()) if path.is_file() else {"matrix_flops": {}, "results": []}
    new = {_key(r): r for r in results}
    kept = [r for r in record["results"] if _key(r) not in new]
    order = list(WORKLOADS)
    record["results"] = sorted(
        [*kept, *results],
        key=lambda r: (r["precision"] != "float32", r["threads"], order.index(r["workload"])),
    )
    for (threads, precision), value in peaks.items():
        record["matrix_flops"][f"{threads} threads, {precision}"] = value
    path.write_text(
        json.dumps({"command": "python -m benchmarks", **record, **machine()}, indent=1)
    )


def _key(result: dict) -> tuple[str, str, int]:
    return result["workload"], result["precision"], result["threads"]


def machine() -> dict[str, str]:
    """What was measured on, and when."""
    cores = f"{os.cpu_count()} cores, {processor_name()}, {platform.machine()}"
    packages = [name for name in PACKAGES if importlib.util.find_spec(name.replace("-", "_"))]
    return {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{cores}, {instructions()}",
        "versions": ", ".join(f"{name} {metadata.version(name)}" for name in packages),
    }


def instructions() -> str:
    """Which of the instructions that decide the speed of products the processor has, as Linux says it."""
    info = Path("/proc/cpuinfo")
    flags = info.read_text().split() if info.exists() else []
    known = {"AVX-512": "avx512f", "AVX-512 bfloat16": "avx512_bf16", "AMX bfloat16": "amx_bf16"}
    return ", ".join(name if flag in flags else f"no {name}" for name, flag in known.items())


def processor_name() -> str:
    """The processor's name, as Linux has it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def installed() -> list[str]:
    """The contenders whose library is there."""
    needs = {name: name for name in ("pythae", "dictionary_learning")}
    needs |= {"PyTorch": "torch", "PyTorch compiled": "torch", "SAELens": "sae_lens", "JAX": "jax"}
    return [
        n for n in CONTENDERS if n != FIXED and importlib.util.find_spec(needs.get(n, "tensorflow"))
    ]


if __name__ == "__main__":
    main()
