"""OX-KS-C: how table 3's k-sparse rows are fine-tuned, chosen on held-out training digits."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from zoo.experiments import held_out_choices
from zoo.experiments.experiment import Experiment, Outcome, Sources
from zoo.experiments.held_out_choices import OWN
from zoo.experiments.lecture.k_sparse_fine_tuning import (
    TUNINGS,
    Tuning,
    first_head,
    pretrained,
    tuned,
)
from zoo.experiments.training import QUIET, labels_of, mnist, unit

ROWS = ("k_sparse", "deep_k_sparse")
AFRESH = 100  # added to the seed, so that no setting is chosen on features of table 3


def variants(tuning: Tuning) -> dict[str, Tuning]:
    """A row's own settings, and those with one of them changed."""
    return {
        OWN: tuning,
        "no_noise": tuning._replace(noise=0.0),
        "half_the_noise": tuning._replace(noise=tuning.noise / 2),
        "more_noise": tuning._replace(noise=1.5 * tuning.noise),
        "input_dropout": tuning._replace(noise=0.0, input_dropout=0.2),
        "dropout": tuning._replace(dropout=0.25),
        "slower": tuning._replace(rate=tuning.rate / 3),
        "faster": tuning._replace(rate=tuning.rate * 3),
        "adam": tuning._replace(optimizer="adam", rate=1e-3),
        "new_head": tuning._replace(head=False),
    }


def run(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """Fine-tune with every setting on five sixths of the training digits; the rest judges.

    The test digits are not read. Autoencoders are trained on all training digits, without labels.

    Args:
        seed: of the models, 100 above it.
        sources: of MNIST.
        **settings: as in `zoo.experiments.lecture.k_sparse_fine_tuning.run`, of which ``epochs``,
            ``deep_epochs``, ``tune_epochs``, ``examples`` and ``rate`` count.

    Returns:
        For each row and setting "row/setting" ``held_out``, the error of the held-out digits in %; for each
        row ``lead``, how far the best other setting lies below the row's own.
    """
    source = mnist("train", sources, settings["examples"])
    order = np.random.default_rng(seed).permutation(len(source))
    held, rest = source.take(order[: len(order) // 6]), source.take(order[len(order) // 6 :])
    x, fresh = unit(rest), unit(held)
    measures: dict[str, float] = {}
    for row in ROWS:
        stack = pretrained(row, source.inputs, seed + AFRESH, settings, sources)
        begun = [model.get_weights() for model in stack]
        head = first_head(stack, rest)
        first = head.get_weights()
        for name, tuning in variants(TUNINGS[row]).items():
            for model, weights in zip(stack, begun, strict=True):
                model.set_weights(weights)
            head.set_weights(first)
            keras.utils.set_random_seed(seed + AFRESH)
            last = head if tuning.head else None
            network = tuned(stack, x, rest, tuning, settings["tune_epochs"], last)
            accuracy = network.evaluate(fresh, labels_of(held), batch_size=500, verbose=QUIET)[1]
            measures[f"{row}/{name}/held_out"] = 100 * (1 - float(accuracy))
            print(f"  {row}/{name}: {measures[f'{row}/{name}/held_out']:.2f} %", flush=True)
    return held_out_choices.outcome(measures)


EXPERIMENTS = (
    Experiment(
        id="OX-KS-C",
        paper="autoencoders_lecture",
        title="Fine-tuning of the k-sparse rows, chosen on held-out digits",
        run=run,
        draw=held_out_choices.draw,
        claims=held_out_choices.claims(ROWS),
        quick={
            "epochs": 4,
            "deep_epochs": 4,
            "tune_epochs": 3,
            "examples": 6000,
            "rate": 0.01,
        },
        full={
            "epochs": 100,
            "deep_epochs": 100,
            "tune_epochs": 50,
            "examples": 60_000,
            "rate": 0.01,
        },
    ),
)
