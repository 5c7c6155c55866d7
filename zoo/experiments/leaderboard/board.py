"""LEADERBOARD: models side by side, as many steps and networks of one size for all."""

from __future__ import annotations

import gc
import math
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

import zoo
from zoo import registry
from zoo.experiments.experiment import Claim, Experiment, Outcome, Sources
from zoo.experiments.leaderboard.figure import draw, is_sparse
from zoo.experiments.leaderboard.sets import SETS, Set
from zoo.experiments.shelf import kept_item
from zoo.experiments.training import BATCH, train
from zoo.experiments.unfinished import at_once
from zoo.files import read_json, write_json
from zoo.recipes.dictionaries import start

# Models that are not asked, and why.
OUTSIDE = {
    "ada_gvae": "is trained on pairs",
    "beta_vae_chairs": "beta_vae with the networks of a paper, for 64 x 64",
    "beta_vae_shapes": "beta_vae with the networks of a paper, for 64 x 64",
    "cat_gan": "does not reconstruct",
    "conditional_vae": "is told the labels",
    "crosscoder": "reads several layers",
    "dc_ign": "is told which factor varies in a batch",
    "semi_supervised_vae": "is told labels",
    "sparse_dictionary": "top_k_sae, by its parts",
    "transcoder": "has a target that is not its input",
    "two_template_vae": "vae with the networks of a paper, for its example",
}
# Models that only some sets are fit for: convolutions of their own, which take minutes of larger pictures, or
# digits drawn pixel by pixel.
ONLY = {
    "info_ae": ("digits",),
    "info_ae_robust": ("digits",),
    "info_gan": ("digits",),
    "invariant_autoencoder": ("digits", "mnist"),
    "pixel_gan_autoencoder": ("digits",),
    "pixel_vae": ("digits",),
    "vae_gan": tuple(kind for kind in SETS if kind != "table"),  # its critic is of pictures
}
# What stands in the tables, from left to right: group of `evaluate` and its metric -> the column.
COLUMNS = {
    ("reconstruction", "mean_squared_error"): "error",
    ("density", "elbo"): "elbo",
    ("density", "log_likelihood"): "log_likelihood",
    ("probing", "few_label_10"): "probe_10",
    ("probing", "few_label_100"): "probe_100",
    ("probing", "logistic_regression"): "probe_all",
    ("clustering", "kmeans_one_to_one_accuracy"): "clusters",
    ("clustering", "model_one_to_one_accuracy"): "own_clusters",
    ("sparsity", "l0"): "l0",
    ("sparsity", "hoyer"): "hoyer",
    ("disentanglement", "mig"): "mig",
    ("disentanglement", "dci_disentanglement"): "dci",
    ("generation", "frechet_distance"): "frechet",
    ("generation", "recall"): "recall",
}
GROUPS = tuple(dict.fromkeys(group for group, _ in COLUMNS))


def asked() -> list[str]:
    """The names of the zoo's own models that are asked, those of plugins not among them."""
    return [
        name
        for name in registry.names("model")
        if name not in OUTSIDE and registry.lookup(name, "model").__module__.startswith("zoo.")
    ]


