"""What an experiment is: a table or figure of a paper, run by seed, judged claim by claim."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

Measures = Mapping[str, float]
# How many seeds a full run and a quick one have, unless told otherwise.
SEEDS, QUICK_SEEDS = 3, 1


PUBLISHED_ONLY = "holds only with the published weights"


class Claim(NamedTuple):
    """One thing that a paper says, or that its table or figure must show.

    Attributes:
        text: the claim.
        holds: whether measures, averaged over the seeds, bear it out.
        measures: names of the measures to show beside it.
        paper: the paper's figure in words, "" where it gives none.
        published: the same under the published weights, where the authors' code differs from the text.
    """

    text: str
    holds: Callable[[Measures], bool]
    measures: tuple[str, ...] = ()
    paper: str = ""
    published: Callable[[Measures], bool] | None = None

    def verdict(self, measures: Measures, runs: Sequence[Measures] = ()) -> str:
        """'holds', 'holds only with the published weights', 'does not hold' or 'not measured'.

        Args:
            measures: the means over the seeds.
            runs: the measures of each seed; where given, most of them must bear the claim out as well,
                so that one seed does not carry the mean.

        Returns:
            One of the four.
        """

        def borne_out(rule: Callable[[Measures], bool]) -> bool:
            return bool(rule(measures)) and 2 * sum(bool(rule(run)) for run in runs) >= len(runs)

        if not self.measured(measures):
            return "not measured"
        if borne_out(self.holds):
            return "holds"
        if self.published is not None and borne_out(self.published):
            return PUBLISHED_ONLY
        return "does not hold"

    def supporters(self, verdict: str, runs: Sequence[Measures]) -> int:
        """How many seeds bear the claim out by themselves, by the weights that the verdict is about."""
        rule = self.published if verdict == PUBLISHED_ONLY and self.published else self.holds
        return sum(self.measured(run) and bool(rule(run)) for run in runs)

    def measured(self, measures: Measures) -> bool:
        """Whether a run has what the claim is about; settings can leave rows of a table out."""
        return all(name in measures for name in self.measures)


class Outcome(NamedTuple):
    """What one seed gave.

    Attributes:
        measures: name -> number; variants of a model are parted by a slash, as in "laplace/mse".
        arrays: name -> what the figure is drawn from.
    """

    measures: dict[str, float]
    arrays: dict[str, Any]


class Sources(NamedTuple):
    """Where data lie.

    Attributes:
        data_dir: TFDS's folder of prepared sets, or None for its default.
        manual_dir: folder of files fetched by hand, or None.
        pictures: folder of natural colour pictures for patches, or None for TFDS's cifar10.
        models: folder where long experiments keep what they trained, to go on from after a kill and to
            share with others, or None.
    """

    data_dir: str | None = None
    manual_dir: str | None = None
    pictures: str | None = None
    models: str | None = None


class Experiment(NamedTuple):
    """A table or figure of a paper.

    Attributes:
        id: as in `names()`, for example "U2G-F2".
        paper: the paper, which names the page of results.
        title: what it shows.
        run: (seed, sources, **settings) -> Outcome.
        draw: arrays of one seed -> figures by name.
        claims: what is judged.
        quick: settings of a run under two minutes that shows the direction.
        full: settings at the paper's scale.
        precision: Keras's policy of number types in a full run; a quick one has float32.
        texts: arrays of one seed -> texts by file name, which are kept beside the figures; None for none.
        equal: values of settings, "precision" among them, that tests show to give the results of the usual
            ones, so that a run with them is not reduced.
    """

    id: str
    paper: str
    title: str
    run: Callable[..., Outcome]
    draw: Callable[[Mapping[str, Any]], dict[str, Any]]
    claims: Sequence[Claim]
    quick: Mapping[str, Any]
    full: Mapping[str, Any]
    precision: str = "float32"
    texts: Callable[[Mapping[str, Any]], dict[str, str]] | None = None
    equal: Mapping[str, Any] = MappingProxyType({})

    def usual(self, quick: bool) -> dict[str, Any]:
        """The settings of a quick or a full run, number types among them as "precision"."""
        settings = self.quick if quick else self.full
        return {**settings, "precision": "float32" if quick else self.precision}

    def changes(
        self, quick: bool, settings: Mapping[str, Any], precision: str
    ) -> dict[str, tuple[Any, Any]]:
        """What a run had in place of the usual settings: name -> (usual, the run's)."""
        given = {**settings, "precision": precision}
        return {
            name: (plain(usual), plain(given[name]))
            for name, usual in self.usual(quick).items()
            if name in given and plain(given[name]) != plain(usual)
        }

    def reductions(
        self, quick: bool, settings: Mapping[str, Any], precision: str
    ) -> dict[str, tuple[Any, Any]]:
        """Those of the `changes` that are not shown to be `equal`."""
        return {
            name: change
            for name, change in self.changes(quick, settings, precision).items()
            if name not in self.equal or plain(self.equal[name]) != change[1]
        }


def plain(value: Any) -> Any:
    """A setting as JSON gives it back: tuples are lists."""
    return list(value) if isinstance(value, tuple) else value


def means(runs: Sequence[Measures]) -> dict[str, float]:
    """The mean of each measure over the seeds."""
    return {name: statistics.fmean(run[name] for run in runs) for name in runs[0]}


def spreads(runs: Sequence[Measures]) -> dict[str, float]:
    """The standard deviation of each measure over the seeds; 0 for one seed."""
    if len(runs) < 2:
        return dict.fromkeys(runs[0], 0.0)
    return {name: statistics.stdev(run[name] for run in runs) for name in runs[0]}


def rising(values: Sequence[float], tolerance: float = 0.0) -> bool:
    """Whether no value lies more than `tolerance` below the one before it."""
    return all(b >= a - tolerance for a, b in itertools.pairwise(values))
