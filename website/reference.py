"""Pages of models and parts, written from their docstrings."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from website import facts
from website.docstring import Docstring, read
from website.formula import mathml
from website.sources import named
from zoo import registry

ROOT = Path(__file__).parents[1]
_QUOTED = re.compile(r"(``.+?``|`.+?`)", re.DOTALL)
PICTURES = "pictures/models"
# What a digit of 64 pixels, or a training of seconds, needs.
_GRID = {"networks": "grid", "hidden": (32,)}
PICTURE_OPTIONS: dict[str, dict[str, Any]] = {
    "annealed_vae": {"capacity": 15.0, "steps": 1500},
    "beta_vae": {"beta": 1.5},
    "cauchy_vae": {"beta": 0.3},
    "fsq_vae": _GRID,
    "info_vae": {"lam": 100.0},
    "k_sparse_autoencoder": {"k": 8, "latents": 64},
    "lfq_vae": _GRID,
    "pixel_gan_autoencoder": {"hidden": (16, 32)},
    "pixel_vae": {"hidden": (16, 32), "beta": 0.2},
    "rq_vae": _GRID,
    "vae_gan": {"features": 10.0, "adversarial": 0.3, "beta": 0.01},
    "vq_vae": _GRID,
}
KINDS = {
    "regularizer": "Regularizers",
    "prior": "Priors",
    "posterior": "Posteriors",
    "likelihood": "Likelihoods",
    "bottleneck": "Bottlenecks",
    "objective": "Objectives",
    "network": "Networks",
}


def own(kind: str) -> list[str]:
    """The names of a kind that this project brings, not a package that happens to be installed."""
    parts = ((name, registry.lookup(name, kind)) for name in registry.names(kind))
    return [name for name, part in parts if part.__module__.split(".")[0] in ("zoo", "zoo_plugins")]


def model_page(name: str) -> str:
    """The page of a model, as Markdown: formula, options, example, sources, code."""
    from zoo.models import function

    model = function(name)
    docstring = read(model.__doc__)
    lines = [f"# {name}", "", *_prose(docstring)]
    if (ROOT / "docs" / PICTURES / f"{name}.png").exists():
        caption = f"{name}: data, what the model makes of them, and what else it gives"
        lines += [f"![{caption}](../{PICTURES}/{name}.png)", ""]
        lines += [
            "Data, and what the model makes of them after a short training; below them new examples, or the "
            f"atoms of a dictionary. `python -m website.pictures {name}` draws this{_settings(name)}.",
            "",
        ]
    lines += ["## Options", "", *_options(model, _meanings(model)), ""]
    lines += [*_example(docstring), *_parts(name), *_results(name)]
    lines += [*_papers(model.__doc__), *_code(model)]
    return "\n".join(lines)


def _parts(name: str) -> list[str]:
    """What a model is made of and what it costs."""
    row = facts.facts()[name]
    lines = ["## Parts and cost", "", "| part | which |", "|---|---|"]
    for kind, part in (each.split() for each in row["parts"].split("; ")):
        lines.append(f"| {kind} | [`{part}`](../parts/{kind}s.md#{part}) |")
    cost = f"With its defaults and examples of {row['examples']} it has {int(row['weights']):,} weights."
    if name != "vae":
        cost += (
            f" A step of {facts.BATCH} rows takes {row['step']} times the processor time of one of `vae` on "
            "digits of 8 x 8 x 1."
        )
    return [*lines, "", f"{cost} `python -m website.facts {name}` measures this.", ""]


def _results(name: str) -> list[str]:
    """Where the results of the experiments with a model stand."""
    found = facts.results(name)
    if not found:
        return [
            "## Results",
            "",
            "No experiment of [the results](../results/README.md) has it.",
            "",
        ]
    lines = [
        f"- {key}: [{_text(title)}](../results/{page}#{_anchor(key, title)})"
        for key, title, page in found
    ]
    return ["## Results", "", *lines, ""]


def _anchor(key: str, title: str) -> str:
    """What Markdown makes of a heading."""
    plain = re.sub(r"[^\w\s-]", "", f"{key}: {title}").strip().lower()
    return re.sub(r"[-\s]+", "-", plain)


def _settings(name: str) -> str:
    """The options of the model in the picture, where they are not the defaults."""
    options = PICTURE_OPTIONS.get(name)
    if not options:
        return ""
    given = ", ".join(f"{option}={value!r}" for option, value in options.items())
    return f", with `{given}`"


def parts_page(kind: str) -> str:
    """The parts of a kind, one section each."""
    lines = [f"# {KINDS[kind]}", ""]
    for name in own(kind):
        part = registry.lookup(name, kind)
        docstring = read(part.__doc__)
        lines += [f"## {name}", "", *_prose(docstring)]
        if docstring.arguments:
            lines += [*_options(part, docstring.arguments), ""]
        lines += [*_example(docstring, "###"), *_papers(part.__doc__, "###"), *_code(part, "###")]
    return "\n".join(lines)


def _prose(docstring: Docstring) -> list[str]:
    lines = []
    for part in docstring.paragraphs:
        is_formula = part.startswith("  ")
        lines += [mathml(inspect.cleandoc(part)) if is_formula else _text(part), ""]
    return lines


def _text(prose: str) -> str:
    """Prose of a docstring as Markdown: what is a symbol there must not become emphasis."""
    pieces = _QUOTED.split(prose)
    for index in range(0, len(pieces), 2):
        for mark in "*_<":
            pieces[index] = pieces[index].replace(mark, "&lt;" if mark == "<" else f"\\{mark}")
    return "".join(pieces)


def _cell(text: str) -> str:
    return _text(" ".join(text.split())).replace("|", "\\|")


def _meanings(model: Any) -> dict[str, str]:
    """What each option means: by the model's docstring, or that of the model which it extends."""
    from zoo.models import function

    meanings: dict[str, str] = {}
    part: Any = model
    while part is not None:
        meanings = {**read(part.__doc__).arguments, **meanings}
        part = getattr(part, "base", None)
    # Models of quantized codes share options with the VAE that no docstring of theirs repeats.
    meanings = {**read(function("vae").__doc__).arguments, **meanings}
    for option, meaning in meanings.items():
        leads = re.match(r"as in `+zoo\.models\.\w+\.(\w+)`+", meaning)
        if leads:
            meanings[option] = read(function(leads[1]).__doc__).arguments.get(option, meaning)
    return meanings


