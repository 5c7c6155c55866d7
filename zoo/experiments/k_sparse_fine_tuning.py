"""OX-KS-T3: classifiers that start from autoencoders (Makhzani & Frey, table 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.autoencoder import Autoencoder
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.k_sparse import BATCH, FIRST_K, UNITS, baseline, fit, k_sparse
from zoo.experiments.training import falling, mnist, train, train_classifier, unit
from zoo.training import LinearSchedule
from zoo.training.fine_tuning import classifier
from zoo.training.rbm import Settings, train_rbm
from zoo.visualization.style import panels, styled

PAPER = {
    "none": 1.60,
    "rbm": 1.24,
    "dropout": 1.05,
    "denoising": 1.20,
    "deep_dropout": 0.85,
    "k_sparse": 1.08,
    "deep_k_sparse": 0.97,
}
K, ALPHA = 25, 3.0
# What a row fine-tunes with: (input dropout, dropout).
DROPOUTS = {"dropout": (0.0, 0.5), "denoising": (0.2, 0.0), "deep_dropout": (0.0, 0.5)}


def pretrained(
    row: str,
    x: np.ndarray,
    seed: int,
    settings: Mapping[str, Any],
    learnt: dict[str, list[np.ndarray]],
) -> list[Autoencoder]:
    """The autoencoders below a row's classifier, trained without labels.

    Args:
        row: of the table.
        x: training digits.
        seed: of the models.
        settings: see `run`.
        learnt: weights of first layers by kind, for the shallow and the deep row of one kind to share.

    Returns:
        First to last.
    """
    epochs, steps = settings["epochs"], settings["epochs"] * (len(x) // BATCH)
    if row in ("none", "rbm"):
        model = zoo.create(
            "autoencoder",
            (28, 28, 1),
            latents=UNITS,
            hidden=(),
            code_activation="relu" if row == "none" else "sigmoid",
            seed=seed,
        )
        if row == "rbm":
            flat = x.reshape(len(x), -1) / np.float32(255)
            machine = train_rbm(flat, UNITS, settings=Settings(settings["rbm_epochs"]), seed=seed)
            model.bottleneck.dense.set_weights([machine.kernel, machine.hidden_bias])
        return [model]
    kind = row.removeprefix("deep_")
    first = k_sparse(K, steps, seed, ALPHA) if kind == "k_sparse" else baseline(kind, seed)
    if kind in learnt:
        first.set_weights(learnt[kind])
    elif kind == "k_sparse":
        fit(first, x, epochs, settings["rate"])
    else:
        train(first, x, epochs=epochs, batch_size=BATCH)
    # Fine-tuning moves the weights of the model that it is given.
    learnt[kind] = first.get_weights()
    if not row.startswith("deep_"):
        return [first]
    codes = first.encode(x)
    shared: dict[str, Any] = {
        "latents": UNITS,
        "code_activation": "relu",
        "likelihood": "squared_error",
        "seed": seed,
    }
    if row == "deep_k_sparse":
        schedule = LinearSchedule(FIRST_K * K, K, max(steps // 2, 1))
        second = zoo.create("k_sparse_autoencoder", (UNITS,), k=schedule, alpha=ALPHA, **shared)
        fit(second, codes, epochs, settings["rate"])
    else:
        second = zoo.create("dropout_autoencoder", (UNITS,), **shared)
        train(second, codes, epochs=epochs, batch_size=BATCH)
    return [first, second]


def run(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """Pre-train, put a softmax layer on top, and train all of it on the labels.

    The learning rate falls to 0 over the epochs, so that no epoch is picked by the test set.

    Args:
        seed: of the models.
        sources: of MNIST.
        **settings: ``epochs``, ``rbm_epochs``, ``tune_epochs``, ``examples``, ``rate``.

    Returns:
        ``<row>/error`` in per cent of the test digits.
    """
    source, test = mnist("train", sources, settings["examples"]), mnist("test", sources)
    x, fresh = unit(source), unit(test)
    measures: dict[str, float] = {}
    learnt: dict[str, list[np.ndarray]] = {}
    for row in PAPER:
        stack = pretrained(row, source.inputs, seed, settings, learnt)
        network = classifier(stack, 10, *DROPOUTS.get(row, (0.0, 0.0)))
        rate = falling(1e-3, settings["tune_epochs"], len(x), BATCH)
        train_classifier(
            network,
            x,
            source.labels,
            epochs=settings["tune_epochs"],
            batch_size=BATCH,
            optimizer=keras.optimizers.Adam(rate),
        )
        accuracy = network.evaluate(fresh, test.labels, batch_size=500, verbose=0)[1]
        measures[f"{row}/error"] = 100 * (1 - float(accuracy))
    return Outcome(measures, {name: np.array(value) for name, value in measures.items()})


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """The table as bars, the paper's figures as marks."""
    figure, (axes,) = panels(1, 1, 3.0)
    errors = [float(arrays[f"{row}/error"]) for row in PAPER]
    axes.barh(list(PAPER), errors, color="#56B4E9", label="ours")
    axes.plot(list(PAPER.values()), list(PAPER), "D", color="#D55E00", label="paper")
    axes.invert_yaxis()
    axes.set_xlabel("test error, %")
    axes.legend()
    return {"table": figure}


_ROWS = tuple(f"{row}/error" for row in PAPER)
EXPERIMENTS = (
    Experiment(
        id="OX-KS-T3",
        paper="autoencoders_lecture",
        title="Pre-training and fine-tuning",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "k-sparse pre-training helps, shallow and deep",
                lambda m: max(m["k_sparse/error"], m["deep_k_sparse/error"]) < m["none/error"],
                ("none/error", "k_sparse/error", "deep_k_sparse/error"),
                "1.60, 1.08, .97 %",
            ),
            Claim(
                "The k-sparse errors reach the paper's",
                lambda m: m["k_sparse/error"] <= 1.08 and m["deep_k_sparse/error"] <= 0.97,
                ("k_sparse/error", "deep_k_sparse/error"),
                "1.08, .97 %",
            ),
            Claim(
                "So does every other pre-training",
                lambda m: all(m[name] < m["none/error"] for name in _ROWS[1:]),
                _ROWS,
                ", ".join(f"{row} {error}" for row, error in PAPER.items()),
            ),
        ),
        quick={"epochs": 4, "rbm_epochs": 2, "tune_epochs": 6, "examples": 6000, "rate": 0.01},
        full={
            "epochs": 100,
            "rbm_epochs": 50,
            "tune_epochs": 50,
            "examples": 60_000,
            "rate": 0.01,
        },
    ),
)
