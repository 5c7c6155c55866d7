"""OX-KS-T1 and OX-KS-F1: features without labels, and filters (Makhzani & Frey, table 1 and figure 1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.autoencoder import Autoencoder
from zoo.experiments.digits import logistic_regression
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources, rising
from zoo.experiments.lecture.filters import area, radius
from zoo.experiments.shelf import kept
from zoo.experiments.training import labels_of, mnist, train, unit
from zoo.recipes import LinearSchedule
from zoo.recipes.centering import start_at_mean
from zoo.recipes.rbm import Settings, train_rbm
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import panels, styled

UNITS = 1000
BATCH = 128
# k starts at this many times its target. From 100, the authors' start, fewer units stay in use.
FIRST_K = 2
FIRST_DEVIATION = 0.01
ALPHAS = (1, 2, 3)
PAPER = {
    "raw": 7.20,
    "rbm": 1.81,
    "dropout": 1.80,
    "denoising": 1.95,
    "both": 1.60,
    "k40": 1.54,
    "k25": 1.35,
    "k10": 2.10,
}


def k_sparse(k: int, steps: int, seed: int, alpha: float = 1.0) -> Autoencoder:
    """A k-sparse autoencoder whose k falls over the first half of the steps."""
    return zoo.create(
        "k_sparse_autoencoder",
        (28, 28, 1),
        latents=UNITS,
        k=LinearSchedule(FIRST_K * k, k, max(steps // 2, 1)),
        alpha=alpha,
        code_activation="relu",
        kernel_initializer=first_kernel(seed),
        seed=seed,
    )


def first_kernel(seed: int) -> keras.initializers.Initializer:
    """N(0, .01^2), as in the authors' code."""
    return keras.initializers.RandomNormal(stddev=FIRST_DEVIATION, seed=seed)


def baseline(kind: str, seed: int) -> Autoencoder:
    """A dropout, denoising or combined autoencoder, in all else as the k-sparse one."""
    shared: dict[str, Any] = {
        "latents": UNITS,
        "hidden": (),
        "networks": "tied",
        "likelihood": "squared_error",
        "code_activation": "relu",
        "kernel_initializer": first_kernel(seed),
        "seed": seed,
    }
    if kind == "dropout":
        return zoo.create("dropout_autoencoder", (28, 28, 1), **shared)
    rate = 0.5 if kind == "both" else 0.0
    return zoo.create("denoising_autoencoder", (28, 28, 1), level=0.2, dropout=rate, **shared)


def fit(model: Autoencoder, x: np.ndarray, epochs: int, rate: float) -> None:
    """Train with momentum .9, as the authors do, from the mean of the data."""
    start_at_mean(model, x)
    momentum = keras.optimizers.SGD(rate, momentum=0.9)
    train(model, x, epochs=epochs, batch_size=BATCH, optimizer=momentum)


