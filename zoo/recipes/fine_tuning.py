"""A classifier that starts from trained encoders: supervised fine-tuning."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import Bottleneck
from zoo.distributions import Likelihood
from zoo.evaluation.probing import fitted, one_scale
from zoo.networks.corruption import check_rate
from zoo.networks.views import RandomView
from zoo.parts import Untracked
from zoo.serialization import deserialize_part, serializable, serialize_part
from zoo.trainer import sources
from zoo.trainer.intake import ANY, Intake
from zoo.trainer.refusals import plain_errors
from zoo.values import positive_int


@serializable
class Encoding(keras.layers.Layer):
    """The code of an autoencoder without noise, (batch, *event) -> (batch, units), its weights trainable.

    Args:
        encoder: the autoencoder's.
        bottleneck: the autoencoder's; a k-sparse one keeps its alpha * k largest units.
        event_shape: shape of one example.
        scale: what bytes are divided by, see `zoo.Autoencoder`.
        likelihood: the autoencoder's, where it shows the encoder counts as logarithms or tokens one-hot;
            None for x as it is.

    Example:
        >>> from zoo.recipes.fine_tuning import Encoding
        >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
        >>> layer = Encoding(model.encoder, model.bottleneck, event_shape=(6,))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> np.allclose(layer(x), model.encode(x), atol=1e-6)
        True
    """

    def __init__(
        self,
        encoder: keras.Layer,
        bottleneck: Bottleneck,
        event_shape: Sequence[int],
        scale: Any = None,
        likelihood: Likelihood | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._likelihood = Untracked(likelihood)  # of whose weights none is in the code
        self.encoder = encoder
        self.bottleneck = bottleneck
        self.event_shape = tuple(event_shape)
        self.intake = Intake(self.event_shape, ANY, scale=scale)
        if not bottleneck.built:
            bottleneck.build(encoder.output_shape)
        self.built = True

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The code."""
        seen = self.intake.numbers(inputs)
        if self._likelihood.value is not None:
            seen = self._likelihood.value.seen(seen)
        return self.bottleneck.encode(self.encoder(seen, training=training))

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, int]:
        """(batch, units)."""
        return (input_shape[0], self.bottleneck.units)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "bottleneck": serialize_part(self.bottleneck),
            "event_shape": self.event_shape,
            "scale": self.intake.kept_scale,
            "likelihood": serialize_part(self._likelihood.value),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Encoding:
        """The inverse of `get_config`."""
        config = {"scale": 255.0, **config}  # of all bytes, before it was decided
        config["encoder"] = keras.saving.deserialize_keras_object(config["encoder"])
        config["bottleneck"] = deserialize_part(config["bottleneck"], "bottleneck")
        config["likelihood"] = deserialize_part(config.get("likelihood"), "likelihood")
        return cls(**config)


