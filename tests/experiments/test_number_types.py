"""Where a run in bfloat16 counts as one in float32: the models come to the same places."""

from pathlib import Path

import numpy as np
import pytest

from zoo.experiments.catalogue import find, names
from zoo.experiments.digits import logistic_regression
from zoo.experiments.experiment import Sources
from zoo.experiments.lecture import k_sparse
from zoo.experiments.sparse_vae import parts
from zoo.experiments.training import mnist, unit
from zoo.serialization import policy

FILES = Path(__file__).resolve().parents[3] / "shared" / "datasets" / "downloads" / "mnist"
SEEDS = 3
# Relative to float32, of the bound of one seed and of the mean. Two seeds differ by up to 16 %, where the KL
# of one has collapsed and that of the other has not.
EACH, MEAN = 0.01, 0.003
# Of the mean squared error of features, relative, and of their mean test error in points. Which units win is
# chaotic: two seeds of k = 10 in float32 differ by 3.5 % and .4 points, and so do the types for one seed.
SQUARED, WRONG = 0.02, 0.3


def test_the_experiments_that_count_as_equal_are_those_checked_here():
    equal = {name for name in names() if find(name).equal}
    assert equal == {"SV-2D", "SV-MN", "OX-KS-T1", "OX-KS-F1"}
    assert all(find(name).equal == {"precision": "mixed_bfloat16"} for name in equal)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    if not FILES.is_dir():
        pytest.skip(f"the files of MNIST are not in {FILES}")
    sources = Sources(data_dir=str(tmp_path_factory.mktemp("tfds")), manual_dir=str(FILES))
    return mnist("train", sources, 10_000), mnist("test", sources, 2000)


@pytest.mark.long
@pytest.mark.parametrize("latents", [2, 10])
@pytest.mark.parametrize("family", list(parts.MODELS))
def test_sparse_vaes_come_to_the_same_bound_in_bfloat16(family, latents, digits):
    x, fresh = (split.inputs for split in digits)

    def bound(precision, seed):
        with policy(precision):
            model = parts.trained(
                family, "equal", x, latents, 1.0, seed, epochs=8, learning_rate=1e-3, warm_up=2
            )
            found = model.evaluate(fresh, return_dict=True, verbose=0)
        return found["reconstruction"] + found["kl"]

    single, half = (
        np.array([bound(precision, seed) for seed in range(SEEDS)])
        for precision in ("float32", "mixed_bfloat16")
    )
    assert not np.array_equal(single, half)  # the number types are at work
    assert np.abs(half / single - 1).max() < EACH
    assert abs(half.mean() / single.mean() - 1) < MEAN


@pytest.mark.long
@pytest.mark.parametrize("kind", ["k10", "k25", "k70", "dropout", "both"])
def test_features_come_to_the_same_errors_in_bfloat16(kind, digits):
    source, test = digits

    def errors(precision, seed):
        with policy(precision):
            model = k_sparse.trained(kind, source.inputs, seed, 10, 0.01, Sources())
            codes, fresh = (np.asarray(model.encode(unit(data))) for data in digits)
            made = model.reconstruct(unit(test))
        _, named = logistic_regression(codes, source.labels, fresh, seed, iterations=30)
        squared = ((made - unit(test)) ** 2).sum((1, 2, 3)).mean()
        return squared, 100 * np.mean(named != test.labels)

    single, half = (
        np.array([errors(precision, seed) for seed in range(SEEDS)])
        for precision in ("float32", "mixed_bfloat16")
    )
    assert not np.array_equal(single, half)  # the number types are at work
    squared, wrong = half.mean(axis=0) - single.mean(axis=0)
    assert abs(squared) < SQUARED * single[:, 0].mean()
    assert abs(wrong) < WRONG
