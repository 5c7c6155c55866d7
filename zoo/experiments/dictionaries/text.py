"""SD-TEXT: sparse dictionaries of MiniLM's activations on WordNet's glosses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.evaluation.dictionary import Tally, agreement, k_sparse_probe, tally
from zoo.experiments.dictionaries.minilm import LEXICOGRAPHER_FILES, MiniLM, read_glosses
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.training import train
from zoo.recipes.dictionaries import start
from zoo.visualization.drawing.style import class_style, panels, styled
from zoo.visualization.pages.features import Feature, features, write_features

MODELS = ("top_k", "relu")
TOGETHER = 64  # glosses that the network is given at a time
SHOWN, EXAMPLES = 60, 8  # units on the page of features, and examples of each
AROUND = 2  # words beside a word piece that are committed of a gloss
NOTICE = (
    "Word pieces with at most two words of their gloss before and behind, from WordNet 3.0, Copyright 2006 "
    "by Princeton University. All rights reserved. https://wordnet.princeton.edu/license-and-commercial-use"
)
FEWEST = 30  # glosses of a lexicographer file that is probed


def activations(
    network: MiniLM, texts: list[str], block: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a block gives for each word piece of the texts, without [CLS] and [SEP].

    Args:
        network: the encoder.
        texts: any number of them.
        block: 1 to 6.

    Returns:
        (rows, 384) float16; of each row the number of its text, and of its place in it, where [CLS] is 0.
    """
    order = np.argsort([len(text) for text in texts], kind="stable")  # little is padded so
    values, owners, places = [], [], []
    for first in range(0, len(order), TOGETHER):
        chosen = order[first : first + TOGETHER]
        ids = network.padded([texts[i] for i in chosen])
        found = np.asarray(network.activations(ids, block), np.float16)
        inner = ids != 0
        inner[:, 0] = False  # [CLS]
        inner[np.arange(len(ids)), (ids != 0).sum(axis=1) - 1] = False  # [SEP]
        row, place = np.nonzero(inner)
        values.append(found[row, place])
        owners.append(chosen[row])
        places.append(place)
    return np.concatenate(values), np.concatenate(owners), np.concatenate(places)


def run(
    seed: int,
    sources: Sources,
    *,
    glosses: int,
    held_out: int,
    block: int,
    atoms: int,
    active: int,
    passes: int,
    batch: int,
    learning_rate: float,
    model: str,
    wordnet: str,
) -> Outcome:
    """Train top-k, twice, and ReLU with the same L0 on the activations of some glosses.

    Args:
        seed: of which glosses, and of the dictionaries.
        sources: in `models`, where it is set, the page of features is written.
        glosses: to train on, of 117,659.
        held_out: to measure on.
        block: of MiniLM, 1 to 6.
        atoms: of a dictionary.
        active: the L0 that is asked for.
        passes: over the activations.
        batch: rows of a batch.
        learning_rate: of Adam.
        model: folder of MiniLM's files; "" for the installed package.
        wordnet: folder of WordNet's files.

    Returns:
        For both dictionaries variance explained, norm ratio, L0, dead units, and how well 1 and 5 units tell
        the lexicographer file of a gloss; how far two seeds of top-k agree. Among the arrays "features": as
        JSON, of some units of top-k, the word pieces on which they fire most.

    Raises:
        ValueError: where MiniLM or WordNet are not installed, with how to install them.
    """
    found = read_glosses(wordnet)
    network = MiniLM(model)
    chosen = np.random.default_rng(seed).permutation(len(found.texts))[: glosses + held_out]
    texts = [found.texts[i] for i in chosen]
    x, _, _ = activations(network, texts[:glosses], block)
    x = x[np.random.default_rng(seed).permutation(len(x))]
    fresh, owners, places = activations(network, texts[glosses:], block)
    files = found.files[chosen[glosses:]]
    common = np.isin(files, np.flatnonzero(np.bincount(files) >= FEWEST))
    measures: dict[str, float] = {"asked_l0": float(active), "rows": float(len(x))}
    arrays: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for name, kind, own_seed in (
        ("top_k", "top_k", seed),
        ("relu", "relu", seed),
        ("again", "top_k", seed + 1),
    ):
        trained = zoo.create(
            f"{kind}_sae", x.shape[1:], latents=atoms, target_l0=active, seed=own_seed
        )
        start(trained, x, verbose=False)
        train(trained, x, epochs=passes, batch_size=batch, learning_rate=learning_rate)
        kept[name] = trained
    measures["top_k/agreement"] = agreement(kept["top_k"], kept["again"])
    for name in MODELS:
        counted = tally(kept[name], fresh, top=EXAMPLES)
        scores: Any = counted.scores()
        pooled = np.zeros((len(texts) - glosses, atoms), np.float32)
        for first in range(0, len(fresh), 4096):
            rows = slice(first, first + 4096)
            np.maximum.at(pooled, owners[rows], kept[name].encode(fresh[rows]))
        measures |= {
            f"{name}/explained": float(scores["explained_variance"]),
            f"{name}/norm_ratio": float(scores["norm_ratio"]),
            f"{name}/l0": float(scores["dictionary_l0"]),
            f"{name}/dead_share": float(scores["dead_share"]),
            f"{name}/probe_1": k_sparse_probe(pooled[common], files[common], 1),
            f"{name}/probe_5": k_sparse_probe(pooled[common], files[common], 5),
        }
        arrays[f"{name}/density"] = np.sort(counted.density)[::-1]
        if name == "top_k":
            held = _HeldOut(network, texts[glosses:], files, owners, places)
            found = features(
                kept[name], fresh, words=held.words, counted=counted, count=SHOWN, top=EXAMPLES
            )
            arrays["features"] = np.array(described(found, counted, held))
            if sources.models:
                folder = Path(sources.models)
                folder.mkdir(parents=True, exist_ok=True)
                page = folder / f"SD-TEXT-features-{seed}.html"
                write_features(page, found, "MiniLM on WordNet's glosses")
    return Outcome(measures, arrays)


