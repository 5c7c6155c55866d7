"""mkdocs calls these: they add the generated pages, and lead links out of docs/ to pages of the site."""

from __future__ import annotations

import os
import posixpath
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from website import reference  # noqa: E402  the path comes first
from website.api import pages as api_pages  # noqa: E402

# Files outside docs/ that are pages of the site.
ADOPTED = {
    "BUILD.md": "build.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "examples/README.md": "examples.md",
    "zoo/trainer/README.md": "batch.md",
}
_LINK = re.compile(r"(?<=\]\()(?!\w+:|#|<)([^)#\s]+)(?=[)#])")
# A name of a model that leads to its file, where the site has a page of the model.
_CODE = re.compile(r"\[(`[^\]]*`)\]\(\.\./zoo/models/[^)]+\)")
_LANGUAGES = {".py": "python", ".sh": "bash", ".yaml": "yaml", ".toml": "toml", ".json": "json"}


def on_config(config: Any) -> Any:
    """Name every generated page in the menu."""
    menu = {next(iter(entry)): entry for entry in config["nav"] if isinstance(entry, dict)}
    menu["Models"]["Models"] = [
        "models.md",
        *(f"models/{name}.md" for name in reference.own("model")),
    ]
    menu["Parts"]["Parts"] = [
        {title: f"parts/{kind}s.md"} for kind, title in reference.KINDS.items()
    ]
    menu["API"]["API"] = [{title: path} for path, (title, _) in api_pages().items()]
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are not files of docs/."""
    from mkdocs.structure.files import File

    for path, text in generated().items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links of a page that leave docs/ to the pages that stand for those files."""
    path = page.file.src_uri
    if path not in ("choose.md", "models.md"):
        return relinked(markdown, path)
    return with_models(relinked(_CODE.sub(r"\1", markdown), path))


def with_models(markdown: str) -> str:
    """A page on which every name of a model leads to its page.

    Example:
        >>> from website.hooks import with_models
        >>> with_models("`vae` with `latents=2`")
        '[`vae`](models/vae.md) with `latents=2`'
    """
    names = "|".join(reference.own("model"))
    return re.sub(rf"`({names})`", r"[`\1`](models/\1.md)", markdown)


def generated() -> dict[str, str]:
    """Path in the site -> Markdown, of all pages that no file of docs/ holds."""
    found = {f"models/{name}.md": reference.model_page(name) for name in reference.own("model")}
    found |= {f"parts/{kind}s.md": reference.parts_page(kind) for kind in reference.KINDS}
    found |= {path: text for path, (_, text) in api_pages().items()}
    adopted = {page: (ROOT / file).read_text(encoding="utf-8") for file, page in ADOPTED.items()}
    found |= adopted
    written = {
        path.relative_to(ROOT / "docs").as_posix(): path.read_text(encoding="utf-8")
        for path in (ROOT / "docs").rglob("*.md")
    }
    for page, text in {**written, **adopted}.items():
        for target in outside(text, page):
            found[f"source/{target}.md"] = source_page(target)
    return found


def outside(markdown: str, page: str) -> list[str]:
    """The files of the checkout that a page links to and that have no page of their own."""
    targets = (_target(link, page) for link in _LINK.findall(markdown))
    return sorted(
        {path for path in targets if not path.startswith("docs/") and path not in ADOPTED}
    )


def relinked(markdown: str, page: str) -> str:
    """The text of a page with links that work in the site.

    Example:
        >>> from website.hooks import relinked
        >>> relinked("[a](../zoo/cli) [b](../BUILD.md) [c](data.md#x)", "guide.md")
        '[a](source/zoo/cli.md) [b](build.md) [c](data.md#x)'
    """

    def lead(match: re.Match[str]) -> str:
        target = _target(match[1], page)
        if target.startswith("docs/"):
            place = target.removeprefix("docs/")
            folder = ROOT / target
            place = f"{place}/README.md" if (folder / "README.md").exists() else place
        else:
            place = ADOPTED.get(target, f"source/{target}.md")
        return posixpath.relpath(place, posixpath.dirname(page) or ".")

    generated_by_name = page.startswith(("models/", "parts/", "api/", "source/"))
    return markdown if generated_by_name else _LINK.sub(lead, markdown)


def source_page(path: str) -> str:
    """A file of the checkout as a page, or the list of a folder."""
    there = ROOT / path
    if there.is_dir():
        names = sorted(child.name + "/" * child.is_dir() for child in there.iterdir())
        kept = [name for name in names if not name.startswith((".", "__pycache__"))]
        return f"# {path}\n\nThe files of this folder:\n\n" + "\n".join(
            f"- `{name}`" for name in kept
        )
    language = _LANGUAGES.get(there.suffix, "text")
    return f"# {path}\n\n````{language}\n{there.read_text(encoding='utf-8')}\n````\n"


def _target(link: str, page: str) -> str:
    """The file of the checkout that a link of a page means."""
    home = {name: file for file, name in ADOPTED.items()}.get(page, f"docs/{page}")
    return posixpath.normpath(posixpath.join(posixpath.dirname(home), link))
