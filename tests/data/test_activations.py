"""Recorded activations: all rows once, in random order, the same after a kill, in constant memory."""

import json
import tracemalloc
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

import zoo
from zoo.autoencoder import scales
from zoo.data import activations
from zoo.data.activations import load, record
from zoo.data.storage import release
from zoo.evaluation.splicing import attach
from zoo.recipes.dictionaries import start
from zoo.trainer import sources


def examples(n=300, places=4, d=5):
    return np.random.default_rng(0).normal(size=(n, places, d)).astype("float32")


def double(x):
    return 2 * x


@pytest.fixture
def small_buckets(monkeypatch):
    monkeypatch.setattr(activations, "BUCKET_BYTES", 4096)


def rows_of(found):
    return found.inputs[np.lexsort(found.inputs.T)]


@pytest.mark.usefixtures("small_buckets")
def test_every_row_is_there_once_with_its_example(tmp_path):
    x = examples()
    found = record(double, None, x, tmp_path / "a", "float32", verbose=False)
    assert found.inputs.shape == (1200, 5) and found.meta["rows"] == 1200
    expected = 2 * x.reshape(-1, 5)
    assert_array_equal(rows_of(found), expected[np.lexsort(expected.T)])
    for row, example in zip(found.inputs[:50], found.examples[:50], strict=True):
        assert (2 * x[example] == row).all(axis=1).any()
    assert not (tmp_path / "a" / "parts").exists()


@pytest.mark.usefixtures("small_buckets")
def test_the_order_is_random(tmp_path):
    found = record(double, None, examples(1000), tmp_path / "a", verbose=False)
    place = np.asarray(found.examples, float)
    assert abs(np.corrcoef(place[:-1], place[1:])[0, 1]) < 0.05  # neighbours
    assert abs(np.corrcoef(place, np.arange(len(place)))[0, 1]) < 0.05  # begin and end
    assert np.mean(np.diff(place) == 0) < 0.01


def test_a_long_recording_says_how_far_it_is(tmp_path, monkeypatch, capsys):
    clock = iter(range(0, 10_000, 20))  # seconds: a batch takes 20
    monkeypatch.setattr(activations.time, "monotonic", lambda: next(clock))
    record(double, None, examples(), tmp_path / "a")
    said = capsys.readouterr().out.splitlines()
    assert said[0].strip() == "128 of 300 examples" and len(said) < 5


def test_meta_is_that_of_the_rows(tmp_path):
    x = 1000 + examples()
    x[..., 3] = 7.0
    found = record(double, None, x, tmp_path / "a", "float32", verbose=False)
    rows = 2 * x.reshape(-1, 5).astype(np.float64)
    assert_allclose(found.meta["mean"], rows.mean(axis=0), rtol=1e-6)
    assert_allclose(found.meta["rms"], np.sqrt(rows.var(axis=0).sum()), rtol=1e-5)
    assert found.meta["constant"] == [3]


@pytest.mark.usefixtures("small_buckets")
@pytest.mark.parametrize("killed_at", [5, 16, 40])
def test_a_killed_recording_goes_on_and_is_the_same(tmp_path, killed_at):
    x, calls = examples(700), []

    def killed(batch):
        calls.append(len(batch))
        if len(calls) == killed_at:
            raise KeyboardInterrupt
        return double(batch)

    whole = record(double, None, x, tmp_path / "whole", batch_size=16, verbose=False)
    with pytest.raises(KeyboardInterrupt):
        record(killed, None, x, tmp_path / "a", batch_size=16, verbose=False)
    with pytest.raises(ValueError, match="no whole recording"):
        load(tmp_path / "a")
    again = record(killed, None, x, tmp_path / "a", batch_size=16, verbose=False)
    assert_array_equal(again.inputs, whole.inputs)
    assert_array_equal(again.examples, whole.examples)
    assert again.meta == whole.meta
    dealt = killed_at - 2  # one call is for the sample
    assert len(calls) == killed_at + 1 + 44 - (dealt - dealt % 16)  # from the last note on
    with pytest.raises(ValueError, match="Name another folder"):
        record(double, None, x, tmp_path / "a", batch_size=8, verbose=False)


def test_another_network_or_other_data_do_not_get_the_old_recording(tmp_path):
    x = examples(100)
    first = record(double, None, x, tmp_path / "a", "float32", verbose=False)
    again = record(
        lambda batch: 2 * batch + 1e-6, None, x, tmp_path / "a", "float32", verbose=False
    )
    assert_array_equal(again.inputs, first.inputs)
    with pytest.raises(ValueError, match="of another network or of other examples"):
        record(lambda batch: 2.1 * batch, None, x, tmp_path / "a", "float32", verbose=False)
    changed = x.copy()
    changed[60:] += 1
    with pytest.raises(ValueError, match="of another network or of other examples"):
        record(double, None, changed, tmp_path / "a", "float32", verbose=False)
    meta = json.loads((tmp_path / "a" / "meta.json").read_text())
    del meta["asked"]["sample"]  # as recordings of before
    (tmp_path / "a" / "meta.json").write_text(json.dumps(meta))
    assert record(double, None, x, tmp_path / "a", "float32", verbose=False).meta["rows"] == 400


