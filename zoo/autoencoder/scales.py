"""The scales of the columns of x: standardized where the model says so, looked at where it does not."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from zoo.data.storage import release
from zoo.networks.standardization import Moments, Standardization
from zoo.tfp import tfb, tfd
from zoo.trainer.sources import batch_columns, batches_of, is_array

if TYPE_CHECKING:
    from zoo.autoencoder.autoencoder import Autoencoder

# Times the smallest deviation among the columns that the largest may be without a warning.
APART = 1000.0
# Numbers that are looked at for the warning, which must not cost more than it is worth.
_LOOKED_AT = 2_000_000
_CHUNK = 8192


def check_standardize(model: Autoencoder) -> None:
    """Refuse parts that need the data as they are.

    Raises:
        ValueError: for a likelihood of a range or with a link, and for a model that reconstructs y.
    """
    likelihood = model.likelihood
    if not takes_any_number(likelihood):
        name = vars(type(likelihood)).get("zoo_name") or type(likelihood).__name__
        link = likelihood.activation.__name__
        link = "" if link == "linear" else f" with the activation {link!r}"
        raise ValueError(
            f"standardize=True makes numbers on both sides of 0, and the likelihood {name!r}{link} is for "
            "data as they are. Choose likelihood='normal', 'laplace' or 'squared_error' without an "
            "activation, or leave standardize out."
        )
    if model.target_shape is not None:
        raise ValueError(
            "standardize=True is for a model that reconstructs x; with target_shape it reconstructs y. "
            "Standardize both before fit, or leave it out."
        )


def takes_any_number(likelihood: Any) -> bool:
    """Whether a likelihood judges numbers of every size and sign."""
    return likelihood.bounds is None and likelihood.activation is keras.activations.linear


def adapt(model: Autoencoder, x: Any) -> None:
    """See `Autoencoder.adapt`."""
    layer = model.standardization
    if layer is None:
        raise ValueError(
            "This model does not standardize its inputs. Create it with standardize=True, or leave adapt out."
        )
    x = model.intake.columns(x)[0]
    if not is_array(x):
        batches = (np.asarray(batch_columns(batch)[0]) for batch in batches_of(x, "x"))
        layer.adapt(_floats(model, model.intake.inputs(batch)) for batch in batches)
        return
    layer.adapt(_pieces(model, model.intake.inputs(x)))


def meet(model: Autoencoder, x: np.ndarray | None) -> None:
    """What `fit` does with the rows that it trains on, checked, before its first step; None for a stream.

    Raises:
        ValueError: for a stream where the standardization has not met data yet.

    Warns:
        UserWarning: where the scales of the columns are far apart, and nothing makes up for it.
    """
    layer = model.standardization
    if layer is not None:
        if layer.adapted:
            return
        if x is None:
            raise ValueError(
                "standardize=True needs the mean and deviation of the data, and a stream or a single batch "
                "can be read once only. Call model.adapt(x) first, with an array or a data set."
            )
        layer.adapt(_pieces(model, x))
    elif x is not None and model.target_shape is None and takes_any_number(model.likelihood):
        said = far_apart(x)
        if said:
            warnings.warn(said, stacklevel=4)


def unadapted(model: Autoencoder) -> str:
    """What to say of a model that standardizes and has met no data; "" of any other."""
    layer = model.standardization
    if layer is None or layer.adapted:
        return ""
    return (
        "This model has standardize=True and has met no data, so that it takes x as it is. Fit it, call "
        "model.adapt(x), or load its weights first."
    )


def warn_unadapted(model: Autoencoder) -> None:
    """Warn once of such a model."""
    if not model.__dict__.get("_said_unadapted") and (said := unadapted(model)):
        model.__dict__["_said_unadapted"] = True
        warnings.warn(said, stacklevel=4)


def far_apart(x: np.ndarray) -> str:
    """What to say of columns, or channels, whose scales are far apart; "" where they are not.

    Args:
        x: (rows, ..., columns) uint8 or float; some rows of many are looked at.

    Returns:
        A sentence, or "".
    """
    rows = max(2, _LOOKED_AT // max(1, int(np.prod(x.shape[1:]))))
    step = -(-len(x) // rows)
    moments = Moments(x.shape[-1])
    piece = step * max(1, _CHUNK // step)
    for start in range(0, len(x), piece):
        some = x[start : start + piece : step]
        moments.add(np.asarray(some, np.float32))
        release(x)  # each row is on a page of its own
    varies = np.flatnonzero(~moments.constant())
    if len(varies) < 2:
        return ""
    deviations = moments.deviation()[varies]
    least, most = int(deviations.argmin()), int(deviations.argmax())
    if deviations[most] < APART * deviations[least]:
        return ""
    return (
        f"The columns of x are on different scales: column {varies[most]} has a standard deviation of "
        f"{deviations[most]:.3g}, column {varies[least]} one of {deviations[least]:.3g}. The largest decide "
        "the loss. Create the model with standardize=True, or rescale x."
    )


def in_units_of_data(layer: Standardization, distribution: Any) -> Any:
    """p(x|z) of the data, from that of standardized data: its density is that of x itself."""
    scale = tf.broadcast_to(layer.deviation.value, distribution.event_shape)
    shift = tf.broadcast_to(layer.mean.value, distribution.event_shape)
    return tfd.TransformedDistribution(distribution, tfb.Shift(shift)(tfb.Scale(scale)))


def _pieces(model: Autoencoder, x: np.ndarray) -> Iterator[np.ndarray]:
    """Rows as floats, some at a time, so that a memory-mapped file is read in constant memory."""
    for start in range(0, len(x), _CHUNK):
        yield _floats(model, np.asarray(x[start : start + _CHUNK]))
        release(x)


def _floats(model: Autoencoder, x: np.ndarray) -> np.ndarray:
    """Checked rows as the model sees them, bytes divided."""
    return np.asarray(model.intake.scales["x"].divided(x), np.float32)
