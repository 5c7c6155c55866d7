"""One worker of tests/distributed/test_multi_worker.py: trains, then prints what came out as JSON."""

import json
import os
import sys


def main(ports: list[str], index: int) -> None:
    if len(ports) > 1:
        workers = [f"localhost:{port}" for port in ports]
        task = {"type": "worker", "index": index}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": workers}, "task": task})
    import tensorflow as tf

    several = len(ports) > 1
    # Before anything else touches TensorFlow's devices.
    strategy = (
        tf.distribute.MultiWorkerMirroredStrategy() if several else tf.distribute.get_strategy()
    )
    import keras
    import numpy as np
    from sklearn.datasets import load_digits

    import zoo

    x = (load_digits().images[:500, ..., None] / 16).astype("float32")
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = zoo.create("laplace_vae", (8, 8, 1), hidden=(16,), regularizers=["mmd"])
        optimizer = keras.optimizers.Adam(1e-3, global_clipnorm=5.0)
        model.compile(optimizer, jit_compile=False)
    # 420 rows in batches of 60: seven steps an epoch; 80 rows to evaluate, which 3 does not divide.
    history = model.fit(x[:420], epochs=3, batch_size=60, verbose=0, validation_data=x[420:])
    weights = np.concatenate([v.numpy().ravel() for v in model.trainable_variables])
    result = {
        "history": history.history,
        "weights": weights.tolist(),
        "codes": model.encode(x[:7]).tolist(),
        "evaluation": model.evaluate(x[420:], return_dict=True, verbose=0),
    }
    print("RESULT " + json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1].split(","), int(sys.argv[2]))
