"""The page of features shows the examples, tokens and neighbours that NumPy finds."""

import html
import re

import numpy as np
import pytest

import zoo
from zoo.visualization.pages.features import features, write_features


@pytest.fixture(scope="module")
def model():
    return zoo.create("top_k_sae", (6,), latents=12, target_l0=3)


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).normal(size=(300, 6)).astype("float32")


def test_features_are_those_of_numpy(model, x):
    codes, atoms = model.encode(x), np.asarray(model.decoder.atoms)
    (found,) = features(model, x, [5], words=lambda row: ("a", str(row), "b"), top=4)
    rows = np.argsort(-codes[:, 5], kind="stable")[:4]
    assert [int(e.words[1]) for e in found.examples] == rows.tolist()
    np.testing.assert_allclose([e.value for e in found.examples], codes[rows, 5], rtol=1e-5)
    assert found.density == np.mean(codes[:, 5] != 0)
    cosine = atoms @ atoms[5]
    assert [unit for unit, _ in found.nearest] == np.argsort(-cosine)[1:4].tolist()


def test_units_are_chosen_from_the_most_to_the_least_frequent_that_fire(model, x):
    density = (model.encode(x) != 0).mean(axis=0)
    chosen = [one.unit for one in features(model, x, count=3)]
    order = np.argsort(-density, kind="stable")
    assert chosen[0] == order[0] and chosen[-1] == order[density[order] > 0][-1]


def test_pictures_are_pictures_and_tokens_are_marked_and_escaped(tmp_path):
    model = zoo.create("top_k_sae", (4, 4, 1), latents=12, target_l0=3)
    x = np.random.default_rng(0).random((50, 4, 4, 1), np.float32)
    found = features(model, x, [0], words=lambda row: ("<b>", "fired", "on"), top=2)
    assert found[0].writes.width == found[0].writes.height == 72
    page = write_features(tmp_path / "features.html", found, "Units").read_text()
    assert html.escape("<b>") + " <mark>fired</mark> on" in page
    assert len(re.findall(r'src="data:image/png', page)) == 2 + 1  # examples, and what it writes


def test_a_report_has_a_section_of_them(model, x, tmp_path):
    path = zoo.visualization.write_report(
        tmp_path / "report.html",
        title="t",
        objective="o",
        config={},
        history={},
        metrics={},
        figures={},
        features=features(model, x, count=3),
    )
    page = path.read_text()
    assert page.count("<article") == 3 and 'href="#features"' in page
