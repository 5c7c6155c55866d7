"""A model card: what a saved model is, how it was trained and what was measured, as Markdown."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo import registry
from zoo.values import number_text

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

PARTS = ("encoder", "bottleneck", "decoder", "likelihood", "prior", "objective", "regularizers")
# What every layer's config holds and a reader of a card has no use for.
_SILENT = {"name", "trainable", "dtype", "build_input_shape"}
_LONGEST = 60


def card(
    model: Autoencoder,
    config: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
    *,
    title: str | None = None,
    load: str = 'zoo.load_model("model.keras")',
    figures: Mapping[str, str] | None = None,
    licence: str | None = None,
) -> str:
    """A model card, written from a model, the settings of its run and what was measured.

    The head between the lines of dashes is what hubs of models read; the rest is for people.

    Args:
        model: a built model.
        config: what config.json of a run holds, or any settings by name; None for a model without a run.
        metrics: what `zoo.evaluation.evaluate` returned or metrics.json of a run holds, intervals included.
        title: of the page; None for the model's name, and the data set's where it is known.
        load: the line of Python that loads the model.
        figures: title -> address of a picture, relative to the card.
        licence: of the weights, as hubs spell it ("apache-2.0"); None to leave it open.

    Returns:
        Markdown, with a line break at its end.

    Example:
        >>> from zoo.exporting.card import card
        >>> model = zoo.create("top_k_sae", (6,), latents=12, target_l0=3)
        >>> text = card(model, {"epochs": 5}, {"dictionary": {"dictionary_l0": 2.98}}, title="Twelve atoms")
        >>> lines = text.splitlines()
        >>> lines[1], lines[5]
        ('library_name: keras', '# Twelve atoms')
        >>> [line.split(" | ")[:2] for line in lines if "L0" in line]
        [['| active atoms in a code (L0)', '2.98']]
    """
    settings = dict(config or {})
    name = str(settings.get("model", model.name))
    if title is None:
        title = f"{name} on {settings['dataset']}" if settings.get("dataset") else name
    lines = [*_head(name, licence), f"# {title}", ""]
    said = _first_line(name)
    lines += [said, ""] * bool(said)
    lines += [*(f"    {line}" for line in model.formula.splitlines()), ""] * bool(model.formula)
    lines += ["## Use", "", "```python", "import zoo", "", f"model = {load}"]
    given = "" if model.condition is None else ", condition=condition"
    shapes = f"{_shape(model.event_shape)} -> {_shape(model.code_shape)}"
    lines += [f"codes = model.encode(x{given})  # {shapes}"]
    lines += [f"again = model.decode(codes{given})", "```", ""]
    lines += ["## Parts", "", "| part | kind | options |", "|---|---|---|", *_parts(model), ""]
    lines += [f"{model.count_params():,} numbers are learned or counted.", ""]
    if settings:
        lines += ["## Training", "", "| setting | value |", "|---|---|", *_settings(settings), ""]
    if metrics:
        lines += ["## Measured", *_measured(metrics), ""]
        lines += _columns(metrics.get("columns", {}))
    if figures:
        lines += ["## Figures", ""]
        lines += [f"![{what}]({address})" for what, address in figures.items()] + [""]
    versions = settings.get("versions") or _versions()
    made = ", ".join(f"{package} {version}" for package, version in versions.items())
    return "\n".join([*lines, f"Made with {made}."]) + "\n"


def _head(name: str, licence: str | None) -> list[str]:
    tags = ", ".join(dict.fromkeys(["latent-zoo", "autoencoder", name.replace("_", "-")]))
    given = [f"license: {licence}"] if licence else []
    return ["---", "library_name: keras", f"tags: [{tags}]", *given, "---", ""]


def _first_line(name: str) -> str:
    """What the model's function says of itself; "" for a model without one."""
    if name not in registry.names("model"):
        return ""
    return registry.described(name, "model")[0]


def _parts(model: Autoencoder) -> Iterator[str]:
    for place in PARTS:
        found = getattr(model, place, None)
        for part in found if place == "regularizers" and found is not None else [found]:
            if part is not None:
                kind = vars(type(part)).get("zoo_name") or type(part).__name__
                yield f"| {place.removesuffix('s')} | {kind} | {_options(part)} |"


def _options(part: Any) -> str:
    """The options of a part that a line can hold."""
    try:
        config = part.get_config()
    except (AttributeError, NotImplementedError):
        return ""
    kept = {
        key: text
        for key, value in config.items()
        if key not in _SILENT and value is not None and len(text := _plain(value)) <= _LONGEST
    }
    return _cell(", ".join(f"{key} {text}" for key, text in kept.items()))


def _settings(settings: Mapping[str, Any]) -> Iterator[str]:
    for key, value in settings.items():
        if key != "versions" and value not in (None, "", (), [], {}):
            yield f"| {_cell(key.replace('_', ' '))} | {_cell(_plain(value))} |"


def _measured(metrics: Mapping[str, Any]) -> Iterator[str]:
    from zoo.evaluation.metrics import metric
    from zoo.evaluation.table import with_intervals

    groups = with_intervals(metrics)
    skipped = groups.pop("skipped", {})
    for group, scores in groups.items():
        yield from ("", f"### {group.replace('_', ' ')}", "")
        yield from (
            "| measure | value | 95 % interval | better | what it says |",
            "|---|---|---|---|---|",
        )
        for key, score in scores.items():
            label, better, text = metric(key)
            interval = ""
            if isinstance(score, Mapping):
                low, high = number_text(score["low"]), number_text(score["high"])
                score, interval = score["value"], f"{low} to {high}"
            yield f"| {_cell(label)} | {number_text(score)} | {interval} | {better} | {_cell(text)} |"
    for group, reason in skipped.items():
        yield from ("", f"Left out: {group.replace('_', ' ')}, {reason}")


def _columns(errors: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """What `zoo.evaluation.columns.column_errors` found, as a table."""
    if not errors:
        return
    yield from ("### Columns of the table", "", "Takes encoded columns; columns.json says how.", "")
    yield from ("| column | error | of one value for all rows |", "|---|---|---|")
    for name, score in errors.items():
        numbers = (number_text(score[key]) for key in ("error", "constant"))
        yield f"| {' | '.join([_cell(name), *numbers])} |"
    yield ""


def _plain(value: Any) -> str:
    """A setting as text, without the brackets of Python."""
    if isinstance(value, Mapping):
        if "class_name" in value or "zoo_name" in value:  # a Keras object, a part
            return str(value.get("class_name") or value["zoo_name"])
        return ", ".join(f"{key} {_plain(each)}" for key, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_plain, value))
    if isinstance(value, float) and math.isfinite(value):
        return number_text(value)
    return str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _shape(shape: Sequence[int]) -> str:
    return f"({', '.join(['n', *map(str, shape)])})"


def _versions() -> dict[str, str]:
    packages = ("latent-zoo", "tensorflow", "keras")
    return {package: importlib.metadata.version(package) for package in packages}
