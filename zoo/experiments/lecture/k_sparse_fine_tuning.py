"""OX-KS-T3: classifiers that start from autoencoders (Makhzani & Frey, table 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.autoencoder import Autoencoder
from zoo.data import Data
from zoo.data.pixels import as_unit_floats
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.lecture.k_sparse import (
    BATCH,
    FIRST_K,
    UNITS,
    first_kernel,
    fit,
    trained,
    with_alpha,
)
from zoo.experiments.shelf import kept
from zoo.experiments.training import QUIET, falling, labels_of, mnist, train_classifier, unit
from zoo.recipes import LinearSchedule
from zoo.recipes.fine_tuning import classifier, linear_head
from zoo.recipes.rbm import Settings, train_rbm
from zoo.visualization.drawing.style import panels, styled

PAPER = {
    "none": 1.60,
    "rbm": 1.24,
    "dropout": 1.05,
    "denoising": 1.20,
    "deep_dropout": 0.85,
    "k_sparse": 1.08,
    "deep_k_sparse": 0.97,
}
K = 25
# Units kept at encoding over those kept in training, layer by layer: of 3, 8 and 40, the best shallow one on
# held-out training digits.
ALPHAS = {"k_sparse": (8.0,), "deep_k_sparse": (3.0, 8.0)}


class Tuning(NamedTuple):
    """How a row is fine-tuned.

    Attributes:
        optimizer: "adam", or "momentum" for stochastic gradient descent with momentum .9.
        rate: the first learning rate; it falls to 0 over the epochs.
        head: whether the last layer begins as a logistic regression of the frozen codes.
        noise: standard deviation of Gaussian noise on the inputs in training.
        input_dropout: share of the inputs set to 0 in training.
        dropout: share of the units set to 0 in training.
    """

    optimizer: str = "adam"
    rate: float = 1e-3
    head: bool = False
    noise: float = 0.0
    input_dropout: float = 0.0
    dropout: float = 0.0


# The table's rows, and the one without pre-training under the noise that the k-sparse rows have.
TUNINGS = {
    "none": Tuning(),
    "none_noise": Tuning(noise=0.3),
    "rbm": Tuning(),
    "dropout": Tuning(head=True, dropout=0.5),
    "denoising": Tuning(rate=3e-4, head=True, input_dropout=0.2),
    "deep_dropout": Tuning(head=True, dropout=0.5),
    "k_sparse": Tuning("momentum", 0.06, head=True, noise=0.3),
    "deep_k_sparse": Tuning("momentum", 0.06, head=True, noise=0.3),
}


def pretrained(
    row: str, x: np.ndarray, seed: int, settings: Mapping[str, Any], sources: Sources
) -> list[Autoencoder]:
    """The autoencoders below a row's classifier, first to last, trained without labels."""
    if not TUNINGS[row].head:
        model = zoo.create(
            "autoencoder",
            (28, 28, 1),
            latents=UNITS,
            hidden=(),
            code_activation="sigmoid" if row == "rbm" else "relu",
            seed=seed,
        )
        if row == "rbm":
            flat = as_unit_floats(x.reshape(len(x), -1))
            machine = train_rbm(flat, UNITS, settings=Settings(settings["rbm_epochs"]), seed=seed)
            model.bottleneck.dense.set_weights([machine.kernel, machine.hidden_bias])
        return [model]
    sparse, rate = row.endswith("k_sparse"), settings["rate"]
    epochs = settings["epochs" if sparse else "baseline_epochs"]
    kind = f"k{K}" if sparse else row.removeprefix("deep_")
    first = trained(kind, x, seed, epochs, rate, sources)
    if sparse:
        first = with_alpha(first, K, ALPHAS[row][0], seed)
    if not row.startswith("deep_"):
        return [first]

    def make() -> Autoencoder:
        model = upper(row, settings["deep_epochs"] * (len(x) // BATCH), seed)
        fit(model, first.encode(x), settings["deep_epochs"], rate)
        return model

    name = f"features-{row}-{seed}-{epochs}+{settings['deep_epochs']}x{len(x)}-{rate:g}"
    return [first, kept(sources.models, name, make)]


def upper(row: str, steps: int, seed: int) -> Autoencoder:
    """The second autoencoder of a stack, of codes."""
    shared: dict[str, Any] = {
        "latents": UNITS,
        "code_activation": "relu",
        "kernel_initializer": first_kernel(seed),
        "likelihood": "squared_error",
        "seed": seed,
    }
    if row == "deep_dropout":
        return zoo.create("dropout_autoencoder", (UNITS,), networks="tied", **shared)
    schedule = LinearSchedule(FIRST_K * K, K, max(steps // 2, 1))
    return zoo.create("k_sparse_autoencoder", (UNITS,), k=schedule, alpha=ALPHAS[row][1], **shared)


def first_head(stack: list[Autoencoder], source: Data) -> keras.layers.Dense:
    """A logistic regression of the frozen codes of a stack, which a classifier's last layer may begin as."""
    codes = source.inputs
    for model in stack:
        codes = model.encode(codes)
    return linear_head(codes, labels_of(source))


def tuned(
    stack: list[Autoencoder],
    x: np.ndarray,
    source: Data,
    tuning: Tuning,
    epochs: int,
    head: keras.layers.Layer | None = None,
) -> keras.Model:
    """The classifier above a stack of autoencoders, all of it trained on the labels.

    Args:
        stack: first to last; their weights move.
        x: (n, 28, 28, 1), the digits in [0, 1].
        source: the same with their labels.
        tuning: how.
        epochs: passes over x.
        head: the last layer, where `tuning` asks for a trained one and it is there already.

    Returns:
        The trained classifier.
    """
    if tuning.head and head is None:
        head = first_head(stack, source)
    network = classifier(
        stack, 10, tuning.input_dropout, tuning.dropout, head=head, input_noise=tuning.noise
    )
    rate = falling(tuning.rate, epochs, len(x), BATCH)
    optimizer = (
        keras.optimizers.Adam(rate)
        if tuning.optimizer == "adam"
        else keras.optimizers.SGD(rate, momentum=0.9)
    )
    train_classifier(
        network, x, labels_of(source), epochs=epochs, batch_size=BATCH, optimizer=optimizer
    )
    return network


def run(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """Pre-train, put a softmax layer on top, and train all of it on the labels.

    The softmax layer above an autoencoder starts as a logistic regression of the frozen codes, and all
    layers of a k-sparse row then move gently, with momentum: a rate that suits random weights, and the
    gradients of a random last layer, undo what was learnt without labels. The rows without pre-training and
    with a Boltzmann machine have a random last layer and Adam's usual rate. Learning rates fall to 0 over
    the epochs, so that no epoch is picked by the test set. Beyond the paper, the k-sparse rows have noise on
    the inputs; a row without pre-training has it too, so that what each gives can be told apart.

    Args:
        seed: of the models.
        sources: of MNIST.
        **settings: ``epochs`` of the first k-sparse layer, ``baseline_epochs`` of the other first ones,
            ``deep_epochs`` of second layers, ``rbm_epochs``, ``tune_epochs`` and, of the rows with
            dropout of units, ``dropout_tune_epochs``; ``examples``, and ``rate``, the learning rate of
            pre-training.

    Returns:
        ``<row>/error`` in per cent of the test digits.
    """
    source, test = mnist("train", sources, settings["examples"]), mnist("test", sources)
    x, fresh = unit(source), unit(test)
    measures: dict[str, float] = {}
    for row, tuning in TUNINGS.items():
        stack = pretrained(row, source.inputs, seed, settings, sources)
        epochs = settings["dropout_tune_epochs" if tuning.dropout else "tune_epochs"]
        network = tuned(stack, x, source, tuning, epochs)
        accuracy = network.evaluate(fresh, labels_of(test), batch_size=500, verbose=QUIET)[1]
        measures[f"{row}/error"] = 100 * (1 - float(accuracy))
    return Outcome(measures, {name: np.array(value) for name, value in measures.items()})


@styled
def draw(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """The table as bars, the paper's figures as marks."""
    figure, (axes,) = panels(1, 1, 3.0)
    errors = [float(arrays[f"{row}/error"]) for row in TUNINGS]
    axes.barh(list(TUNINGS), errors, color="#56B4E9", label="ours")
    axes.plot(list(PAPER.values()), list(PAPER), "D", color="#D55E00", label="paper")
    axes.invert_yaxis()
    axes.set_xlabel("test error, %")
    axes.legend()
    return {"table": figure}


# Of accuracies in float32, for errors that equal the paper's.
ROUNDING = 1e-5
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
                lambda m: (
                    max(m["k_sparse/error"], m["deep_k_sparse/error"])
                    < min(m["none/error"], m["none_noise/error"])
                ),
                ("none/error", "none_noise/error", "k_sparse/error", "deep_k_sparse/error"),
                "1.60, 1.08, .97 %",
            ),
            Claim(
                "The k-sparse errors reach the paper's",
                lambda m: (
                    m["k_sparse/error"] <= 1.08 + ROUNDING
                    and m["deep_k_sparse/error"] <= 0.97 + ROUNDING
                ),
                ("k_sparse/error", "deep_k_sparse/error"),
                "1.08, .97 %",
            ),
            Claim(
                "So does every other pre-training, against none without noise",
                lambda m: all(m[name] < m["none/error"] for name in _ROWS[1:]),
                (*_ROWS, "none_noise/error"),
                ", ".join(f"{row} {error}" for row, error in PAPER.items()),
            ),
        ),
        quick={
            "epochs": 4,
            "baseline_epochs": 4,
            "deep_epochs": 4,
            "rbm_epochs": 2,
            "tune_epochs": 6,
            "dropout_tune_epochs": 10,
            "examples": 6000,
            "rate": 0.01,
        },
        full={
            "epochs": 100,
            "baseline_epochs": 100,
            "deep_epochs": 100,
            "rbm_epochs": 50,
            "tune_epochs": 50,
            "dropout_tune_epochs": 50,
            "examples": 60_000,
            "rate": 0.01,
        },
    ),
)
