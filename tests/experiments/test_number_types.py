"""Where a run in bfloat16 counts as one in float32: the models come to the same places."""

from pathlib import Path

import numpy as np
import pytest

from zoo.experiments.catalogue import find, names
from zoo.experiments.experiment import Sources
from zoo.experiments.sparse_vae import parts
from zoo.experiments.training import mnist
from zoo.serialization import policy

FILES = Path(__file__).resolve().parents[3] / "shared" / "datasets" / "downloads" / "mnist"
SEEDS = 3
# Relative to float32, of the bound of one seed and of the mean. Two seeds differ by up to 16 %, where the KL
# of one has collapsed and that of the other has not.
EACH, MEAN = 0.01, 0.003


def test_the_experiments_that_count_as_equal_are_those_checked_here():
    equal = {name for name in names() if find(name).equal}
    assert equal == {"SV-2D", "SV-MN"}
    assert all(find(name).equal == {"precision": "mixed_bfloat16"} for name in equal)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    if not FILES.is_dir():
        pytest.skip(f"the files of MNIST are not in {FILES}")
    sources = Sources(data_dir=str(tmp_path_factory.mktemp("tfds")), manual_dir=str(FILES))
    return mnist("train", sources, 10_000).inputs, mnist("test", sources, 2000).inputs


@pytest.mark.long
@pytest.mark.parametrize("latents", [2, 10])
@pytest.mark.parametrize("family", list(parts.MODELS))
def test_sparse_vaes_come_to_the_same_bound_in_bfloat16(family, latents, digits):
    x, fresh = digits

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
