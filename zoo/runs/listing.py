"""What there is to choose from, with a line on each, read without importing TensorFlow."""

from __future__ import annotations

from zoo import registry

KINDS = tuple(f"{kind}s" for kind in registry.KINDS)


def describe(kinds: str) -> dict[str, str]:
    """The names of a kind and what each is.

    Args:
        kinds: one of `KINDS`.

    Returns:
        name -> first line of its docstring, sorted by name; where the part is not the zoo's own, with the
        package or module that brings it.

    Raises:
        ValueError: for an unknown kind.
    """
    registry.one_of(kinds, "list", KINDS)
    kind = kinds.removesuffix("s")
    lines = {}
    for name in registry.names(kind):
        line, package = registry.described(name, kind)
        lines[name] = f"{line} [{package}]".lstrip() if package else line
    return lines
