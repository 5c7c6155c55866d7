from __future__ import annotations

import numpy as np
import pytest

import zoo
from zoo.recipes import rbm


def bars(n):
    """Pictures of 16 pixels whose four rows are on or off together."""
    return np.repeat(np.random.default_rng(0).integers(0, 2, (n, 4)), 4, axis=1).astype(np.float32)


def test_a_machine_learns_to_reconstruct():
    machine = rbm.train_rbm(bars(1000), 8, settings=rbm.Settings(epochs=30, batch_size=50))
    assert machine.errors[-1] < 0.3 * machine.errors[0]
    assert machine.kernel.shape == (16, 8)


def test_one_step_is_that_of_its_formula():
    """A Gaussian machine's step, recomputed in NumPy with the noise that it drew."""
    from zoo.noise import Noise

    data = bars(20)
    settings = rbm.Settings(epochs=1, batch_size=20, gaussian_learning_rate=0.01)
    machine = rbm.train_rbm(data, 3, gaussian=True, settings=settings, seed=4)
    start = 0.1 * np.random.default_rng([4, 3]).standard_normal((16, 3))
    order = np.argsort(
        np.random.Philox(key=np.array([4, 0], np.uint64)).random_raw(20), kind="stable"
    )
    v = data[order]
    noise = Noise(4, 0).fold("rbm3").normal(20, 3).numpy()
    h = v @ start
    again = 1 / (1 + np.exp(-((h + noise) @ start.T)))
    step = (v.T @ h - again.T @ (again @ start)) / 20
    np.testing.assert_allclose(
        machine.kernel, start + 0.01 * (step - 2e-4 * start), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(machine.visible_bias, 0.01 * (v - again).mean(axis=0), atol=1e-6)


def test_pretraining_unrolls_the_machines_and_helps():
    x = bars(1000)
    model = zoo.create("deep_autoencoder", (16,), latents=2, hidden=(12, 6))
    model.compile("adam")
    before = model.evaluate(x, return_dict=True, verbose=0)["reconstruction"]
    machines = rbm.pretrain(model, x, rbm.Settings(epochs=40, batch_size=50))
    kernels = [v.numpy() for v in model.model_variables if len(v.shape) == 2]
    for machine, down, up in zip(machines, kernels[:3], kernels[:2:-1], strict=True):
        np.testing.assert_array_equal(down, machine.kernel)
        np.testing.assert_array_equal(up, machine.kernel.T)
    assert model.evaluate(x, return_dict=True, verbose=0)["reconstruction"] < before


def test_other_models_are_refused():
    with pytest.raises(ValueError, match="sigmoid"):
        rbm.pretrain(zoo.create("autoencoder", (16,), hidden=(8,)), bars(100))
    with pytest.raises(ValueError, match="one batch"):
        rbm.train_rbm(bars(10), 4)
