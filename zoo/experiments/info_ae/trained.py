"""How the models of table 1 are trained, each by itself; no label is used by any of them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

import zoo
from zoo.autoencoder import Autoencoder
from zoo.experiments.training import QUIET, Pulse, falling, train
from zoo.experiments.unfinished import resumable
from zoo.networks import Networks, mlp
from zoo.networks.dcgan import dcgan_decoder, dcgan_encoder
from zoo.trainer import Adam

SHAPE = (28, 28, 1)
FILTERS = (32, 64, 64)
DROPOUT = 0.3
BATCH = 128
LATENTS = 64
# Classes of a model that may give a digit several, as the adversarial autoencoder's paper does.
OVER = 30


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
    shared: dict[str, Any] = {
        "batch_size": batch,
        "verbose": QUIET,
        "callbacks": resumable([Pulse()]),
    }
    model.fit(x, initial_epoch=done, epochs=epochs, **shared)
    return model


def literal(x: np.ndarray, seed: int, epochs: int) -> Autoencoder:
    """InfoAE as the text has it, Adam 2e-4 for all."""
    keras.utils.set_random_seed(seed)
    model = zoo.create("info_ae", SHAPE, latents=LATENTS, seed=seed)
    fit(model, x, epochs, BATCH, 2e-4, beta_1=0.5)
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
    fit(model, x, epochs, BATCH, 1e-3, beta_1=0.5)
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
    fit(model, x, epochs, 100, 2e-4, beta_1=0.5)
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
    """Train with Adam in batches of `batch`, or of a quarter of x where it is short."""
    batch = min(batch, len(x) // 4)
    train(model, x, epochs=epochs, batch_size=batch, optimizer=Adam(rate, beta_1=beta_1))
