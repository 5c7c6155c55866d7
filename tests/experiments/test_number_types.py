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
# Of the float32 models' mean. Two seeds in float32 differ by up to 1.5 % in a term.
TOLERANCE = 0.01


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

    def terms(precision, seed):
        with policy(precision):
            model = parts.trained(
                family, "equal", x, latents, 1.0, seed, epochs=8, learning_rate=1e-3, warm_up=2
            )
            found = model.evaluate(fresh, return_dict=True, verbose=0)
        return [found["reconstruction"], found["kl"]]

    single, half = (
        np.array([terms(precision, seed) for seed in range(SEEDS)])
        for precision in ("float32", "mixed_bfloat16")
    )
    assert not np.array_equal(single, half)  # the number types are at work
    gap = half.mean(axis=0) / single.mean(axis=0) - 1
    assert np.abs(gap).max() < TOLERANCE