def options_of(
    name: str, real: bool, *, latents: int, hidden: int, atoms: int, active: int, steps: int
) -> dict[str, Any]:
    """The options of a model: one size for all, where it has the option.

    Args:
        name: of the model.
        real: whether values lie on the whole line.
        latents: units of a code that is dense.
        hidden: units of each of two hidden layers.
        atoms: units of a code that is sparse.
        active: units of it that an example uses.
        steps: of the training, which a schedule follows.

    Returns:
        The options. A model of one layer each way, or of indices, keeps its form.

    Example:
        >>> from zoo.experiments.leaderboard.board import options_of
        >>> size = {"latents": 10, "hidden": 128, "atoms": 256, "active": 10, "steps": 2000}
        >>> options_of("vae", False, **size)
        {'hidden': (128, 128), 'latents': 10}
        >>> options_of("top_k_sae", False, **size)
        {'latents': 256, 'target_l0': 10}
    """
    known = zoo.models.options(name)
    chosen: dict[str, Any] = {}
    if known.get("networks") == "mlp" and known.get("hidden", ()) != ():
        chosen["hidden"] = (hidden, hidden)
    if is_sparse(name):
        chosen |= {"latents": atoms, "k" if "k" in known else "target_l0": active}
    elif known.get("latents") == 1000:  # wide by its paper, of one layer
        chosen["latents"] = atoms
    elif "latents" in known and "codes" not in known:
        chosen["latents"] = latents
    if known.get("critic", ())[:1] == (1000,):
        chosen["critic"] = (hidden, hidden)
    elif "critic" in known:
        chosen["critic"] = (hidden // 8, hidden // 4)  # filters
    if "critic_hidden" in known:
        chosen["critic_hidden"] = (hidden, hidden)
    if name == "annealed_vae":
        chosen["steps"] = steps // 2
    if real and known.get("likelihood") == "bernoulli":
        chosen["likelihood"] = "normal"
    return chosen


def measured(
    name: str, data: Set, seed: int, steps: int, size: Mapping[str, int]
) -> dict[str, float]:
    """Train a model for so many steps and measure it: column -> number."""
    options = options_of(name, data.real, steps=steps, **size)
    keras.utils.set_random_seed(seed)
    model = zoo.create(name, data.x.shape[1:], seed=seed, **options)
    began = time.process_time()
    if isinstance(model.encoder, zoo.networks.Centred):
        start(model, data.x, verbose=False)  # as the guide has it for every dictionary
    with at_once():
        train(model, data.x, epochs=math.ceil(steps * BATCH / len(data.x)))
    seconds = time.process_time() - began
    per_class = [] if data.labels is None else _few(data.labels)
    found = zoo.evaluation.evaluate(
        model,
        data.fresh,
        data.classes,
        data.factors,
        x_train=data.x if data.labels is not None else None,
        labels_train=data.labels,
        groups=[group for group in GROUPS if group != "generation" or data.natural],
        level="quick",
        settings={"probing": {"labels_per_class": per_class, "draws": 5}},
        verbose=False,
    )
    probing = found.get("probing", {})
    totals = {f"few_label_{10**i}": f"few_label_{few}" for i, few in enumerate(per_class, 1)}
    found["probing"] = probing | {
        total: probing.get(few, math.nan) for total, few in totals.items()
    }
    numbers = {
        column: float(found.get(group, {}).get(metric, math.nan))
        for (group, metric), column in COLUMNS.items()
    }
    numbers |= {
        "seconds": seconds,
        "weights": float(sum(math.prod(w.shape) for w in model.trainable_variables)),
    }
    return {column: value for column, value in numbers.items() if math.isfinite(value)}


def _few(labels: np.ndarray) -> list[int]:
    """Labels a class that make ten and a hundred in all."""
    classes = len(np.unique(labels))
    return [10 // classes, 100 // classes]


def run(
    seed: int,
    sources: Sources,
    *,
    sets: Sequence[str],
    models: Sequence[str],
    rows: int,
    steps: int,
    latents: int,
    hidden: int,
    atoms: int,
    active: int,
) -> Outcome:
    """Train every model on every set, and measure what can be measured of it.

    Each model's numbers are kept beside those of others (``leaderboard/`` in the folder of kept models), so
    that a run that was ended goes on after the last.

    Args:
        seed: of the models and of what a set draws.
        sources: of MNIST and of natural pictures.
        sets: of `zoo.experiments.leaderboard.sets.SETS`.
        models: names of models.
        rows: to train on, of a set that has more.
        steps: of Adam at 1e-3, 100 rows each.
        latents: units of a dense code.
        hidden: units of each of two hidden layers.
        atoms: units of a sparse code.
        active: units of it that an example uses.

    Returns:
        For each set and model, where it has it: ``error``, squared, a value; ``elbo`` and
        ``log_likelihood`` in nats; ``probe_10``, ``probe_100`` and ``probe_all``, accuracies of a logistic
        regression on the codes of so many labels; ``clusters``, one-to-one accuracy of k-means, and
        ``own_clusters``, that of a model's own; ``l0``, ``hoyer``; ``mig``, ``dci``; ``frechet`` and
        ``recall`` of new examples; ``seconds`` of processor time of the training, the tracing in it;
        ``weights``, those that are trained.

    Raises:
        RuntimeError: where a model failed, after all others have run.
    """
    size = {"latents": latents, "hidden": hidden, "atoms": atoms, "active": active}
    folder = Path(sources.models or ".") / "leaderboard"
    measures: dict[str, float] = {}
    failed = []
    for kind in sets:
        data = SETS[kind](seed, sources, rows)
        for name in models:
            if kind not in ONLY.get(name, (kind,)):
                continue
            path = (
                folder
                / f"{kind}-{name}-{seed}-{rows}x{steps}-{latents}-{hidden}-{atoms}-{active}.json"
            )
            try:
                found = _kept(path, name, data, seed, steps, size)
            except Exception as error:  # the others are wanted all the same
                failed.append(f"{kind}/{name}: {type(error).__name__}: {error}")
                print(f"  {failed[-1]}", flush=True)
                continue
            print(f"  {kind}/{name}: {found.get('seconds', 0):.0f} s", flush=True)
            measures |= {f"{kind}/{name}/{column}": value for column, value in found.items()}
            keras.backend.clear_session()
            gc.collect()
    if failed:
        raise RuntimeError("; ".join(failed))
    return Outcome(measures, _arrays(measures))


def _kept(
    path: Path, name: str, data: Set, seed: int, steps: int, size: Mapping[str, int]
) -> dict[str, float]:
    """What a model gave before, or gives now."""

    def measure() -> dict[str, float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of short trainings and of scores that are not defined
            return measured(name, data, seed, steps, size)

    def load(path: Path) -> dict[str, float]:
        return read_json(path, "numbers of the leaderboard")

    return kept_item(path, load, measure, lambda found, path: write_json(path, found))


# What a set's models are held against their error by, the first that it has.
AGAINST = ("probe_100", "mig", "hoyer")


def _arrays(measures: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Set/model/column of the second axis -> error and that column."""
    arrays = {}
    for name, error in measures.items():
        row, _, column = name.rpartition("/")
        if column != "error":
            continue
        against = next((c for c in AGAINST if f"{row}/{c}" in measures), None)
        if against:
            arrays[f"{row}/{against}"] = np.array([error, measures[f"{row}/{against}"]])
    return arrays


def _order(text: str, better: str, worse: str, paper: str = "", more: bool = True) -> Claim:
    """That one row has the larger number, or the smaller."""
    return Claim(
        text,
        lambda m: (m[better] > m[worse]) == more and m[better] != m[worse],
        (better, worse),
        paper,
    )


EXPERIMENTS = (
    Experiment(
        id="LEADERBOARD",
        paper="leaderboard",
        title="Every model on six sets",
        run=run,
        draw=draw,
        claims=(
            _order(
                "Total correlation is the better thing to weigh: beta_tc_vae has the larger MIG of sprites "
                "(Chen et al. 2018, figure 4)",
                "sprites/beta_tc_vae/mig",
                "sprites/beta_vae/mig",
            ),
            _order(
                "beta_vae has a larger MIG of sprites than vae (Higgins et al. 2017, by another score)",
                "sprites/beta_vae/mig",
                "sprites/vae/mig",
            ),
            _order(
                "iwae has a higher log-likelihood of MNIST than vae (Burda et al. 2016, table 1)",
                "mnist/iwae/log_likelihood",
                "mnist/vae/log_likelihood",
            ),
            _order(
                "A k-sparse code serves a linear classifier with all labels better than as many principal "
                "components as a dense code has units (Makhzani & Frey 2014, table 2)",
                "mnist/k_sparse_autoencoder/probe_all",
                "mnist/linear_autoencoder/probe_all",
            ),
            _order(
                "A mixture as the prior makes k-means clusters of MNIST agree more with the digits than a "
                "Normal (Jiang et al. 2017, table 2)",
                "mnist/vade/clusters",
                "mnist/vae/clusters",
            ),
            _order(
                "WAE-MMD has a smaller Frechet distance of new digits than vae (Tolstikhin et al. 2018, "
                "table 1)",
                "mnist/wae_mmd/frechet",
                "mnist/vae/frechet",
                more=False,
            ),
        ),
        quick={
            "sets": ["digits", "table"],
            "models": asked(),
            "rows": 2000,
            "steps": 300,
            "latents": 10,
            "hidden": 64,
            "atoms": 128,
            "active": 10,
        },
        full={
            "sets": list(SETS),
            "models": asked(),
            "rows": 10_000,
            "steps": 2000,
            "latents": 10,
            "hidden": 128,
            "atoms": 256,
            "active": 10,
        },
    ),
)
