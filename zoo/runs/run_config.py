"""Everything that decides how a run comes out, as one record that config.json holds."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.files import read_json
from zoo.registry import one_of
from zoo.values import whole_number

# These may be another when a run is resumed: they do not change what it computes.
_FREE = ("epochs", "data_dir", "manual_dir", "strategy", "virtual_devices", "evaluate", "imports")
# These may differ between the workers of one run. Data are known by what is in them, not by where they lie.
_OWN = ("dataset", "data_dir", "manual_dir", "strategy", "virtual_devices", "evaluate", "imports")
_PACKAGES = ("tensorflow", "keras", "tensorflow-probability", "numpy")
PRECISIONS = ("float32", "mixed_bfloat16")
STRATEGIES = ("auto", "none", "mirrored", "multi_worker")
EVALUATIONS = ("none", "quick", "full")


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """A run.

    Args:
        model: name of a model.
        options: options of the model's function, as plain values: numbers, texts, lists, and dicts with
            "name" for parts and schedules.
        regularizers: further regularizers, each a dict with "name" and its options.
        dataset: name of a set, or the path of a folder or file.
        data_options: options of the set.
        data_dir: TFDS's folder of prepared sets.
        manual_dir: TFDS's folder of files fetched by hand.
        limit: at most so many examples of each split.
        epochs: passes over the training data; None for about 4,000 steps.
        batch_size: rows of a batch; None for 32, or 128 from 10,000 examples on.
        optimizer: Keras's name of an optimizer.
        learning_rate: of it; None for its own.
        precision: "float32" or "mixed_bfloat16".
        seed: of the weights, the noise and the order of training.
        data_seed: of the data: which rows are held out, and what a synthetic set draws. Runs of several seeds
            and one data_seed are measured on the same rows.
        start_at_mean: begin with the biases of `zoo.recipes.centering.start_at_mean`.
        skip_nonfinite: leave out updates whose gradient is not a finite number, and count them.
        slices: of a batch, each computed on a core of its own; None for as many as the machine allows. A run
            keeps its number when it is resumed on another machine.
        strategy: "auto", "none", "mirrored" or "multi_worker".
        virtual_devices: logical processors that "mirrored" then uses; 0 for none.
        fit_prior: prior to fit to the training codes at the end, a dict with "name" and its options, or None.
        evaluate: what is measured and drawn when the training ends, see `zoo.runs.artefacts.write_artefacts`:
            "none", "quick" or "full".
        imports: modules to import first, since they register parts: dotted names, or .py files.

    Raises:
        ValueError: for a value of another kind or out of range.

    Example:
        >>> config = zoo.runs.RunConfig(model="vae", options={"latents": 2}, dataset="digits", epochs=5)
        >>> zoo.runs.RunConfig.from_json(config.to_json()) == config
        True
        >>> zoo.runs.RunConfig(epochs=0)
        Traceback (most recent call last):
            ...
        ValueError: epochs must be ...; received 0.
    """

    model: str = "laplace_vae"
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    regularizers: tuple[Mapping[str, Any], ...] = ()
    dataset: str = "digits"
    data_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    data_dir: str | None = None
    manual_dir: str | None = None
    limit: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    optimizer: str = "adam"
    learning_rate: float | None = None
    precision: str = "float32"
    seed: int = 0
    data_seed: int = 0
    start_at_mean: bool = False
    skip_nonfinite: bool = False
    slices: int | None = None
    strategy: str = "auto"
    virtual_devices: int = 0
    fit_prior: Mapping[str, Any] | None = None
    evaluate: str = "quick"
    imports: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("regularizers", "imports"):
            _check(name, self, isinstance(getattr(self, name), list | tuple), "a list")
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name in ("model", "dataset", "optimizer"):
            _check(name, self, isinstance(getattr(self, name), str), "a name")
        for name in ("data_dir", "manual_dir"):
            folder = getattr(self, name)
            _check(name, self, folder is None or isinstance(folder, str), "the name of a folder")
        for name in ("options", "data_options"):
            _check(name, self, isinstance(getattr(self, name), Mapping), "named values")
        for name, least in (("limit", 2), ("epochs", 1), ("batch_size", 1), ("slices", 1)):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, whole_number(getattr(self, name), name, least))
        for name in ("seed", "data_seed", "virtual_devices"):
            object.__setattr__(self, name, whole_number(getattr(self, name), name, 0))
        for name in ("start_at_mean", "skip_nonfinite"):
            _check(name, self, isinstance(getattr(self, name), bool), "true or false")
        rate = self.learning_rate
        positive = isinstance(rate, int | float) and 0 < rate < float("inf")
        _check("learning_rate", self, rate is None or positive, "a number above 0")
        choices = {"precision": PRECISIONS, "strategy": STRATEGIES, "evaluate": EVALUATIONS}
        for name, known in choices.items():
            one_of(getattr(self, name), name, known)
        for entry in self.regularizers:
            if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
                raise ValueError(f"A regularizer needs a name; received {entry!r}.")
        prior = self.fit_prior
        if prior is not None and not (
            isinstance(prior, Mapping) and isinstance(prior.get("name"), str)
        ):
            raise ValueError(f"fit_prior needs the name of a prior; received {prior!r}.")

    def differing(self, other: RunConfig) -> list[str]:
        """Names of the settings that make `other` another run than this one."""
        mine, theirs = self.to_json(), other.to_json()
        return [name for name in mine if name not in _FREE and mine[name] != theirs[name]]

    def shared(self) -> dict[str, Any]:
        """The settings that all workers of one run must have alike, as JSON holds them."""
        return {name: value for name, value in self.to_json().items() if name not in _OWN}

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON holds them."""
        return _plain(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> RunConfig:
        """The settings that `to_json` gave; what is not a setting is left aside.

        Settings from before there was a `data_seed` keep their held-out rows, which their `seed` drew; those
        from before there was `evaluate` the convolutions that were the default then; those from before there
        were slices computed their batches whole.

        Raises:
            ValueError: where one does not fit.
        """
        if "data_seed" not in content and "seed" in content:
            content = {**content, "data_seed": content["seed"]}
        if "evaluate" not in content and "seed" in content:
            content = {**content, "options": _former_networks(content.get("options", {}))}
        if "slices" not in content and "seed" in content:
            content = {**content, "slices": 1}
        names = {field.name for field in dataclasses.fields(cls)}
        return cls(**{key: value for key, value in content.items() if key in names})

    @classmethod
    def read(cls, folder: str | Path) -> RunConfig:
        """The settings of a run folder.

        Raises:
            ValueError: where it is none, or its config.json does not fit.
        """
        path = Path(folder) / "config.json"
        if not path.is_file():
            raise ValueError(
                f"{str(folder)!r} is not a run folder: it has no config.json. Name the folder of "
                "a run."
            )
        try:
            return cls.from_json(read_json(path, "The run's configuration"))
        except ValueError as error:
            raise ValueError(f"{str(path)!r} does not fit: {error}") from error


def _former_networks(options: Any) -> Any:
    """Options with the filters and dense units that networks="conv" stood for, where they name none."""
    unnamed = isinstance(options, Mapping) and options.get("hidden") is None
    if unnamed and options.get("networks") in ("conv", {"name": "conv"}):
        return {**options, "networks": {"name": "conv", "hidden": [64, 128], "dense": [1024]}}
    return options


def main_job() -> RunConfig:
    """What is trained where neither a model nor a data set is named: good pictures in half a minute.

    The pictures are grey: under a Bernoulli likelihood most of their 64 values would count as coin tosses,
    and the model used 3 of its 10 units; with a Normal of scale 0.2 it uses 8.

    Example:
        >>> from zoo.runs.run_config import main_job
        >>> main_job().model, main_job().dataset
        ('laplace_vae', 'digits')
    """
    likelihood = {"name": "normal", "scale": 0.2, "activation": "sigmoid"}
    options = {"hidden": [200, 200], "activation": "relu", "likelihood": likelihood}
    return RunConfig(options=options, epochs=60, batch_size=64, learning_rate=2e-3)


def versions() -> dict[str, str]:
    """What the figures of a run may depend on, by name.

    Example:
        >>> from zoo.runs.run_config import versions
        >>> versions()["zoo"] == zoo.__version__
        True
    """
    import zoo

    found = {"python": platform.python_version(), "zoo": zoo.__version__}
    return found | {name: importlib.metadata.version(name) for name in _PACKAGES}


def _check(name: str, config: RunConfig, good: bool, wanted: str) -> None:
    if not good:
        raise ValueError(f"{name} must be {wanted}; received {getattr(config, name)!r}.")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
