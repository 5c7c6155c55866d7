"""Which arrays of a .npz file are the examples, the labels and the factors, and of which part."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from zoo.data.split_names import named_part, part_of

NAMES = {
    "inputs": (
        *("x", "xs", "input", "inputs", "image", "images", "img", "imgs", "data", "features"),
        *("pictures", "samples", "examples"),
    ),
    "labels": ("y", "ys", "label", "labels", "target", "targets"),
    "factors": ("factors", "latents_classes"),
}
"""What arrays are called, in lower case and without a part."""

_UNNAMED = {"arr_0": "inputs", "arr_1": "labels"}
_Keys = dict[str, dict[str | None, str]]


def find(
    path: Path,
    files: Sequence[str],
    inputs: str | None = None,
    labels: str | bool | None = None,
) -> _Keys:
    """The names of the arrays by kind and part.

    Args:
        path: the file, for errors.
        files: the names in the file.
        inputs: a name that the user gives to the examples, without the part.
        labels: the same for the labels; False to leave them out.

    Returns:
        "inputs", "labels" and "factors" -> part -> name in the file. The part is None where the file has no
        splits, and "train" for a bare name beside one with another part.

    Raises:
        ValueError: where no array holds the examples, two hold one thing, or labels have no examples.
    """
    by_hand = {"inputs": inputs, "labels": labels or None}
    for option, name in by_hand.items():
        if name is not None and not isinstance(name, str):
            raise ValueError(f"{option} must be the name of an array of {path}; received {name!r}.")
    unnamed = [key for key in files if key.startswith("arr_")]
    if len(unnamed) > 2 and not inputs:
        raise ValueError(
            f"{path} holds {len(unnamed)} arrays without names; expected at most the examples and their "
            "labels. Name them: numpy.savez(path, x_train=..., y_train=..., x_test=..., y_test=...)."
        )
    bases = {base: kind for kind, known in NAMES.items() for base in known if not by_hand.get(kind)}
    bases |= {name.strip().lower(): kind for kind, name in by_hand.items() if name}
    found: _Keys = {kind: {} for kind in NAMES}
    unread = []
    for key in files:
        kind, part = _meaning(key, bases, by_hand, files)
        if kind is None:
            unread.append(key)
        elif kind == "labels" and labels is False:
            continue
        elif part in found[kind]:
            raise ValueError(
                f"{path} holds {found[kind][part]!r} and {key!r}, which both may be its {kind}. Say which by "
                f"inputs='...' or labels='...'."
            )
        else:
            found[kind][part] = key
    if not found["inputs"]:
        wanted = "inputs='...'" if not inputs else f"another name than {inputs!r}"
        raise ValueError(
            f"{path} holds the arrays {', '.join(files)}; expected one called "
            f"{', '.join(NAMES['inputs'])}, or with a part, x_train and x_test. Say which it is by {wanted}."
        )
    if labels and not found["labels"]:
        raise ValueError(
            f"{path} holds the arrays {', '.join(files)}; expected the labels {labels!r} among them."
        )
    _settle(path, found)
    if unread:
        warnings.warn(
            f"{path.name}: these arrays are not read: {', '.join(unread)}. Labels among them are named by "
            "labels='...', examples by inputs='...'.",
            stacklevel=4,
        )
    return found


def _meaning(
    key: str, bases: dict[str, str], by_hand: dict[str, str | None], files: Sequence[str]
) -> tuple[str | None, str | None]:
    """The kind and the part of an array; no kind where it is not read."""
    for kind, name in by_hand.items():
        if key == name:
            return kind, None
    named = named_part(key, bases)
    if named:
        return bases[named[0]], named[1]
    kind = _UNNAMED.get(key)
    if kind and not by_hand[kind] and (key == "arr_0" or len(files) == 2):
        return kind, None
    if part_of(key) and not by_hand["inputs"]:  # arrays called train and test
        return "inputs", part_of(key)
    return None, None


def _settle(path: Path, found: _Keys) -> None:
    """Give bare names beside parts the part "train", and see that labels and factors have examples."""
    if any(part for keys in found.values() for part in keys):
        for kind, keys in found.items():
            if None in keys:
                if "train" in keys:
                    raise ValueError(
                        f"{path} holds {keys[None]!r} and {keys['train']!r}, which both may be the {kind} to "
                        "train on. Leave one out."
                    )
                keys["train"] = keys.pop(None)
    for keys in found.values():
        for part, key in keys.items():
            if part not in found["inputs"]:
                raise ValueError(
                    f"{path} holds {key!r} without examples of that part; it has the arrays "
                    f"{', '.join(found['inputs'].values())}. Name what belongs together alike, such as "
                    "x_train and y_train."
                )