class _HeldOut(NamedTuple):
    """The glosses to measure on, and of each row the number of its gloss and its place there."""

    network: MiniLM
    texts: list[str]
    files: np.ndarray
    owners: np.ndarray
    places: np.ndarray

    def words(self, row: int) -> tuple[str, str, str]:
        """A row's word piece between what stands before it and behind."""
        tokens = self.network.tokens(self.texts[self.owners[row]])
        pieces = [self.network.pieces[token] for token in tokens]
        place = self.places[row]
        return _joined(pieces[1:place]), pieces[place], _joined(pieces[place + 1 : -1])

    def file(self, row: int) -> str:
        """The lexicographer file of the row's gloss."""
        return LEXICOGRAPHER_FILES[self.files[self.owners[row]]]


def described(found: Sequence[Feature], counted: Tally, held: Any) -> str:
    """Some units as JSON: when each fires, and the word pieces of its largest codes, in square brackets.

    Args:
        found: the units.
        counted: what was counted of them.
        held: the glosses.

    Returns:
        {"notice": ..., "units": [{"unit", "density", "examples"}, ...]}, an example being its code, its words
        and the lexicographer file of its gloss.
    """

    def example(value: float, row: int) -> list[Any]:
        before, piece, behind = held.words(row)
        words = [*before.split()[-AROUND:], f"[{piece}]", *behind.split()[:AROUND]]
        return [round(value, 2), " ".join(words), held.file(row)]

    units = []
    for one in found:
        rows = counted.top_rows[one.unit][: len(one.examples)]
        shown = zip(one.examples, rows, strict=True)
        examples = [example(e.value, int(row)) for e, row in shown]
        units.append({"unit": one.unit, "density": one.density, "examples": examples})
    return json.dumps({"notice": NOTICE, "units": units})


def _joined(pieces: list[str]) -> str:
    return " ".join(pieces).replace(" ##", "")


def texts_of(arrays: Mapping[str, Any]) -> dict[str, str]:
    """The file of units, an example a line."""
    found = json.loads(str(arrays["features"]))
    lines = [json.dumps(found["notice"])]
    for one in found["units"]:
        head = f'"unit": {one["unit"]}, "density": {one["density"]:.2g}, "examples": ['
        examples = ",\n    ".join(map(json.dumps, one["examples"]))
        lines.append(f"{{{head}\n    {examples}]}}")
    notice, *units = lines
    body = ",\n  ".join(units)
    return {"features.json": f'{{"notice": {notice},\n"units": [\n  {body}\n]}}\n'}


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """How often each unit fires."""
    figure, axes = panels(1, 1, 2.6)
    for index, name in enumerate(MODELS):
        density = np.maximum(arrays[f"{name}/density"], 1e-6)
        style = class_style(index)
        axes[0].plot(
            np.arange(1, len(density) + 1),
            density,
            color=style["color"],
            label=name.replace("_", " "),
        )
    axes[0].set(yscale="log", xlabel="unit, by density", ylabel="share of word pieces")
    axes[0].legend()
    return {"density": figure}


EXPERIMENTS = (
    Experiment(
        id="SD-TEXT",
        paper="sparse_dictionaries",
        title="MiniLM on WordNet's glosses: top-k beside ReLU",
        run=run,
        draw=draw,
        texts=texts_of,
        claims=(
            Claim(
                "At one L0 top-k explains more variance than ReLU with L1, by .03 at least",
                lambda m: m["top_k/explained"] > m["relu/explained"] + 0.03,
                ("top_k/explained", "relu/explained"),
                ".958, .899 (pythia-70m)",
            ),
            Claim(
                "ReLU with L1 shrinks: its norm ratio lies below that of top-k, by .05 at least",
                lambda m: m["relu/norm_ratio"] < m["top_k/norm_ratio"] - 0.05,
                ("top_k/norm_ratio", "relu/norm_ratio"),
                ".948, .746 (pythia-70m)",
            ),
            Claim(
                "Both have the L0 that was asked for, within 5 %",
                lambda m: all(abs(m[f"{n}/l0"] / m["asked_l0"] - 1) < 0.05 for n in MODELS),
                tuple(f"{n}/l0" for n in MODELS),
            ),
        ),
        quick={
            "glosses": 3000,
            "held_out": 1500,
            "block": 3,
            "atoms": 768,
            "active": 16,
            "passes": 6,
            "batch": 256,
            "learning_rate": 1e-3,
            "model": "",
            "wordnet": "/usr/share/wordnet",
        },
        full={
            "glosses": 110_000,
            "held_out": 7000,
            "block": 3,
            "atoms": 3072,
            "active": 32,
            "passes": 5,
            "batch": 1024,
            "learning_rate": 5e-4,
            "model": "",
            "wordnet": "/usr/share/wordnet",
        },
    ),
)
