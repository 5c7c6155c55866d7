"""The pages of docs/results, from the results that are committed beside them.

  python -m zoo.experiments.pages docs/results
  python -m zoo.experiments.pages docs/results --add runs/reproduce/U2G-F2 --machine "2-core x86-64"

The second form first takes over the results, figures and texts of a run; one that has a `first_seed` N above
0 is joined to the seeds that are there, its figures as ``NAME_seed_N.png``, unless ``--replace`` says that
those go. Both judge all results by the claims as they are now. Nothing on the pages is typed by hand but
``notes.md`` beside a run's results, which says what is to be seen on its figures.
"""

from __future__ import annotations

import argparse
import io
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from zoo.experiments.catalogue import find
from zoo.experiments.experiment import QUICK_SEEDS, SEEDS
from zoo.experiments.grid import grid, markdown, parted
from zoo.experiments.overviews import OVERVIEWS
from zoo.experiments.results import join, judged_again, kept_before
from zoo.files import read_json, write_json
from zoo.values import counted, number_text
from zoo.visualization import save_figures

DATA = "data"
PAPERS = {
    "lp_autoencoder": "The L_P autoencoder",
    "infoae": "InfoAE",
    "autoencoders_lecture": "Autoencoders, the lecture",
    "sparse_vae": "A sparse VAE",
    "uniform_to_gaussian_vae": "Uniform to Gaussian",
    "sparse_dictionaries": "Sparse dictionaries",
    "leaderboard": "Models side by side",
    "generative": "Generative autoencoders",
}
LARGEST_FIGURE = 300_000
_KEYS = {"id", "paper", "title", "quick", "settings", "seconds", "seeds", "measures"}


def add(run: Path, pages: Path, machine: str, replace: bool = False) -> Path:
    """Take over what `zoo.experiments.reproduce.reproduce` wrote.

    A run whose ``first_seed`` N is above 0 is joined to results that are there, whose figures stay; its own
    stand beside them, as ``NAME_seed_N.png``.

    Args:
        run: the run's folder, with results.json and figures.
        pages: the folder of the pages.
        machine: on what it ran, in words.
        replace: whether the run takes the place of what is there, whichever seed it begins at.

    Returns:
        The folder of the copy.

    Raises:
        ValueError: for a folder without results, later seeds that do not fit to what is there, or a figure
            above 300 KB.
    """
    source = run / "results.json"
    if not source.exists():
        raise ValueError(f"{run} has no results.json; reproduce the experiment first.")
    results = _whole(read_json(source, "results"), source)
    target = pages / DATA / (results["id"] + "-quick" * results["quick"])
    path = target / "results.json"
    found = sorted((run / "figures").glob("*.png"))
    first = results.get("first_seed")
    if first and path.exists() and not replace:
        figures = {f"{figure.stem}_seed_{first}.png": _small(figure) for figure in found}
        try:
            results = join(read_json(path, "results"), results)
        except ValueError as error:
            raise ValueError(
                f"{error} replace=True puts the run in place of what is there."
            ) from error
        if machine not in results["machine"]:
            results["machine"] += f" and a {machine}"
    else:
        results["machine"] = machine
        figures = {path.name: _small(path) for path in found}
        figures |= {path.name: path.read_bytes() for path in (run / "figures").glob("*.json")}
        target.mkdir(parents=True, exist_ok=True)
        for old in (*target.glob("*.png"), *target.glob("*.json")):
            old.unlink()
    for name, content in figures.items():
        (target / name).write_bytes(content)
    write_json(path, results)
    return target


def write_pages(pages: Path) -> list[Path]:
    """Write one page for each paper that has results, and the table of all claims.

    A paper with an overview (`zoo.experiments.overviews`) has its picture at the head of its page, below the
    text of ``notes.md`` beside it. A full run takes the place of a quick one of the same experiment. Results
    are judged again, so that their files and the pages say what the experiments' claims say now.

    Args:
        pages: the folder, with results below ``data``.

    Returns:
        The pages.

    Raises:
        ValueError: where there are no results, so that no other folder's README is written over.
    """
    if not any((pages / DATA).glob("*/results.json")):
        raise ValueError(
            f"There are no results below {str(pages / DATA)!r}. Name the folder of the pages, or take a "
            "run over first."
        )
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((pages / DATA).glob("*/results.json")):
        earlier = read_json(path, "results")
        results = judged_again(earlier)
        if results != earlier:
            write_json(path, results)
        before = found.get(results["id"])
        if before is None or before["quick"]:
            found[results["id"]] = {**results, "folder": path.parent}
    by_paper: dict[str, list[dict[str, Any]]] = {}
    for results in found.values():
        by_paper.setdefault(results["paper"], []).append(results)
    written = []
    for paper, group in by_paper.items():
        title = PAPERS.get(paper, paper)
        head = _head(paper, found, pages)
        sections = "\n".join(_section(results, pages) for results in group)
        written.append(pages / f"{paper}.md")
        written[-1].write_text(f"# {title}\n\n{head}{sections}", encoding="utf-8")
    written.append(pages / "README.md")
    written[-1].write_text(_overview(by_paper), encoding="utf-8")
    return written