def test_a_killed_recording_does_not_go_on_with_another_network(tmp_path):
    x, calls = examples(700), []

    def killed(batch):
        calls.append(len(batch))
        if len(calls) == 30:
            raise KeyboardInterrupt
        return double(batch)

    with pytest.raises(KeyboardInterrupt):
        record(killed, None, x, tmp_path / "a", batch_size=16, verbose=False)
    with pytest.raises(ValueError, match="of another network or of other examples"):
        record(lambda batch: -batch, None, x, tmp_path / "a", batch_size=16, verbose=False)


def test_data_without_an_example_are_refused(tmp_path):
    with pytest.raises(ValueError, match="number of examples"):
        record(double, None, examples(0), tmp_path / "a", verbose=False)


def test_layers_of_one_name_are_told_apart(tmp_path):
    def tower(name):
        return keras.Sequential(
            [keras.Input((6,)), keras.layers.Dense(4, name="middle")], name=name
        )

    given, one, two = keras.Input((6,)), tower("one"), tower("two")
    network = keras.Model(given, keras.layers.Concatenate()([one(given), two(given)]), name="both")
    x = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")
    with pytest.raises(ValueError, match="2 layers of 'both' have the name 'middle'"):
        record(network, "middle", x, tmp_path / "a", "float32", verbose=False)
    with pytest.raises(ValueError, match="2 layers of 'both' have the name 'middle'"):
        attach(network, "middle", zoo.create("top_k_sae", (4,), latents=8, target_l0=2))
    layer = one.get_layer("middle")
    found = record(network, layer, x, tmp_path / "a", "float32", verbose=False)
    assert_allclose(found.inputs, one.predict(x, verbose=0)[found.examples], atol=1e-6)
    spliced = attach(network, layer, zoo.create("top_k_sae", (4,), latents=8, target_l0=2))
    assert_allclose(spliced.activations(x), one.predict(x, verbose=0), atol=1e-6)
    with pytest.raises(ValueError, match="name of a layer of 'both', or one of its layers"):
        record(network, keras.layers.Dense(4, name="beside"), x, tmp_path / "b", verbose=False)
    with pytest.raises(
        ValueError, match=r"integers from 0 to 7, the dictionary's; received \[99\]"
    ):
        spliced.steered(x, {99: 1.0})
    with pytest.raises(ValueError, match=r"received \[-1\]"):
        spliced.ablated(x, [2, -1])


def test_memory_does_not_grow_with_the_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(activations, "BUCKET_BYTES", 2 << 20)
    table = np.random.default_rng(0).normal(size=(64, 256)).astype("float16")
    tokens = np.arange(1500 * 64).reshape(1500, 64)
    tracemalloc.start()
    try:
        found = record(
            lambda x: table[x % 64], None, tokens, tmp_path / "a", batch_size=8, verbose=False
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.inputs.nbytes == 96_000 * 512  # 49 MB
    assert peak < found.inputs.nbytes / 3


def resident(path):
    """Bytes of the mappings of a file that lie in memory."""
    count, here = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0]:
            here = line.endswith(str(path))
        elif here and line.startswith("Rss:"):
            count += 1024 * int(line.split()[1])
    return count


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="memory by file is Linux's")
def test_pages_of_the_file_do_not_stay_in_memory(tmp_path, monkeypatch):
    from zoo.evaluation.dictionary import tally

    monkeypatch.setattr(activations, "BUCKET_BYTES", 1 << 20)
    path, peaks = tmp_path / "a" / "activations.npy", []

    def watched(array):
        before = resident(path)
        release(array)
        peaks.append((before, resident(path)))

    monkeypatch.setattr(activations, "release", watched)
    tokens = np.arange(1000 * 64).reshape(1000, 64)
    table = np.random.default_rng(0).normal(size=(64, 64)).astype("float16")
    found = record(lambda x: table[x % 64], None, tokens, tmp_path / "a", verbose=False)
    assert max(before for before, _ in peaks) > 0.5e6  # a bucket, of 8.2 MB in all
    assert max(peaks)[0] < 3e6 and max(after for _, after in peaks) < 1e5
    model = zoo.create("top_k_sae", (64,), latents=8, target_l0=2)
    seen = []

    def looked(array):
        seen.append(resident(path))
        release(array)

    monkeypatch.setattr(scales, "release", looked)
    monkeypatch.setattr(scales, "_CHUNK", 8192)  # rows, of 64,000
    assert scales.far_apart(found.inputs) == ""
    assert 0 < max(seen) < 3e6 and resident(path) < 1e5
    np.asarray(found.inputs).max()
    assert resident(path) > 8e6
    tally(model, found.inputs, top=0)
    assert resident(path) < 1e6


