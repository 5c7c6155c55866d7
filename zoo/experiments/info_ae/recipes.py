"""How the models of the InfoAE experiments are trained; no label is used by any of them."""

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
from zoo.experiments.info_ae.scoring import LINKED
from zoo.experiments.shelf import kept
from zoo.experiments.training import QUIET, Pulse, falling, train, train_classifier
from zoo.networks import Networks, mlp
from zoo.networks.dcgan import dcgan_decoder, dcgan_encoder
from zoo.recipes import spreading
from zoo.recipes.fine_tuning import classifier
from zoo.trainer import Adam

SHAPE = (28, 28, 1)
FILTERS = (32, 64, 64)
DROPOUT = 0.3
BATCH = 128
LATENTS = 64
# Classes of a model that may give a digit several, as the adversarial autoencoder's paper does.
OVER = 30
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


class Taught(NamedTuple):
    """A self-trained model, and the share of the training data on which its teachers' voters agreed."""

    model: Autoencoder
    agreement: float


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


def student(x: np.ndarray, seed: int, teachers: Committee, epochs: int) -> Autoencoder:
    """A fresh network trained on what a committee agrees on and what `spread` makes of it.

    Adam 1e-3 with cosine decay, batch 250, medium views. With strong ones (and own predictions beside the
    committee's names) the network contradicted its names more often.

    Args:
        x: (n, 28, 28, 1).
        seed: of the student.
        teachers: see `committee`.
        epochs: passes over x.

    Returns:
        The trained model.
    """
    features = spreading.neighbour_features(x)
    names, _ = spreading.spread(teachers.votes[:, 0], teachers.agreed, features)
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
    _learn(model, model.classifier.dense, x, names, seed, epochs)
    return model


