"""standardize=True is training on data that were standardized before, in the units of the data."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.preprocessing import StandardScaler

import zoo
from tests.trainer.tiny import tiny
from zoo.networks import Standardization
from zoo.recipes.centering import start_at_mean
from zoo.recipes.fine_tuning import classifier

SCALES = np.array([1e-3, 1.0, 50.0, 1e5, 2.0, 1.0])


def table(rows=96, missing=0.0):
    """Columns of many scales, far from 0, the last one constant."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(rows, 2)) @ rng.normal(size=(2, 6)) + 3) * SCALES
    x[:, -1] = 7.0
    x[rng.random(x.shape) < missing] = np.nan
    return x.astype(np.float32)


def ready(**options):
    model = tiny(likelihood="normal", **options)
    model.compile(keras.optimizers.SGD(1e-3), jit_compile=False)
    return model


def fitted(x, **options):
    model = ready(**options)
    return model, model.fit(x, batch_size=16, epochs=2, verbose=0).history


@pytest.fixture(scope="module")
def trained():
    """Rows, and a model that was fitted to them."""
    return table(), fitted(table(), standardize=True)[0]


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_mean_and_deviation_are_scikit_learns(missing):
    x = table(missing=missing)
    layer = Standardization()
    layer.build((None, 6))
    assert not layer.adapted
    layer.adapt([x[:50], x[50:]])
    known = StandardScaler().fit(x.astype(np.float64))
    assert layer.adapted
    assert_allclose(layer.mean, known.mean_, rtol=1e-6)
    assert_allclose(layer.deviation, known.scale_, rtol=1e-5)
    back = (layer.inverse(layer(x)) - x) / known.scale_
    assert_allclose(back[~np.isnan(x)], 0, atol=1e-6)


@pytest.mark.parametrize("event", [(12, 6), (4, 3, 6)])
def test_windows_and_pictures_have_a_mean_for_each_channel(event):
    x = table(rows=40 * 12).reshape(40, *event[:-1], -1)[..., :6]
    layer = Standardization()
    layer.build((None, *event))
    layer.adapt([x])
    assert_allclose(layer.mean, x.reshape(-1, 6).mean(axis=0, dtype=np.float64), rtol=1e-5)


def test_a_column_that_nobody_filled_in_passes():
    x = table()
    x[:, 2] = np.nan
    layer = Standardization()
    layer.build((None, 6))
    layer.adapt([x])
    assert float(layer.mean[2]) == 0 and float(layer.deviation[2]) == 1


def test_it_trains_as_on_standardized_data_and_answers_in_the_datas_units():
    x, mask = table(missing=0.3), {"mask": "nan"}
    model, history = fitted(x, standardize=True, **mask)
    mean, deviation = model.standardization.mean.numpy(), model.standardization.deviation.numpy()
    before = (x - mean) / deviation
    other, expected = fitted(before, **mask)
    for name in expected:
        assert_allclose(history[name], expected[name], rtol=1e-4)
    assert_allclose(model.encode(x), other.encode(before), rtol=1e-3, atol=1e-5)
    for method, given in {"reconstruct": (x, before), "predict": (x, before)}.items():
        answer = getattr(model, method)(given[0])
        assert_allclose((answer - mean) / deviation, getattr(other, method)(given[1]), atol=1e-3)
    assert_allclose(
        (model.generate(5, seed=3) - mean) / deviation, other.generate(5, seed=3), atol=1e-3
    )


def test_the_density_is_that_of_the_data(trained):
    x, model = trained
    z = np.float32([[0.5, -1.0], [0.0, 2.0]])
    located = model.conditional(z)
    deviation = model.standardization.deviation.numpy()
    expected = norm(model.decode(z), deviation).logpdf(x[:2]).sum(axis=1)
    assert_allclose(located.log_prob(x[:2]), expected, rtol=1e-4)
    assert_allclose(located.mean(), model.decode(z), rtol=1e-5)
    found = zoo.evaluation.evaluate(
        model,
        x,
        groups=["density", "reconstruction"],
        settings={"density": {"samples": 5}},
        verbose=False,
    )
    assert_allclose(
        found["reconstruction"]["squared_error"],
        ((model.reconstruct(x) - x.astype(float)) ** 2).sum(axis=1).mean(),
        rtol=1e-4,
    )


