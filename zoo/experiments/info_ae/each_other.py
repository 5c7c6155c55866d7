"""IA-T1g: robust InfoAEs that teach each other the digits."""

from __future__ import annotations

import functools
from typing import Any

from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.info_ae import teachers, trained
from zoo.experiments.info_ae.scoring import draw_errors, drawn, flat, kept_row, linked, score
from zoo.experiments.shelf import kept
from zoo.experiments.training import mnist
from zoo.recipes.spreading import neighbour_features, neighbour_graph


def run(
    seed: int,
    sources: Sources,
    *,
    members: int,
    student: int,
    students: int,
    rounds: int,
    taught: int,
    **settings: Any,
) -> Outcome:
    """The robust InfoAE with a teacher that comes of robust InfoAEs alone.

    Some robust InfoAEs vote. What all agree on is spread to the other digits over the graph of neighbours,
    with the alpha that tells hidden votes best. Students learn these names and vote in their turn, and after
    some rounds the robust InfoAE starts from the last student and hears it. No label is used.

    Args:
        seed: the voters' seeds are ``members`` ones from members x seed, those of students likewise.
        sources: of MNIST; its folder of models keeps voters, students and taught.
        members: how many vote first.
        student: epochs of a student.
        students: how many vote in a later round.
        rounds: how often students learn names, at least once; in the last round it is one.
        taught: epochs of the last InfoAE.
        **settings: ``examples``, and ``robust``, epochs of each voter.

    Returns:
        What `score` gives of each voter, "robust_0" and so on, of a student of each round, "student_1" and so
        on, and of the last InfoAE, "robust_taught"; for each round "names_1/agreement", the share of the
        training digits on which its voters agree, ``alpha``, and ``told``, the share of hidden votes that it
        told.
    """
    x, test = mnist("train", sources, settings["examples"]).inputs, mnist("test", sources)
    judge = functools.partial(score, test=test, **linked(x))
    make = functools.partial(trained.robust, guide=None)
    own = range(members * seed, members * (seed + 1))
    voters = [kept_row("robust", make, x, one, sources, settings["robust"]) for one in own]
    rows = {f"robust_{i}": judge(model) for i, model in enumerate(voters)}
    kind = f"{student}x{len(x)}-{members}x{settings['robust']}"
    graph = neighbour_graph(neighbour_features(x))
    measures: dict[str, float] = {}
    for turn in range(1, rounds + 1):
        names = teachers.spread_votes(teachers.info_ae_committee(voters, x), graph, seed)
        measures |= flat({f"names_{turn}": names.measures})
        if turn > 1:
            kind = f"{kind}-{students}"
        voters = []
        for i in range(students if turn < rounds else 1):
            one = students * seed + i
            learn = functools.partial(teachers.info_ae_student, x, names.names, one, student)
            voters.append(kept(sources.models, f"named-{one}-{kind}", learn))
        rows[f"student_{turn}"] = judge(voters[0])
    hear = functools.partial(trained.robust, x, voters[0], seed, taught)
    rows["robust_taught"] = judge(kept(sources.models, f"by_names-{taught}-{seed}-{kind}", hear))
    return Outcome({**measures, **flat(rows)}, drawn(rows, "merged_error"))


EXPERIMENTS = (
    Experiment(
        id="IA-T1g",
        paper="infoae",
        title="Unsupervised error on MNIST: the robust InfoAE taught by robust InfoAEs",
        run=run,
        draw=draw_errors,
        claims=(
            Claim(
                "InfoAEs that teach each other reach 1.1 %",
                lambda m: m["robust_taught/error"] <= 1.1,
                ("robust_taught/error", "student_1/error", "student_2/error"),
                "1.1 (+- .1) %",
            ),
        ),
        quick={
            "examples": 4000,
            "members": 2,
            "robust": 2,
            "student": 2,
            "students": 2,
            "rounds": 2,
            "taught": 1,
        },
        full={
            "examples": 60_000,
            "members": 3,
            "robust": 20,
            "student": 16,
            "students": 3,
            "rounds": 2,
            "taught": 10,
        },
        precision="mixed_bfloat16",
    ),
)
