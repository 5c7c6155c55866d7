"""LP-F2..5, LP-F6..7 and LP-abl: the L_P autoencoder on MNIST (Callahan, figures 2 to 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import zoo
from zoo.autoencoder import Autoencoder
from zoo.data import Data
from zoo.evaluation import clustering, sparsity
from zoo.experiments import digits
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources, rising
from zoo.experiments.training import QUIET, labels_of, mnist, train, unit
from zoo.recipes import WarmUp
from zoo.visualization.drawing.mosaics import show_mosaic
from zoo.visualization.drawing.style import PALETTE, panels, styled

# The author's .0005 * mean of the difference beside a mean squared error, for one summed over 784 pixels.
DIFFERENCE_WEIGHT = 0.0005 * 784
FORMS = ("plain", "power", "difference")
STEPS = 9


def build(
    form: str, latents: int, alpha: float, warm_up: int, seed: int, networks: str
) -> Autoencoder:
    """An autoencoder with one form of the penalty, p = 1/2, alpha rising from 0 over `warm_up` steps."""
    shared: dict[str, Any] = {
        "latents": latents,
        "networks": digits.networks(networks),
        "seed": seed,
    }
    if networks == "mlp":
        shared["hidden"] = (500, 250)
    squares = {"name": "squared_error", "activation": "sigmoid"}
    if form == "plain":
        return zoo.create("autoencoder", (28, 28, 1), likelihood=squares, **shared)
    weight: Any = alpha
    if warm_up:
        weight = WarmUp(alpha, warm_up)
    return zoo.create(
        "lp_autoencoder", (28, 28, 1), form=form, alpha=weight, likelihood=squares, **shared
    )


def trained(
    form: str, latents: int, x: np.ndarray, seed: int, settings: Mapping[str, Any]
) -> Autoencoder:
    """A model at the settings of an experiment, batch 200 and the "difference" weighed as by the author."""
    alpha = DIFFERENCE_WEIGHT if form == "difference" else settings[f"alpha_{latents}"]
    steps = settings["epochs"] * (len(x) // 200)
    warm_up = round(settings[f"warm_up_{latents}"] * steps)
    model = build(form, latents, alpha, warm_up, seed, settings["networks"])
    train(model, x, epochs=settings["epochs"], batch_size=200)
    return model


def run_codes(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """Train each form with 2 and with 10 latents and look at the test codes.

    Args:
        seed: of the models.
        sources: of MNIST.
        **settings: ``epochs`` (the author's 25,000 steps are 83), ``examples``, ``alpha_2`` and
            ``alpha_10`` of the form "power" with 2 and with 10 latents, ``warm_up_2`` and ``warm_up_10``,
            the share of the steps over which alpha rises, ``networks`` ("conv" is the author's).

    Returns:
        For each ``<form>-<latents>``: ``mse`` per pixel, ``hoyer``, ``one_active`` (share of codes whose
        largest unit has .9 of the sum), ``knn`` and ``kmeans`` (one-to-one) accuracy.
    """
    source, test = mnist("train", sources, settings["examples"]), mnist("test", sources)
    x = unit(test)
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {"labels": labels_of(test)[:1500], "inputs": x[:10]}
    for latents in (2, 10):
        for form in FORMS:
            model = trained(form, latents, source.inputs, seed, settings)
            codes, output = model.encode(x), model.reconstruct(x)
            name = f"{form}-{latents}"
            found = seen_in(model, codes, output, source, test, seed)
            measures |= {f"{name}/{what}": value for what, value in found.items()}
            arrays[f"{name}/outputs"] = output[:10]
            if latents == 2:
                arrays[f"{name}/codes"] = codes[:1500]
    return Outcome(measures, arrays)


def seen_in(
    model: Autoencoder, codes: np.ndarray, output: np.ndarray, source: Data, test: Data, seed: int
) -> dict[str, float]:
    """What is measured of test digits' codes and reconstructions, see `run_codes`."""
    from sklearn.neighbors import KNeighborsClassifier

    known = KNeighborsClassifier(5).fit(
        model.encode(source.inputs[:10_000]), labels_of(source)[:10_000]
    )
    groups = clustering.kmeans(codes, 10, restarts=3, seed=seed)
    return {
        "mse": float(((output - unit(test)) ** 2).mean()),
        "hoyer": float(np.nanmean(sparsity.hoyer(codes))),
        "one_active": float(sparsity.one_active(codes).mean()),
        "knn": float(known.score(codes, labels_of(test))),
        "kmeans": clustering.one_to_one_accuracy(labels_of(test), groups),
    }


@styled
def draw_codes(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Two-dimensional codes by digit; inputs and reconstructions."""
    scatter = draw_planes(arrays, FORMS)
    rows = ["inputs", *(f"{form}-{latents}/outputs" for latents in (2, 10) for form in FORMS)]
    examples, axes = panels(len(rows), 1, 0.75)
    for place, name in zip(axes, rows, strict=True):
        show_mosaic(place, arrays[name][..., 0], 10, (0, 1))
        place.set_title(name.split("/")[0])
    return {"codes": scatter, "reconstructions": examples}


def draw_planes(arrays: Mapping[str, Any], forms: Sequence[str]) -> Figure:
    """Two-dimensional codes of each form, by digit."""
    figure, axes = panels(len(forms), 3, 2.3)
    colors = np.array([*PALETTE, "#777777", "#8B4513"])
    for place, form in zip(axes, forms, strict=True):
        codes = arrays[f"{form}-2/codes"]
        place.scatter(*codes.T, s=2, c=colors[arrays["labels"]], linewidths=0)
        place.set(title=form, xlabel="$z_1$", ylabel="$z_2$")
    return figure


def run_traversals(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """Walk along each axis of the plain and the L_P code, from 0 to the quantiles that data reach.

    Args:
        seed: of the models.
        sources: of MNIST.
        **settings: as in `run_codes`, without those of 2 latents.

    Returns:
        For each form ``confidence`` (mean largest probability that a classifier gives the ends of the
        axes) and ``digits`` (how many classes it sees there).
    """
    source, test = mnist("train", sources, settings["examples"]), mnist("test", sources)
    judge = digits.classifier(unit(source), labels_of(source), seed)
    measures: dict[str, float] = {}
    arrays: dict[str, Any] = {}
    for form in FORMS:
        model = trained(form, 10, source.inputs, seed, settings)
        codes = model.encode(test.inputs)
        # At matched scale: every axis to the codes' own extremes, since a penalty shrinks them for nothing.
        low, high = np.quantile(codes, [0.01, 0.99], axis=0)
        places = np.linspace(low, high, STEPS)
        walks = np.einsum("su,uv->usv", places, np.eye(10)).reshape(-1, 10)
        pictures = model.decode(walks)
        ends = model.decode(np.concatenate([np.diag(low), np.diag(high)]))
        belief = judge.predict(ends, verbose=QUIET)
        measures[f"{form}/confidence"] = float(belief.max(axis=1).mean())
        measures[f"{form}/digits"] = float(len(np.unique(belief.argmax(axis=1))))
        arrays[f"{form}/walks"] = pictures
    return Outcome(measures, arrays)


@styled
def draw_traversals(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """One row for each axis."""
    figure, axes = panels(3, 3, 2.7)
    for place, form in zip(axes, FORMS, strict=True):
        show_mosaic(place, arrays[f"{form}/walks"][..., 0], STEPS, (0, 1))
        place.set_title(form)
    return {"traversals": figure}


def run_ablation(seed: int, sources: Sources, **settings: Any) -> Outcome:
    """The form "power" with growing alpha, 10 latents, no warm-up.

    Args:
        seed: of the models.
        sources: of MNIST.
        **settings: ``epochs``, ``examples``, ``networks``, and ``alphas``, rising.

    Returns:
        ``<i>/mse`` per pixel and ``<i>/hoyer`` of the test set for the i-th alpha, and ``mean_digit/mse``,
        the error of a model that gives the mean digit for every input.
    """
    source, test = mnist("train", sources, settings["examples"]), mnist("test", sources)
    x = unit(test)
    measures: dict[str, float] = {}
    for index, alpha in enumerate(settings["alphas"]):
        model = build("power", 10, alpha, 0, seed, settings["networks"])
        train(model, source.inputs, epochs=settings["epochs"], batch_size=200)
        measures[f"{index}/mse"] = float(((model.reconstruct(x) - x) ** 2).mean())
        codes = model.encode(x)
        hoyer = sparsity.hoyer(codes[np.abs(codes).sum(axis=1) > 0])
        measures[f"{index}/hoyer"] = float(hoyer.mean()) if len(hoyer) else 1.0
    arrays = {"alphas": np.array(settings["alphas"])}
    for what in ("mse", "hoyer"):
        arrays[what] = np.array([measures[f"{i}/{what}"] for i in range(len(settings["alphas"]))])
    measures["mean_digit/mse"] = float(x.var(axis=0).mean())
    arrays["variance"] = np.array(measures["mean_digit/mse"])
    return Outcome(measures, arrays)


@styled
def draw_ablation(arrays: Mapping[str, Any]) -> dict[str, Figure]:
    """Error over alpha, with the error of the mean digit as a line."""
    figure, axes = panels(2, 2, 2.3)
    for place, what in zip(axes, ("mse", "hoyer"), strict=True):
        place.plot(arrays["alphas"], arrays[what], "o-")
        place.set(xlabel="alpha", ylabel=what)
        place.set_xscale("symlog", linthresh=1e-3)
    axes[0].axhline(float(arrays["variance"]), color="#999999", linewidth=1)
    axes[0].set_title("grey: the mean digit for every input")
    return {"ablation": figure}


def sparser(form: str, latents: int) -> Claim:
    """That a form's codes are sparser than plain ones, and cost little."""
    return Claim(
        f"{latents} latents, form '{form}': sparser than plain (Hoyer + .15) at little cost (MSE <= 1.3 x)",
        lambda m: (
            m[f"{form}-{latents}/hoyer"] >= m[f"plain-{latents}/hoyer"] + 0.15
            and m[f"{form}-{latents}/mse"] <= 1.3 * m[f"plain-{latents}/mse"]
        ),
        tuple(f"{f}-{latents}/{w}" for w in ("hoyer", "mse") for f in ("plain", form)),
    )


def cross(form: str) -> Claim:
    """That a form's codes of two latents lie on the axes."""
    return Claim(
        f"Form '{form}': codes lie on the axes (a cross) with the norm, off them (a fan) without",
        lambda m: m[f"{form}-2/one_active"] >= m["plain-2/one_active"] + 0.15,
        ("plain-2/one_active", f"{form}-2/one_active"),
    )


_PAPER = "lp_autoencoder"
_QUICK = {"epochs": 4, "examples": 20_000, "networks": "mlp"}
_FULL = {"epochs": 83, "examples": 60_000, "networks": "conv"}
# Of the form "power": the larger the code, the smaller alpha must be.
_ALPHA = {"alpha_2": 6.0, "warm_up_2": 0.1, "alpha_10": 0.9, "warm_up_10": 0.0}
_ALPHAS = [0.0, 0.01, 0.1, 1.0, 10.0]
EXPERIMENTS = (
    Experiment(
        id="LP-F2-5",
        paper=_PAPER,
        title="Codes with and without the L_P norm",
        run=run_codes,
        draw=draw_codes,
        claims=(
            *(sparser(form, latents) for latents in (2, 10) for form in ("power", "difference")),
            *map(cross, ("power", "difference")),
            Claim(
                "Classes separate better with the norm: k-NN on 2 latents",
                lambda m: m["power-2/knn"] > m["plain-2/knn"],
                tuple(f"{form}-2/{w}" for w in ("knn", "kmeans") for form in FORMS),
            ),
        ),
        quick={**_QUICK, **_ALPHA},
        full={**_FULL, **_ALPHA},
    ),
    Experiment(
        id="LP-F6-7",
        paper=_PAPER,
        title="Traversals with and without the L_P norm",
        run=run_traversals,
        draw=draw_traversals,
        claims=(
            Claim(
                "Axes of the L_P code show digits more clearly than those of the plain one",
                lambda m: m["power/confidence"] > m["plain/confidence"],
                tuple(f"{form}/confidence" for form in FORMS),
            ),
            Claim(
                "They show at least as many digits",
                lambda m: m["power/digits"] >= m["plain/digits"],
                tuple(f"{form}/digits" for form in FORMS),
            ),
        ),
        quick={**_QUICK, "alpha_10": 0.3, "warm_up_10": 0.25},
        full={**_FULL, "alpha_10": 0.3, "warm_up_10": 0.25},
    ),
    Experiment(
        id="LP-abl",
        paper=_PAPER,
        title="Large alpha stalls reconstruction",
        run=run_ablation,
        draw=draw_ablation,
        claims=(
            Claim(
                "The error grows with alpha",
                lambda m: rising([m[f"{i}/mse"] for i in range(5)], 1e-4),
                tuple(f"{i}/mse" for i in range(5)),
            ),
            Claim(
                "The largest alpha never begins to reconstruct",
                lambda m: m["4/mse"] > 0.95 * m["mean_digit/mse"],
                ("4/mse", "mean_digit/mse"),
            ),
        ),
        quick={"epochs": 3, "examples": 20_000, "networks": "mlp", "alphas": _ALPHAS},
        full={"epochs": 20, "examples": 60_000, "networks": "conv", "alphas": _ALPHAS},
    ),
)
