"""Streams without an end, streams in another order each time, and rows that are taken by their place."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from tests.conftest import make_vectors
from tests.trainer.tiny import tiny

X = make_vectors(32)


@pytest.fixture(scope="module")
def model():
    model = tiny()
    model.compile(keras.optimizers.SGD(0.0), jit_compile=False)
    return model


def stream(x=X):
    return tf.data.Dataset.from_tensor_slices(x).batch(8)


class Endless(keras.utils.PyDataset):
    """Without an end, as Keras has it."""

    num_batches = None

    def __getitem__(self, index):
        return (X[:8],)


# What asks for all rows, and the argument by which it asks for some.
WHOLE = {
    "fit": (lambda m, x, **k: m.fit(x, verbose=0, **k), "steps_per_epoch"),
    "validation": (
        lambda m, x, **k: m.fit(X, validation_data=x, verbose=0, **k),
        "validation_steps",
    ),
    "evaluate": (lambda m, x, **k: m.evaluate(x, verbose=0, **k), "steps"),
    "predict": (lambda m, x, **k: m.predict(x, verbose=0, **k), "steps"),
    "encode": (lambda m, x: m.encode(x), None),
    "reconstruct": (lambda m, x: m.reconstruct(x), None),
    "posterior": (lambda m, x: m.posterior(x), None),
    "score": (lambda m, x: m.score(x), None),
}


@pytest.mark.parametrize("use", WHOLE)
@pytest.mark.parametrize(
    "endless", [lambda: stream().repeat(), lambda: Endless()], ids=["tf.data", "PyDataset"]
)
def test_all_of_a_stream_without_an_end_is_refused(use, endless, model):
    function, steps = WHOLE[use]
    with pytest.raises(ValueError, match=r"never ends, and all of it is asked for\. Give \w"):
        function(model, endless())
    if steps is not None:
        function(model, endless(), **{steps: 2})


def test_examples_that_come_one_by_one_are_refused(model):
    single = tf.data.Dataset.from_tensor_slices(X)
    for function in (WHOLE["fit"][0], WHOLE["evaluate"][0], WHOLE["predict"][0]):
        with pytest.raises(ValueError, match=r"one by one; expected batches.*x\.batch\(32\)"):
            function(model, single)


ORDERS = {
    "anew": (lambda d: d.shuffle(32).batch(8), True),
    "anew, below others": (lambda d: d.shuffle(32).map(lambda x: x).batch(8).prefetch(1), True),
    "anew, of batches": (lambda d: d.batch(8).shuffle(4), True),
    "once": (lambda d: d.shuffle(32, reshuffle_each_iteration=False).batch(8), False),
    "kept": (lambda d: d.shuffle(32).cache().batch(8), False),
    "its own": (lambda d: d.batch(8), False),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("use", ["encode", "predict", "posterior", "score"])
def test_rows_that_come_in_another_order_each_time_are_told(order, use, model):
    change, told = ORDERS[order]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        WHOLE[use][0](model, change(tf.data.Dataset.from_tensor_slices(X)))
    said = [w for w in caught if "shuffled anew in each pass" in str(w.message)]
    assert len(said) == told


def test_training_and_means_may_be_shuffled(model):
    data = tf.data.Dataset.from_tensor_slices(X).shuffle(32).batch(8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(data, validation_data=data, verbose=0)
        model.evaluate(data, verbose=0)


def test_a_table_and_what_stands_beside_it_have_one_order(model):
    """scikit-learn, as Keras, takes rows by their place; pandas shows them by their index."""
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, index=np.arange(32) + 5)
    weights = pandas.Series(np.linspace(0, 2, 32), index=table.index)
    expected = model.evaluate(X, sample_weight=weights.to_numpy(), verbose=0)
    assert_allclose(model.evaluate(table, sample_weight=weights, verbose=0), expected, rtol=1e-6)
    mixed = weights.sample(frac=1, random_state=0)
    for use in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=r"sample_weight has the index of x in another order"):
            use(table, sample_weight=mixed, verbose=0)
    with pytest.raises(ValueError, match="y has the index of x in another order"):
        model.fit(table, mixed > 1, verbose=0)
    found = model.evaluate(table, sample_weight=mixed.loc[table.index], verbose=0)
    assert_allclose(found, expected, rtol=1e-6)
    other = weights.reset_index(drop=True)  # of other names: by its place
    assert_allclose(model.evaluate(table, sample_weight=other, verbose=0), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("weights", "error"),
    [
        (np.zeros(32), "sample_weight is 0 for all rows"),
        (
            np.linspace(-1, 1, 32),
            "for each of the 32 rows, none below 0; received shape .* from -1",
        ),
    ],
)
def test_weights_that_would_turn_or_empty_the_loss_are_refused(weights, error, model):
    for use in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=error):
            use(X, sample_weight=weights, verbose=0)
    with pytest.raises(ValueError, match=error):
        model.fit(X, validation_data=(X, None, weights), verbose=0)
    if (weights < 0).any():
        both = tf.data.Dataset.from_tensor_slices((X, np.zeros(32, int), weights)).batch(8)
        for use in (model.fit, model.evaluate):
            with pytest.raises(ValueError, match=r"numbers of at least 0; a batch of x has -1\."):
                use(both, verbose=0)


def test_epochs_are_whole(model):
    with pytest.raises(ValueError, match="epochs must be a whole number"):
        model.fit(X, epochs=1.5, verbose=0)
    assert model.fit(X, epochs=np.int64(1), verbose=0).epoch == [0]
