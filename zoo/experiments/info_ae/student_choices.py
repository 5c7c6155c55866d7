"""IA-N: how IA-T1's student and its InfoAE learn names, chosen by names that they have not seen."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from zoo.autoencoder import Autoencoder
from zoo.experiments import held_out_choices
from zoo.experiments.experiment import Experiment, Outcome, Sources
from zoo.experiments.held_out_choices import OWN
from zoo.experiments.info_ae import teachers, trained
from zoo.experiments.shelf import kept
from zoo.experiments.training import mnist

AGREED = "agreed_names"  # only digits are learnt whose voters agree
VIEWS = {"weak_views": {"view": "weak"}, "strong_views": {"view": "strong"}}
STUDENT: dict[str, dict[str, Any]] = {OWN: {}, AGREED: {}, **VIEWS}
HEARING: dict[str, dict[str, Any]] = {
    OWN: {},
    "classes_03": {"alpha": 0.03},
    "classes_3": {"alpha": 0.3},
    "classes_10": {"alpha": 1.0},
    **VIEWS,
}


def run(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """Learn with every setting from five sixths of the digits; the names of the rest judge. No label is read.

    Args:
        seed: of the teachers, which are those of IA-T1, and of the models.
        sources: of MNIST; its folder of models keeps the trained ones.
        **settings: as in `zoo.experiments.info_ae.digits.run_table`.

    Returns:
        For each setting of the student, "self_trained/setting", and of the InfoAE that starts from the
        student as it is and hears it, "robust_taught/setting", the shares of held-out digits that the model
        calls something else, in %: ``held_out`` of all, whose names are spread, ``agreed`` of those on which
        all voters agree, which are easy. For each row ``lead``, how far the best other setting lies below
        the row's own.
    """
    x = mnist("train", sources, settings["examples"]).inputs
    voters, found = teachers.named(x, seed, settings, sources.models)
    names = found.names
    held, rest = np.split(np.random.default_rng(seed).permutation(len(x)), [len(x) // 6])
    sure = voters.agreed[held]
    kind = f"{len(rest)}-{settings['student']}-{settings['teachers']}x{settings['teacher']}"
    measures: dict[str, float] = {}

    def judged(name: str, kind: str, make: Callable[[], Autoencoder]) -> Autoencoder:
        model = kept(sources.models, f"{name.replace('/', '-')}-{seed}-{kind}", make)
        wrong = model.cluster(x[held]) != names[held]
        measures[f"{name}/held_out"] = 100 * float(wrong.mean())
        measures[f"{name}/agreed"] = 100 * float(wrong[sure].mean())
        print(f"  {name}: {measures[f'{name}/held_out']:.2f} %", flush=True)
        return model

    students = {}
    for name, options in STUDENT.items():
        read = rest[voters.agreed[rest]] if name == AGREED else rest
        learn = functools.partial(
            teachers.student, x[read], names[read], seed, voters, settings["student"], **options
        )
        students[name] = judged(f"self_trained/{name}", kind, learn)
    for name, options in HEARING.items():
        hear = functools.partial(
            trained.robust, x[rest], students[OWN], seed, settings["taught"], **options
        )
        judged(f"robust_taught/{name}", f"{settings['taught']}x{kind}", hear)
    return held_out_choices.outcome(measures)


EXPERIMENTS = (
    Experiment(
        id="IA-N",
        paper="infoae",
        title="How the student and the InfoAE of IA-T1 learn names, chosen by names that they have not seen",
        run=run,
        draw=held_out_choices.draw,
        claims=held_out_choices.claims(("self_trained", "robust_taught")),
        quick=teachers.QUICK,
        full=teachers.FULL,
        precision="mixed_bfloat16",
    ),
)
