"""Machines of tests/distributed/test_multi_worker.py: `worker.py FOLDER 1 2` trains alone, then on two.

Every worker is a fork of this process, which has imported TensorFlow but not started it: that takes no time.
What comes out is written to FOLDER/{workers}-{index}.json.
"""

import json
import os
import socket
import sys
import traceback
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

import zoo


def train(several: bool) -> dict:
    """Numbers of a training of 21 steps."""
    # Before anything else touches TensorFlow's devices.
    strategy = (
        tf.distribute.MultiWorkerMirroredStrategy() if several else tf.distribute.get_strategy()
    )
    x = (load_digits().images[:500, ..., None] / 16).astype("float32")
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = zoo.create("laplace_vae", (8, 8, 1), hidden=(16,), regularizers=["mmd"])
        optimizer = keras.optimizers.Adam(1e-3, global_clipnorm=5.0)
        model.compile(optimizer, jit_compile=False)
    # 420 rows in batches of 60: seven steps an epoch; 80 rows to evaluate, which 3 does not divide.
    history = model.fit(x[:420], epochs=3, batch_size=60, verbose=0, validation_data=x[420:])
    weights = np.concatenate([v.numpy().ravel() for v in model.trainable_variables])
    stream = tf.data.Dataset.from_tensor_slices(x[420:]).batch(60)
    return {
        "history": history.history,
        "weights": weights.tolist(),
        "codes": model.encode(x[:7]).tolist(),
        "evaluation": model.evaluate(x[420:], return_dict=True, verbose=0),
        "streamed": model.evaluate(stream, return_dict=True, verbose=0),
    }


def free_ports(count: int) -> list[int]:
    """Ports where nothing listens."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(path: Path, ports: list[int], index: int) -> int:
    """Fork a worker; the number of its process."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        if len(ports) > 1:
            workers = [f"localhost:{port}" for port in ports]
            task = {"type": "worker", "index": index}
            os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": task})
        path.write_text(json.dumps(train(len(ports) > 1)))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def main(folder: str, *sizes: str) -> int:
    """Train once for each number of workers; the number of those that failed."""
    failed = 0
    for size in map(int, sizes):
        ports = free_ports(size)
        paths = [Path(folder) / f"{size}-{index}.json" for index in range(size)]
        children = [start(path, ports, index) for index, path in enumerate(paths)]
        failed += sum(os.waitpid(child, 0)[1] != 0 for child in children)
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
