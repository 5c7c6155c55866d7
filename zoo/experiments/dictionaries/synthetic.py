"""SD-SYN: sparse dictionaries on data of known features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.evaluation.dictionary import against_features, tally
from zoo.experiments.dictionaries.features import draw_examples, make_features
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.training import train
from zoo.recipes.dictionaries import start
from zoo.visualization.drawing.style import class_style, panels, styled

# F1, MCC, unique and variance explained at L0 25 of SynthSAEBench-16k.
PUBLISHED = {
    "relu": (0.556, 0.604, 0.898, 0.765),
    "jump_relu": (0.732, 0.753, 0.989, 0.795),
    "batch_top_k": (0.732, 0.757, 0.984, 0.792),
    "matryoshka": (0.879, 0.793, 0.999, 0.779),
    "matching_pursuit": (0.446, 0.693, 0.828, 0.835),
}
MODELS = tuple(PUBLISHED)
COLUMNS = ("f1", "mcc", "uniqueness", "explained", "l0")


def run(
    seed: int,
    sources: Sources,
    *,
    features: int,
    width: int,
    atoms: int,
    active: int,
    rows: int,
    batch: int,
    steps: int,
    learning_rate: float,
) -> Outcome:
    """Train every architecture on the same rows, with the same L0 asked for.

    Args:
        seed: of features, rows and models.
        sources: unused.
        features: how many the data have, 16,384 in the paper.
        width: of an example, 768 in the paper.
        atoms: 4,096 in the paper.
        active: the L0 that is asked for.
        rows: of training, which has several passes over them.
        batch: rows of a batch, 1,024 in the paper.
        steps: of training.
        learning_rate: of Adam, 3e-4 in the paper.

    Returns:
        For each architecture F1, MCC and uniqueness against the true features, the share of variance that is
        explained and the L0, on new rows.
    """
    del sources
    truth = make_features(features, width, seed)
    x, _ = draw_examples(truth, rows, seed)
    held_out, sizes = draw_examples(truth, 20_000, seed + 1_000_000)
    measures: dict[str, float] = {
        "asked_l0": float(active),
        "true_l0": sizes.nnz / len(held_out),
    }
    arrays: dict[str, Any] = {"density": np.sort(sizes.getnnz(axis=0) / len(held_out))[::-1]}
    for name in MODELS:
        model = zoo.create(f"{name}_sae", (width,), latents=atoms, target_l0=active, seed=seed)
        start(model, x, verbose=False)
        epochs = max(round(steps * batch / rows), 1)
        train(model, x, epochs=epochs, batch_size=batch, learning_rate=learning_rate)
        found: dict[str, Any] = dict(against_features(model, held_out, truth.directions, sizes))
        counted = tally(model, held_out, top=0)
        scores: Any = counted.scores()
        found["explained"] = scores["explained_variance"]
        found["l0"] = scores["dictionary_l0"]
        measures |= {f"{name}/{column}": float(found[column]) for column in COLUMNS}
        arrays[f"{name}/density"] = np.sort(counted.density)[::-1]
        arrays[f"{name}/place"] = np.array([found["explained"], found["f1"]])
    return Outcome(measures, arrays)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """F1 against variance explained, here and as published; how often each unit fires."""
    figure, axes = panels(3, 3, 2.2)
    for index, name in enumerate(MODELS):
        style = class_style(index)
        label = name.replace("_", " ")
        f1, _, _, explained = PUBLISHED[name]
        axes[0].scatter(*arrays[f"{name}/place"], **style, label=label)
        axes[1].scatter(explained, f1, **style)
        density = np.maximum(arrays[f"{name}/density"], 1e-5)
        axes[2].plot(np.arange(1, len(density) + 1), density, color=style["color"])
    axes[2].plot(np.maximum(arrays["density"][: len(density)], 1e-5), color="0.5", linestyle=":")
    for place, title in zip(axes[:2], ("here", "published, at full size"), strict=True):
        place.set(title=title, xlabel="variance explained", ylabel="F1 of firing")
    axes[2].set(
        title="here",
        yscale="log",
        xlabel="unit, by density",
        ylabel="share of rows\n(dotted: true features)",
    )
    figure.legend(loc="outside lower center", ncols=len(MODELS))
    return {"architectures": figure}


def _f1(m: Mapping[str, float]) -> dict[str, float]:
    return {name: m[f"{name}/f1"] for name in MODELS}


EXPERIMENTS = (
    Experiment(
        id="SD-SYN",
        paper="sparse_dictionaries",
        title="Known features: five architectures at one L0",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "Every architecture has the L0 that was asked for, within 5 %, on new rows",
                lambda m: all(abs(m[f"{n}/l0"] / m["asked_l0"] - 1) < 0.05 for n in MODELS),
                tuple(f"{n}/l0" for n in MODELS),
            ),
            Claim(
                "By F1 a Matryoshka dictionary is ahead of batch top-k, and batch top-k of ReLU with L1",
                lambda m: m["matryoshka/f1"] > m["batch_top_k/f1"] > m["relu/f1"],
                ("matryoshka/f1", "batch_top_k/f1", "relu/f1"),
                ".879, .732, .556",
            ),
            Claim(
                "Matching pursuit explains the most variance",
                lambda m: max(MODELS, key=lambda n: m[f"{n}/explained"]) == "matching_pursuit",
                tuple(f"{n}/explained" for n in MODELS),
                ".765, .795, .792, .779, .835",
            ),
            Claim(
                "And it has the lowest F1",
                lambda m: min(MODELS, key=_f1(m).__getitem__) == "matching_pursuit",
                tuple(f"{n}/f1" for n in MODELS),
                ".556, .732, .732, .879, .446",
            ),
        ),
        quick={
            "features": 1024,
            "width": 96,
            "atoms": 256,
            "active": 5,
            "rows": 100_000,
            "batch": 512,
            "steps": 3000,
            "learning_rate": 1e-3,
        },
        full={
            "features": 16_384,
            "width": 768,
            "atoms": 4096,
            "active": 25,
            "rows": 2_000_000,
            "batch": 1024,
            "steps": 195_000,
            "learning_rate": 3e-4,
        },
    ),
)
