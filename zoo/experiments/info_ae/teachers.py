"""How models learn from other models what to call a digit; no label is used by any of them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import numpy as np

import zoo
from zoo.autoencoder import Autoencoder
from zoo.data.pixels import as_unit_floats
from zoo.evaluation import merging
from zoo.experiments.info_ae.scoring import CLASSES, LINKED, names_of
from zoo.experiments.info_ae.trained import DROPOUT, FILTERS, LATENTS, SHAPE, fit, robust
from zoo.experiments.shelf import kept, kept_arrays
from zoo.experiments.training import falling, train_classifier
from zoo.networks import Networks
from zoo.networks.dcgan import dcgan_decoder, dcgan_encoder
from zoo.recipes import spreading
from zoo.recipes.fine_tuning import classifier
from zoo.trainer import Adam

ALPHAS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)  # how much neighbours may count, see `spread_votes`
# Settings that the experiments share.
QUICK = {
    "examples": 4000,
    "teachers": 1,
    "teacher": 4,
    "student": 3,
    "taught": 1,
}
FULL = {
    "examples": 60_000,
    "teachers": 3,
    "teacher": 18,
    "student": 16,
    "taught": 10,
}


class Committee(NamedTuple):
    """Teachers that use the same names, and the votes of all their voters, (n, voters)."""

    members: list[Autoencoder]
    votes: np.ndarray

    @property
    def agreed(self) -> np.ndarray:
        """(n,) bool, whether all voters agree."""
        return (self.votes == self.votes[:, :1]).all(axis=1)


class Names(NamedTuple):
    """What digits are called, and how that was found.

    Attributes:
        names: (n,) from 0 to 9.
        agreement: share of the digits on which all voters agree.
        alpha: how much neighbours count for the others, chosen without labels.
        told: share of hidden votes that neighbours tell under it.
    """

    names: np.ndarray
    agreement: float
    alpha: float
    told: float

    @property
    def measures(self) -> dict[str, float]:
        """What an experiment says of them."""
        return {"agreement": self.agreement, "alpha": self.alpha, "told": self.told}


class Taught(NamedTuple):
    """A self-trained model, and the names that it learnt."""

    model: Autoencoder
    names: Names


def teacher(x: np.ndarray, seed: int, epochs: int) -> Autoencoder:
    """Clusters by invariant information, named by voters.

    Evenness counts for less and less (4 to 1) over three fifths of the steps, then confident own
    predictions count as well; Adam 1e-3 with cosine decay, batch 500.

    Args:
        x: (n, 28, 28, 1).
        seed: of the model.
        epochs: passes over x.

    Returns:
        The trained model, its classes named.
    """
    batch = min(500, len(x) // 4)
    steps = epochs * (len(x) // batch)
    turn = max(1, int(0.6 * steps))
    schedules = keras.optimizers.schedules
    keras.utils.set_random_seed(seed)
    model = zoo.create(
        "invariant_autoencoder",
        SHAPE,
        latents=LATENTS,
        balance=schedules.PolynomialDecay(4.0, turn, 1.0),
        confident=schedules.PiecewiseConstantDecay([turn], [0.0, 0.3]),
        seed=seed,
    )
    fit(model, x, epochs, batch, falling(1e-3, epochs, len(x), batch))
    model.classifier.merge(model.encode(x), x)
    return model


def committee(
    x: np.ndarray, seed: int, epochs: int, count: int, models: str | None = None
) -> Committee:
    """Independent teachers that use the same names.

    Labels that independent teachers agree on are more reliable than those that the voters of one agree on.

    Args:
        x: (n, 28, 28, 1).
        seed: of the teachers.
        epochs: of each.
        count: of teachers.
        models: folder where trained ones are kept, see `kept`.

    Returns:
        The teachers, and the votes of each for every example.
    """
    teachers, votes = [], []
    for member in range(count):
        own = count * seed + member
        model = kept(
            models, f"teacher-{own}-{epochs}x{len(x)}", functools.partial(teacher, x, own, epochs)
        )
        codes = model.encode(x)
        if teachers:
            model.classifier.follow(codes, votes[0][:, 0])
        teachers.append(model)
        votes.append(np.asarray(model.classifier.votes(codes)).argmax(axis=-1))
    return Committee(teachers, np.concatenate(votes, axis=1))


def spread_votes(voters: Committee, graph: Any, seed: int) -> Names:
    """What all voters agree on, spread to the other digits over the graph of neighbours.

    How much neighbours count is the alpha that tells hidden votes best, so that no label is used.

    Args:
        voters: see `committee` and `info_ae_committee`.
        graph: (n, n), see `zoo.recipes.spreading.neighbour_graph`.
        seed: of the votes that are hidden.

    Returns:
        The names.
    """
    first, agreed = voters.votes[:, 0], voters.agreed
    alpha, told = spreading.choose_alpha(first, agreed, graph, ALPHAS, seed=seed)
    names, _ = spreading.spread(first, agreed, graph, alpha=alpha)
    return Names(names, float(agreed.mean()), alpha, max(told))


def student(
    x: np.ndarray,
    names: np.ndarray,
    seed: int,
    teachers: Committee,
    epochs: int,
    view: str = "medium",
) -> Autoencoder:
    """A fresh network trained on names of x alone, by Adam at 1e-3 with cosine decay and batches of 250.

    Args:
        x: (n, 28, 28, 1).
        names: (n,) from 0 to 9, see `spread_votes`.
        seed: of the student.
        teachers: that the names come of, see `committee`.
        epochs: passes over x.
        view: how far the maps of x go.

    Returns:
        The trained model.
    """
    keras.utils.set_random_seed(seed + 100)
    model = zoo.create(
        "invariant_autoencoder",
        SHAPE,
        latents=LATENTS,
        teacher=teachers.members,
        filters=FILTERS,
        dropout=DROPOUT,
        seed=seed,
    )
    _learn(model, model.classifier.dense, x, names, seed, epochs, view)
    return model


def _learn(
    model: Autoencoder,
    head: Any,
    x: np.ndarray,
    names: np.ndarray,
    seed: int,
    epochs: int,
    view: str = "medium",
) -> None:
    """Train a model's encoder and the classifier `head` on names of x."""
    network = classifier(model, CLASSES, view=view, head=head, seed=seed)
    batch = min(250, len(x) // 4)
    train_classifier(
        network,
        as_unit_floats(x),
        names,
        epochs=epochs,
        batch_size=batch,
        optimizer=Adam(falling(1e-3, epochs, len(x), batch)),
    )


def info_ae_committee(models: list[Autoencoder], x: np.ndarray, linked: int = LINKED) -> Committee:
    """InfoAEs that use the same ten names, robust ones of 30 classes or students.

    The clusters of each are merged by what lies next to each other, and renamed so that they agree best with
    those of the first (see `zoo.evaluation.merging`).

    Args:
        models: see `robust`.
        x: (n, 28, 28, 1), of which the first `linked` say which clusters lie together.
        linked: see above.

    Returns:
        The models, and a vote of each for every example; a model that uses ten clusters or fewer votes by
        these.
    """
    near = merging.nearest(x[:linked])
    votes: list[np.ndarray] = []
    for model in models:
        clusters = model.cluster(x)
        vote = names_of(clusters[:linked], near, int(clusters.max()) + 1)[clusters]
        votes.append(merging.renaming(vote, votes[0], CLASSES)[vote] if votes else vote)
    return Committee(models, np.stack(votes, axis=1))


def info_ae_student(x: np.ndarray, names: np.ndarray, seed: int, epochs: int) -> Autoencoder:
    """An InfoAE of ten classes whose encoder and classifier are trained on names of x alone, as a `student`.

    Args:
        x: (n, 28, 28, 1).
        names: (n,) from 0 to 9.
        seed: of the student.
        epochs: passes over x.

    Returns:
        The trained model; its generator, decoder and critics are as they began.
    """
    keras.utils.set_random_seed(seed + 100)
    pair = Networks(dcgan_encoder(FILTERS, dropout=DROPOUT), dcgan_decoder(SHAPE))
    model = zoo.create("info_ae", SHAPE, latents=LATENTS, networks=pair, seed=seed)
    _learn(model, model.classifier.classifier, x, names, seed, epochs)
    return model


def named(
    x: np.ndarray, seed: int, settings: Mapping[str, Any], models: str | None = None
) -> tuple[Committee, Names]:
    """A `committee` at an experiment's settings, and the names of x that come of its votes, both kept."""
    teachers = committee(x, seed, settings["teacher"], settings["teachers"], models)

    def find() -> dict[str, Any]:
        graph = spreading.neighbour_graph(spreading.neighbour_features(x))
        return spread_votes(teachers, graph, seed)._asdict()

    found = kept_arrays(models, f"names-{seed}-{len(x)}-{_teachers(settings)}", find)
    measures = {name: float(found[name]) for name in ("agreement", "alpha", "told")}
    return teachers, Names(found["names"], **measures)


def taught(
    x: np.ndarray, seed: int, settings: Mapping[str, Any], models: str | None = None
) -> Taught:
    """A `student` of a `committee` at an experiment's settings, whose models are kept in a folder."""
    teachers, names = named(x, seed, settings, models)
    learn = functools.partial(student, x, names.names, seed, teachers, settings["student"])
    name = f"student-{seed}-{settings['student']}x{len(x)}-{_teachers(settings)}"
    return Taught(kept(models, name, learn), names)


def robust_taught(
    x: np.ndarray, guide: Taught, seed: int, settings: Mapping[str, Any], models: str | None = None
) -> Autoencoder:
    """`robust` with a self-trained teacher at an experiment's settings, kept in a folder."""
    name = (
        f"hearing-{seed}-{settings['taught']}x{len(x)}-{settings['student']}-{_teachers(settings)}"
    )
    return kept(models, name, lambda: robust(x, guide.model, seed, settings["taught"]))


def _teachers(settings: Mapping[str, Any]) -> str:
    return f"{settings['teachers']}x{settings['teacher']}"
