"""From a part, a model or a function that builds one to what is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import Bottleneck
from zoo.distributions.likelihoods import Likelihood
from zoo.distributions.priors import Prior
from zoo.networks import mlp
from zoo.networks.corruption import Corruption
from zoo.objectives import Objective
from zoo.regularizers import Regularizer
from zoo.serialization import deserialize_part, part, serialize_part
from zoo.testing.checks import CHECKS
from zoo.testing.trial import Trial

KINDS = {
    "regularizer": Regularizer,
    "bottleneck": Bottleneck,
    "likelihood": Likelihood,
    "prior": Prior,
    "objective": Objective,
    "corruption": Corruption,
}
_EVENT = (6,)


def parametrize(*subjects: Any, data: Any = None, leave_out: tuple[str, ...] = ()) -> Any:
    """Decorator of a pytest test that is given every check of every subject.

    The subjects' trainings are shared by their checks, and run when the first check asks for them.

    Args:
        *subjects: each a part, which is put into a small model where it fits; a model; a `Trial`; or a
            function without arguments that builds a model, the same each time.
        data: what `fit` is given; None for rows in (0, 1) of the model's shape.
        leave_out: names of checks that do not apply, see `zoo.testing.CHECKS`.

    Returns:
        A decorator for a function of ``trial`` and ``check``.

    Raises:
        ValueError: for something else, an unknown check, or a part that fits no model.

    Example:
        >>> import zoo.testing
        >>> @zoo.testing.parametrize(zoo.get("l1", weight=0.1), leave_out=("exports",))
        ... def test_conforms(trial, check):
        ...     check(trial)
        >>> (mark,) = test_conforms.pytestmark
        >>> len(mark.args[1]) == len(zoo.testing.CHECKS) - 1
        True
    """
    import pytest  # is there where tests are

    from zoo.registry import one_of

    for name in leave_out:
        one_of(name, "check", CHECKS)
    wanted = {name: check for name, check in CHECKS.items() if name not in leave_out}
    cases = []
    for subject in subjects:
        trial = trial_of(subject, data)
        label = getattr(subject, "name", getattr(subject, "__name__", type(subject).__name__))
        for name, check in wanted.items():
            cases.append(pytest.param(trial, check, id=f"{label}: {name}"))
    return pytest.mark.parametrize(("trial", "check"), cases)


def trial_of(subject: Any, data: Any = None) -> Trial:
    """What is checked of a subject; arguments as in `parametrize`.

    Args:
        subject: part, model, trial or function.
        data: what `fit` is given.

    Returns:
        The trial.

    Raises:
        ValueError: for anything else.

    Example:
        >>> from zoo.testing.subjects import trial_of
        >>> trial_of(zoo.get("laplace", kind="prior")).build().prior.zoo_name
        'laplace'
    """
    if isinstance(subject, Trial):
        return subject
    if isinstance(subject, Autoencoder):
        kind, config = type(subject), subject.get_config()
        return Trial(lambda: kind.from_config(config), data)
    for name, base in KINDS.items():
        if isinstance(subject, base):
            return Trial(_host_of(name, serialize_part(subject)), data)
    if isinstance(subject, keras.Layer) or not callable(subject):
        raise ValueError(
            f"Expected a part ({', '.join(KINDS)}), a model, or a function that builds one; received "
            f"{subject!r}."
        )
    build: Any = subject
    return Trial(build, data)


def _host_of(kind: str, config: Any) -> Callable[[], Autoencoder]:
    """The first small model that takes the part."""
    refused: ValueError | None = None
    for host in _hosts():
        try:
            _with(host, kind, config)
        except ValueError as error:
            refused = refused or error
        else:
            return lambda: _with(host, kind, config)
    raise ValueError(
        f"The part fits none of the small models ({refused}) Give a function that builds a model with it."
    ) from refused


def _hosts() -> Iterator[dict[str, Any]]:
    drawn = {"name": "stochastic", "units": 3}
    plain = {"likelihood": "bernoulli", "prior": "normal", "objective": None, "corruption": None}
    yield {**plain, "bottleneck": drawn, "regularizers": ["kl"]}
    yield {**plain, "bottleneck": drawn, "regularizers": []}
    yield {**plain, "bottleneck": {"name": "deterministic", "units": 3}, "regularizers": []}


def _with(host: dict[str, Any], kind: str, config: Any) -> Autoencoder:
    own = deserialize_part(config, kind)
    chosen = dict(host)
    if kind == "regularizer":
        chosen["regularizers"] = [*host["regularizers"], own]
    else:
        chosen[kind] = own
    likelihood = part(chosen.pop("likelihood"), "likelihood", Likelihood)
    output = likelihood.decoder_shape(_EVENT)
    return Autoencoder(
        _EVENT, encoder=mlp([8]), decoder=mlp([8], output), likelihood=likelihood, **chosen
    )