def test_it_is_saved_exported_and_shared_with_a_classifier(trained, tmp_path):
    x, model = trained
    model.save(tmp_path / "m.keras")
    again = zoo.load_model(tmp_path / "m.keras")
    assert again.standardization.adapted
    assert_array_equal(again.reconstruct(x), model.reconstruct(x))
    again.fit(2 * x[:48], batch_size=16, verbose=0)  # keeps what it was adapted to
    assert_array_equal(again.standardization.mean, model.standardization.mean)
    model.export(tmp_path / "served")
    served = tf.saved_model.load(str(tmp_path / "served"))
    assert_allclose(served.encode(x), model.encode(x), rtol=1e-5, atol=1e-6)
    codes = model.encode(x)
    assert_allclose(served.decode(codes), model.decode(codes), rtol=1e-5, atol=1e-6)
    names = classifier(model, classes=2)
    codes = keras.Model(names.inputs, names.layers[-2].output)
    assert_allclose(codes.predict(x, verbose=0), model.encode(x), rtol=1e-5, atol=1e-6)


def test_streams_ask_for_adapt_and_it_reads_them_as_arrays():
    x = table()
    model, same = ready(standardize=True), ready(standardize=True)
    stream = tf.data.Dataset.from_tensor_slices(x).batch(16)
    with pytest.raises(ValueError, match=r"model\.adapt\(x\)"):
        model.fit(stream, verbose=0)
    with pytest.raises(ValueError, match=r"model\.adapt\(x\)"):
        model.train_on_batch(x[:16])
    model.adapt(stream)
    same.adapt(x)
    assert_allclose(model.standardization.deviation, same.standardization.deviation, rtol=1e-6)
    history = model.fit(stream, epochs=2, verbose=0).history
    expected = same.fit(x, batch_size=16, epochs=2, shuffle=False, verbose=0).history
    assert_allclose(history["loss"], expected["loss"], rtol=1e-4)
    with pytest.raises(ValueError, match="standardize=True"):
        ready().adapt(x)


def test_only_the_rows_that_are_trained_on_are_asked():
    x = table()
    x[48:, 3] *= 1e3  # whose scale is no reason for a warning either: it is not asked
    model = ready(standardize=True)
    model.fit(x, batch_size=16, validation_split=0.5, verbose=0)
    assert_allclose(model.standardization.mean, x[:48].mean(axis=0, dtype=np.float64), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"likelihood": "bernoulli"}, "'bernoulli' with the activation 'sigmoid' is for data"),
        (
            {"likelihood": {"name": "normal", "activation": "sigmoid"}},
            "'normal' with the activation",
        ),
        ({"name": "autoencoder", "target_shape": (6,)}, "target_shape"),
    ],
)
def test_what_needs_the_data_as_they_are_refuses_it(options, message):
    with pytest.raises(ValueError, match=message):
        tiny(**{"likelihood": "normal", "standardize": True, **options})


def test_a_likelihood_of_counts_refuses_it():
    @zoo.register("counts_of_this_test", kind="likelihood")
    class Counts(zoo.distributions.Likelihood):
        bounds = (0.0, float("inf"))

    with pytest.raises(ValueError, match="'counts_of_this_test' is for data as they are"):
        tiny(likelihood="counts_of_this_test", standardize=True)


def test_recipes_that_need_the_data_as_they_are_refuse_it():
    model = zoo.create("k_sparse_autoencoder", (6,), latents=8, k=2, standardize=True)
    with pytest.raises(ValueError, match="Leave it out"):
        start_at_mean(model, table())


def said_of(x, **options):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model = tiny(x.shape[1:], **{"likelihood": "normal", "mask": "nan", **options})
        model.compile(jit_compile=False)
        model.meet(x)
    return [str(each.message) for each in told]


def test_scales_far_apart_are_told_with_the_remedy():
    (said,) = said_of(table())
    assert "column 3 has" in said and "column 0 one" in said and "standardize=True" in said
    assert not said_of(table(), standardize=True)
    assert not said_of(table()[:, [1, 2, 4, 5]])  # 50 to 1, and a constant column
    assert not said_of((table() > 3).astype(np.float32), likelihood="bernoulli")


def test_a_model_that_has_met_no_data_says_so_and_is_not_exported(tmp_path):
    x = (1000 + np.random.default_rng(0).normal(size=(20, 6))).astype("float32")
    model = zoo.create("vae", (6,), latents=2, hidden=(4,), standardize=True, likelihood="normal")
    with pytest.warns(UserWarning, match="has met no data"):
        model.encode(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.encode(x)  # said once
    with pytest.raises(ValueError, match="has met no data"):
        model.export(tmp_path / "exported")
    assert not (tmp_path / "exported").exists()
    known = zoo.create("vae", (6,), latents=2, hidden=(4,), standardize=True, likelihood="normal")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        known.adapt(x)
        known.encode(x)