def _learn(
    model: Autoencoder, head: Any, x: np.ndarray, names: np.ndarray, seed: int, epochs: int
) -> None:
    """Train a model's encoder and the classifier `head` on names of x."""
    network = classifier(model, 10, view="medium", head=head, seed=seed)
    batch = min(250, len(x) // 4)
    train_classifier(
        network,
        as_unit_floats(x),
        names,
        epochs=epochs,
        batch_size=batch,
        optimizer=Adam(falling(1e-3, epochs, len(x), batch)),
    )


def robust_committee(models: list[Autoencoder], x: np.ndarray, linked: int = LINKED) -> Committee:
    """Robust InfoAEs of 30 classes that use the same ten names.

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
        used, vote = np.unique(model.cluster(x), return_inverse=True)
        if len(used) > 10:
            vote = merging.absorb_clusters(vote[:linked], near, 10, len(used))[vote]
        votes.append(merging.renaming(vote, votes[0], 10)[vote] if votes else vote)
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


def taught(
    x: np.ndarray, seed: int, settings: Mapping[str, Any], models: str | None = None
) -> Taught:
    """A `student` of a `committee` at an experiment's settings, whose models are kept in a folder."""
    teachers = committee(x, seed, settings["teacher"], settings["teachers"], models)
    name = f"spread-{seed}-{settings['student']}x{len(x)}-{_teachers(settings)}"
    model = kept(models, name, lambda: student(x, seed, teachers, settings["student"]))
    return Taught(model, float(teachers.agreed.mean()))


def robust_taught(
    x: np.ndarray, guide: Taught, seed: int, settings: Mapping[str, Any], models: str | None = None
) -> Autoencoder:
    """`robust` with a self-trained teacher at an experiment's settings, kept in a folder."""
    name = (
        f"taught-{seed}-{settings['taught']}x{len(x)}-{settings['student']}-{_teachers(settings)}"
    )
    return kept(models, name, lambda: robust(x, guide.model, seed, settings["taught"]))


def _teachers(settings: Mapping[str, Any]) -> str:
    return f"{settings['teachers']}x{settings['teacher']}"


def robust(
    x: np.ndarray,
    guide: Autoencoder | None,
    seed: int,
    epochs: int,
    until: int | None = None,
    **options: Any,
) -> Autoencoder:
    """The robust InfoAE, alone with 30 classes, or with a `student` that it starts from and hears.

    Args:
        x: (n, 28, 28, 1).
        guide: the student, or None.
        seed: of weights, noise and order.
        epochs: passes over x, over which the learning rate falls.
        until: the last pass, for `carry_on` to go on from; None for all.
        **options: of "info_ae_robust".

    Returns:
        The trained model.
    """
    dropout = 0.0 if guide is None else DROPOUT
    keras.utils.set_random_seed(seed + 200)  # before the networks, whose weights it draws
    pair = Networks(dcgan_encoder(FILTERS, dropout=dropout), dcgan_decoder(SHAPE))
    usual = {"latents": LATENTS, "classes": OVER if guide is None else 10}
    model = zoo.create(
        "info_ae_robust",
        SHAPE,
        networks=pair,
        teacher=guide,
        seed=seed,
        **{**usual, **options},
    )
    if guide is not None:
        for name in ("encoder", "bottleneck"):
            getattr(model, name).set_weights(getattr(guide, name).get_weights())
    _fall(model, x, epochs, until=until)
    return model


def carry_on(model: Autoencoder, x: np.ndarray, epochs: int, done: int) -> Autoencoder:
    """`robust` from the pass `done` to the end, as if it had never stopped; the model is also returned."""
    batch = min(BATCH, len(x) // 4)
    shared: dict[str, Any] = {"batch_size": batch, "verbose": QUIET, "callbacks": [Pulse()]}
    model.fit(x, initial_epoch=done, epochs=epochs, **shared)
    return model


def literal(x: np.ndarray, seed: int, epochs: int) -> Autoencoder:
    """InfoAE as the text has it, Adam 2e-4 for all."""
    keras.utils.set_random_seed(seed)
    model = zoo.create("info_ae", SHAPE, latents=LATENTS, seed=seed)
    fit(model, x, epochs, min(128, len(x) // 4), 2e-4, beta_1=0.5)
    return model


def info_gan(x: np.ndarray, seed: int, epochs: int) -> Autoencoder:
    """InfoGAN at its paper's rates and sizes."""
    keras.utils.set_random_seed(seed)
    model = zoo.create("info_gan", SHAPE, spread=True, seed=seed)
    _fall(model, x, epochs)
    return model


def consistent_info_gan(
    x: np.ndarray,
    seed: int,
    epochs: int,
    classes: int = OVER,
    consistency: float = 3.0,
    view: str = "medium",
    class_critic: float = 1.0,
) -> Autoencoder:
    """`info_gan` of smaller networks with classes that keep under affine maps.

    A critic wants the classes of the data one-hot as well. With 10 classes one pair of digits, with another
    seed two, went into one class for good.

    Args:
        x: (n, 28, 28, 1).
        seed: of weights, noise and order.
        epochs: passes over x.
        classes: of c.
        consistency: weight of the classes that keep.
        view: how far the maps go.
        class_critic: weight of the critic of classes; 0 leaves it out.

    Returns:
        The trained model.
    """
    keras.utils.set_random_seed(seed)  # before the networks, whose weights it draws
    added: list[Any] = [consistent(consistency, view)]
    if class_critic:
        critic = {"name": "code_discriminator", "units": (0, classes), "weight": class_critic}
        added.append(critic)
    model = zoo.create(
        "info_gan",
        SHAPE,
        spread=True,
        seed=seed,
        classes=classes,
        networks=Networks(dcgan_encoder(FILTERS), dcgan_decoder(SHAPE)),
        critic=(32, 64),
        regularizers=added,
    )
    _fall(model, x, epochs)
    return model


def _fall(
    model: Autoencoder,
    x: np.ndarray,
    epochs: int,
    most: int = BATCH,
    beta_1: float = 0.5,
    until: int | None = None,
) -> None:
    """Fit a model in batches of `most` at a rate that falls from 1e-3 to 0 over the epochs.

    Args:
        model: built.
        x: (n, 28, 28, 1).
        epochs: passes over x.
        most: digits of a batch; a quarter of x where it is short.
        beta_1: of Adam.
        until: the last pass; None for all.
    """
    batch = min(most, len(x) // 4)
    rate = falling(1e-3, epochs, len(x), batch)
    fit(model, x, until or epochs, batch, rate, beta_1=beta_1)


def consistent(weight: float, view: str) -> dict[str, Any]:
    """The term of classes that keep under affine maps of the data."""
    return {"name": "consistency", "view": view, "pictures": "data", "weight": weight}


def info_gan_shared(x: np.ndarray, seed: int, epochs: int) -> Autoencoder:
    """InfoGAN with its recognition network on the discriminator's layers, as its paper has it.

    The rates stay as they are, 1e-3 and 2e-4, and the discriminator does not see the batch's spread.
    """
    keras.utils.set_random_seed(seed)
    model = zoo.create("info_gan", SHAPE, shared=True, seed=seed)
    fit(model, x, epochs, min(128, len(x) // 4), 1e-3, beta_1=0.5)
    return model


def adversarial(
    x: np.ndarray,
    seed: int,
    epochs: int,
    classes: int = OVER,
    consistency: float = 0.0,
    view: str = "medium",
) -> Autoencoder:
    """The adversarial autoencoder's clustering, at its paper's batch of 100.

    The paper has an optimizer for each loss, so that their scales do not matter; here one step serves both,
    and the critics weigh 10 beside a reconstruction of some 100 nats. The encoder is convolutional, which
    clusters sooner than the paper's MLP.

    Args:
        x: (n, 28, 28, 1).
        seed: of weights, noise and order.
        epochs: passes over x.
        classes: of the code.
        consistency: weight of classes that keep under affine maps, which are not in the paper; 0 for none.
        view: how far the maps go.

    Returns:
        The trained model.
    """
    keras.utils.set_random_seed(seed)
    options: dict[str, Any] = {
        "classes": classes,
        "latents": 5,
        "networks": Networks(dcgan_encoder(FILTERS), mlp((1000, 1000), SHAPE)),
        "weight": 10.0,
        "regularizers": [consistent(consistency, view)] if consistency else [],
    }
    model = zoo.create("adversarial_autoencoder", SHAPE, seed=seed, **options)
    _fall(model, x, epochs, most=100, beta_1=0.9)
    return model


def cat_gan(x: np.ndarray, seed: int, epochs: int) -> Autoencoder:
    """The categorical GAN with 20 classes, at its paper's batch of 100 and Adam 2e-4."""
    keras.utils.set_random_seed(seed)
    model = zoo.create("cat_gan", SHAPE, classes=20, seed=seed)
    batch = min(100, len(x) // 4)
    fit(model, x, epochs, batch, 2e-4, beta_1=0.5)
    return model


def pixel_gan(x: np.ndarray, seed: int, epochs: int) -> Autoencoder:
    """The PixelGAN autoencoder with 30 classes, on black and white digits.

    The critic weighs 10 beside a reconstruction of some 80 nats, as in `adversarial`, and the encoder is the
    same. The PixelCNN is smaller than the paper's and sees six rows above: a step takes a third of the time.
    """
    keras.utils.set_random_seed(seed)
    pair = Networks(dcgan_encoder(FILTERS), mlp((256,), (*SHAPE[:2], 8)))
    model = zoo.create(
        "pixel_gan_autoencoder",
        SHAPE,
        classes=OVER,
        filters=16,
        layers=2,
        networks=pair,
        weight=10.0,
        seed=seed,
    )
    _fall(model, x, epochs, most=100, beta_1=0.9)
    return model


def fit(
    model: Autoencoder, x: np.ndarray, epochs: int, batch: int, rate: Any, beta_1: float = 0.9
) -> None:
    """Train with Adam."""
    train(model, x, epochs=epochs, batch_size=batch, optimizer=Adam(rate, beta_1=beta_1))
