"""Names for parts: register one, get one by name, list what there is.

There is a table of parts for each kind. A part stands in it once its module is imported. Before that its
name is known from one of two places, and its module is imported when the name is asked for:

- the sources of the zoo and of its own plugins, where ``@register("name", kind="prior")`` is read;
- the entry points of installed packages: one group a kind, ``zoo.priors`` or ``zoo.models``. The group says
  what a name stands for before anything is imported, and one name may be a prior and a likelihood.
  ``zoo.plugins`` is the older name of ``zoo.regularizers``; both are read.

So neither ``import zoo`` nor ``names()`` costs the import of a part, and a broken package does not harm the
others.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
import warnings
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from zoo.declarations import docstring_of, registered

# Where the zoo's own parts of a kind are defined; a package that is not there has none.
_HOME = {
    "regularizer": ("zoo.regularizers", "zoo_plugins"),
    "prior": ("zoo.distributions",),
    "likelihood": ("zoo.distributions",),
    "posterior": ("zoo.distributions",),
    "bottleneck": ("zoo.bottlenecks",),
    "objective": ("zoo.objectives",),
    "network": ("zoo.networks",),
    "model": ("zoo.models",),
    "dataset": ("zoo.data",),
    "experiment": ("zoo.experiments",),
}
KINDS = tuple(_HOME)
Named = TypeVar("Named")
# These cost little to import and register some parts in a loop, which cannot be read.
_IMPORTED = ("zoo.data", "zoo.experiments")
_OWN = ("zoo", "zoo_plugins")
_parts: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}


def register(name: str, kind: str = "regularizer") -> Callable[[Named], Named]:
    """Decorator that gives a class or a function a name.

    Args:
        name: the name, unique within its kind; letters, digits and underscores, for an experiment dashes
            as well.
        kind: one of `KINDS`; "regularizer" by default.

    Returns:
        A decorator that returns its argument unchanged. A Keras layer is made known to ``keras.saving``
        as well, as ``zoo.kind>name`` where it has no such name of its own.

    Raises:
        ValueError: for an unknown kind, a name of other characters, one that is taken, or a part that is
            neither class nor function. The same definition may come again, as when a notebook's cell is run
            twice; the later one counts.

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
    if not (name.replace("-", "_") if kind == "experiment" else name).isidentifier():
        raise ValueError(
            f"A {kind} needs a name of letters, digits and underscores; received {name!r}."
        )

    def decorate(part: Any) -> Any:
        if not (isinstance(part, type) or inspect.isfunction(part)):
            raise ValueError(f"register names a class or a function; received {part!r}.")
        declared = _declared(kind).get(name)
        owner = ""
        if name in table and not _same_definition(table[name], part):
            owner = _where(table[name])
        elif name not in table and declared and _package(declared) != _package(part):
            owner = f"the plugin {_origin(declared)}" if declared.dist else declared.value
        if owner:
            raise ValueError(
                f"The {kind} name {name!r} is taken by {owner}; received {_where(part)}. "
                "Choose another name."
            )
        table[name] = part
        part.zoo_name = name
        _tell_keras(part, name, kind)
        return part

    return decorate


