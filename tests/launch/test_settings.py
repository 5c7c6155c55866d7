"""Settings from text, and the record of a run's settings."""

import json

import pytest

from zoo.cli.settings import named_values, part, value
from zoo.runs.differences import differences
from zoo.runs.run_config import RunConfig, main_job


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10", 10),
        ("-1e-3", -0.001),
        ("none", None),
        ("True", True),
        ("false", False),
        ("relu", "relu"),
        ("500,500", [500, 500]),
        ("500,", [500]),
        ("()", []),
        ("[relu]", ["relu"]),
        ("[lp_norm(p=1.5),mmd]", [{"name": "lp_norm", "p": 1.5}, "mmd"]),
        ("grid(parts=[a(b=1)])", {"name": "grid", "parts": [{"name": "a", "b": 1}]}),
        ("relu,tanh", ["relu", "tanh"]),
        ("'1'", "1"),
        ("student_t:df=3,scale=0.5", {"name": "student_t", "df": 3, "scale": 0.5}),
        ("linear(start=0,end=1,steps=5)", {"name": "linear", "start": 0, "end": 1, "steps": 5}),
        ("{'name': 'normal'}", {"name": "normal"}),
        ("C:\\data", "C:\\data"),
        *((mark, mark) for mark in ("\t", " ", ",", ";", "|", "\\t", "")),
    ],
)
def test_values(text, expected):
    assert value(text) == expected


def test_a_part_within_a_part():
    assert part("lp_norm:p=0.5,weight=linear(start=0,end=1,steps=10)", "regularizer") == {
        "name": "lp_norm",
        "p": 0.5,
        "weight": {"name": "linear", "start": 0, "end": 1, "steps": 10},
    }


def test_named_values_keep_the_last():
    assert named_values(["a=1", "b=x=y", "a=2"], "set") == {"a": 2, "b": "x=y"}


@pytest.mark.parametrize("text", ["latents", "=3", "a b=3", ""])
def test_a_setting_without_a_name(text):
    with pytest.raises(ValueError, match="Expected name=value"):
        named_values([text], "set")


@pytest.mark.parametrize("text", ["3", "lp norm", "lp_norm:0.5", "1,2", ""])
def test_a_part_that_is_none(text):
    with pytest.raises(ValueError, match="expects name or name:option=value"):
        part(text, "regularizer")


def test_a_config_survives_json():
    config = RunConfig(model="vae", options={"hidden": (5, 5)}, regularizers=[{"name": "l1"}])
    again = RunConfig.from_json(json.loads(json.dumps(config.to_json())))
    assert again.to_json() == config.to_json()
    assert not again.differing(config)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1; received 0"),
        ({"epochs": True}, "epochs must be"),
        ({"limit": 1}, "limit must be a whole number of at least 2"),
        ({"seed": -1}, "seed must be"),
        ({"data_seed": -1}, "data_seed must be a whole number of at least 0; received -1"),
        ({"data_seed": 0.5}, "data_seed must be"),
        ({"learning_rate": 0.0}, "learning_rate must be a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be"),
        ({"precision": "float16"}, "Unknown precision 'float16'. Did you mean 'float32'"),
        ({"strategy": "miror"}, "Unknown strategy 'miror'. Did you mean 'mirrored'"),
        ({"model": 3}, "model must be a name"),
        ({"options": [1]}, "options must be named values"),
        ({"regularizers": [{"p": 1}]}, "A regularizer needs a name"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        RunConfig(**settings)


def test_what_may_change_when_a_run_is_resumed():
    config = main_job()
    free = {"epochs": 7, "data_dir": "/a", "strategy": "mirrored", "virtual_devices": 2}
    assert not config.differing(RunConfig.from_json({**config.to_json(), **free}))
    other = RunConfig.from_json({**config.to_json(), "seed": 1, "batch_size": 3})
    assert config.differing(other) == ["batch_size", "seed"]


@pytest.mark.parametrize("text", ["", "[]", '{"epochs": "many"}', '{"model": null}'])
def test_a_broken_run_config(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json"):
        RunConfig.read(tmp_path)


def test_differences_are_named_by_their_path():
    saved = {"a": {"b": [1, 2]}, "same": float("nan"), "gone": 1}
    now = {"a": {"b": [1, 3]}, "same": float("nan"), "new": "x"}
    assert differences(saved, now) == [
        "a.b[1] is 2 there and 3 here",
        "gone is 1 there and not set here",
        "new is not set there and 'x' here",
    ]
    assert not differences(saved, saved)
