"""What `export` accepts, and that only a complete and correct export takes the place of another."""

import json
import re

import numpy as np
import pytest

import zoo
from zoo.exporting import FORMATS, export, parity, saved_model
from zoo.exporting.endpoints import Endpoint, endpoints
from zoo.exporting.staging import staged


@pytest.fixture(scope="module")
def model():
    return zoo.create("vae", (6,), latents=2, hidden=(4,))


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scale", [None, 255.0, 1.0])
def test_an_export_says_what_its_bytes_are_divided_by(scale, tmp_path):
    model = zoo.create(
        "autoencoder", (6,), latents=2, hidden=(4,), likelihood="normal", scale=scale
    )
    export(model, tmp_path / "a")
    described = json.loads((tmp_path / "a" / "inputs.json").read_text())
    assert described == {"x": {"shape": [6], "dtype": "float32", "bytes_divided_by": scale}}
    x = np.random.default_rng(0).integers(0, 200, (20, 6), np.uint8)
    options = {"groups": ["reconstruction"], "verbose": False}
    if scale is not None:
        expected = zoo.evaluation.evaluate(model, x / np.float32(scale), **options)
        model.save(tmp_path / "b.keras")
        for saved in (tmp_path / "a", tmp_path / "b.keras"):
            found = zoo.evaluation.evaluate(saved, x, **options)
            assert found["reconstruction"] == pytest.approx(expected["reconstruction"], rel=1e-4)


def test_unknown_format_suggests_the_nearest(model, tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'tf_saved_model'"):
        export(model, tmp_path / "a", "saved_model")
    assert entries(tmp_path) == []


def test_formats_are_named_without_importing_tensorflow():
    import subprocess
    import sys

    code = (
        "import sys, zoo.exporting as e; print(*e.FORMATS); assert 'tensorflow' not in sys.modules"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == list(FORMATS)


def test_a_complete_export_replaces_an_earlier_one(model, tmp_path):
    with staged(tmp_path / "deep" / "a") as folder:
        (folder / "encoder.onnx").write_text("old")
    export(model, tmp_path / "deep" / "a", check=False)
    assert entries(tmp_path / "deep") == ["a"]
    assert "saved_model.pb" in entries(tmp_path / "deep" / "a")
    assert "encoder.onnx" not in entries(tmp_path / "deep" / "a")


def test_a_wrong_export_is_refused_and_leaves_the_earlier_one(model, tmp_path, monkeypatch):
    def wrong(folder):
        good = endpoints(model)
        return {"encode": lambda x: good["encode"].answer(x) + 2e-4}

    with staged(tmp_path / "a") as folder:
        (folder / "encoder.onnx").write_text("old")
    monkeypatch.setattr(saved_model, "load", wrong)
    with pytest.raises(
        ValueError, match=r"'encode' disagrees with the model by up to 0\.0002 in 16"
    ):
        export(model, tmp_path / "a")
    assert entries(tmp_path) == ["a"]
    assert (tmp_path / "a" / "encoder.onnx").read_text() == "old"


def test_an_error_while_writing_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), staged(tmp_path / "a") as folder:
        (folder / "half").write_text("")
        raise KeyError
    assert entries(tmp_path) == []


def test_the_earlier_export_comes_back_where_the_last_step_fails(tmp_path):
    with staged(tmp_path / "a") as folder:
        (folder / "encoder.onnx").write_text("old")
    with pytest.raises(ValueError, match="Cannot write"), staged(tmp_path / "a") as folder:
        folder.rmdir()
    assert (tmp_path / "a" / "encoder.onnx").read_text() == "old"


def test_a_folder_with_something_else_is_never_replaced(model, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match=re.escape("'thesis.tex', which is not part of an export")):
        export(model, tmp_path)
    assert entries(tmp_path) == ["thesis.tex"]


def test_a_file_is_never_replaced(model, tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(ValueError, match="is a file"):
        export(model, tmp_path / "a")
    with pytest.raises(ValueError, match=r"Cannot write .*below"):
        export(model, tmp_path / "a" / "below")


def test_a_place_that_cannot_be_written_is_one_clear_error(model):
    with pytest.raises(ValueError, match="Cannot write '/proc/none/a'"):
        export(model, "/proc/none/a")


def test_other_users_can_read_the_export(tmp_path):
    (tmp_path / "made").mkdir()
    with staged(tmp_path / "a") as folder:
        (folder / "encoder.onnx").write_text("")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "made").stat().st_mode


def test_given_rows_are_compared_on(model, tmp_path):
    with pytest.raises(ValueError, match="check is a table of bytes up to 128"):
        export(model, tmp_path / "a", check=np.full((3, 6), 128, np.uint8))
    model = zoo.create("vae", (6,), latents=2, hidden=(4,), scale=255)
    export(model, tmp_path / "a", check=np.full((3, 6), 128, np.uint8))
    with pytest.raises(ValueError, match="check"):
        export(model, tmp_path / "b", check=np.zeros((3, 5), np.float32))
    assert entries(tmp_path) == ["a"]


def test_a_model_that_diverged_is_refused(tmp_path):
    broken = zoo.create("vae", (6,), latents=2, hidden=(4,))
    for variable in broken.trainable_variables:
        variable.assign(np.full(variable.shape, np.nan))
    with pytest.raises(ValueError, match="not all finite"):
        export(broken, tmp_path / "a")
    assert entries(tmp_path) == []


def step(x):
    """0 or 1: a model with a jump at 1."""
    return (x > 1).astype(np.float32)


def test_rows_on_a_jump_of_the_model_are_left_out():
    rows = np.array([[0.5], [1.0], [1.5]], np.float32)
    other = lambda x: (x >= 1).astype(np.float32)  # noqa: E731
    parity.compare_endpoint("f", Endpoint(None, (), step), other, [rows])
    with pytest.raises(ValueError, match="up to 1 in 1 of 3 rows"):
        parity.compare_endpoint(
            "f", Endpoint(None, (), step), lambda x: (x > 0.4).astype(np.float32), [rows]
        )
    with pytest.raises(ValueError, match="1 of 1 rows"):
        parity.compare_endpoint("f", Endpoint(None, (), step), other, [rows[1:2]])


@pytest.mark.parametrize(
    "received", [np.zeros((2, 3)), {"loc": np.zeros((2, 2))}, np.full((2, 2), np.nan)]
)
def test_other_shapes_names_and_nan_disagree(received):
    endpoint = Endpoint(None, (), lambda n: np.zeros((2, 2)))
    with pytest.raises(ValueError, match="by up to inf"):
        parity.compare_endpoint("f", endpoint, lambda n: received, [np.int32(2)])


def test_large_answers_may_differ_by_their_last_digits():
    endpoint = Endpoint(None, (), lambda x: x * 1e4)
    rows = np.ones((2, 3), np.float32)
    parity.compare_endpoint("f", endpoint, lambda x: x * 1e4 * (1 + 5e-6), [rows])
    with pytest.raises(ValueError, match="disagrees"):
        parity.compare_endpoint("f", endpoint, lambda x: x * 1e4 * (1 + 5e-5), [rows])
