"""Pages of the public modules; mkdocstrings fills them."""

from __future__ import annotations

import zoo

# Public by the path of their module, beside the rooms that `zoo` names.
BY_PATH = {
    "zoo.data": ("activations", "arrays", "folder", "numpy_files", "table"),
    "zoo.evaluation": ("dictionary", "splicing", "merging"),
    "zoo.exporting": ("dictionary_files",),
    "zoo.recipes": (
        "centering",
        "dictionaries",
        "fine_tuning",
        "classifier_network",
        "rbm",
        "spreading",
    ),
}
BESIDE = ("zoo.sklearn", "zoo.testing", "zoo.parts")


def pages() -> dict[str, tuple[str, str]]:
    """Path -> (title, Markdown) of every page."""
    names = sorted(name for name in zoo.__all__ if name not in zoo._ROOMS)
    head = ["# zoo", "", "What `import zoo` gives. Each name is loaded when it is first used.", ""]
    found = {"api/zoo.md": ("zoo", "\n".join([*head, *(_block(f"zoo.{name}") for name in names)]))}
    for room in [*(f"zoo.{name}" for name in zoo._ROOMS), *BESIDE]:
        modules = [f"{room}.{name}" for name in BY_PATH.get(room, ())]
        text = "\n".join([f"# {room}", "", *map(_block, [room, *modules])])
        found[f"api/{room.removeprefix('zoo.')}.md"] = (room, text)
    return found


def _block(name: str) -> str:
    return f"::: {name}\n"
