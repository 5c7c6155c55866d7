"""What results.json holds: measures of several seeds, and the claims that they bear out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.experiments.catalogue import find
from zoo.experiments.experiment import Experiment, Measures, means, spreads
from zoo.experiments.grid import aligned, grid
from zoo.values import number_text


def judged(experiment: Experiment, measured: Sequence[Measures]) -> dict[str, Any]:
    """What the measures of all seeds say together.

    Args:
        experiment: whose claims are judged.
        measured: the measures of each seed, all with the same names.

    Returns:
        ``seeds``, how many; ``measures``, with mean, spread and values of each; ``claims`` with their
        verdicts. They are a part of results.json.
    """
    mean, spread = means(measured), spreads(measured)
    verdicts = [claim.verdict(mean, measured) for claim in experiment.claims]
    return {
        "seeds": len(measured),
        "measures": {
            name: {"mean": mean[name], "sd": spread[name], "values": [m[name] for m in measured]}
            for name in mean
        },
        "claims": [
            {
                "text": claim.text,
                "verdict": verdict,
                "seeds": claim.supporters(verdict, measured),
                "paper": claim.paper,
                "measures": [measure for measure in claim.measures if measure in mean],
            }
            for claim, verdict in zip(experiment.claims, verdicts, strict=True)
        ],
    }


def join(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """One table of results of two, whose seeds follow each other.

    Args:
        earlier: what results.json holds, of the seeds up to N - 1.
        later: the same, of a run with ``first_seed`` N.

    Returns:
        The results of all seeds, their claims judged again.

    Raises:
        ValueError: for other settings or measures, or seeds that do not follow.
    """
    for what in ("id", "quick", "settings", "precision"):
        if earlier.get(what) != later.get(what):
            raise ValueError(
                f"Only runs of one experiment with the same settings can be joined; {what} is "
                f"{earlier.get(what)!r} and {later.get(what)!r}."
            )
    if set(earlier["measures"]) != set(later["measures"]):
        differ = sorted(set(earlier["measures"]) ^ set(later["measures"]))
        raise ValueError(
            f"Runs with the same measures can be joined; only one has {', '.join(differ)}."
        )
    expected = earlier.get("first_seed", 0) + earlier["seeds"]
    if later["first_seed"] != expected:
        raise ValueError(
            f"The seeds to join must begin at {expected}, after the {earlier['seeds']} that are there; they "
            f"begin at {later['first_seed']}."
        )
    measured = [*by_seed(earlier), *by_seed(later)]
    seconds = [*earlier["seconds"], *later["seconds"]]
    both = [*kept_before(earlier), *kept_before(later)]
    return {**earlier, "seconds": seconds, "kept": both, **judged(find(earlier["id"]), measured)}


def judged_again(results: Mapping[str, Any]) -> dict[str, Any]:
    """Results with the verdicts of the experiment's claims as they are now; the measures stay."""
    return {**results, "claims": judged(find(results["id"]), by_seed(results))["claims"]}


def by_seed(results: Mapping[str, Any]) -> list[dict[str, float]]:
    """The measures of each seed."""
    return [
        {name: found["values"][index] for name, found in results["measures"].items()}
        for index in range(results["seeds"])
    ]


def kept_before(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of each seed what it took from earlier runs; empty where it took nothing or an older file is silent."""
    return results.get("kept", [{}] * results["seeds"])


def table(results: Mapping[str, Any]) -> list[str]:
    """The measures and the verdicts as lines of text."""
    lines = aligned(grid(results["measures"], results["seeds"]))
    for claim in results["claims"]:
        paper = f" (paper: {claim['paper']})" if claim["paper"] else ""
        lines.append(f"{claim['verdict']}: {claim['text']}{paper}")
        for name in claim["measures"]:
            found = results["measures"][name]
            lines.append(f"  {name} {number_text(found['mean'])} +- {found['sd']:.2g}")
    return lines
