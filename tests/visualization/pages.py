"""Reading a page back: well-formedness, text, and what it refers to."""

from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "wbr", "input", "col", "source", "hr"}


class Page(HTMLParser):
    """Checks that tags nest, and keeps texts, attributes and ids."""

    def __init__(self, text):
        super().__init__()
        self.source = text
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    def references(self):
        """Everything that a browser would fetch or jump to."""
        return [
            attrs[key]
            for _, attrs in self.tags
            for key in ("src", "href", "srcset", "data", "action", "poster")
            if key in attrs
        ]


def check(path):
    """The page, once it is seen to be self-contained, well formed and accessible."""
    page = Page(path.read_text(encoding="utf-8"))
    assert page.source.startswith("<!DOCTYPE html>")
    assert page.all("html")[0]["lang"] == "en"
    for reference in page.references():
        assert reference.startswith(("data:", "#")), reference
    assert "http:" not in page.source and "https:" not in page.source
    assert "url(" not in page.source and "@import" not in page.source
    assert not page.all("script")
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for reference in page.references():
        assert not reference.startswith("#") or reference[1:] in ids
    for image in page.all("img"):
        assert image["alt"].strip() and int(image["width"]) and int(image["height"])
    assert any("width=device-width" in meta.get("content", "") for meta in page.all("meta"))
    assert "prefers-color-scheme: dark" in page.source and "@media print" in page.source
    return page