def get(name: str, kind: str = "regularizer", **options: Any) -> Any:
    """Build the part that has a name.

    Args:
        name: a registered name, or one that an installed package declares.
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
    known = option_names(factory)
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
    point = None if name in table else _declared(kind).get(name)
    if point is not None and (failed := _load(point, kind)) is not None:
        raise ValueError(
            f"The {kind} {name!r} is that of {_origin(point)}, which could not be loaded: {failed!r}. Mend "
            "or update that package."
        ) from failed
    if name not in table:
        raise ValueError(f"Unknown {kind} {name!r}.{suggest(name, names(kind))}")
    return table[name]


def names(kind: str = "regularizer") -> list[str]:
    """All known names of a kind, sorted; nothing is imported for it.

    Example:
        >>> "vae" in zoo.names("model"), "l1" in zoo.names()
        (True, True)
    """
    return sorted({**_declared(kind), **_table(kind)})


def described(name: str, kind: str) -> tuple[str, str]:
    """The first line of a part's docstring, and the package that brings it, "" for the zoo's own.

    A part whose module is not imported is read from its source.

    Example:
        >>> line, package = zoo.registry.described("vae", "model")
        >>> line.split(" (")[0], package
        ('Variational autoencoder', '')
    """
    point: Any = _declared(kind).get(name)
    part = _table(kind).get(name)
    docstring = docstring_of(point.module, point.attr) if part is None else inspect.getdoc(part)
    if point is not None and point.dist is not None:
        package = f"{point.dist.name} {point.dist.version}"
    else:
        package = "" if part is None or _package(part) in _OWN else part.__module__
    return (docstring or "").strip().partition("\n")[0], package


def suggest(name: str, known: list[str] | tuple[str, ...]) -> str:
    """' Did you mean ...? Known: ...' for an error about a name that is not known.

    Example:
        >>> zoo.suggest("vea", ["beta_vae", "vae"])
        " Did you mean 'vae'? Known: beta_vae, vae."
        >>> zoo.suggest("VAE", ["beta_vae", "vae"])
        " Did you mean 'vae'? Known: beta_vae, vae."
    """
    folded = {each.lower(): each for each in known}  # papers write VAE and MNIST
    near = difflib.get_close_matches(str(name).lower(), folded, n=1, cutoff=0.5)
    hint = f" Did you mean {folded[near[0]]!r}?" if near else ""
    return f"{hint} Known: {', '.join(known) or 'none'}."


def one_of(name: Any, what: str, known: Iterable[str]) -> Any:
    """`name` where it is known, else a ValueError that names the nearest.

    Example:
        >>> zoo.registry.one_of("adan", "optimizer", ["adam", "sgd"])
        Traceback (most recent call last):
            ...
        ValueError: Unknown optimizer 'adan'. Did you mean 'adam'? Known: adam, sgd.
    """
    known = list(known)
    if name not in known:
        raise ValueError(f"Unknown {what} {name!r}.{suggest(name, known)}")
    return name


def option_names(factory: Any) -> set[str]:
    """Names of the options of a class, with those of its bases, or of a function; empty if it takes any.

    Example:
        >>> sorted(zoo.registry.option_names(zoo.registry.lookup("l1")))
        ['decoder_norms', 'name', 'of', 'weight']
    """
    classes = [cls for cls in getattr(factory, "__mro__", ()) if "__init__" in vars(cls)]
    # A framework's own base class takes options that no user of the zoo means.
    own = [cls.__init__ for cls in classes if not cls.__module__.startswith(("keras", "builtins"))]
    parameters = [p for f in own or [factory] for p in inspect.signature(f).parameters.values()]
    if not own and any(p.kind is p.VAR_KEYWORD for p in parameters):
        return set()
    named = (p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    return {p.name for p in named} - {"self"}


def _table(kind: str) -> dict[str, Any]:
    return _parts[one_of(kind, "kind of part", sorted(_parts))]


@cache
def _declared(kind: str) -> dict[str, EntryPoint]:
    """What may be imported by name: the zoo's own parts, as if they were entry points, and the others'."""
    _table(kind)
    found: dict[str, EntryPoint] = {}
    for package in _HOME[kind]:
        if package in _IMPORTED:
            importlib.import_module(package)
            continue
        for declared in registered(package):
            if declared.kind == kind:
                found[declared.name] = EntryPoint(declared.name, declared.value, f"zoo.{kind}s")
    groups = (f"zoo.{kind}s", *(("zoo.plugins",) if kind == "regularizer" else ()))
    for point in (point for group in groups for point in entry_points(group=group)):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            warnings.warn(
                f"The {kind} name {point.name!r} is declared by {_origin(other)} and by "
                f"{_origin(point)}; the first is used.",
                stacklevel=3,
            )
    return found


def _load(point: EntryPoint, kind: str) -> Exception | None:
    """Import a part; what went wrong where it is a plugin's."""
    if point.dist is None:  # the zoo's own; an error there must be seen
        _parts[kind].setdefault(point.name, point.load())
        return None
    try:
        part = point.load()
        if point.name in _parts[kind]:
            return None
        for other, table in _parts.items():
            if part in table.values():
                raise ValueError(
                    f"it is the {other} {part.zoo_name!r}: declare it by that name in zoo.{other}s"
                )
        register(point.name, kind)(part)
    except Exception as error:  # a plugin may fail in any way, and harms only itself
        return error
    return None


def _tell_keras(part: Any, name: str, kind: str) -> None:
    keras = sys.modules.get("keras")  # without it nothing is a layer
    if keras is None or not (isinstance(part, type) and issubclass(part, keras.Layer)):
        return
    if keras.saving.get_registered_name(part) == part.__name__:
        keras.saving.register_keras_serializable(f"zoo.{kind}", name)(part)
    if _package(part) not in _OWN:
        # So that a saved model with the part loads wherever the part is imported.
        importlib.import_module("zoo.autoencoder")


def _package(part: Any) -> str:
    module = part.module if isinstance(part, EntryPoint) else part.__module__
    return module.partition(".")[0]


def _origin(point: EntryPoint) -> str:
    package = f" of {point.dist.name} {point.dist.version}" if point.dist else ""
    return f"{point.name!r}{package} ({point.value})"


def _where(part: Any) -> str:
    return f"{part.__module__}.{part.__qualname__}"


def _same_definition(first: Any, second: Any) -> bool:
    """True where a module is imported again, or a notebook's cell run again."""
    return first is second or (
        _where(first) == _where(second) and "<locals>" not in first.__qualname__
    )
