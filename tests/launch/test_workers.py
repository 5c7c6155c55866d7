"""Two workers on this machine: one is killed, both start again, and the result is that of one process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import launch
from zoo.cli.command_line import TRY_AGAIN
from zoo.history import read_history

ROOT = Path(__file__).parents[2]
EPOCHS = 15
WORDS = ("train", "--set", "hidden=12", "--limit=120", "--batch_size=20", f"--epochs={EPOCHS}")


def start(folder, ports, index):
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    task = {"type": "worker", "index": index}
    words = [*WORDS, "--strategy=multi_worker", f"--run_dir={folder}", "--resume"]
    return subprocess.Popen(
        [sys.executable, "launch.py", *words],
        cwd=ROOT,
        env={**os.environ, "TF_CONFIG": json.dumps({"cluster": cluster, "task": task})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def epochs_done(folder):
    try:
        return len(read_history(folder / "history.csv").get("loss", []))
    except ValueError:
        return 0


@pytest.mark.long
def test_a_lost_worker(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    ports = free_ports(2)
    workers = [start(folder, ports, index) for index in range(2)]
    try:
        while epochs_done(folder) < 3:
            assert all(worker.poll() is None for worker in workers)
            time.sleep(0.05)
        workers[1].send_signal(signal.SIGKILL)
        _, error = workers[0].communicate(timeout=200)
        assert workers[0].returncode == TRY_AGAIN
        assert error.strip().splitlines()[-1].endswith("Start all workers again with --resume.")
        assert epochs_done(folder) < EPOCHS
        ports = free_ports(2)
        workers = [start(folder, ports, index) for index in range(2)]
        for worker in workers:
            _, error = worker.communicate(timeout=300)
            assert worker.returncode == 0, error
    finally:
        for worker in workers:
            worker.kill()
    from zoo.runs import run

    monkeypatch.setattr(run, "write_artefacts", lambda *_, **__: {"loss": {}})
    words = [*WORDS, "--virtual_devices=2", f"--run_dir={tmp_path / 'one'}"]
    assert launch.main(["launch.py", *words]) == 0
    found, expected = (read_history(f / "history.csv") for f in (folder, tmp_path / "one"))
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4)
    assert (folder / "report.html").exists()
