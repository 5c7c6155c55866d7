"""One table: a fault in the data meets the same answer in every form, at every door of a model."""

import re
import types

import keras
import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf
from numpy.testing import assert_allclose

import zoo
from tests.conftest import aligned, make_vectors
from zoo.trainer import slices
from zoo.trainer.block_trainer import BlockTrainer

ROWS = 8
X = make_vectors(ROWS)
PICTURES = np.random.default_rng(0).random((ROWS, 4, 5, 3)).astype("float32")


class Batches(keras.utils.PyDataset):
    """One batch of all rows."""

    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return (self.x,)


def frame(x):
    return pytest.importorskip("pandas").DataFrame(x)


def loader(x):
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.from_numpy(np.array(x)))
    return torch.utils.data.DataLoader(data, batch_size=ROWS)


ARRAYS = {
    "array": lambda x: x,
    "list": lambda x: x.tolist(),
    "frame": frame,
    "masked": lambda x: np.ma.masked_array(x, np.zeros(x.shape, bool)),
    "sparse": scipy.sparse.csr_matrix,
}
STREAMS = {
    "tf.data": lambda x: tf.data.Dataset.from_tensor_slices(x).batch(ROWS),
    "generator": lambda x: (batch for batch in [x]),
    "PyDataset": Batches,
    "torch loader": loader,
}
FORMS = ARRAYS | STREAMS


def with_one(value):
    x = X.copy()
    x[3, 2] = value
    return x


def objects():
    x = X.astype(object)
    x[3, 2] = None
    return x


FAULTS = {
    "none": X,
    "out of range": with_one(7.0),
    "NaN": with_one(np.nan),
    "infinity": with_one(-np.inf),
    "bool": X > 0.5,
    "int": (9 * X).astype("int64"),
    "object": objects(),
    "wrong shape": X[:, :4],
    "NCHW": np.moveaxis(PICTURES, -1, 1),
}
# The memory that TensorFlow would take for its own, and what it must hold after every call.
FAULTS = {name: x if x.dtype == object else aligned(x) for name, x in FAULTS.items()}
KEPT = {name: x.copy() for name, x in FAULTS.items()}
METHODS = {
    "fit": lambda m, x: m.fit(x, batch_size=None, shuffle=False, verbose=0).history["loss"],
    "validation": lambda m, x: m.fit(m.good, shuffle=False, validation_data=x, verbose=0).history[
        "val_loss"
    ],
    "evaluate": lambda m, x: m.evaluate(x, verbose=0),
    "encode": lambda m, x: m.encode(x),
    "reconstruct": lambda m, x: m.reconstruct(x),
    "predict": lambda m, x: m.predict(x, verbose=0),
    "cluster": lambda m, x: m.cluster(x),
    "posterior": lambda m, x: m.posterior(x).mean().numpy(),
    "call": lambda m, x: m(x).numpy(),
}


def impossible(form, method, fault):
    """Why a cell of the table cannot be, or None."""
    if form in ("sparse", "frame") and fault == "NCHW":
        return "it has two axes"
    if method == "call" and form in STREAMS:
        return "a model is called with one batch"
    if fault == "object" and form in ("sparse", "tf.data", "torch loader"):
        return "it holds no Python objects"
    return None


CELLS = [
    pytest.param(form, method, fault, id=f"{fault} {method} {form}")
    for fault in FAULTS
    for method in METHODS
    for form in FORMS
    if form != "array" and not impossible(form, method, fault)
]


class Sides(zoo.Regularizer):
    """A classifier of two classes, the sides of 0."""

    classifies = True

    def penalty(self, forward, training):
        return tf.zeros_like(forward.code[:, 0])

    def classify(self, code):
        return code


def untrained(shape, good):
    keras.utils.set_random_seed(0)
    model = zoo.create(
        "vae", shape, latents=2, hidden=(3,), likelihood="bernoulli", regularizers=[Sides()], seed=1
    )
    model.compile(keras.optimizers.SGD(0.0), jit_compile=False, slices=2)
    model.good = good
    return model


