"""`model.fit` of this library, with its defaults."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.contenders.tensorflow_threads import limit_threads
from benchmarks.workloads import K, Workload


def prepare(workload: Workload, precision: str, threads: int) -> Callable[[], None]:
    """A round of `fit` on the workload's rows."""
    limit_threads(threads)
    import keras

    import zoo

    if precision == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    options = {"latents": workload.latents, "likelihood": workload.likelihood}
    if workload.model == "k_sparse":
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
    model.compile("adam")
    data = workload.data()
    return lambda: model.fit(data, batch_size=workload.batch, epochs=workload.epochs, verbose=0)
