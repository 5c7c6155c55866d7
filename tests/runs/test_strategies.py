"""Strategies by name, and who writes the files."""

import json

import pytest
import tensorflow as tf

from zoo.runs.strategies import is_chief, strategy


def configured(monkeypatch, cluster, kind, index):
    config = {"cluster": cluster, "task": {"type": kind, "index": index}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))


def test_one_device_is_the_default(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    for name in ("none", "auto"):
        assert strategy(name) is tf.distribute.get_strategy()
    assert is_chief()


def test_logical_processors_are_mirrored_over():
    mirrored = strategy("mirrored", 2)
    assert mirrored.num_replicas_in_sync == 2
    assert strategy("auto", 2).num_replicas_in_sync == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("miror", 0), "Unknown strategy 'miror'"),
        (("none", 2), "virtual_devices=2 goes with the strategy 'mirrored'"),
        (("mirrored", 3), "Ask for them at the start of the program"),
        (("multi_worker", 0), "TF_CONFIG"),
    ],
)
def test_what_cannot_be(monkeypatch, arguments, message):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    tf.zeros(1)  # the runtime has started
    with pytest.raises(ValueError, match=message):
        strategy(*arguments)


@pytest.mark.skipif(bool(tf.config.list_physical_devices("GPU")), reason="there is a GPU")
def test_nothing_to_mirror_over():
    with pytest.raises(ValueError, match="found no GPU"):
        strategy("mirrored")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"cluster": 3, "task": {}}'])
def test_a_broken_tf_config(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="TF_CONFIG must be JSON"):
        strategy("auto")


@pytest.mark.parametrize(
    ("cluster", "kind", "index", "message"),
    [
        ({"workers": ["a:1", "b:1"]}, "workers", 0, "received 'workers'"),
        ({"worker": ["a:1", "b:1"], "ps": ["c:1"]}, "worker", 0, "received 'ps'"),
        ({"worker": "a:1,b:1"}, "worker", 0, "every worker as 'host:port', .* received 'a:1,b:1'"),
        ({"worker": ["a", "b"]}, "worker", 0, r"received \['a', 'b'\]"),
        ({"worker": []}, "worker", 0, r"received \[\]"),
        ({"worker": ["a:1", "b:1"]}, "worker", 2, "2 of type 'worker' .* 'worker' with index 2"),
        ({"worker": ["a:1", "b:1"]}, "worker", -1, "with index -1"),
        ({"worker": ["a:1", "b:1"]}, "evaluator", 0, "received type 'evaluator'"),
    ],
)
def test_a_cluster_that_cannot_be(monkeypatch, cluster, kind, index, message):
    configured(monkeypatch, cluster, kind, index)
    for name in ("auto", "multi_worker"):
        with pytest.raises(ValueError, match=message):
            is_chief(name)
        with pytest.raises(ValueError, match=message):
            strategy(name)
    assert strategy("none") is tf.distribute.get_strategy()


def test_the_chief_or_the_first_worker_writes(monkeypatch):
    workers = {"worker": ["a:1", "b:1"]}
    for cluster, kind, index, writes in (
        (workers, "worker", 0, True),
        (workers, "worker", 1, False),
        ({"chief": ["c:1"], **workers}, "worker", 0, False),
        ({"chief": ["c:1"], **workers}, "chief", 0, True),
    ):
        configured(monkeypatch, cluster, kind, index)
        assert is_chief("multi_worker") == writes
        assert is_chief("auto") == writes
        assert is_chief("mirrored")