def test_a_large_recording_stays_on_the_disk(tmp_path, monkeypatch):
    """In memory it would be float32, twice as large as on the disk; its slices are read there too."""
    assert sources.SHUFFLED_LIMIT < sources.MEMORY_LIMIT / 10
    found = record(double, None, examples(), tmp_path / "a", verbose=False)
    monkeypatch.setattr(sources, "SHUFFLED_LIMIT", 4 * found.inputs.size - 1)
    assert sources.large([found.inputs]) and not sources.large([found.inputs[1:]])
    assert not sources.large([np.array(found.inputs)])  # rows of no known order
    monkeypatch.setattr(sources, "MEMORY_LIMIT", 4 * found.inputs.size - 1)
    assert sources.large([np.array(found.inputs)])
    read = sources.reader(found.inputs[100:], lambda rows, name: rows)
    assert_array_equal(read(np.arange(50)), np.array(found.inputs[100:150]))
    model = zoo.create("top_k_sae", (5,), latents=8, target_l0=2)
    model.compile(zoo.trainer.Adam(0.01), jit_compile=False)
    model.fit(found, batch_size=32, verbose=0)
    assert model.feed._resident is None


def test_some_places_of_an_example(tmp_path):
    x = examples(200, 8)
    found = record(double, None, x, tmp_path / "a", places=3, verbose=False)
    assert_array_equal(np.bincount(found.examples), np.full(200, 3))
    assert found.meta["places"] == 3


def test_values_outside_of_float16_are_refused(tmp_path):
    with pytest.raises(ValueError, match="outside of float16; use dtype='float32'"):
        record(lambda x: 1e6 * x, None, examples(), tmp_path / "a", verbose=False)
    with pytest.raises(ValueError, match="hold NaN or infinity"):
        record(lambda x: x / 0.0, None, examples(), tmp_path / "b", verbose=False)


def test_a_layer_an_onnx_file_and_a_saved_model(tmp_path):
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [keras.Input((4, 5)), keras.layers.Dense(6, name="middle"), keras.layers.Dense(3)]
    )
    x = examples(90)
    middle = x @ network.get_layer("middle").kernel.numpy()
    found = record(network, "middle", x, tmp_path / "a", "float32", verbose=False)
    expected = middle.reshape(-1, 6)[np.lexsort(middle.reshape(-1, 6).T)]
    assert_allclose(rows_of(found), expected, atol=1e-5)
    with pytest.raises(ValueError, match="Did you mean 'middle'"):
        record(network, "midle", x, tmp_path / "b", verbose=False)
    part = keras.Model(network.inputs, network.get_layer("middle").output)
    part.export(tmp_path / "saved", verbose=False)
    served = record(str(tmp_path / "saved"), None, x, tmp_path / "c", "float32", verbose=False)
    assert_allclose(served.inputs, found.inputs, atol=1e-5)
    pytest.importorskip("tf2onnx", reason="the ONNX export needs tf2onnx (pip install .[onnx])")
    part.export(tmp_path / "part.onnx", format="onnx", verbose=False)
    portable = record(tmp_path / "part.onnx", None, x, tmp_path / "d", "float32", verbose=False)
    assert_allclose(portable.inputs, found.inputs, atol=1e-5)


def test_training_streams_the_folder(tmp_path, monkeypatch):
    """As an array that is too large for memory; the same as one that is not."""
    from tests.dictionaries.architectures import build, data_of, l0

    x = data_of("batch_top_k", 2048)
    found = record(lambda batch: batch, None, x, tmp_path / "a", verbose=False)
    kept = build("batch_top_k")
    kept.fit(found, epochs=8, batch_size=128, verbose=0)
    for module in ("zoo.trainer.sources", "zoo.data.checks", "zoo.data.storage"):
        monkeypatch.setattr(f"{module}.MEMORY_LIMIT", 1000)
    model = build("batch_top_k")
    history = model.fit(found, epochs=8, batch_size=128, verbose=0).history["loss"]
    assert history[-1] < 0.6 * history[0]
    assert_allclose(l0(model.encode(found.inputs)), l0(kept.encode(found.inputs)), rtol=0.2)
    assert json.dumps(found.meta)


def test_what_a_recording_takes(tmp_path):
    digits = zoo.data.load("digits", limit=20)
    flat = record(lambda batch: batch.reshape(len(batch), -1), None, digits, tmp_path / "a")
    assert flat.inputs.shape == (20, 64)
    assert record(lambda batch: batch, None, [[1.0], [2.0]], tmp_path / "b").meta["rows"] == 2
    x = np.zeros((4, 2), np.float32)
    for data in (tf.data.Dataset.from_tensor_slices(x).batch(2), [x, x[:, :1]]):
        with pytest.raises(ValueError, match="takes an array of examples; received"):
            record(lambda batch: batch, None, data, tmp_path / "c")


def test_recipes_for_dictionaries_take_arrays():
    model = zoo.create("top_k_sae", (3,), latents=6, target_l0=2)
    with pytest.raises(ValueError, match="x must be an array here; received _BatchDataset"):
        start(model, tf.data.Dataset.from_tensor_slices(np.ones((4, 3), np.float32)).batch(2))
