"""docs/peers.md: what other libraries have, what is here in its place, and how long each is.

    python -m website.peers            writes the page from website/peers.csv
    python -m website.peers FOLDER     counts their lines first, in packages unpacked in FOLDER

Lines are those that hold code: blank ones, comments and docstrings do not count, on either side.
"""

from __future__ import annotations

import ast
import csv
import importlib
import inspect
import io
import sys
import textwrap
import tokenize
from functools import reduce
from pathlib import Path
from typing import Any

from zoo import registry

ROOT = Path(__file__).parents[1]
TABLE, PAGE = Path(__file__).with_name("peers.csv"), ROOT / "docs" / "peers.md"
# Peer -> its package, and the version that was read.
PEERS = {
    "pythae": ("pythae", "0.1.2"),
    "disent": ("disent", "0.8.0"),
    "multivae": ("multivae", "1.0.3, one modality"),
    "scvi-tools": ("scvi", "1.4.2, the general part"),
    "autoencoders": ("autoencoders", "0.6.8"),
}
KINDS = {"model": "Models", "sampler": "Samplers", "likelihood": "Likelihoods", "metric": "Metrics"}


def rows() -> list[dict[str, str]]:
    """The table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE))


def code_lines(source: str) -> int:
    r"""Lines of a source that hold code.

    Example:
        >>> from website.peers import code_lines
        >>> code_lines('"Said."\n\ndef f(x):  # a comment\n    "Adds 1."\n    return x + 1\n')
        2
    """
    said: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            said |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    quiet = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    }
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in quiet:
            held |= set(range(token.start[0], token.end[0] + 1))
    return len(held - said)


def parts_of(ours: str) -> list[Any]:
    """The functions and classes that a cell names: "kind:name", or a dotted name."""
    if ours == "-":
        return []
    return [_found(name) for name in ours.split(" + ")]


def _found(name: str) -> Any:
    kind, _, own = name.partition(":")
    if own:
        return registry.lookup(own, kind)
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


def own_lines(ours: str) -> int:
    """Lines of code of all that a cell names: of a model its function, of all else the whole file."""
    models = {f for f in parts_of(ours) if f.__module__.startswith("zoo.models.")}
    sources = {inspect.getsource(found) for found in models}
    sources |= {
        Path(inspect.getfile(f)).read_text("utf-8") for f in parts_of(ours) if f not in models
    }
    return sum(code_lines(textwrap.dedent(source)) for source in sources)


def count(folder: Path) -> None:
    """Count the lines of the peers' files, and write them to the table."""
    table = rows()
    for row in table:
        package = PEERS[row["peer"]][0]
        found = next(folder.rglob(f"{package}/__init__.py")).parent
        files: list[Path] = []
        for name in filter(None, row["files"].split(";")):
            path = found / name
            files += [path] if path.suffix else sorted(path.rglob("*.py"))
        row["lines"] = str(sum(code_lines(file.read_text(encoding="utf-8")) for file in files))
    names = list(table[0])
    text = "\n".join(["|".join(names), *("|".join(row[name] for name in names) for row in table)])
    TABLE.write_text(text + "\n", encoding="utf-8")


def page() -> str:
    """The page as Markdown."""
    text = [
        "# Beside other libraries",
        "",
        "What pythae, disent, multivae, scvi-tools and autoencoders have, what is here in its place, and "
        "what is otherwise. Written by `python -m website.peers` from "
        "[website/peers.csv](../website/peers.csv). Lines are those that hold code: of theirs, the files of "
        "the model; of ours, the function of a model and the whole files of the parts that the cell names. "
        "What all parts of a library share, such as networks and training, counts on neither side.",
    ]
    table = rows()
    for peer, (_, version) in PEERS.items():
        text += ["", f"## {peer} {version}"]
        for kind, title in KINDS.items():
            chosen = [row for row in table if (row["peer"], row["kind"]) == (peer, kind)]
            if not chosen:
                continue
            text += [
                "",
                f"### {title}",
                "",
                "| theirs | lines | ours | lines | what is different |",
            ]
            text += ["|---|--:|---|--:|---|", *(_line(row) for row in chosen)]
    return "\n".join(text) + "\n"


def _line(row: dict[str, str]) -> str:
    ours = "-" if row["ours"] == "-" else ", ".join(f"`{name}`" for name in _names(row["ours"]))
    lines = str(own_lines(row["ours"])) if row["ours"] != "-" else "-"
    theirs = row["lines"] if row["lines"] != "0" else "-"
    different = row["difference"] or "the same objective"
    return f"| {row['theirs']} | {theirs} | {ours} | {lines} | {different} |"


def _names(ours: str) -> list[str]:
    return [name.partition(":")[2] or _shortest(name) for name in ours.split(" + ")]


def _shortest(name: str) -> str:
    """The name in the package where it stands there too, whose module it then hides."""
    module, _, last = name.rpartition(".")
    package = module.rpartition(".")[0]
    same = getattr(importlib.import_module(package), last, None) is _found(name)
    return f"{package}.{last}" if same else name


def main(*arguments: str) -> int:
    """Write the page, after a count where a folder is named."""
    if arguments:
        count(Path(arguments[0]))
    PAGE.write_text(page(), encoding="utf-8")
    both = [(int(row["lines"]), own_lines(row["ours"])) for row in rows() if row["ours"] != "-"]
    theirs, ours = reduce(lambda a, b: (a[0] + b[0], a[1] + b[1]), both)
    print(f"{PAGE.relative_to(ROOT)}: {len(both)} rows, {theirs} lines of theirs, {ours} of ours")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
