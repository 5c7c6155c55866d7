"""What is left of a model that nobody needs any more: nothing."""

import gc
import weakref

import keras
import pytest

from tests.conftest import make_vectors
from tests.trainer.tiny import tiny

X = make_vectors(40)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return X[20 * index :][:20]


@pytest.mark.parametrize("data", [X, Batches()], ids=["array", "PyDataset"])
def test_a_model_goes_after_it_was_trained_and_used(data):
    """TensorFlow keeps the function of every generator that feeds it, and all that the function holds."""
    gc.freeze()  # what other tests left, which the collector would look through for up to a minute
    model = tiny()
    model.compile(jit_compile=False)
    model.fit(data, validation_data=data, epochs=2, verbose=0)
    model.evaluate(data, verbose=0)
    model.encode(X)
    left = weakref.ref(model)
    del model
    gc.collect()
    assert left() is None
