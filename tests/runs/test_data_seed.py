"""The held-out rows of a run depend on its data_seed alone; older runs keep theirs."""

import json
import warnings

import numpy as np
import pytest

from zoo.cli.flags import configured, define
from zoo.data import load
from zoo.runs.run import read_data
from zoo.runs.run_config import RunConfig

# What a run of version 0.1.0 left, as far as its data are concerned.
OLD = {
    "model": "vae",
    "options": {"latents": 2},
    "epochs": 3,
    "seed": 5,
    "command": "python launch.py",
}


@pytest.fixture
def table(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(40, dtype=np.float32)[:, None])
    return str(tmp_path / "x.npy")


def held_out(config):
    data, rest = read_data(config)
    assert {*data.inputs[:, 0]} | {*rest.inputs[:, 0]} == {*range(40)}
    return rest.inputs[:, 0].tolist()


def test_seeds_share_the_held_out_rows(table):
    rows = [held_out(RunConfig(dataset=table, seed=seed)) for seed in range(4)]
    assert rows == [load(table, "test", seed=0).inputs[:, 0].tolist()] * 4
    other = held_out(RunConfig(dataset=table, data_seed=1))
    assert other == load(table, "test", seed=1).inputs[:, 0].tolist() != rows[0]


def test_what_is_said_of_both_parts_is_said_once(tmp_path):
    np.save(tmp_path / "bytes.npy", np.arange(80, dtype=np.uint8).reshape(40, 2))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        read_data(RunConfig(dataset=str(tmp_path / "bytes.npy")))
    assert len(told) == 1 and "is a table of bytes" in str(told[0].message)


def test_a_seed_among_the_options_of_the_data_goes_first(table):
    config = RunConfig(dataset=table, data_seed=1, data_options={"seed": 2})
    assert held_out(config) == load(table, "test", seed=2).inputs[:, 0].tolist()


@pytest.mark.parametrize("seed", [0, 5, None])
def test_older_runs_keep_their_held_out_rows(seed, table, tmp_path):
    content = {**OLD, "dataset": table, "seed": seed}
    if seed is None:  # not even that: the default was 0
        del content["seed"]
    (tmp_path / "config.json").write_text(json.dumps(content))
    config = RunConfig.read(tmp_path)
    assert config.data_seed == config.seed == (seed or 0)
    assert held_out(config) == load(table, "test", seed=seed or 0).inputs[:, 0].tolist()
    again = RunConfig.from_json(json.loads(json.dumps(config.to_json())))
    assert again == config and not config.differing(again)


@pytest.mark.parametrize(
    ("options", "means"),
    [
        ({"networks": "conv"}, {"name": "conv", "hidden": [64, 128], "dense": [1024]}),
        ({"networks": "conv", "hidden": [4]}, "conv"),
        ({"networks": "mlp"}, "mlp"),
    ],
)
def test_older_runs_keep_their_convolutions(options, means, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({**OLD, "options": options}))
    config = RunConfig.read(tmp_path)
    assert config.options["networks"] == means
    assert RunConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    new = RunConfig(options=options)
    assert RunConfig.from_json(new.to_json()).options == options


def test_the_command_line_has_both_seeds():
    known = define()
    known(["launch.py", "train", "--seed=3", "--data_seed=4", "--data", "delimiter=\\t"])
    config = configured(known, RunConfig())
    assert (config.seed, config.data_seed) == (3, 4)
    assert config.data_options == {"delimiter": "\\t"}


def test_a_run_is_not_resumed_with_other_rows():
    assert RunConfig().differing(RunConfig(data_seed=1)) == ["data_seed"]
