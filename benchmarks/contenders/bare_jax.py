"""JAX by hand, a reference that is not installed with the others: one compiled scan over an epoch.

Dense VAEs and the k-sparse autoencoder; float32, or bfloat16 products with float32 weights.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.workloads import K, Workload

LEARNING_RATE = 1e-3


def prepare(workload: Workload, precision: str, threads: int) -> Callable[[], None]:
    """A round of a compiled loop on the workload's rows."""
    if threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    import jax
    import jax.numpy as jnp

    from benchmarks.contenders.bare_tensorflow import initial_weights

    kind = jnp.bfloat16 if precision == "bfloat16" else jnp.float32
    data = jnp.asarray(workload.data().reshape(workload.rows, -1))
    weights = [jnp.asarray(value) for value in initial_weights(workload)]
    loss = _k_sparse_loss if workload.model == "k_sparse" else _vae_loss

    def step(state: Any, rows: Any) -> Any:
        weights, first, second, count, key = state
        key, drawn = jax.random.split(key)
        value, slopes = jax.value_and_grad(loss)(weights, data[rows], drawn, workload, kind)
        count += 1
        rate = LEARNING_RATE * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        first = [0.9 * m + 0.1 * g for m, g in zip(first, slopes, strict=True)]
        second = [0.999 * v + 0.001 * g**2 for v, g in zip(second, slopes, strict=True)]
        weights = [
            w - rate * m / (jnp.sqrt(v) + 1e-7)
            for w, m, v in zip(weights, first, second, strict=True)
        ]
        return (weights, first, second, count, key), value

    epoch = jax.jit(lambda state, order: jax.lax.scan(step, state, order), donate_argnums=0)
    zeros = [[jnp.zeros_like(w) for w in weights] for _ in range(2)]
    state = [(weights, *zeros, jnp.zeros(()), jax.random.key(0))]
    rng = np.random.default_rng(0)
    steps = workload.rows // workload.batch

    def run() -> None:
        for _ in range(workload.epochs):
            order = rng.permutation(workload.rows)[: steps * workload.batch].astype("int32")
            state[0], losses = epoch(state[0], order.reshape(steps, workload.batch))
            float(losses.sum())

    return run


def _k_sparse_loss(weights: Any, x: Any, key: Any, workload: Workload, kind: Any) -> Any:
    import jax
    import jax.numpy as jnp

    del key, workload
    matrix = weights[0].astype(kind)
    z = (x.astype(kind) @ matrix).astype(jnp.float32) + weights[1]
    smallest = jax.lax.top_k(jax.lax.stop_gradient(z), K)[0][:, -1:]
    z = jnp.where(z >= smallest, z, 0).astype(kind)
    y = (z @ matrix.T).astype(jnp.float32) + weights[2]
    return jnp.square(x - y).sum(1).mean()


def _vae_loss(weights: Any, x: Any, key: Any, workload: Workload, kind: Any) -> Any:
    import jax
    import jax.numpy as jnp

    layers = [
        (w.astype(kind), b.astype(kind)) for w, b in zip(weights[::2], weights[1::2], strict=True)
    ]
    half = len(workload.hidden)
    h = x.astype(kind)
    for w, b in layers[:half]:
        h = jax.nn.relu(h @ w + b)
    w, b = layers[half]
    loc, raw = jnp.split((h @ w + b).astype(jnp.float32), 2, axis=1)
    scale = jax.nn.softplus(raw + math.log(math.e - 1)) + 1e-6
    z = loc + scale * jax.random.normal(key, loc.shape)
    h = z.astype(kind)
    for w, b in layers[half + 1 : -1]:
        h = jax.nn.relu(h @ w + b)
    w, b = layers[-1]
    y = (h @ w + b).astype(jnp.float32)
    if workload.likelihood == "bernoulli":
        error = jnp.maximum(y, 0) - x * y + jnp.log1p(jnp.exp(-jnp.abs(y)))
    else:
        error = jnp.square(x - y)
    kl = 0.5 * (loc**2 + scale**2 - 1) - jnp.log(scale)
    return (error.sum(1) + kl.sum(1)).mean()
