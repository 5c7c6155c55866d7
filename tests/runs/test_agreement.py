"""Workers that begin together and alike, or not at all."""

import contextlib

import pytest
import tensorflow as tf

from zoo.runs import agreement
from zoo.runs.agreement import compare, exchanged, together
from zoo.runs.run_config import RunConfig


class Workers(tf.distribute.MultiWorkerMirroredStrategy):
    """What `together` asks of a strategy."""

    def __init__(self):
        cluster = tf.train.ClusterSpec({"worker": ["a:1", "b:1"]})
        self.cluster_resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
            cluster, task_type="worker", task_id=1
        )

    cluster_resolver = None


@pytest.fixture
def sent(monkeypatch):
    """What a worker said; the first worker has a learning rate of 0.1."""
    said = []

    def exchange(place, own):
        said.append(own)
        return [{"by": "worker 0", "facts": {"learning_rate": 0.1}}, own]

    monkeypatch.setattr(agreement, "exchanged", exchange)
    return said


def test_all_replicas_say_what_they_have(two_devices):
    assert (
        exchanged(two_devices, {"by": "é", "facts": {"a": [1]}})
        == [{"by": "é", "facts": {"a": [1]}}] * 2
    )


def test_a_lost_worker_is_said_so(two_devices, monkeypatch):
    def gone(*_, **__):
        raise tf.errors.UnavailableError(None, None, "gone")

    monkeypatch.setattr(two_devices, "gather", gone)
    with pytest.raises(ConnectionError, match="Another worker of this run is gone"):
        exchanged(two_devices, {})


def test_workers_with_other_settings_are_refused(sent):
    with together(Workers()) as facts:
        facts["learning_rate"] = 0.1
    with (
        pytest.raises(
            ValueError,
            match=r"received others on worker 1 \(here\) than on worker 0 \(there\): learning_rate is 0.1 "
            r"there and 0.2 here. Start all with the same command",
        ),
        together(Workers()) as facts,
    ):
        facts["learning_rate"] = 0.2


def test_the_others_are_told_of_a_worker_that_was_refused(sent):
    with contextlib.suppress(ValueError), together(Workers()):
        raise ValueError("no such file")
    assert sent == [{"by": "worker 1", "refused": "no such file"}, {"by": "worker 1"}]
    with pytest.raises(ValueError, match="cannot begin, for worker 1 was refused: no such file"):
        compare([{"by": "worker 0", "facts": {}}, sent[0]])


def test_a_run_of_one_process_asks_nobody(sent, two_devices):
    for place in (tf.distribute.get_strategy(), two_devices):
        with together(place) as facts:
            facts["learning_rate"] = 0.2
    assert sent == []


def test_workers_may_read_the_same_data_from_different_places():
    one = RunConfig(dataset="/a/x.npy", data_dir="/a", epochs=3).shared()
    assert (
        one
        == RunConfig(dataset="/b/x.npy", data_dir="/b", epochs=3, strategy="multi_worker").shared()
    )
    assert one != RunConfig(dataset="/a/x.npy", seed=1, epochs=3).shared()
    assert one != RunConfig(dataset="/a/x.npy", epochs=4).shared()
