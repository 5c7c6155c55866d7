"""The model card says what the model, its run and its metrics say."""

import pytest

import zoo
from zoo.exporting.card import card

CONFIG = zoo.runs.RunConfig(
    model="top_k_sae", options={"latents": 12, "target_l0": 3}, dataset="digits", epochs=5
).to_json()
METRICS = {
    "dictionary": {"explained_variance": {"value": 0.9, "low": 0.8, "high": 0.95}, "cosine": 0.7},
    "skipped": {"density": "has no prior"},
}


@pytest.fixture(scope="module")
def model():
    return zoo.create("top_k_sae", (6,), latents=12, target_l0=3)


def rows(text):
    """The cells of all rows of tables, by the first."""
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {first: rest for first, *rest in cells}


def test_a_card_has_formula_parts_settings_and_metrics(model):
    text = card(model, CONFIG, METRICS, figures={"atoms": "figures/filters.png"}, licence="mit")
    found = rows(text)
    assert model.formula in text
    assert "k 3" in found["bottleneck"][1] and found["bottleneck"][0] == "top_k"
    assert found["regularizer"] == ["aux_k", "weight 0.03125, dead_after 10000"]
    assert found["epochs"] == ["5"] and found["options"] == ["latents 12, target_l0 3"]
    assert found["variance explained"][:3] == ["0.9", "0.8 to 0.95", "higher"]
    assert "has no prior" in text
    assert "![atoms](figures/filters.png)" in text
    assert "# top_k_sae on digits" in text


def test_the_head_is_what_hubs_read(model):
    head = card(model, licence="mit").split("---")[1].strip().splitlines()
    assert head == [
        "library_name: keras",
        "tags: [latent-zoo, autoencoder, top-k-sae]",
        "license: mit",
    ]
    assert "license" not in card(model)


def test_what_is_not_known_is_left_out(model):
    text = card(model)
    assert "## Training" not in text and "## Measured" not in text and "## Figures" not in text


def test_the_code_of_a_card_runs(model, tmp_path):
    import numpy as np

    path = tmp_path / "model.keras"
    model.save(path)
    text = card(model, load=f"zoo.load_model({str(path)!r})")
    given = {"x": np.zeros((4, 6), np.float32)}
    exec(text.split("```python")[1].split("```")[0], given)
    assert given["codes"].shape == (4, 12) and given["again"].shape == (4, 6)


@pytest.mark.parametrize(("text", "cell"), [("a | b", "a \\| b"), ("a\nb", "a b")])
def test_a_setting_stays_in_its_cell(model, text, cell):
    assert f"| note | {cell} |" in card(model, {"note": text})
