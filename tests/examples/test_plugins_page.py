"""Every example of docs/plugins.md runs, and the models that it makes train, are saved and load."""

import re
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo import registry

PAGE = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^## (.+?)$|^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def page():
    """Heading -> the names that its examples leave; what they register is gone after the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for kind, table in registry._parts.items():
            registry.names(kind)
            patch.setitem(registry._parts, kind, dict(table))
        names, left, heading = {"__name__": "__main__"}, {}, ""
        for title, block in BLOCKS:
            heading = title or heading
            if block:
                exec(compile(block, f"docs/plugins.md, {heading}", "exec"), names)
                left.setdefault(heading, []).append(dict(names))
        yield left


def models(page):
    """Heading and model of every example that makes one."""
    seen = set()
    for heading, blocks in page.items():
        for names in blocks:
            if "model" in names and id(names["model"]) not in seen:
                seen.add(id(names["model"]))
                yield heading, names["model"]


def test_models_train_and_come_back(page, tmp_path):
    x = np.random.default_rng(0).random((16, 8), np.float32)
    headings = []
    for heading, model in models(page):
        model.compile("adam", jit_compile=False)
        assert np.isfinite(model.fit(x, batch_size=8, verbose=0).history["loss"]).all(), heading
        model.save(tmp_path / "m.keras")
        loaded = zoo.load_model(tmp_path / "m.keras")
        np.testing.assert_array_equal(loaded.encode(x), model.encode(x), heading)
        headings.append(heading)
    parts = [
        "A bottleneck",
        "A prior",
        "A prior",
        "A posterior",
        "A likelihood",
        "An objective",
        "A model",
        "A training step",
    ]
    assert headings == ["A regularizer"] * 2 + ["Networks"] * 2 + parts


def test_examples_do_what_their_text_says(page):
    found = dict(models(page))
    codes = found["A bottleneck"].encode(np.random.default_rng(1).random((9, 8), np.float32))
    assert set(np.unique(codes)) <= {-1.0, 1.0}
    assert found["A prior"].generate(3, seed=0).shape == (3, 8)
    assert next(m for heading, m in models(page) if heading == "A prior").prior.scale == 0.5
    assert found["A model"].units == 3
    assert found["A model"].formula == "E_q[log p(x|z)] - beta KL(q(z|x) || p(z))"
    assert len(page["A data set"][0]["data"]) == 50
    assert page["An experiment"][0]["outcome"].measures["error"] > 0.1


def test_the_page_has_every_kind_and_every_group():
    registered = set(re.findall(r'@zoo\.register\("\w+"(?:, kind="(\w+)")?\)', PAGE))
    assert {kind or "regularizer" for kind in registered} == set(registry.KINDS)
    groups = set(re.findall(r"`zoo\.(\w+s)`", PAGE)) & {f"{kind}s" for kind in registry.KINDS}
    assert groups == {f"{kind}s" for kind in registry.KINDS}
