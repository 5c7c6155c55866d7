"""The table of docs/references.md, and which of its papers a text names."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
_ROW = re.compile(r"^\| ([^|]+?) \| ([^|]+?) \| (?:<(\S+)>|-) \|$", re.MULTILINE)


class Source(NamedTuple):
    """A paper.

    Attributes:
        name: authors and year, as docstrings write them.
        title: of the paper.
        link: where to read it, "" where there is none.
    """

    name: str
    title: str
    link: str

    @property
    def author(self) -> str:
        """The first author's family name."""
        return re.split(r",| & | et al| \d", self.name)[0]

    @property
    def year(self) -> str:
        """Four digits, or "" where it is not known."""
        found = re.search(r"\d{4}", self.name)
        return found[0] if found else ""


@cache
def sources() -> tuple[Source, ...]:
    """All papers of the page."""
    text = (ROOT / "docs" / "references.md").read_text(encoding="utf-8")
    rows = (Source(*row) for row in _ROW.findall(text))
    return tuple(row for row in rows if row.name != "source")


def named(text: str) -> list[Source]:
    """The papers that a text names, by the author and the year within a sentence of it.

    Example:
        >>> from website.sources import named
        >>> [source.link for source in named('beta-VAE (Higgins et al., "beta-VAE", 2017, equation 4).')]
        ['https://openreview.net/forum?id=Sy2fzU9gl']
    """
    words = " ".join(text.split())
    found = []
    for source in sources():
        pattern = re.escape(source.author) + (
            rf"\b[^;]{{0,160}}?\b{source.year}\b" if source.year else r"\b"
        )
        match = re.search(pattern, words)
        if match and _its_own(source, words) and match.start() not in [start for start, _ in found]:
            found.append((match.start(), source))
    return [source for _, source in sorted(found, key=lambda pair: pair[0])]


def _its_own(source: Source, words: str) -> bool:
    """Of two papers of an author and a year, whether the words of the title's kind stand there."""
    kind = re.search(r"\((.+)\)$", source.name)
    return kind is None or kind[1].lower() in words.lower()