def _head(paper: str, found: Mapping[str, Mapping[str, Any]], pages: Path) -> str:
    """The picture over a paper's experiments, drawn again, and what is to be seen on it."""
    if paper not in OVERVIEWS:
        return ""
    name, draw = OVERVIEWS[paper]
    folder = pages / DATA / paper
    reduced = {key for key, results in found.items() if results["quick"] or reductions(results)}
    figure = draw(found, reduced)
    if figure is None:
        return ""
    save_figures(folder, {name: figure})
    notes = folder / "notes.md"
    text = notes.read_text(encoding="utf-8").strip() + "\n\n" if notes.exists() else ""
    return f"{text}![{name}]({DATA}/{paper}/{name}.png)\n\n"


def _whole(results: dict[str, Any], source: Path) -> dict[str, Any]:
    """Results that a page can be made of, judged."""
    missing = sorted(_KEYS - results.keys())
    if missing:
        raise ValueError(f"{source} lacks {', '.join(missing)}; reproduce the experiment again.")
    return judged_again(results)


def measured(results: Mapping[str, Any], name: str) -> str:
    """A measure as text: its mean, and its spread where there are several seeds."""
    found = results["measures"][name]
    spread = f" ± {found['sd']:.2g}" if results["seeds"] > 1 else ""
    return f"{name} {number_text(found['mean'])}{spread}"


def verdict(results: Mapping[str, Any], claim: Mapping[str, Any]) -> str:
    """The verdict, with how many seeds bear the claim out by themselves."""
    if results["quick"]:
        return f"{claim['verdict']} (quick run)"
    if claim["verdict"] == "not measured":
        return claim["verdict"]
    reduced = "reduced run, " * bool(reductions(results))
    return f"{claim['verdict']} ({reduced}{claim['seeds']} of {results['seeds']} seeds)"


