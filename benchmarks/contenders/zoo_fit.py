"""`model.fit` and the exported models of this library, with their defaults."""

from __future__ import annotations

import tempfile
from collections.abc import Callable

import numpy as np

from benchmarks.workloads import ATOMS, K, Workload


def prepare(workload: Workload, precision: str, threads: int) -> Callable[[], None]:
    """A round of `fit` on the workload's rows, or of calls of the SavedModel.

    The zoo chooses TensorFlow's threads itself, as many as ``ZOO_CORES`` says.
    """
    del threads
    import keras

    import zoo

    if precision == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    options = {"latents": workload.latents, "likelihood": workload.likelihood}
    if workload.model == "info_ae":
        model = zoo.create("info_ae", workload.event)
    elif workload.is_dictionary:
        model = zoo.create(
            workload.model, workload.event, latents=workload.latents, target_l0=ATOMS
        )
    elif workload.model == "k_sparse":
        model = zoo.create("k_sparse_autoencoder", workload.event, k=K, **options)
    else:
        model = zoo.create(
            "laplace_vae" if workload.model == "laplace" else "vae",
            workload.event,
            hidden=workload.hidden,
            networks="conv" if workload.conv else "mlp",
            activation="relu",
            estimator=workload.estimator,
            **options,
        )
    if workload.encodes:
        return _encoding(model, workload)
    model.compile("adam")
    data = workload.data()
    return lambda: model.fit(data, batch_size=workload.batch, epochs=workload.epochs, verbose=0)


def prepare_one_batch(workload: Workload, precision: str, threads: int) -> Callable[[], None]:
    """The same for one batch: what a `fit` takes beside its steps, and one of them."""
    return prepare(workload._replace(rows=workload.batch, epochs=1), precision, threads)


def _encoding(model, workload: Workload) -> Callable[[], None]:
    import tensorflow as tf

    folder = tempfile.mkdtemp()
    model.export(folder)
    loaded = tf.saved_model.load(folder)
    encode = loaded.signatures["encode"]
    name = next(iter(encode.structured_input_signature[1]))
    batches = [tf.constant(b) for b in np.split(workload.data(), workload.rows // workload.batch)]

    def run() -> None:
        for batch in batches:
            (code,) = encode(**{name: batch}).values()
            code.numpy()

    return run
