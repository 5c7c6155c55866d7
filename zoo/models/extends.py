"""A model that is another one with other defaults, and says so in its signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any


def extends(
    base: Callable[..., Any], without: Sequence[str] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator for a model function that hands its ``**options`` to `base`.

    The signature then lists the options of both, so that help, `zoo.create` and the command line know
    them.

    Args:
        base: the function that the options are handed to.
        without: options of `base` that have no place in the model.

    Returns:
        A decorator that gives the function its whole signature.

    Example:
        >>> import inspect
        >>> from zoo.models.extends import extends
        >>> def base(input_shape, latents=10, beta=1.0):
        ...     return input_shape, latents, beta
        >>> @extends(base, without=("beta",))
        ... def narrow(input_shape, latents=2, **options):
        ...     return base(input_shape, latents, **options)
        >>> str(inspect.signature(narrow))
        '(input_shape, latents=2)'
    """
    inherited = inspect.signature(base).parameters

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        own = {
            name: p
            for name, p in inspect.signature(function).parameters.items()
            if p.kind is not inspect.Parameter.VAR_KEYWORD
        }
        rest = [p for name, p in inherited.items() if name not in own and name not in without]
        function.__signature__ = inspect.Signature([*own.values(), *rest])
        function.base = base  # pages of models read what its options mean
        return function

    return decorate