def changes(results: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What a run had in place of the usual settings, as the experiment is now."""
    precision = results.get("precision", "float32")
    return find(results["id"]).changes(results["quick"], results["settings"], precision)


def reductions(results: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The changes that may change what comes out."""
    precision = results.get("precision", "float32")
    return find(results["id"]).reductions(results["quick"], results["settings"], precision)


def command(results: Mapping[str, Any]) -> str:
    """The command line that gave the results, but for where data lie."""
    words = ["latent-zoo reproduce", results["id"], *["--quick"] * results["quick"]]
    for name, (_, value) in changes(results).items():
        text = ",".join(map(str, value)) if isinstance(value, list) else value
        words.append(f"--precision={text}" if name == "precision" else f"--set={name}={text}")
    usual = QUICK_SEEDS if results["quick"] else SEEDS
    if results["seeds"] != usual:
        words.append(f"--seeds={results['seeds']}")
    if results.get("first_seed"):
        words.append(f"--first_seed={results['first_seed']}")
    return " ".join([words[0], *map(shlex.quote, words[1:])])


def _small(path: Path) -> bytes:
    """A figure's bytes, with 256 colours where it would be too large."""
    content = path.read_bytes()
    if len(content) > LARGEST_FIGURE:
        packed = io.BytesIO()
        Image.open(path).convert("RGB").quantize(256).save(packed, "PNG", optimize=True)
        content = packed.getvalue()
    if len(content) > LARGEST_FIGURE:
        raise ValueError(
            f"{path} has {len(content)} bytes with 256 colours; at most {LARGEST_FIGURE} are taken over."
        )
    return content


def _scale(results: Mapping[str, Any]) -> list[str]:
    """What a reader must know of a run that is smaller than the paper's."""
    if results["quick"]:
        return ["", "**Quick run**: smaller than the paper's, it shows the direction only."]
    lines = []
    reduced = reductions(results)
    equal = {name: pair for name, pair in changes(results).items() if name not in reduced}
    for what, changed in (("Reduced run", reduced), ("Shown by tests to be equal", equal)):
        stops = [f"{name} {value} in place of {usual}" for name, (usual, value) in changed.items()]
        if stops:
            lines += ["", f"**{what}**: {', '.join(stops)}."]
    return lines


def _kept(results: Mapping[str, Any]) -> list[str]:
    """What of a seed's time was spent in an earlier run, whose models the seed went on from."""
    parts = []
    first = results.get("first_seed", 0)
    for seed, kept in enumerate(kept_before(results), start=first):
        if not kept.get("items"):
            continue
        untimed, items = kept["untimed"], kept["items"]
        part = f"seed {seed} went on from {counted(items, 'kept item')}"
        if untimed < items:
            part += f", whose {kept['seconds']:.0f} s are counted"
        if untimed:
            part += f", {'all' if untimed == items else untimed} of unknown time"
        parts.append(part)
    return ["", f"From earlier runs: {'; '.join(parts)}."] if parts else []


def _section(results: Mapping[str, Any], pages: Path) -> str:
    seeds = counted(results["seeds"], "seed")
    seconds = ", ".join(f"{value:.0f} s" for value in results["seconds"])
    shown = {**results["settings"], "precision": results.get("precision", "float32")}
    settings = ", ".join(f"{key} {value}" for key, value in shown.items())
    lines = [
        f"## {results['id']}: {results['title']}",
        "",
        f"`{command(results)}` · {seeds} · {seconds} a seed, on a "
        f"{results['machine']} shared with other work · {settings}",
        *_scale(results),
        *_kept(results),
        "",
        "| Claim | Paper | Ours | Verdict |",
        "|---|---|---|---|",
    ]
    for claim in results["claims"]:
        ours = "<br>".join(measured(results, name) for name in claim["measures"])
        cells = (claim["text"], claim["paper"] or "-", ours, verdict(results, claim))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    table = grid(results["measures"], results["seeds"])
    if len(table) > 1:
        for title, part in parted(table).items():
            summary = f"Everything that was measured{f' on {title}' * bool(title)}"
            lines += [
                "",
                f"<details><summary>{summary}</summary>",
                "",
                *markdown(part),
                "",
                "</details>",
            ]
    notes = results["folder"] / "notes.md"
    if notes.exists():
        lines += ["", notes.read_text(encoding="utf-8").strip()]
    for figure in sorted(results["folder"].glob("*.png")):
        place = figure.relative_to(pages).as_posix()
        lines += ["", f"![{results['id']}: {figure.stem}]({place})"]
    return "\n".join(lines) + "\n"


def _overview(by_paper: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    lines = [
        "# Results",
        "",
        "What the papers claim and what came out, each by one command. These pages are written by "
        "`python -m zoo.experiments.pages docs/results` from the results below `data`.",
        "",
        "A claim holds where the mean over the seeds and at least half of the seeds bear it out; in brackets "
        "is how many do. 'Holds only with the published weights' counts the seeds under those: the author's "
        "code divides the KL by the batch size for Normal and Laplace, but not for Cauchy. The verdict on a "
        "quick run is about that small run: it shows a direction, and neither confirms nor refutes the "
        "paper. A reduced run is a full one with settings that its section names, fewer epochs for the most "
        "part; one that a test shows to change nothing, such as bfloat16 of the sparse VAEs "
        "(tests/experiments/test_number_types.py), is named but counts as none.",
        "",
        *_counts(by_paper),
        "",
        "| Experiment | Claim | Verdict |",
        "|---|---|---|",
    ]
    for paper, group in by_paper.items():
        for results in group:
            name = f"[{results['id']}]({paper}.md)"
            for claim in results["claims"]:
                text = claim["text"].replace("|", "\\|")
                lines.append(f"| {name} | {text} | {verdict(results, claim)} |")
    return "\n".join(lines) + "\n"


def _counts(by_paper: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """How many claims hold and do not, by page and by how much was run."""
    kinds = ("full", "reduced", "quick")
    heads = ["Claims that hold, of those measured", *(f"{kind} run" for kind in kinds)]
    total: dict[str, list[bool]] = {kind: [] for kind in kinds}
    rows = [heads, ["---"] * len(heads)]
    for paper, group in by_paper.items():
        found: dict[str, list[bool]] = {kind: [] for kind in kinds}
        for results in group:
            kind = "quick" if results["quick"] else "reduced" if reductions(results) else "full"
            verdicts = [claim["verdict"] for claim in results["claims"]]
            found[kind] += [v.startswith("holds") for v in verdicts if v != "not measured"]
        rows.append([f"[{PAPERS.get(paper, paper)}]({paper}.md)", *map(_share, found.values())])
        total = {kind: total[kind] + found[kind] for kind in kinds}
    rows.append(["All", *map(_share, total.values())])
    return ["| " + " | ".join(row) + " |" for row in rows]


def _share(held: Sequence[bool]) -> str:
    return f"{sum(held)} of {len(held)}" if held else "-"


def main(argv: Sequence[str] | None = None) -> None:
    """The command line; see the module."""
    parser = argparse.ArgumentParser(description="Write the pages of results.")
    parser.add_argument("pages", type=Path, help="the folder of the pages")
    parser.add_argument(
        "--add", type=Path, nargs="*", default=[], help="folders of runs to take over"
    )
    parser.add_argument(
        "--replace",
        action="store_true",
        help="the first of them takes the place of what is there, also where it begins at a later seed",
    )
    parser.add_argument("--machine", help="on what they ran; 'computer' by default")
    given = parser.parse_args(argv)
    if not given.add and (given.replace or given.machine):
        flag = "--replace" if given.replace else "--machine"
        parser.error(f"{flag} is about runs to take over: name their folders, --add RUN ...")
    machine = given.machine or "computer"
    for index, run in enumerate(given.add):
        try:
            print(add(run, given.pages, machine, given.replace and index == 0))
        except ValueError as error:
            raise SystemExit(f"{error} It was not taken over.") from error
    try:
        for page in write_pages(given.pages):
            print(page)
    except ValueError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
