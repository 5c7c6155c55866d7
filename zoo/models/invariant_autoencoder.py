"""An autoencoder that clusters pictures by what small affine maps leave alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import Deterministic
from zoo.networks import mlp
from zoo.networks.dcgan import dcgan_encoder
from zoo.registry import register


@register("invariant_autoencoder", kind="model")
def invariant_autoencoder(
    input_shape: Sequence[int],
    latents: int = 64,
    classes: int = 10,
    heads: Sequence[int] = (10,) * 10 + (50,) * 3,
    cells: Sequence[int] = (200, 200, 300, 400, 400),
    filters: Sequence[int] = (16, 32, 32),
    dense: Sequence[int] = (256,),
    balance: Any = 4.0,
    confident: Any = 0.0,
    teacher: Any = None,
    bootstrap: Any = 0.0,
    dropout: float = 0.0,
    regularizers: Sequence[Any] = (),
    seed: int = 0,
) -> Autoencoder:
    """Clustering by invariant information (Hu et al., IMSAT, 2017; Ji et al., IIC, 2019), with a decoder.

    Minimises, as a mean over heads p on the code,

        ||x_r - x||^2 / d + KL(stop(p(x)) || p(t(x))) - 0.1 [balance H(mean p(x)) - mean H(p(x))]

    with t a random affine map. After training, ``model.classifier.merge(model.encode(x), x)`` makes classes
    of the codes, which `cluster` gives. With a teacher, such a model itself, the last two terms become the
    cross-entropy with the teacher's classes, see the plugin "self_training".

    Args:
        input_shape: (h, w, channels).
        latents: dimensions of the code.
        classes: clusters to end with.
        heads: clusters of every head.
        cells: k-means cells of every voter that names the classes, see "invariant_information".
        filters: of the encoder's convolutions.
        dense: units of the encoder's dense layers.
        balance: a number or a Keras schedule of the training step.
        confident: weight of the heads' own confident predictions, a number or a schedule.
        teacher: a trained and merged model, the path of one, a sequence of them, or None.
        bootstrap: with a teacher, the share of the own predictions, a number or a schedule.
        dropout: of the encoder's flattened features.
        regularizers: further regularizers.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create(
        ...     "invariant_autoencoder", (8, 8, 1), latents=4, heads=(3, 3, 6), classes=3, cells=(8, 9),
        ...     filters=(4,), dense=(8,),
        ... )
        >>> x = zoo.data.load("digits", limit=100).inputs
        >>> agreement = model.classifier.merge(model.encode(x), x)
        >>> model.cluster(x).shape, int(model.cluster(x).max()) < 3
        ((100,), True)
    """
    if teacher is None:
        clustering = {
            "name": "invariant_information",
            "classes": classes,
            "heads": heads,
            "cells": cells,
            "balance": balance,
            "confident": confident,
        }
    else:
        clustering = {"name": "self_training", "teacher": teacher, "bootstrap": bootstrap}
    return Autoencoder(
        input_shape,
        encoder=dcgan_encoder(filters, dense, dropout),
        bottleneck=Deterministic(latents),
        decoder=mlp((), input_shape),
        likelihood={"name": "squared_error", "reduction": "mean"},
        regularizers=[clustering, *regularizers],
        seed=seed,
    )
