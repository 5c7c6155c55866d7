"""A docstring in Google's style, cut into the parts that a page shows."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

_SECTION = re.compile(
    r"^(Args|Attributes|Returns|Yields|Raises|Warns|Example|Examples):$", re.MULTILINE
)
_ENTRY = re.compile(r"^(\*{0,2}\w+): (.*(?:\n(?: +.*)?)*)", re.MULTILINE)


@dataclass
class Docstring:
    """What a docstring holds.

    Attributes:
        paragraphs: the prose, each a text; formulas stay indented.
        arguments: name -> text.
        example: as it is typed, with >>>.
    """

    paragraphs: list[str] = field(default_factory=list)
    arguments: dict[str, str] = field(default_factory=dict)
    example: str = ""

    @property
    def formula(self) -> str:
        """The first indented paragraph, dedented."""
        return next(
            (inspect.cleandoc(part) for part in self.paragraphs if part.startswith("  ")), ""
        )


def read(text: str | None) -> Docstring:
    r"""Cut a docstring into its parts.

    Example:
        >>> from website.docstring import read
        >>> found = read("Line.\n\n    a + b\n\nArgs:\n    a: one,\n        or two.\n    b: three.\n")
        >>> found.formula, found.arguments
        ('a + b', {'a': 'one, or two.', 'b': 'three.'})
    """
    prose, *rest = _SECTION.split(inspect.cleandoc(text or ""))
    sections = {
        name: inspect.cleandoc(body) for name, body in zip(rest[::2], rest[1::2], strict=True)
    }
    entries = _ENTRY.findall(sections.get("Args", ""))
    return Docstring(
        [part for part in prose.split("\n\n") if part.strip()],
        {name: " ".join(words.split()) for name, words in entries},
        sections.get("Example") or sections.get("Examples") or "",
    )