def trained(
    kind: str, x: np.ndarray, seed: int, epochs: int, rate: float, sources: Sources
) -> Autoencoder:
    """A baseline, or the k-sparse autoencoder of "kK", fitted to digits or read where it is kept."""

    def make() -> Autoencoder:
        sparse = kind[1:].isdigit()
        steps = epochs * (len(x) // BATCH)
        model = k_sparse(int(kind[1:]), steps, seed) if sparse else baseline(kind, seed)
        fit(model, x, epochs, rate)
        return model

    return kept(sources.models, f"features-{kind}-{seed}-{epochs}x{len(x)}-{rate:g}", make)


def with_alpha(model: Autoencoder, k: int, alpha: float, seed: int) -> Autoencoder:
    """A trained k-sparse autoencoder that encodes with alpha * k units."""
    other = k_sparse(k, 1, seed, alpha)
    other.set_weights(model.get_weights())
    return other


def run(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """Features of 1,000 units from every model of the table, judged by a linear classifier.

    Args:
        seed: of the models and the classifiers.
        sources: of MNIST.
        **settings: ``epochs`` of the k-sparse autoencoders, ``baseline_epochs`` of the others,
            ``rbm_epochs``, ``probe_iterations``, ``examples``, ``ks``, ``rate`` (learning rate, .01 in the
            authors' code) and ``rows`` of the table to fill.

    Returns:
        ``<row>/error`` in per cent of the test digits, ``<row>/held_out``; for k-sparse rows ``alpha``,
        chosen on held-out training digits, ``used``, the units whose weights have grown to more than twice
        those that they began with and that are active in more than one test digit of a thousand, and
        ``spread``, the median root mean square radius of the energy of their filters, in pixels, and
        ``area``, the median number of pixels that hold half of it, which the faint rest of a filter's random
        start changes little.
    """
    source, test = mnist("train", sources, settings["examples"]), mnist("test", sources)
    x, fresh = unit(source), unit(test)
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {}

    def judge(row: str, features: Callable[[np.ndarray], np.ndarray]) -> None:
        held, named = logistic_regression(
            features(x), labels_of(source), features(fresh), seed, settings["probe_iterations"]
        )
        if held * 100 < measures.get(f"{row}/held_out", 101.0):
            measures[f"{row}/held_out"] = held * 100
            measures[f"{row}/error"] = float((named != test.labels).mean() * 100)

    if "raw" in settings["rows"]:
        judge("raw", lambda pictures: pictures.reshape(len(pictures), -1))
    if "rbm" in settings["rows"]:
        machine = train_rbm(
            x.reshape(len(x), -1),
            UNITS,
            settings=Settings(epochs=settings["rbm_epochs"]),
            seed=seed,
        )
        judge("rbm", lambda pictures: _sigmoid(pictures, machine.kernel, machine.hidden_bias))
    for kind in ("dropout", "denoising", "both"):
        if kind in settings["rows"]:
            model = trained(
                kind, source.inputs, seed, settings["baseline_epochs"], settings["rate"], sources
            )
            judge(kind, model.encode)
    for k in settings["ks"]:
        model = trained(f"k{k}", source.inputs, seed, settings["epochs"], settings["rate"], sources)
        kernel = model.bottleneck.dense.kernel.numpy()
        # Units that never win keep the noise that they began with, or what drove them out.
        learnt = (kernel**2).sum(axis=0) > 4 * 784 * FIRST_DEVIATION**2
        used = learnt & ((model.encode(fresh) != 0).mean(axis=0) > 0.001)
        measures[f"k{k}/used"] = float(used.sum())
        measures[f"k{k}/spread"] = float(np.median(radius(kernel[:, used])))
        measures[f"k{k}/area"] = float(np.median(area(kernel[:, used])))
        measures[f"k{k}/squared_error"] = float(
            ((model.reconstruct(fresh) - fresh) ** 2).sum((1, 2, 3)).mean()
        )
        chosen = np.random.default_rng(seed).permutation(np.flatnonzero(used))[:64]
        arrays[f"k{k}/filters"] = kernel.T.reshape(-1, 28, 28)[chosen]
        if f"k{k}" not in settings["rows"]:
            continue
        for alpha in ALPHAS:
            encoder = with_alpha(model, k, alpha, seed)
            before = measures.get(f"k{k}/held_out", 101.0)
            judge(f"k{k}", encoder.encode)
            if measures[f"k{k}/held_out"] < before:
                measures[f"k{k}/alpha"] = float(alpha)
    return Outcome(measures, arrays)


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Filters of 64 random units in use, each on its own scale."""
    names = sorted((n for n in arrays if n.endswith("/filters")), key=lambda n: -int(n[1:-8]))
    figure, axes = panels(len(names), 2, 3.4)
    for place, name in zip(axes, names, strict=True):
        filters = arrays[name]
        top = np.abs(filters).max(axis=(1, 2), keepdims=True) + 1e-9
        show_mosaic(place, filters / top, 8, (-1, 1))
        place.set_title(f"k = {name[1:-8]}")
    return {"filters": figure}


def _sigmoid(pictures: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(pictures.reshape(len(pictures), -1) @ kernel + bias)))


_KS = (70, 40, 25, 10)
_SETTINGS = {"ks": [40, 25, 10], "rate": 0.01, "rows": list(PAPER)}
_FILTERS = {
    "ks": list(_KS),
    "rate": 0.01,
    "rows": [],
    "baseline_epochs": 0,
    "rbm_epochs": 0,
    "probe_iterations": 0,
}
EXPERIMENTS = (
    Experiment(
        id="OX-KS-T1",
        paper="autoencoders_lecture",
        title="k-sparse and other features, no fine-tuning",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "k = 25 is better than k = 40 and k = 10",
                lambda m: m["k25/error"] < min(m["k40/error"], m["k10/error"]),
                ("k40/error", "k25/error", "k10/error"),
                "1.54, 1.35, 2.10 %",
            ),
            Claim(
                "k = 25 reaches the paper's error",
                lambda m: m["k25/error"] <= 1.35,
                ("k25/error", "k25/alpha"),
                "1.35 %",
            ),
            Claim(
                "k = 25 is better than raw pixels and the other features",
                lambda m: m["k25/error"] < min(m[f"{row}/error"] for row in list(PAPER)[:5]),
                tuple(f"{row}/error" for row in list(PAPER)[:5]),
                "raw 7.20, RBM 1.81, dropout 1.80, denoising 1.95, both 1.60 %",
            ),
        ),
        quick={
            **_SETTINGS,
            "epochs": 8,
            "baseline_epochs": 8,
            "rbm_epochs": 1,
            "probe_iterations": 20,
            "examples": 5000,
        },
        full={
            **_SETTINGS,
            "epochs": 500,
            "baseline_epochs": 500,
            "rbm_epochs": 50,
            "probe_iterations": 300,
            "examples": 60_000,
        },
        equal={"precision": "mixed_bfloat16"},
    ),
    Experiment(
        id="OX-KS-F1",
        paper="autoencoders_lecture",
        title="Filters of the k-sparse autoencoder",
        run=run,
        draw=draw,
        claims=(
            Claim(
                "Large k gives local strokes, small k whole digits: the filters' reach grows as k falls",
                lambda m: rising([m[f"k{k}/spread"] for k in _KS]),
                tuple(f"k{k}/{what}" for k in _KS for what in ("spread", "used")),
            ),
            Claim(
                "Half of a filter's energy lies in the more pixels, the smaller k",
                lambda m: rising([m[f"k{k}/area"] for k in _KS]),
                tuple(f"k{k}/area" for k in _KS),
            ),
        ),
        quick={**_FILTERS, "epochs": 10, "examples": 20_000},
        full={**_FILTERS, "epochs": 500, "examples": 60_000},
        equal={"precision": "mixed_bfloat16"},
    ),
)
