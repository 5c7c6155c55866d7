"""Models of the zoo under scikit-learn's own checks, in its pipelines and searches."""

import pickle

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn import datasets
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from zoo.sklearn import AnomalyDetector, Clusterer, Encoder

SMALL = {"latents": 2, "hidden": (8,), "epochs": 2}
ESTIMATORS = [Encoder("vae", **SMALL), Clusterer(**SMALL), AnomalyDetector(**SMALL)]
# What costs least and fails first.
CHEAP = {
    "check_get_params_invariance",
    "check_set_params",
    "check_no_attributes_set_in_init",
    "check_estimator_sparse_tag",
    "check_estimators_unfitted",
    "check_parameters_default_constructible",
    "check_transformer_get_feature_names_out",
    "check_mixin_order",
}


def table(rows=60):
    random = np.random.default_rng(0)
    return random.normal(size=(rows, 2)) @ random.normal(size=(2, 5)) + 0.1


@pytest.mark.long
@parametrize_with_checks(ESTIMATORS)
def test_every_check_of_scikit_learn(estimator, check):
    check(estimator)


def _cheap():
    for estimator in ESTIMATORS:
        for one, check in estimator_checks.estimator_checks_generator(estimator):
            name = getattr(check, "func", check).__name__
            if name in CHEAP:
                yield pytest.param(one, check, id=f"{type(estimator).__name__}-{name}")


@pytest.mark.parametrize(("estimator", "check"), _cheap())
def test_some_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def fitted():
    """On a data frame, in a pipeline."""
    frame = pd.DataFrame(table(), columns=list("abcde"))
    pipeline = make_pipeline(StandardScaler(), Encoder("vae", **SMALL)).set_output(
        transform="pandas"
    )
    return frame, pipeline.fit(frame)


def test_frames_go_in_and_come_out(fitted):
    frame, pipeline = fitted
    codes = pipeline.transform(frame)
    assert list(codes.columns) == ["encoder0", "encoder1"] and list(codes.index) == list(
        frame.index
    )
    with pytest.raises(ValueError, match="feature names"):
        pipeline[-1].transform(frame.rename(columns={"a": "z"}))
    with pytest.raises(TypeError, match="parse") as refused:
        clone(pipeline[-1]).fit(scipy.sparse.eye(20, format="csr"))
    assert "\n" not in str(refused.value)


def test_codes_and_score_are_those_of_the_model(fitted):
    frame, pipeline = fitted
    x, encoder = pipeline[0].transform(frame), pipeline[-1]
    np.testing.assert_allclose(encoder.transform(x), encoder.model_.encode(x.to_numpy()), atol=1e-6)
    back = encoder.inverse_transform(encoder.transform(x))
    np.testing.assert_allclose(back, encoder.model_.reconstruct(x.to_numpy()), atol=1e-6)
    error, spread = ((x - back) ** 2).to_numpy().sum(), ((x - x.mean()) ** 2).to_numpy().sum()
    assert encoder.score(x) == pytest.approx(1 - error / spread, rel=1e-4)
    same = x.assign(
        a=3.0
    )  # a column that does not vary in these rows is reconstructed all the same
    error = ((same - encoder.inverse_transform(encoder.transform(same))) ** 2).to_numpy().sum()
    spread = ((same - same.mean()) ** 2).to_numpy().sum()
    assert encoder.score(same) == pytest.approx(1 - error / spread, rel=1e-4)
    with pytest.raises(ValueError, match="codes of 2 units; received 5"):
        encoder.inverse_transform(x)


def test_a_pickle_answers_the_same(fitted):
    frame, pipeline = fitted
    again = pickle.loads(pickle.dumps(pipeline))
    pd.testing.assert_frame_equal(again.transform(frame), pipeline.transform(frame))


def test_options_of_the_model_are_parameters():
    encoder = Encoder("k_sparse_autoencoder", latents=12, k=3)
    assert encoder.get_params()["k"] == 3 and "alpha" in encoder.get_params()
    assert clone(encoder).set_params(k=4).get_params()["k"] == 4
    assert repr(encoder) == "Encoder(model='k_sparse_autoencoder', latents=12, k=3)"
    with pytest.raises(ValueError, match="Invalid parameter 'kk'"):
        encoder.set_params(kk=1)
    with pytest.raises(ValueError, match=r"no option 'latnts'\. Did you mean 'latents'"):
        Encoder(latnts=3).fit(table())


def test_a_linear_model_scores_as_pca():
    """The best that 2 linear units can do, and it does it."""
    x = table(200) + np.random.default_rng(1).normal(size=(200, 5)) / 4
    options = {"latents": 2, "epochs": 150, "learning_rate": 0.01, "likelihood": "normal"}
    found = Encoder("autoencoder", hidden=(), **options).fit(x).score(x)
    best = PCA(2).fit(x)
    residual = ((x - best.inverse_transform(best.transform(x))) ** 2).sum()
    expected = 1 - residual / ((x - x.mean(axis=0)) ** 2).sum()
    assert expected - 0.02 < found <= expected + 1e-4


def test_a_search_over_options():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Encoder("autoencoder", **{**SMALL, "hidden": ()})),
        {"encoder__latents": [1, 3]},
        cv=2,
    )
    search.fit(table())
    assert set(search.cv_results_["param_encoder__latents"]) == {1, 3}
    assert search.best_estimator_[-1].model_.units == search.best_params_["encoder__latents"]