@serializable
class Classifier(keras.Sequential):
    """A network on the inputs of an autoencoder: data meet the same checks, and bytes are divided alike.

    Args:
        layers: as of `keras.Sequential`.
        intake: the autoencoder's, whose decisions are shared.
        **kwargs: as of `keras.Sequential`.

    Example:
        >>> from zoo.recipes.fine_tuning import Classifier
        >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
        >>> network = Classifier([keras.Input((6,)), keras.layers.Dense(3)], model.intake)
        >>> network.predict(np.full((1, 6), np.nan), verbose=0)
        Traceback (most recent call last):
            ...
        ValueError: x holds 6 values that are NaN or infinite as float32, the first at x[0, 0]. ...
    """

    def __init__(self, layers: Any = None, intake: Intake | None = None, **kwargs: Any):
        super().__init__(layers, **kwargs)
        self.intake: Any = intake

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """As `call`, for inputs that are checked."""
        return super().__call__(self.intake.called(inputs), *args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The logits.

        Args:
            inputs: (batch, *event).
            training: passed to the layers.
            mask: as in Keras.

        Returns:
            (batch, classes).
        """
        x: Any = self.intake.stream_inputs(inputs) if tf.is_symbolic_tensor(inputs) else inputs
        return super().call(self.intake.numbers(x), training=training, mask=mask)

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        *args: Any,
        validation_data: Any = None,
        **kwargs: Any,
    ) -> Any:
        """As `keras.Model.fit`; x as in `zoo.Autoencoder.fit`.

        Args:
            x: an array, a stream of (x, y), or a `zoo.data.Data` record with labels.
            y: the classes of an array, (rows,) whole numbers from 0; None for a stream or a record.
            *args: as in Keras.
            validation_data: (x, y) or (x, y, weights) of arrays, a stream or a record.
            **kwargs: as in Keras.

        Returns:
            Keras's history.

        Raises:
            ValueError: for a record without labels, and for classes that the network has no logit for.
        """
        x, y = self._labelled(x, y)
        held_out = validation_data
        if sources.is_record(held_out):
            held_out = self._labelled(held_out, None, "validation_data")
        elif isinstance(held_out, tuple) and len(held_out) > 1:
            pair = self._labelled(*held_out[:2], "validation_data")
            held_out = (*pair, *held_out[2:])
        else:
            held_out = self._received(held_out, "validation_data")
        with plain_errors("x", "validation_data"):
            return super().fit(x, y, *args, validation_data=held_out, **kwargs)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.evaluate`; x and y as in `fit`."""
        # Keras's own argument, from within `fit`, which has checked them.
        inner = "_use_cached_eval_dataset" in kwargs
        if not inner:
            x, y = self._labelled(x, y)
        with plain_errors(evaluation="validation_data" if inner else "x"):
            return super().evaluate(x, y, *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.predict`; x as in `zoo.Autoencoder.fit`."""
        with plain_errors():
            return super().predict(self._received(x), *args, **kwargs)

    def train_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.train_on_batch`."""
        return super().train_on_batch(self._received(x), *args, **kwargs)

    def test_on_batch(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """As `keras.Model.test_on_batch`."""
        return super().test_on_batch(self._received(x), *args, **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        """As `keras.Model.predict_on_batch`."""
        return super().predict_on_batch(self._received(x))

    def get_config(self) -> dict[str, Any]:
        """That of the layers, and what is taken."""
        taken = {
            "event_shape": self.intake.event_shape,
            "bounds": self.intake.bounds,
            "scale": self.intake.kept_scale,
        }
        return {**super().get_config(), "taken": taken}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Classifier:
        """The inverse of `get_config`."""
        config = dict(config)
        taken = config.pop("taken")
        made = super().from_config(config, custom_objects)
        made.intake = Intake(tuple(taken["event_shape"]), taken["bounds"], scale=taken["scale"])
        return made

    def _labelled(self, x: Any, y: Any, name: str = "x") -> tuple[Any, Any]:
        """Inputs as the layers take them, and their classes."""
        if sources.is_record(x):
            if y is None and x.labels is None:
                raise ValueError(
                    f"{name} is the record {x.name!r}, which has no labels; a classifier learns from them. "
                    "Give arrays, x and y."
                )
            x, y = self.intake.values(x, name), x.labels if y is None else y
        else:
            x = self._received(x, name)
        sparse = isinstance(self.loss, keras.losses.SparseCategoricalCrossentropy)
        if sparse and y is not None and sources.is_array(y) and not tf.is_symbolic_tensor(y):
            return x, self._classes(y, len(x), "y" if name == "x" else f"y of {name}")
        return x, y

    def _classes(self, y: Any, rows: int, name: str) -> np.ndarray:
        """Class indices that the loss can take: another one ends in TensorFlow's words, or in NaN."""
        shape: Any = self.output_shape
        found, classes = np.asarray(y), shape[-1]
        if found.shape not in ((rows,), (rows, 1)) or found.dtype.kind not in "iufb":
            raise ValueError(
                f"{name} must be one class for each of the {rows} rows of x, whole numbers from 0 to "
                f"{classes - 1}; received {found.dtype} of shape {found.shape}. Turn one-hot rows into "
                "classes with argmax(axis=1), and names with np.unique(names, return_inverse=True)[1]."
            )
        wrong = ~((found >= 0) & (found < classes) & (found == np.floor(found)))
        if wrong.any():
            raise ValueError(
                f"{name} must be whole numbers from 0 to {classes - 1}, one for each class; received "
                f"{found[wrong][0]} among them. Make the classifier with classes=, or count from 0."
            )
        return found

    def _received(self, x: Any, name: str = "x") -> Any:
        """Inputs as the layers take them, what stands beside them as it is."""
        if x is None or getattr(self, "intake", None) is None:
            return x
        if isinstance(x, tuple):
            return (self._received(x[0], name), *x[1:])
        if sources.is_array(x):
            return self.intake.values(x, name)
        return self.intake.labelled(x, name)


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
