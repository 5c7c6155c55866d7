"""Tables, masked, sparse and other tensors as NumPy arrays, or refused: what NumPy would silently change."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.data.checks import expected_shape, object_line


def is_sparse(x: Any) -> bool:
    """Whether x is a sparse or ragged matrix or tensor, of SciPy, TensorFlow or PyTorch."""
    known = isinstance(x, tf.SparseTensor | tf.RaggedTensor) or hasattr(x, "toarray")
    return known or "sparse" in str(getattr(x, "layout", ""))


def as_array(
    x: Any, name: str, event_shape: tuple[int, ...] | None = None, missing: bool = False
) -> Any:
    """`x` as an array where it has a form that NumPy would read as something else; other things as they are.

    Args:
        x: anything.
        name: what an error calls it.
        event_shape: of one example, for errors.
        missing: whether NaN stands for a missing value, which masked values then become.

    Returns:
        An array, or `x` itself.

    Raises:
        ValueError: for sparse matrices, masked values, tables with columns that are not numbers, and what
            stands for numbers in a model of Keras.
    """
    if isinstance(x, np.ndarray) and not isinstance(x, np.ma.MaskedArray):
        return _plain(x)
    if isinstance(x, keras.KerasTensor):
        raise ValueError(
            f"{name} must hold numbers; received a KerasTensor, as keras.Input gives. Build on the model by "
            "model.as_keras('encode'), 'decode' or 'reconstruct'."
        )
    if is_sparse(x):
        remedy = f"{name}.toarray()" if hasattr(x, "toarray") else f"{name}.to_dense()"
        if isinstance(x, tf.SparseTensor | tf.RaggedTensor):
            remedy = (
                "tf.sparse.to_dense" if isinstance(x, tf.SparseTensor) else f"{name}.to_tensor()"
            )
        raise ValueError(
            f"{name} must be a dense array; received a sparse {type(x).__name__}. Make batches of it dense "
            f"({remedy}), and stream them where the whole is too large."
        )
    if isinstance(x, np.ma.MaskedArray):
        masked = int(np.ma.getmaskarray(x).sum())
        if not masked:
            return np.ma.getdata(x)
        if not missing:
            raise ValueError(
                f"{name} has {masked} masked values. Fill them in ({name}.filled(...)), or create the model "
                "with mask='nan'."
            )
        return np.ma.filled(x.astype(np.float32), np.nan)
    if hasattr(x, "dtypes") and hasattr(x, "columns") and hasattr(x, "to_numpy"):
        return _of_table(x, name, event_shape)
    if hasattr(x, "detach"):  # a tensor of PyTorch
        x = x.detach().cpu()
        return (x.float() if "bfloat16" in str(x.dtype) else x).numpy()
    if isinstance(x, tf.Tensor) and not tf.is_symbolic_tensor(x):
        return np.asarray(x.numpy(), "S") if x.dtype == tf.string else _plain(x.numpy())
    return x


def _plain(x: np.ndarray) -> np.ndarray:
    """Narrow floats, such as bfloat16, which NumPy does not know as floats, as float32."""
    return x.astype(np.float32) if "float" in x.dtype.name and x.dtype.kind != "f" else x


def _of_table(table: Any, name: str, event_shape: tuple[int, ...] | None) -> np.ndarray:
    """The numbers of a data frame in the type that holds those of all its columns."""
    if not all(hasattr(kind, "kind") for kind in table.dtypes):  # not of pandas
        return table.to_numpy()
    kinds = [_numpy_kind(kind) for kind in table.dtypes]
    named = zip(table.columns, kinds, strict=True)
    words = [str(column) for column, kind in named if kind is None or kind.kind not in "iufb"]
    if words:
        where = f" in its columns {', '.join(words[:5])}"
        raise ValueError(object_line(name, expected_shape(event_shape), where))
    if not kinds:
        return np.empty(table.shape, np.float32)
    common = np.result_type(*kinds)
    try:
        return np.asarray(table.to_numpy(), common)
    except (TypeError, ValueError):  # pandas.NA among whole numbers
        return table.to_numpy(dtype=np.float32, na_value=np.nan)


def _numpy_kind(kind: Any) -> np.dtype | None:
    """The NumPy type of a column's type of pandas, also of its own nullable and sparse ones."""
    for own in (kind, getattr(kind, "numpy_dtype", None), getattr(kind, "subtype", None)):
        if isinstance(own, np.dtype):
            return own
    return None