@pytest.fixture(scope="module")
def small_slices():
    """The few rows of this file go through a model in two slices, as batches of many rows do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "LEAST_ROWS", ROWS // 2)
        patch.setattr(BlockTrainer, "slices_in_use", 2)
        yield


@pytest.fixture(scope="module")
def outcome(small_slices):
    """(form, method, fault) -> the line of the refusal, or the answer of the one model."""
    models = {"": untrained((6,), X), "NCHW": untrained((4, 5, 3), PICTURES)}
    of_arrays = {}

    def found(form, method, fault):
        model = models.get(fault, models[""])
        model.step.assign(0)  # it decides what is drawn
        try:
            answer = METHODS[method](model, FORMS[form](FAULTS[fault]))
        except ValueError as error:
            answer = line_of(str(error))
        np.testing.assert_array_equal(FAULTS[fault], KEPT[fault])
        return answer if isinstance(answer, str) else np.asarray(answer)

    def cached(form, method, fault):
        if form != "array":
            return found(form, method, fault)
        if (method, fault) not in of_arrays:
            of_arrays[method, fault] = found(form, method, fault)
        return of_arrays[method, fault]

    return cached


def line_of(text):
    """A refusal without what one form alone can know: the name, rows, columns, and that it is a batch."""
    assert "\n" not in text
    text = text.replace("validation_data", "x").replace(" of a batch", "")
    text = re.sub(r" in its columns [^;]*;", ";", text)
    return re.sub(r"received \((n|\d+),", "received (n,", text)


@pytest.mark.parametrize(("form", "method", "fault"), CELLS)
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_every_form_meets_the_answer_of_the_array(form, method, fault, outcome):
    expected, received = outcome("array", method, fault), outcome(form, method, fault)
    if form == "sparse":
        assert received.startswith("x must be a dense array; received a sparse csr_matrix.")
    elif isinstance(expected, str):
        assert isinstance(received, str), f"refused as an array, and answered as {form}: {received}"
        assert received == expected
    else:
        assert not isinstance(received, str), received
        assert_allclose(received, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in ("none", "bool")])
@pytest.mark.parametrize("method", METHODS)
def test_faults_are_refused(method, fault, outcome):
    assert isinstance(outcome("array", method, fault), str)


def test_a_list_of_data_and_labels_is_refused_by_its_shapes():
    x, model = np.zeros((8, 6), np.float32), zoo.create("vae", (6,), latents=2, hidden=(4,))
    model.compile("adam")
    both = r"a list of 2 arrays, of shapes \(8, 6\), \(8,\)\. Pass labels apart, as"
    with pytest.raises(ValueError, match=f"x must be .*{both} y"):
        model.fit([x, np.zeros(8)], verbose=0)
    with pytest.raises(ValueError, match=rf"validation_data must be .*{both} the tuple \(x, y\)"):
        model.fit(x, validation_data=[x, np.zeros(8)], verbose=0)
    with pytest.raises(ValueError, match="a list that is not one"):
        model.encode([np.zeros(6), np.zeros(5)])


def test_a_call_with_a_stream_says_what_to_call():
    for form in ("tf.data", "generator", "PyDataset"):
        with pytest.raises(ValueError, match=r"called with one batch; received a .* Use predict"):
            untrained((6,), X)(STREAMS[form](X))


MASKED = np.ma.masked_array(X, X > 0.9)
HIDDEN = {
    "array": MASKED,
    "generator": (batch for batch in [MASKED]),
    "PyDataset": Batches(MASKED),
}


@pytest.mark.parametrize("form", HIDDEN)
def test_masked_values_are_refused_in_streams_too(form):
    with pytest.raises(ValueError, match=r"x has \d+ masked values"):
        untrained((6,), X).fit(HIDDEN[form], verbose=0)


def test_values_of_a_later_batch_are_refused_in_one_line():
    def batches():
        yield X
        yield with_one(np.nan)

    for data in (
        batches(),
        tf.data.Dataset.from_tensors(X).concatenate(tf.data.Dataset.from_tensors(with_one(np.nan))),
    ):
        with pytest.raises(ValueError, match=r"^x holds 1 value .* x\[3, 2\] of a batch\. \w.*$"):
            untrained((6,), X).fit(data, verbose=0)


def test_nan_does_not_come_out_of_a_graph_as_a_number():
    model = untrained((6,), X)
    traced = tf.function(lambda x: model(x))
    assert_allclose(traced(X), model.reconstruct(X), rtol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="zoo evaluation"):
        traced(with_one(np.nan))
    for use in (model.decode, model.conditional):
        with pytest.raises(ValueError, match="codes of finite numbers"):
            use(np.full((1, 2), np.nan, "float32"))


BATCHES = {
    "array": lambda: X,
    "tuple": lambda: (X, np.arange(ROWS)),
    "list": lambda: [X, np.arange(ROWS)],
    "list of lists": lambda: [X.tolist(), list(range(ROWS))],
    "dict": lambda: {"x": X, "label": np.arange(ROWS)},
    "x itself": lambda: (X, X),
    "frame": lambda: (frame(X), np.arange(ROWS)),
}


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_a_batch_may_have_any_form(batch, outcome):
    made = BATCHES[batch]()
    model = untrained((6,), X)
    for stream in (iter([made]), data_of(made)):
        assert_allclose(
            model.evaluate(stream, verbose=0), outcome("array", "evaluate", "none"), 1e-5
        )
    assert_allclose(
        model.predict(data_of(made), verbose=0), outcome("array", "predict", "none"), 1e-5
    )


def data_of(batch):
    """A PyDataset of one batch as it is."""

    class One(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return batch

    return One()


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_weights_may_stand_in_a_batch_without_labels():
    weights = np.linspace(0, 2, ROWS).astype("float32")
    model = untrained((6,), X)
    expected = model.evaluate(X, sample_weight=weights, verbose=0)
    assert abs(expected[0] - model.evaluate(X, verbose=0)[0]) > 1e-4
    for stream in (iter([(X, None, weights)]), data_of((X, None, weights))):
        assert_allclose(model.evaluate(stream, verbose=0), expected, rtol=1e-5)


def columns(pandas):
    """Tables of columns of several types, and what they hold."""
    left, right = np.float32([0.25, 0.5]), np.array([True, False])
    numbers = np.stack([left, right], axis=1)
    yield {"a": left, "b": right}, numbers
    yield {"a": left, "b": np.array([1, 0], "uint8")}, numbers
    yield {"a": left, "b": pandas.array([1, 0], dtype="Int64")}, numbers
    yield {"a": left.astype("float64"), "b": pandas.array([True, False], dtype="boolean")}, numbers
    yield {"a": left, "b": pandas.arrays.SparseArray([1.0, 0.0])}, numbers
    yield (
        {"a": left, "b": ["x", "y"]},
        r"x holds Python objects in its columns b; .*astype\('float32'\)",
    )
    yield {"a": left, "b": pandas.Categorical([0, 1])}, "in its columns b;"
    yield {"a": np.array([1, 0]), "b": right}, "x holds int64; expected uint8"
    yield {"a": left, "b": pandas.array([1, None], dtype="Int64")}, "x holds 1 value that is NaN"


def test_tables_of_several_types_are_their_numbers_or_refused():
    pandas = pytest.importorskip("pandas")
    model = zoo.create("autoencoder", (2,), latents=1, hidden=(2,))
    for data, expected in columns(pandas):
        table = pandas.DataFrame(data)
        if isinstance(expected, str):
            with pytest.raises(ValueError, match=expected):
                model.encode(table)
        else:
            assert_allclose(model.encode(table), model.encode(expected), rtol=1e-6)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_and_epochs_of_a_data_set_stay(workers):
    class Counted(Batches):
        ends = 0

        def __getitem__(self, index):
            return self.batch

        def on_epoch_end(self):
            self.ends += 1

    plain = keras.Sequential([keras.layers.Dense(6)])
    plain.compile(keras.optimizers.SGD(0.0), loss="mse")
    ends = []
    for model, batch in ((plain, (X, X)), (untrained((6,), X), (X,))):
        data = Counted(X)
        data.batch, data.workers = batch, workers
        model.fit(data, epochs=2, verbose=0)
        ends.append(data.ends)
    assert ends[0] == ends[1] >= 2


def test_a_generator_that_has_ended_is_told():
    model = untrained((6,), X)
    assert isinstance(STREAMS["generator"](X), types.GeneratorType)
    with pytest.raises(ValueError, match="x is a generator that has come to its end"):
        model.fit(STREAMS["generator"](X), epochs=2, verbose=0)
    with pytest.raises(ValueError, match="x gives no batch"):
        model.evaluate((batch for batch in []), verbose=0)
    held_out = {"validation_data": STREAMS["generator"](X), "validation_steps": 1}
    with pytest.raises(ValueError, match="Give one without end and validation_steps"):
        model.fit(X, epochs=9, verbose=0, **held_out)


def test_what_a_stream_holds_itself_is_told():
    batches = tf.data.Dataset.from_tensor_slices(X).batch(8)
    with pytest.warns(UserWarning, match="batch_size=7 has no effect beside a stream"):
        untrained((6,), X).fit(batches, batch_size=7, verbose=0)
    model = zoo.create("conditional_vae", (6,), condition=2, latents=2, hidden=(4,))
    with pytest.raises(ValueError, match="A stream of batches holds its condition itself"):
        model.encode(batches, condition=np.zeros(len(X), int))


def test_narrow_and_wide_floats_are_floats():
    model = untrained((6,), X)
    half = X.astype("float16")
    for x in (half, tf.constant(half), tf.cast(half, tf.float64), half.astype("longdouble")):
        assert_allclose(model.encode(x), model.encode(half.astype("float32")), rtol=1e-6)
    brain = tf.cast(X, tf.bfloat16)
    expected = model.encode(tf.cast(brain, tf.float32))
    assert_allclose(model.encode(brain), expected, rtol=1e-6)
    assert_allclose(model.encode(STREAMS["tf.data"](brain)), expected, rtol=1e-5)
    with pytest.raises(ValueError, match="NaN or infinite as float32"):
        model.encode(with_one(0.5).astype("float64") * 1e300)


@pytest.mark.parametrize(
    ("shape", "hint"),
    [
        ((ROWS, 3, 4, 5), r"Channels come last: numpy.moveaxis\(x, 1, -1\)"),
        ((ROWS, 5, 4, 3), "Its axes stand in another order"),
        ((ROWS, 60), r"Reshape it: x.reshape\(\(-1, 4, 5, 3\)\)"),
        ((4, 5, 3), r"For a single example pass x\[None\]"),
    ],
)
def test_the_remedy_for_a_shape_keeps_the_pixels_in_place(shape, hint):
    with pytest.raises(ValueError, match=hint):
        zoo.data.check_inputs(np.zeros(shape, np.float32), (4, 5, 3))