def _options(part: Any, meanings: dict[str, str]) -> list[str]:
    lines = ["| option | default | what it is |", "|---|---|---|"]
    for name, parameter in inspect.signature(part).parameters.items():
        if (
            name in ("input_shape", "self", "kwargs", "options")
            or parameter.kind is parameter.VAR_POSITIONAL
        ):
            continue
        default = "needed" if parameter.default is parameter.empty else f"`{parameter.default!r}`"
        lines.append(f"| `{name}` | {_cell(default)} | {_cell(meanings.get(name, ''))} |")
    return lines if len(lines) > 2 else ["None."]


def _example(docstring: Docstring, head: str = "##") -> list[str]:
    code = docstring.example
    return [f"{head} Example", "", "```pycon", code, "```", ""] if code else []


def _papers(text: str | None, head: str = "##") -> list[str]:
    found = named(text or "")
    if not found:
        return []
    lines = [f"{head} Sources", ""]
    for source in found:
        title = f"[{_text(source.title)}]({source.link})" if source.link else _text(source.title)
        lines.append(f"- {source.name}: {title}")
    return [*lines, ""]


def _code(part: Any, head: str = "##") -> list[str]:
    """Where the code stands, and all of it."""
    unwrapped = inspect.unwrap(part)
    path = Path(inspect.getsourcefile(unwrapped) or "").resolve().relative_to(ROOT).as_posix()
    code, line = inspect.getsourcelines(unwrapped)
    body = "".join(code).replace("\n", "\n    ")
    return [f'??? quote "The code: {path}, line {line}"', "", f"    ```python\n    {body}```", ""]
