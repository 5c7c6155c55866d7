"""What each model is made of, what it costs, and where its results stand, for its page.

python -m website.facts            measures all models, and writes website/facts.csv
python -m website.facts vae iwae   these
"""

from __future__ import annotations

import csv
import re
import statistics
import sys
import time
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from zoo import registry
from zoo.values import number_text

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).with_name("facts.csv")
FIELDS: list[str] = ["model", "examples", "weights", "step", "parts"]
PARTS = ("bottleneck", "likelihood", "prior", "objective", "regularizers")
ROWS, EPOCHS, ROUNDS = 1024, 2, 3
BATCH = 64
LARGE = ("beta_vae_chairs", "beta_vae_shapes", "dc_ign")
SLOW = (*LARGE, "pixel_gan_autoencoder", "pixel_vae")  # measured on an eighth of the rows
# Examples that are not digits of 8 x 8.
SHAPES = {
    **dict.fromkeys(LARGE, (64, 64, 1)),
    "crosscoder": (2, 64),
    "transcoder": (64,),
    "two_template_vae": (10, 10, 1),
    "uniform_to_gaussian_vae": (2,),
}
OPTIONS = {"transcoder": {"target_shape": (64,)}}


@cache
def facts() -> dict[str, dict[str, str]]:
    """The rows of the table, by the name of the model."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


def parts_of(model: Any) -> list[str]:
    """Kind and name of each part of a model, "prior normal".

    Example:
        >>> from website.facts import parts_of
        >>> parts_of(zoo.create("vae", (6,), latents=2, hidden=(4,)))[:3]
        ['bottleneck stochastic', 'likelihood bernoulli', 'prior normal']
    """
    found = []
    for place in PARTS:
        part = getattr(model, place)
        for each in part if place == "regularizers" else [part]:
            name = getattr(type(each), "zoo_name", None)
            if name is not None:
                found.append(f"{place.removesuffix('s')} {name}")
    return found


def results(name: str) -> list[tuple[str, str, str]]:
    """(id, title, page) of the experiments in docs/results whose code names a model."""
    return [section for section in _sections() if _has(section[0], name)]


@cache
def _sections() -> list[tuple[str, str, str]]:
    """(id, title, page) of every experiment in docs/results."""
    known, found = registry.names("experiment"), []
    for page in sorted((ROOT / "docs" / "results").glob("*.md")):
        heads = re.findall(r"^## ([A-Z][\w-]+): (.*)$", page.read_text(encoding="utf-8"), re.M)
        found += [(key, title, page.name) for key, title in heads if key in known]
    return found


def _has(key: str, name: str) -> bool:
    """Whether an experiment has a model."""
    if key == "LEADERBOARD":  # which asks nearly all
        from zoo.experiments.leaderboard.board import asked

        return name in asked()
    return _names(_code_of(key), name)


def _names(code: str, name: str) -> bool:
    """Whether code names a model, "vq_vae", or puts the name together: f"{kind}_vae" of kinds with "vq"."""
    stem, _, kind = name.rpartition("_")
    whole = f'"{name}"' in code
    return whole or (f'}}_{kind}"' in code and bool(re.search(rf'"{stem}(_\w+)?"', code)))


@cache
def _code_of(key: str) -> str:
    """The module of an experiment, and those of its folder that it imports."""
    module = registry.lookup(key, "experiment").__module__
    package = module.rpartition(".")[0]
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    code = path.read_text(encoding="utf-8")
    beside = re.findall(rf"^from {re.escape(package)}\.(\w+) import", code, re.M)
    for listed in re.findall(rf"^from {re.escape(package)} import (.+)$", code, re.M):
        beside += re.findall(r"\w+", listed)
    files = (path.with_name(f"{name}.py") for name in beside)
    return code + "".join(file.read_text(encoding="utf-8") for file in files)


def measured(name: str, beside: Trained) -> dict[str, str]:
    """A row of the table: the model with its defaults, and its step beside that of `beside`."""
    own = Trained(name)
    ratios = []
    for _ in range(ROUNDS):
        before, mine, after = beside.seconds(), own.seconds(), beside.seconds()
        ratios.append(2 * mine / (before + after))
    return {
        "model": name,
        "examples": " x ".join(map(str, own.model.event_shape)),
        "weights": str(sum(int(np.prod(v.shape)) for v in own.model.trainable_variables)),
        "step": number_text(statistics.median(ratios), 2),
        "parts": "; ".join(parts_of(own.model)),
    }


class Trained:
    """A model that trains on random numbers, compiled and traced already.

    Args:
        name: of the model.
    """

    def __init__(self, name: str):
        import zoo

        random = np.random.default_rng(0)
        rows = ROWS // 8 if name in SLOW else ROWS
        shape = SHAPES.get(name, (8, 8, 1))
        self.x = random.random((rows, *shape), np.float32)
        self.y: Any = None
        self.model = zoo.create(name, shape, seed=0, **OPTIONS.get(name, {}))
        if self.model.condition is not None:
            one_factor = name == "dc_ign"  # throughout a batch
            self.y = np.zeros(rows, int) if one_factor else np.arange(rows) % 10
        elif self.model.intake.target_shape is not None:
            self.y = self.x
        self.share = rows / ROWS
        self.model.compile("adam")
        self.seconds()

    def seconds(self) -> float:
        """Processor time of some epochs, as if all models had as many rows."""
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # random numbers teach nothing
            self.model.fit(self.x, self.y, epochs=EPOCHS, batch_size=BATCH, verbose=0)
        return (time.process_time() - start) / self.share


def main(names: list[str]) -> None:
    """Measure those that are named, or all, and write the table."""
    from website.reference import own

    table = facts().copy() if TABLE.exists() else {}
    beside = Trained("vae")
    for name in names or own("model"):
        table[name] = measured(name, beside)
        print(table[name], flush=True)
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(table[key] for key in sorted(table))


if __name__ == "__main__":
    main(sys.argv[1:])
