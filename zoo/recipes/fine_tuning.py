"""A classifier that starts from trained encoders: supervised fine-tuning."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from zoo.autoencoder import Autoencoder
from zoo.evaluation.probing import fitted, one_scale
from zoo.networks.corruption import check_rate
from zoo.networks.views import RandomView
from zoo.recipes.classifier_network import Classifier, Encoding
from zoo.values import positive_int


def classifier(
    models: Autoencoder | Sequence[Autoencoder],
    classes: int,
    input_dropout: float = 0.0,
    dropout: float = 0.0,
    view: str | None = None,
    head: keras.Layer | None = None,
    seed: int | None = None,
    input_noise: float = 0.0,
) -> keras.Model:
    """A softmax layer on the code of one autoencoder, or of a stack of them.

    Fit it to labels as any Keras model: all weights move. Makhzani & Frey ("k-Sparse Autoencoders",
    section 4) fine-tune each model with the regularisation that it was trained with: the alpha * k
    largest units for the k-sparse one, and these dropouts for the others.

    Args:
        models: trained autoencoders, first to last; each one after the first was trained on the codes of
            the one before. The classifier shares their weights.
        classes: number of classes.
        input_dropout: share of the inputs set to 0 in training.
        dropout: share of each code set to 0 in training.
        view: "weak", "medium" or "strong" to change pictures by random affine maps in training, or None;
            see `zoo.networks.view`.
        head: (batch, units) -> (batch, classes) logits, for example a `linear_head` or a part of the model;
            None for a new linear layer.
        seed: of the maps.
        input_noise: standard deviation of Gaussian noise on the inputs in training, below 1.

    Returns:
        A compiled Keras model, (batch, *event) -> (batch, classes) logits, whose inputs are checked and
        whose bytes are divided as those of the first autoencoder, with Adam (0.001), cross-entropy and the
        metric ``accuracy``; compile it again for another optimizer.

    Raises:
        ValueError: for models that do not fit on each other, have a condition, missing values or a grid of
            codes, or a share or deviation that cannot be.

    Example:
        >>> from zoo.recipes.fine_tuning import classifier
        >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
        >>> names = classifier(model, classes=3, dropout=0.2)
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> history = names.fit(x, np.arange(20) % 3, verbose=0)
        >>> names.predict(x, verbose=0).shape
        (20, 3)
    """
    stack = [models] if isinstance(models, Autoencoder) else list(models)
    if not stack or not all(isinstance(model, Autoencoder) for model in stack):
        raise ValueError(
            f"models must be a trained Autoencoder of the zoo, or several of them; received {models!r}."
        )
    for model in stack:
        if model.intake.condition is not None or model.intake.missing or len(model.code_shape) > 1:
            raise ValueError(
                "classifier takes a model whose code is a vector and that takes neither a condition nor "
                f"missing values; received {model.name!r}. Train a classifier of your own on "
                "model.encode(x), or on top of model.as_keras('encode')."
            )
    for below, above in itertools.pairwise(stack):
        if above.event_shape != (below.units,):
            raise ValueError(
                f"A stacked model must take the {below.units} units of the one below it; it takes "
                f"{above.event_shape}."
            )
    classes = positive_int(classes, "classes")
    layers: list[Any] = [keras.Input(stack[0].event_shape)]
    if view is not None:
        layers.append(RandomView(view, seed))
    if check_rate(input_dropout, "input_dropout"):
        layers.append(keras.layers.Dropout(input_dropout))
    if check_rate(input_noise, "input_noise"):
        layers.append(keras.layers.GaussianNoise(input_noise))
    for model in stack:
        if model.standardization is not None:
            layers.append(model.standardization)
        shows = model.likelihood if model.target_shape is None else None
        layers.append(
            Encoding(model.encoder, model.bottleneck, model.event_shape, likelihood=shows)
        )
        if check_rate(dropout, "dropout"):
            layers.append(keras.layers.Dropout(dropout))
    layers.append(head or keras.layers.Dense(classes, dtype="float32"))
    network = Classifier(layers, stack[0].intake)
    shape: Any = network.output_shape
    if shape[-1] != classes:
        raise ValueError(
            f"head must give {classes} logits, one for each class; it gives {shape[-1]}."
        )
    network.compile(
        keras.optimizers.Adam(),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return network


def linear_head(
    codes: np.ndarray, labels: np.ndarray, strength: float = 0.01, iterations: int = 100
) -> keras.layers.Dense:
    """A linear layer fitted to frozen codes by logistic regression, from which fine-tuning starts.

    ``classifier(model, classes, head=linear_head(model.encode(x), labels))`` then moves all weights
    together with a small learning rate. A new layer instead sends the gradients of its first, random
    weights into what was learnt without labels.

    Args:
        codes: (rows, units); they are put on one scale, by one number for all units.
        labels: (rows,) class indices, 0 up to the number of classes - 1, each at least once.
        strength: scikit-learn's C, inverse strength of the squared penalty. A small one leaves gradients
            for fine-tuning to follow.
        iterations: of the fit at most.

    Returns:
        A built layer, (batch, units) -> (batch, classes) float32 logits.

    Raises:
        ValueError: for labels that leave out a class or are not those of the codes.

    Example:
        >>> from zoo.recipes.fine_tuning import linear_head
        >>> codes = np.linspace(-1, 1, 50)[:, None].astype("float32")
        >>> head = linear_head(codes, labels=(codes[:, 0] > 0).astype(int))
        >>> np.argmax(head(np.float32([[-0.9], [0.9]])), axis=1).tolist()
        [0, 1]
    """
    from sklearn.linear_model import LogisticRegression

    codes, labels = np.asarray(codes), np.asarray(labels)
    names = np.unique(labels)
    if len(labels) != len(codes) or len(names) < 2 or not np.array_equal(names, range(len(names))):
        raise ValueError(
            "linear_head needs a label for each code, from 0 up to the number of classes - 1, each at least "
            f"once; received {len(codes)} codes and {len(labels)} labels, among them {names[:10].tolist()}."
        )
    scale = one_scale(codes)
    fit = fitted(LogisticRegression(C=strength, max_iter=iterations), codes * scale, labels)
    kernel, bias = fit.coef_.T * scale, fit.intercept_
    if len(names) == 2:  # scikit-learn has one logit for two classes
        kernel, bias = np.concatenate([-kernel, kernel], axis=1) / 2, np.array([-1, 1]) * bias / 2
    layer = keras.layers.Dense(len(names), dtype="float32")
    layer.build((None, codes.shape[1]))
    layer.set_weights([kernel, bias])
    return layer
