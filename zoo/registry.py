"""Names for parts: register one, get one by name, list what there is.

A registry of plain dictionaries, one for each kind of part. Plugins that other packages bring are found
through the entry-point group ``zoo.plugins`` and imported only when their name is asked for, so that
neither ``import zoo`` nor ``names()`` costs the import of a plugin, and a broken one harms nobody else.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import warnings
from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

ENTRY_POINT_GROUP = "zoo.plugins"

# Where the parts of the library itself stand; a module is imported when its kind is first asked for.
_HOME = {
    "regularizer": ("zoo.regularizers",),
    "prior": ("zoo.distributions.priors", "zoo.distributions.generator_prior"),
    "likelihood": ("zoo.distributions.likelihoods",),
    "posterior": ("zoo.distributions.families",),
    "bottleneck": ("zoo.bottlenecks",),
    "objective": ("zoo.objectives",),
    "model": ("zoo.models",),
    "dataset": ("zoo.data",),
}
_parts: dict[str, dict[str, Any]] = {kind: {} for kind in _HOME}


def register(name: str, kind: str = "regularizer") -> Callable[[Any], Any]:
    """Decorator that gives a class or a function a name.

    Args:
        name: the name, unique within its kind; letters, digits and underscores.
        kind: "regularizer" (the default, so that a plugin says only its name), "prior", "likelihood",
            "posterior", "bottleneck", "model" or "dataset".

    Returns:
        A decorator that returns its argument unchanged. Keras layers are made known to
        ``keras.saving`` as ``zoo>name`` as well, so that they load again.

    Raises:
        ValueError: for an unknown kind, a name that is no identifier, or one that is taken.

    Example:
        >>> import tensorflow as tf
        >>> @zoo.register("spread")
        ... class Spread(zoo.Regularizer):
        ...     def penalty(self, forward, training=False):
        ...         return -tf.math.reduce_variance(zoo.gather(forward.code))
        >>> regularizers = [{"name": "spread", "weight": 0.1}]
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,), regularizers=regularizers)
    """
    table = _table(kind)
    if not name.isidentifier():
        raise ValueError(
            f"A {kind} needs a name of letters, digits and underscores; received {name!r}."
        )

    def decorate(part: Any) -> Any:
        _home(kind)
        taken = table.get(name)
        if taken is not None and not _same_definition(taken, part):
            raise ValueError(
                f"The {kind} name {name!r} is taken by {_where(taken)}; received {_where(part)}. "
                "Choose another name."
            )
        if taken is None and kind == "regularizer":
            owner = _plugins().get(name)
            if owner is not None and owner.module != part.__module__:
                raise ValueError(
                    f"The regularizer name {name!r} is taken by the plugin {_origin(owner)}; "
                    f"received {_where(part)}. Choose another name."
                )
        table[name] = part
        part.zoo_name = name
        return part

    return decorate


def get(name: str, kind: str = "regularizer", **options: Any) -> Any:
    """Build the part that has a name.

    Args:
        name: a registered name, or the name of an installed plugin.
        kind: the kind of part, as in `register`.
        **options: passed to the class or function, for example ``weight=0.1``.

    Returns:
        What the registered class or function returns for the options.

    Raises:
        ValueError: for an unknown name, with the nearest known ones, or an option that it does not take.

    Example:
        >>> zoo.get("l1", weight=0.1).weight
        0.1
        >>> zoo.get("laplace", kind="prior").distribution(2).event_shape
        TensorShape([2])
        >>> zoo.get("l1", wieght=0.1)
        Traceback (most recent call last):
            ...
        ValueError: The regularizer 'l1' has no option 'wieght'. Did you mean 'weight'? ...
    """
    factory = lookup(name, kind)
    known = _options(factory)
    for option in options:
        if known and option not in known:
            raise ValueError(
                f"The {kind} {name!r} has no option {option!r}.{suggest(option, sorted(known))}"
            )
    try:
        return factory(**options)
    except TypeError as error:
        raise ValueError(f"{kind} {name!r} cannot be built from {options!r}: {error}") from error


def lookup(name: str, kind: str = "regularizer") -> Any:
    """The registered class or function itself; see `get` for the errors.

    Example:
        >>> zoo.registry.lookup("laplace", kind="prior").__name__
        'LaplacePrior'
    """
    table = _table(kind)
    _home(kind)
    if name not in table and kind == "regularizer":
        _load_plugin(name)
    if name not in table:
        raise ValueError(f"Unknown {kind} {name!r}.{suggest(name, names(kind))}")
    return table[name]


def names(kind: str = "regularizer") -> list[str]:
    """All known names of a kind, sorted; plugins are listed without being imported.

    Example:
        >>> "vae" in zoo.names("model"), "l1" in zoo.names()
        (True, True)
    """
    table = _table(kind)
    _home(kind)
    return sorted({*table, *(_plugins() if kind == "regularizer" else ())})


def suggest(name: str, known: list[str] | tuple[str, ...]) -> str:
    """' Did you mean ...? Known: ...' for an error about a name that is not known.

    Example:
        >>> zoo.suggest("vea", ["beta_vae", "vae"])
        " Did you mean 'vae'? Known: beta_vae, vae."
    """
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"{hint} Known: {', '.join(known) or 'none'}."


def _table(kind: str) -> dict[str, Any]:
    if kind not in _parts:
        raise ValueError(f"Unknown kind of part {kind!r}.{suggest(kind, sorted(_parts))}")
    return _parts[kind]


@cache
def _plugins() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            warnings.warn(
                f"The plugin name {point.name!r} is declared by {_origin(other)} and by "
                f"{_origin(point)}; the first is used.",
                stacklevel=2,
            )
    return found


def _load_plugin(name: str) -> None:
    point = _plugins().get(name)
    if point is None:
        return
    try:
        part = point.load()
    except Exception as error:  # a plugin may fail in any way, and harms only itself
        warnings.warn(f"The plugin {_origin(point)} could not be loaded: {error!r}", stacklevel=3)
        return
    _parts["regularizer"].setdefault(name, part)


def _options(factory: Any) -> set[str]:
    """Names of the options of a class, with those of its bases, or of a function; empty if it takes any."""
    classes = [cls for cls in getattr(factory, "__mro__", ()) if "__init__" in vars(cls)]
    # A framework's own base class takes options that no user of the zoo means.
    own = [cls.__init__ for cls in classes if not cls.__module__.startswith(("keras", "builtins"))]
    parameters = [p for f in own or [factory] for p in inspect.signature(f).parameters.values()]
    if not own and any(p.kind is p.VAR_KEYWORD for p in parameters):
        return set()
    named = (p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    return {p.name for p in named} - {"self"}


def _home(kind: str) -> None:
    for module in _HOME[kind]:
        importlib.import_module(module)


def _origin(point: EntryPoint) -> str:
    package = f" of {point.dist.name} {point.dist.version}" if point.dist else ""
    return f"{point.name!r}{package} ({point.value})"


def _where(part: Any) -> str:
    return f"{part.__module__}.{part.__qualname__}"


def _same_definition(first: Any, second: Any) -> bool:
    """True where a module is imported again, as a notebook does."""
    return first is second or (
        first.__module__ == second.__module__ != "__main__"
        and first.__qualname__ == second.__qualname__
        and "<locals>" not in first.__qualname__
    )
