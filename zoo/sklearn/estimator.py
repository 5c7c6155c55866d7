"""What the estimators share: options of the model as parameters, training, and pickling through .keras."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

import zoo
from zoo.autoencoder import Autoencoder
from zoo.runs.artefacts import load_model

# Rows of a batch of what is asked of a trained model. The last batch is filled up: then every product has one
# shape, and the answer for a row is the same to the last bit whichever rows stand beside it.
_ROWS = 128
# The likelihood of a model whose own is "bernoulli", which is for rows in [0, 1].
_BY_THE_ROWS = "auto"


class ModelEstimator(BaseEstimator):
    """A model of the zoo that is trained on a table (rows, columns).

    Args:
        model: its name, see ``zoo.names("model")``.
        epochs: passes over the rows.
        batch_size: rows of a batch; None for 32, or all where there are fewer.
        optimizer: Keras's name of it.
        learning_rate: of the optimizer; None for its own.
        input_shape: the shape of an example where the columns are the pixels of a picture or the like; None
            for (columns,).
        random_state: of the weights, the noise and the order of the rows.
        verbose: 1 for a line an epoch.
        **options: of the model, see its docstring; all of them are parameters of the estimator. In the place
            of a Bernoulli likelihood the default is "auto": a normal one where rows lie outside of [0, 1].
            Where all that it was trained on lie inside, the model sees later rows cut to [0, 1], and errors
            are those of the rows as they are.

    Attributes:
        model_: the trained `zoo.Autoencoder`.
        history_: term of the loss -> its mean in every epoch.
        n_features_in_: how many columns it was trained on.
        feature_names_in_: their names, where they are all texts.
    """

    def __init__(
        self,
        model: str = "autoencoder",
        *,
        epochs: int = 20,
        batch_size: int | None = None,
        optimizer: str = "adam",
        learning_rate: float | None = None,
        input_shape: Sequence[int] | None = None,
        random_state: Any = 0,
        verbose: int = 0,
        **options: Any,
    ):
        self.model = model
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.input_shape = input_shape
        self.random_state = random_state
        self.verbose = verbose
        self._given = options

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The estimator's parameters and the options of its model.

        Args:
            deep: of no effect, since options hold no estimators.

        Returns:
            Name -> value.
        """
        return {**super().get_params(deep), **_defaults(self.model), **self._given}

    def set_params(self, **params: Any) -> ModelEstimator:
        """Set parameters, options of the model among them.

        Args:
            **params: name=value. A new `model` brings its own options; what was chosen of the old one's is
                kept where the new one has an option of that name.

        Returns:
            The estimator.

        Raises:
            ValueError: for a name that is none.
        """
        if params.get("model", self.model) != self.model:
            self._given = self._chosen()
            self.model = params["model"]
            known = _defaults(self.model)
            self._given = {name: value for name, value in self._given.items() if name in known}
        own, known = super().get_params(deep=False), self.get_params()
        options = {name: params[name] for name in params if name in known and name not in own}
        super().set_params(**{name: params[name] for name in params if name not in options})
        self._given = {**self._given, **options}
        return self

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        signature = inspect.signature(type(self).__init__).parameters
        usual = {name: p.default for name, p in signature.items()} | _defaults(self.model)
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if not _same(value, usual.get(name, inspect.Parameter.empty))
        ]
        return f"{type(self).__name__}({', '.join(changed)})"[:N_CHAR_MAX]

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "model_" in state:
            with TemporaryDirectory() as folder:
                path = Path(folder) / "model.keras"
                state.pop("model_").save(path)
                state["model_"] = path.read_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if "model_" in state:
            with TemporaryDirectory() as folder:
                path = Path(folder) / "model.keras"
                path.write_bytes(state["model_"])
                state["model_"] = load_model(path)
        super().__setstate__(state)

    def _train(self, X: Any, options: Mapping[str, Any] | None = None) -> np.ndarray:
        """Build and train the model; the checked rows."""
        x = self._checked(X, reset=True)
        changed = {**self._chosen(), **(options or {})}
        auto = (
            _defaults(self.model).get("likelihood") == _BY_THE_ROWS and "likelihood" not in changed
        )
        inside = x.min() >= 0 and x.max() <= 1 and not changed.get("standardize")
        if auto and not inside:
            changed["likelihood"] = "normal"
        self._cuts = auto and inside
        seed = self.random_state
        if not isinstance(seed, numbers.Integral):
            seed = check_random_state(seed).randint(2**31 - 1)
        seed = int(seed)
        shape = (x.shape[1],) if self.input_shape is None else tuple(self.input_shape)
        model = self._created(shape, {"seed": seed, **changed})
        if model.intake.condition is not None or model.target_shape is not None or model.pairs:
            raise ValueError(
                f"The estimators are for models of x alone, and {self.model!r} is trained on a y as well: a "
                "condition, a target or a partner. Use the model itself, zoo.create, and its fit(x, y)."
            )
        optimizer: Any = keras.optimizers.get(self.optimizer)
        if optimizer is self.optimizer:  # which belongs to the caller, and to one model only
            optimizer = type(optimizer).from_config(optimizer.get_config())
        if self.learning_rate is not None:
            optimizer.learning_rate = self.learning_rate
        model.compile(optimizer)
        size = min(32, len(x)) if self.batch_size is None else self.batch_size
        verbose: Any = self.verbose
        history = model.fit(
            self._shaped(x, shape), epochs=self.epochs, batch_size=size, verbose=verbose
        )
        self.model_ = model
        self.history_ = history.history
        return x

    def _chosen(self) -> dict[str, Any]:
        """The options that are not the defaults of the model, which `clone` gives too."""
        usual = _defaults(self.model)
        return {
            name: value
            for name, value in self._given.items()
            if name not in usual or not _same(value, usual[name])
        }

    def _created(self, shape: tuple[int, ...], options: Mapping[str, Any]) -> Autoencoder:
        return zoo.create(self.model, shape, **options)

    def _checked(self, X: Any, reset: bool = False) -> np.ndarray:
        """(rows, columns) float32."""
        if not reset:
            check_is_fitted(self, "model_")
        least = 2 if reset else 1
        found = validate_data(
            self, X, reset=reset, dtype=np.float32, ensure_min_samples=least, copy=True
        )
        return np.ascontiguousarray(found)

    def _shaped(self, x: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        if x.shape[1] != int(np.prod(shape)):
            raise ValueError(
                f"input_shape={tuple(shape)} has {int(np.prod(shape))} values; received rows of {x.shape[1]}."
            )
        return x.reshape(-1, *shape)

    def _asked(self, method: str, x: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        """What a method of the model gives, (rows, columns)."""
        rows = len(x)
        if getattr(self, "_cuts", False) and method != "decode":
            x = np.clip(x, 0, 1)
        filled = np.concatenate([x, np.repeat(x[-1:], -rows % _ROWS, axis=0)])
        found = getattr(self.model_, method)(self._shaped(filled, shape), batch_size=_ROWS)[:rows]
        return found.reshape(rows, -1)

    def _codes(self, x: np.ndarray) -> np.ndarray:
        return self._asked("encode", x, self.model_.event_shape)

    def _reconstructions(self, x: np.ndarray) -> np.ndarray:
        return self._asked("reconstruct", x, self.model_.event_shape)


def _defaults(model: Any) -> dict[str, Any]:
    """The options of a model and their defaults; none for a name that is no model's."""
    if not isinstance(model, str) or model not in zoo.names("model"):
        return {}
    usual = {name: value for name, value in zoo.models.options(model).items() if name != "seed"}
    if usual.get("likelihood") == "bernoulli":
        usual["likelihood"] = _BY_THE_ROWS
    return usual


def _same(one: Any, other: Any) -> bool:
    """Whether two options are equal, also after a copy."""
    try:
        return one is other or (type(one) is type(other) and bool(one == other))
    except (TypeError, ValueError):  # arrays, which are no default
        return False
