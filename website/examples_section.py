"""For mkdocstrings: `Example:` is a section of examples, as `Examples:` is."""

from __future__ import annotations

import re
from typing import Any

import griffe


class ExamplesSection(griffe.Extension):
    """Renames the section in every docstring that is read."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Called for each definition."""
        if not obj.is_alias and obj.docstring:
            obj.docstring.value = re.sub(
                r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE
            )