def test_clusters_of_codes_and_of_a_classifier():
    x, y = datasets.make_blobs(90, 4, centers=3, random_state=0)
    x = StandardScaler().fit_transform(x)
    clusterer = Clusterer(n_clusters=3, latents=2, hidden=(16,), epochs=10).fit(x)
    assert adjusted_rand_score(y, clusterer.labels_) > 0.8
    np.testing.assert_array_equal(clusterer.predict(x), clusterer.labels_)
    options = {"latents": 2, "hidden": (8,), "critic": (4,), "likelihood": "normal", "epochs": 1}
    own = Clusterer("adversarial_autoencoder", n_clusters=4, **options).fit(x)
    assert own.kmeans_ is None and own.model_.classifier.classes == 4
    np.testing.assert_array_equal(own.labels_, own.model_.cluster(x.astype("float32")))


def test_pixels_become_pictures():
    x = np.random.default_rng(0).random((20, 64))
    encoder = Encoder(
        "vae", networks="conv", hidden=(4,), latents=2, input_shape=(8, 8, 1), epochs=1
    )
    assert encoder.fit_transform(x).shape == (20, 2)
    assert encoder.inverse_transform(np.zeros((3, 2))).shape == (3, 64)
    with pytest.raises(ValueError, match="64 values; received rows of 60"):
        clone(encoder).fit(x[:, :60])


def test_the_number_of_clusters_is_that_of_a_mixture():
    x = np.repeat(np.eye(3), 20, axis=0) + np.random.default_rng(0).normal(size=(60, 3)) / 9
    options = {"latents": 2, "hidden": (8,), "epochs": 1}
    found = Clusterer("vade", n_clusters=3, **options).fit(x)
    assert found.model_.prior.components == 3 and found.kmeans_ is None
    with pytest.raises(
        ValueError, match="n_clusters=3, and 'vade' with its options has 5 clusters"
    ):
        Clusterer("vade", n_clusters=3, components=5, **options).fit(x)
    by_codes = Clusterer("vamp_vae", n_clusters=3, components=5, **options).fit(x)
    assert by_codes.model_.prior.components == 5 and by_codes.kmeans_ is not None


def test_another_model_brings_its_own_options():
    x = np.random.default_rng(0).random((60, 6)).astype("float32")
    found = clone(Encoder("beta_vae", epochs=1, latents=2)).set_params(model="vae").fit(x)
    assert found.model_.regularizers[0].weight == 1.0  # beta_vae's default is 4
    assert found.model_.units == 2  # which was chosen
    plain = clone(Encoder("vae", epochs=1, hidden=(4,))).set_params(model="autoencoder").fit(x)
    assert plain.model_.name == "autoencoder"
    search = GridSearchCV(Encoder("autoencoder", epochs=1), {"model": ["autoencoder", "vae"]}, cv=2)
    assert np.isfinite(search.fit(x).cv_results_["mean_test_score"]).all()


def test_a_likelihood_follows_the_rows_until_it_is_named():
    x = np.random.default_rng(0).normal(size=(60, 6))
    options = {"latents": 2, "hidden": (4,), "epochs": 1}
    for found in (Encoder("vae", **options), clone(Encoder("vae", **options))):
        assert found.get_params()["likelihood"] == "auto"
        copy = pickle.loads(pickle.dumps(found))  # as other processes get it
        assert type(copy.fit(x).model_.likelihood).zoo_name == "normal"
    inside = Encoder("vae", **options).fit((x - x.min()) / np.ptp(x))
    assert type(inside.model_.likelihood).zoo_name == "bernoulli"
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        Encoder("vae", likelihood="bernoulli", **options).fit(x)


def test_seeds_of_numpy_are_those_of_python():
    x = np.random.default_rng(0).random((40, 6))
    options = {"latents": 2, "hidden": (4,), "epochs": 1}
    one, other = (
        Encoder("vae", random_state=seed, **options).fit(x).transform(x)
        for seed in (3, np.int64(3))
    )
    np.testing.assert_array_equal(one, other)


def test_rows_a_little_outside_of_those_that_trained():
    x = np.random.default_rng(0).random((80, 5), np.float32)
    detector = AnomalyDetector("vae", random_state=0, **SMALL).fit(x)
    cut, far = np.clip(x[:3] + 0.6, 0, 1), x[:3] + 0.6
    reconstructed = detector.model_.reconstruct(cut)
    np.testing.assert_allclose(
        detector.score_samples(far), -np.square(far - reconstructed).sum(axis=1), rtol=1e-4
    )
    assert (pickle.loads(pickle.dumps(detector)).predict(10 * x[:3] + 1) == -1).all()
    encoder = make_pipeline(MinMaxScaler(), Encoder("vae", **SMALL))
    assert np.isfinite(cross_val_score(encoder, table(), cv=3)).all()
    Encoder("vae", standardize=True, **SMALL).fit(x)


@pytest.mark.parametrize(
    "model", [Encoder("conditional_vae", condition=3, latents=2), Encoder("ada_gvae", latents=2)]
)
def test_models_that_need_more_than_x_are_refused(model):
    with pytest.raises(ValueError, match="estimators are for models of x alone"):
        model.fit(table(), np.zeros(60))


def test_an_optimizer_stays_the_callers():
    given = keras.optimizers.SGD(0.01)
    encoder = Encoder("vae", optimizer=given, learning_rate=0.5, **SMALL)
    for _ in range(2):
        encoder.fit(table())
    assert not given.built and float(given.learning_rate) == pytest.approx(0.01)
