"""Whatever form the data come in, the same rows give the same training."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal

import zoo
from tests.conftest import make_vectors
from tests.trainer.tiny import assert_same, compiled, tiny, trained
from zoo.data.dataset import Data
from zoo.trainer import compilation, sources

ARRAYS = {
    "float64": lambda x: x.astype("float64"),
    "list": lambda x: x.tolist(),
    "tensor": tf.constant,
    "pair": lambda x: (x, np.arange(len(x))),
    "record": lambda x: Data("x", "all", x),
    "labelled record": lambda x: Data("x", "all", x, labels=np.arange(len(x))),
    "fortran": np.asfortranarray,
    "read only": lambda x: np.broadcast_to(x, x.shape),
}
BATCHES = {
    "x": lambda x, y: x,
    "pair": lambda x, y: (x, y),
    "tfds": lambda x, y: {"image": x, "label": y},
    "inputs": lambda x, y: {"inputs": x},
    "nested": lambda x, y: ({"x": x}, y),
}


@pytest.fixture(scope="module")
def from_array():
    return trained(make_vectors())


def pictures():
    return (make_vectors(64, 16).reshape(64, 4, 4, 1) * 255).astype("uint8")


def unchecked(rows, name):
    return rows


@pytest.mark.parametrize("form", ARRAYS)
def test_forms_of_an_array(form):
    x = make_vectors()
    array = sources.array_of(ARRAYS[form](x))
    assert sources.is_array(array)
    assert_array_equal(sources.checked(array, (6,), "x"), x)


@pytest.mark.parametrize("form", BATCHES)
def test_forms_of_a_batch(form):
    x = make_vectors(4)
    assert sources.batch_columns(BATCHES[form](x, np.arange(4)))[0] is x


def test_labels_are_ignored(from_array):
    assert_same(trained(tf.constant(make_vectors()), np.arange(160)), from_array)


def test_a_data_set_gives_the_steps_that_an_array_gives(from_array):
    x = make_vectors()
    dataset = tf.data.Dataset.from_tensor_slices((x, np.arange(len(x)))).batch(16)
    assert_same(trained(dataset.map(BATCHES["tfds"]), batch_size=None), from_array)


def test_a_data_set_of_unknown_length_and_shape():
    def rows():
        yield from make_vectors(70)

    dataset = tf.data.Dataset.from_generator(rows, output_types=tf.float32).batch(32)
    model = compiled()
    history = model.fit(dataset, epochs=2, verbose=0).history
    assert int(model.step.numpy()) == 6
    assert np.isfinite(history["loss"]).all()


def test_means_weigh_batches_by_their_rows():
    x = make_vectors(70)
    dataset = tf.data.Dataset.from_tensor_slices(x).batch(32)
    model = tiny(name="autoencoder")
    model.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    whole = model.evaluate(x, verbose=0, return_dict=True)["loss"]
    assert_allclose(model.fit(dataset, verbose=0).history["loss"], [whole], rtol=1e-5)
    assert_allclose(model.evaluate(dataset, verbose=0, return_dict=True)["loss"], whole, 1e-5)
    assert_allclose(model.evaluate(x, batch_size=9, verbose=0)[0], whole, rtol=1e-5)


def test_the_same_model_trains_on_arrays_of_any_length():
    model = compiled()
    for rows in (64, 31):
        model.fit(make_vectors(rows), batch_size=16, verbose=0)
    assert int(model.step.numpy()) == 4 + 1


def test_validation_split_takes_the_last_rows_and_is_evaluation():
    x = make_vectors()
    model = compiled()
    history = model.fit(x, validation_split=0.25, verbose=0, batch_size=16).history
    assert int(model.step.numpy()) == 120 // 16
    evaluated = model.evaluate(x[120:], verbose=0, return_dict=True)
    assert evaluated.keys() == {"loss", "kl", "reconstruction"}
    for name, value in evaluated.items():
        assert_allclose(history[f"val_{name}"][-1], value, rtol=1e-6)


def test_validation_data_with_labels_every_epoch():
    x = make_vectors()
    history = compiled().fit(
        x[:120], validation_data=(x[120:], np.arange(40)), epochs=3, verbose=0, batch_size=60
    )
    assert len(set(history.history["val_loss"])) == 3


def test_evaluation_repeats_itself():
    model = compiled()
    first = model.evaluate(make_vectors(), verbose=0, return_dict=True)
    assert model.evaluate(make_vectors(), verbose=0, return_dict=True) == first


def test_encode_takes_what_fit_takes():
    x = make_vectors()
    model = compiled()
    codes = model.encode(x)
    assert_allclose(model.encode(x, batch_size=7), codes, rtol=1e-5, atol=1e-6)
    dataset = tf.data.Dataset.from_tensor_slices((x, np.arange(160))).batch(33)
    assert_allclose(model.encode(dataset), codes, rtol=1e-5, atol=1e-6)
    assert_array_equal(model.encode(Data("x", "all", x)), codes)
    assert_allclose(model.posterior(x).mean(), codes, rtol=1e-5, atol=1e-6)


def test_streamed_training_is_training_in_memory(monkeypatch, from_array):
    monkeypatch.setattr(sources, "MEMORY_LIMIT", 1000)
    assert_same(trained(make_vectors()), from_array)


def test_streamed_bytes_are_shuffled_and_learnt_from(monkeypatch):
    monkeypatch.setattr(sources, "MEMORY_LIMIT", 100)
    history, _ = trained(pictures(), shape=(4, 4, 1), shuffle=True, epochs=20, validation_split=0.5)
    assert history["loss"][-1] < history["loss"][0]
    assert history["val_loss"][-1] < history["val_loss"][0]


@pytest.mark.parametrize(
    "cut",
    [slice(None), slice(40, None), slice(-150, -10), slice(None, None, 2)],
    ids=["whole", "end", "middle", "stride"],
)
def test_parts_of_a_mapped_file_are_those_parts(cut, tmp_path):
    x = make_vectors()
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")[cut]
    read, count = sources.reader(mapped, unchecked), len(x[cut])
    assert_array_equal(read(np.arange(count)), x[cut])
    assert_array_equal(read(np.array([0, 3, count - 1])), x[cut][[0, 3, count - 1]])


def test_changes_that_only_memory_holds_are_kept(tmp_path):
    np.save(tmp_path / "x.npy", make_vectors())
    mapped = np.load(tmp_path / "x.npy", mmap_mode="c")
    mapped[3] = 0.25
    read = sources.reader(mapped, unchecked)
    assert_array_equal(read(np.array([3])), np.full((1, 6), 0.25))


def test_a_file_that_was_cut_short_is_told(tmp_path):
    np.save(tmp_path / "x.npy", make_vectors())
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    with (tmp_path / "x.npy").open("r+b") as file:
        file.truncate(1000)
    read = sources.reader(mapped, unchecked)
    read(np.arange(10))
    with pytest.raises(ValueError, match=r"x\.npy ends before row 100 of 160"):
        read(np.array([3, 99, 100]))


def test_streamed_evaluation_of_a_mapped_file(tmp_path, monkeypatch):
    x = make_vectors()
    np.save(tmp_path / "x.npy", x)
    model = compiled()
    expected = model.evaluate(x[10:], batch_size=64, verbose=0, return_dict=True)
    codes = model.encode(x[10:])
    monkeypatch.setattr(sources, "MEMORY_LIMIT", 100)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")[10:]
    assert model.evaluate(mapped, batch_size=64, verbose=0, return_dict=True) == expected
    assert_array_equal(model.encode(mapped), codes)


@pytest.mark.parametrize("task", ["fit", "evaluate"])
def test_streamed_data_are_checked_where_they_are_read(task, monkeypatch):
    x = make_vectors()
    x[77, 3] = np.nan
    monkeypatch.setattr(sources, "MEMORY_LIMIT", 100)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="NaN"):
        getattr(compiled(), task)(x, batch_size=16, verbose=0)


def test_steps_per_execution_is_refused():
    with pytest.raises(ValueError, match="steps_per_execution must be left out"):
        tiny().compile(steps_per_execution=4)
    tiny().compile(steps_per_execution=1)


def test_parameter_servers_are_refused_when_compiled():
    """Without servers, which take seconds to start."""
    strategy = object.__new__(tf.distribute.ParameterServerStrategy)
    with pytest.raises(ValueError, match="Use MultiWorkerMirroredStrategy"):
        compilation.check(strategy, "auto", False, {})


def test_a_data_set_is_not_split():
    data = tf.data.Dataset.from_tensor_slices(make_vectors()).batch(16)
    with pytest.raises(ValueError, match=r"validation_split is for arrays; received 0\.25"):
        compiled().fit(data, validation_split=0.25, verbose=0)


def test_a_data_set_is_evaluated_with_the_noise_of_an_array():
    model, x = compiled(estimator="sampled"), make_vectors(40)
    data = tf.data.Dataset.from_tensor_slices(x).batch(16)
    expected = model.evaluate(x, batch_size=16, verbose=0, return_dict=True)
    for _ in range(2):
        assert model.evaluate(data, verbose=0, return_dict=True) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("form", "bad", "reach"),
    [
        *[(form, 255.0, "0 to 255. Rescale") for form in BATCHES],
        ("pair", -0.5, "-0.5 to 0.75. Rescale"),
    ],
)
def test_a_data_set_outside_the_bounds_is_refused_where_it_leaves_them(form, bad, reach):
    x = np.tile(np.float32([0, 0.25, 0.5, 0.75, 0.5, 0.25]), (48, 1))
    x[40, 1] = bad
    data = tf.data.Dataset.from_tensor_slices((x, np.arange(48))).batch(16).map(BATCHES[form])
    model = compiled()
    uses = [
        ("x", model.evaluate),
        ("x", lambda data: model.fit(data, verbose=0)),
        ("validation_data", lambda data: model.fit(x[:16], validation_data=data, verbose=0)),
    ]
    for name, use in uses:
        with pytest.raises(ValueError) as caught:
            use(data)
        expected = f"The values of {name} must lie in [0, 1]; {name} reaches from {reach}"
        assert str(caught.value).startswith(expected)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="x reaches from"):
        model.encode(data)


def test_other_errors_of_a_data_set_stay_as_they_are():
    def fails(x):
        with tf.control_dependencies([tf.debugging.Assert(False, ["of the user"])]):
            return tf.identity(x)

    data = tf.data.Dataset.from_tensor_slices(make_vectors(8)).batch(4).map(fails)
    with pytest.raises(tf.errors.InvalidArgumentError, match="of the user"):
        compiled().encode(data)


@pytest.mark.parametrize(
    ("name", "jit", "sizes"), [("vae", True, (16, None, 16)), ("factor_vae", False, (16, None))]
)
def test_fits_with_other_batch_sizes_follow_each_other(name, jit, sizes):
    small = {"critic_hidden": (6,)} if name == "factor_vae" else {}
    x, model, fresh = make_vectors(40), tiny(name=name, **small), tiny(name=name, **small)
    model.compile(jit_compile=jit)
    fresh.compile(jit_compile=False)  # XLA would take longer than all the rest
    for size in sizes:
        model.fit(x, batch_size=size, verbose=0)
        fresh._trace_anew()
        fresh.fit(x, batch_size=size, verbose=0)
    assert int(model.step.numpy()) == sum(40 // (size or 32) for size in sizes)
    for one, other in zip(model.weights, fresh.weights, strict=True):
        assert_allclose(one.numpy(), other.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("form", ["list", "tensor", "pair", "record"])
def test_predict_reconstructs(form):
    model, x = compiled(), make_vectors(20)
    assert_allclose(model.predict(ARRAYS[form](x), verbose=0), model.reconstruct(x), rtol=1e-5)


def test_predict_says_which_shape_it_expects():
    model = compiled()
    model.predict(make_vectors(20), verbose=0)
    with pytest.raises(ValueError, match=r"x must have shape \(n, 6\); received \(20, 4\)"):
        model.predict(make_vectors(20)[:, :4], verbose=0)


def test_missing_values_of_pandas_own_types_are_nan():
    """pandas-dev/pandas issue 32989: a column of Int64 with NA became an array of objects."""
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1, None, 3], "b": [0.5, 0.25, None]}).convert_dtypes()
    taken = tiny((2,), mask="nan", likelihood="normal").intake.inputs(table)
    np.testing.assert_array_equal(taken, np.float32([[1, 0.5], [np.nan, 0.25], [3, np.nan]]))
    with pytest.raises(ValueError, match="2 values that are NaN"):
        tiny((2,), likelihood="normal").intake.inputs(table)


class Halves(keras.utils.PyDataset):
    """The two halves of an array, where they lie."""

    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return (self.x[index * 64 : (index + 1) * 64],)


class Loader:
    """The two halves of an array, one after the other, each time that it is asked."""

    def __init__(self, x):
        self.halves = x[:64], x[64:]

    def __iter__(self):
        return iter(self.halves)


@pytest.mark.parametrize("form", [np.asarray, Halves, Loader])
def test_no_call_writes_to_the_callers_rows(form):
    """Memory that begins at a multiple of 64 bytes reaches TensorFlow as it is, through a generator.

    Slices of it have no other owner, so that an operation that needs memory takes theirs.
    """
    x = make_vectors(128, 16)
    assert x.ctypes.data % 64 == 0
    model = tiny((16,))
    model.compile(jit_compile=False, slices=2)
    sizes = {"batch_size": 64} if form is np.asarray else {}
    for call in (
        lambda: model.evaluate(form(x), **sizes, verbose=0),
        lambda: model.fit(form(x), **sizes, validation_data=form(x), verbose=0),
        lambda: model.encode(form(x)),
        lambda: model.predict(form(x), verbose=0),
    ):
        call()
        np.testing.assert_array_equal(x, make_vectors(128, 16))


TABLE_DOORS = {
    "fit": lambda m, x: m.fit(x, verbose=0),
    "validation": lambda m, x: m.fit(make_vectors(8), validation_data=x, verbose=0),
    "evaluate": lambda m, x: m.evaluate(x, verbose=0),
    "encode": lambda m, x: m.encode(x),
    "reconstruct": lambda m, x: m.reconstruct(x),
    "predict": lambda m, x: m.predict(x, verbose=0),
    "posterior": lambda m, x: m.posterior(x),
    "score": lambda m, x: m.score(x),
    "call": lambda m, x: m(x),
    "measures": lambda m, x: zoo.evaluation.evaluate(m, x, groups=["sparsity"], verbose=False),
}


@pytest.fixture(scope="module")
def of_a_table(tmp_path_factory):
    """A model that was given a table with names, as it was saved and loaded; and the table."""
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(make_vectors(8), columns=list("abcdef"))
    model = compiled()
    model.encode(table)
    path = tmp_path_factory.mktemp("tables") / "model.keras"
    model.save(path)
    return zoo.load_model(path), table


@pytest.mark.parametrize("door", TABLE_DOORS)
def test_columns_in_another_order_are_refused(door, of_a_table):
    model, table = of_a_table
    with pytest.raises(
        ValueError, match=r"x has its columns in another order .* is 'f' and was 'a'"
    ):
        TABLE_DOORS[door](model, table[list("fedcba")])


def test_other_columns_are_refused_and_what_has_no_names_is_taken(of_a_table):
    model, table = of_a_table
    with pytest.raises(ValueError, match=r"x has other columns .* column 5 is 'g' and was 'f'"):
        model.encode(table.rename(columns={"f": "g"}))
    expected = model.encode(table)
    numbered = table.set_axis(range(6), axis=1)
    for same in (table.to_numpy(), numbered, table.copy()):
        np.testing.assert_array_equal(model.encode(same), expected)
    with pytest.raises(ValueError, match="x must have shape"):
        model.encode(table[list("fe")])


def test_a_loader_that_shuffles_is_told_where_rows_are_asked_for():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.from_numpy(make_vectors(8).copy()))
    model = compiled()
    mixed = torch.utils.data.DataLoader(data, batch_size=4, shuffle=True)
    for call in (model.encode, model.reconstruct, lambda x: model.predict(x, verbose=0)):
        with pytest.warns(UserWarning, match="x is a loader that shuffles"):
            call(mixed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.encode(torch.utils.data.DataLoader(data, batch_size=4))
