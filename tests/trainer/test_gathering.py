"""Arrays whose batches are gathered where they lie, so that there is no second copy of them."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.conftest import make_vectors
from tests.trainer.tiny import assert_same, compiled, trained
from zoo.trainer import blocks, feed

X = make_vectors(160)


@pytest.fixture
def gathering(monkeypatch):
    monkeypatch.setattr(feed, "GATHERED_BYTES", 0)


def forms():
    apart = np.zeros((160, 12), np.float32)
    apart[:, ::2] = X
    read_only = X.copy()
    read_only.flags.writeable = False
    return {
        "plain": X,
        "strided": apart[:, ::2],
        "columns": np.asfortranarray(X),
        "fixed": read_only,
    }


@pytest.mark.parametrize("form", forms())
def test_gathered_training_is_training_in_memory(form, gathering, monkeypatch):
    x = forms()[form]
    gathered = trained(x, shuffle=True)
    assert_same(trained(x, shuffle=True), gathered, 0)
    monkeypatch.undo()
    assert_same(trained(X, shuffle=True), gathered, 1e-6)


def test_all_that_belongs_to_a_row_goes_with_it(gathering, monkeypatch):
    def history():
        model = zoo.create("conditional_vae", (6,), condition=3, latents=2, hidden=(4,), seed=1)
        model.compile(jit_compile=False)
        labels = np.arange(160) % 3
        weight = np.linspace(0, 2, 160)
        found = model.fit(X, labels, sample_weight=weight, batch_size=32, epochs=2, verbose=0)
        return found.history["loss"], model.get_weights()

    loss, weights = history()
    monkeypatch.undo()
    in_memory = history()
    np.testing.assert_allclose(loss, in_memory[0], rtol=1e-5)
    for one, other in zip(weights, in_memory[1], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_an_epoch_that_is_not_one_pass_goes_on_where_it_was(gathering, monkeypatch):
    found = trained(X, shuffle=True, epochs=3, steps_per_epoch=7)
    monkeypatch.undo()
    assert_same(trained(X, shuffle=True, epochs=3, steps_per_epoch=7), found)


def test_one_model_takes_both_in_turn(monkeypatch):
    def losses(limits):
        model = compiled()
        found = []
        for limit in limits:
            monkeypatch.setattr(feed, "GATHERED_BYTES", limit)
            found += model.fit(X, batch_size=16, verbose=0).history["loss"]
        return found

    never, always = 1 << 40, 0
    np.testing.assert_allclose(losses([never, always, never]), losses([always] * 3), rtol=1e-5)


def test_replicas_share_gathered_batches(two_devices, gathering):
    with two_devices.scope():
        model = compiled()
    loss = model.fit(X, batch_size=16, epochs=2, verbose=0).history["loss"]
    alone = compiled().fit(X, batch_size=16, epochs=2, verbose=0).history["loss"]
    np.testing.assert_allclose(loss, alone, rtol=1e-5)


def test_no_step_writes_to_the_rows(gathering):
    """Not even where the array begins at an address that TensorFlow takes as it is."""
    memory = np.empty(160 * 16 + 16, np.float32)
    x = memory[-memory.ctypes.data % 64 // 4 :][: 160 * 16].reshape(160, 16)
    x[:] = make_vectors(160, 16)
    model = zoo.create("vae", (16,), latents=2, hidden=(4,))
    model.compile(jit_compile=False, slices=2)
    model.fit(x, batch_size=80, epochs=2, verbose=0)
    np.testing.assert_array_equal(x, make_vectors(160, 16))


def test_blocks_are_picked_where_tensorflow_needs_no_copy():
    rows = np.array([[3, 1], [0, 3]], np.int32)
    (block,) = blocks.gathered(iter([blocks.IndexBlock(rows, np.int32(2))]), {"x": X})
    np.testing.assert_array_equal(block.batches["x"], X[rows])
    assert block.batches["x"].ctypes.data % 64 == 0
    assert not np.shares_memory(block.batches["x"], X)


def test_blocks_of_small_parts_of_the_data(gathering):
    model = compiled()
    dataset, count = model.feed.training({"x": X}, 4, True, 64, lambda: 0)
    signature = dataset.element_spec
    assert signature.batches["x"].shape == (160 // feed.GATHERED_PART // 4, 4, 6)
    assert count == -(-40 // signature.batches["x"].shape[0])


def test_another_device_is_given_the_data(gathering, monkeypatch):
    devices = [tf.config.LogicalDevice("/device:GPU:0", "GPU")]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda: devices)
    assert not compiled().feed._gathers({"x": X})
