"""Models that 0.1.0 saved still load and answer the same.

The files hold a model of every case of the table as it was at 0.1.0, with weights that a formula gives, so
that they pack to a few kB, and the answers that it gave.
"""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import zoo
from tests.conformance.cases import CASES

FOLDER = Path(__file__).parents[1] / "fixtures" / "saved_by_0_1_0"
ANSWERS = np.load(FOLDER / "answers.npz")


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.keras")))
def test_loads_and_answers_the_same(name):
    model = zoo.load_model(str(FOLDER / f"{name}.keras"))
    rows = CASES[name].data()[:3]
    given = {"encode": (rows,), "reconstruct": (rows,), "generate": (2,)}
    asked = [key.split("/")[1] for key in ANSWERS.files if key.startswith(f"{name}/")]
    assert {"encode", "reconstruct"} <= set(asked)
    for method in asked:
        answer = getattr(model, method)(*given[method])
        assert_allclose(answer, ANSWERS[f"{name}/{method}"], rtol=1e-4, atol=1e-5)
