"""Bad input is one ValueError that says what was expected, what was received and what to do."""

import keras
import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf

import zoo
from tests.conftest import make_vectors
from zoo.networks import GaussianNoise, MaskingNoise


def create(name="vae", shape=(6,), **options):
    hidden = {} if "networks" in options else {"hidden": (3,)}
    return zoo.create(name, shape, **{"latents": 2, **hidden, **options})


def dense(units):
    return keras.Sequential([keras.layers.Dense(units)])


CREATION = {
    "unknown model": (lambda: create("laplace_vea"), "Did you mean 'laplace_vae'"),
    "misspelt option": (lambda: create(latent=3), r"no option 'latent'. Did you mean 'latents'"),
    "option of another model": (lambda: create("autoencoder", beta=1), "no option 'beta'"),
    "latents of zero": (lambda: create(latents=0), "latents.*at least 1; received 0"),
    "negative latents": (lambda: create(latents=-3), "latents.*received -3"),
    "fractional latents": (lambda: create(latents=2.5), "latents.*received 2.5"),
    "latents as text": (lambda: create(latents="ten"), "latents.*received 'ten'"),
    "latents as a truth value": (lambda: create(latents=True), "latents.*received True"),
    "no latents": (lambda: create(latents=None), "latents.*received None"),
    "latents of levels": (
        lambda: create("hierarchical_vae", latents=(2, 3)),
        r"latents.*received \(2, 3\)",
    ),
    "levels as text": (
        lambda: create("hierarchical_vae", levels="2"),
        "levels must be.*received '2'",
    ),
    "latents beside classes": (
        lambda: create("adversarial_autoencoder", classes=3, latents=-1),
        "latents.*received -1",
    ),
    "latents beside a label": (
        lambda: create("semi_supervised_vae", classes=3, latents="2"),
        "latents.*received '2'",
    ),
    "noise of a game": (
        lambda: zoo.create("cat_gan", (6,), noise_units=-1),
        "noise_units.*at least 0; received -1",
    ),
    "styles beside classes": (
        lambda: zoo.create("info_gan", (8, 8, 1), styles=-1),
        "styles.*at least 0; received -1",
    ),
    "hidden of zero": (lambda: create(hidden=(5, 0)), "hidden.*received 0"),
    "hidden as text": (lambda: create(hidden="500"), "hidden must be the units.*received '500'"),
    "negative beta": (lambda: create(beta=-1), "weight of kl.*at least 0.*received -1"),
    "beta as text": (lambda: create(beta="big"), "weight of kl.*schedule; received 'big'"),
    "beta that is no number": (lambda: create(beta=float("nan")), "weight of kl.*finite.*nan"),
    "infinite beta": (lambda: create(beta=float("inf")), "weight of kl.*finite.*inf"),
    "negative p": (lambda: create("lp_autoencoder", p=-0.5), "above 0; received -0.5"),
    "p of zero": (lambda: create("lp_autoencoder", p=0), "above 0; received 0"),
    "unknown form": (lambda: create("lp_autoencoder", form="root"), "power, norm, difference"),
    "negative alpha": (lambda: create("lp_autoencoder", alpha=-1), "at least 0.*received -1"),
    "k above units": (
        lambda: create("k_sparse_autoencoder", latents=5, k=6),
        "at most the number of units, 5; received k=6",
    ),
    "k of zero": (lambda: create("k_sparse_autoencoder", k=0), "k must be.*at least 1.*received 0"),
    "fractional k": (lambda: create("k_sparse_autoencoder", k=1.5), "k must be.*received 1.5"),
    "alpha below one": (
        lambda: create("k_sparse_autoencoder", k=1, alpha=0.5),
        "alpha must be.*at least 1.*received 0.5",
    ),
    "dropout of one": (lambda: create("autoencoder", dropout=1), "dropout.*below 1; received 1"),
    "negative dropout": (lambda: create("autoencoder", dropout=-0.1), "dropout.*received -0.1"),
    "masking everything": (
        lambda: create("denoising_autoencoder", level=1.0),
        "rate of MaskingNoise.*below 1; received 1.0",
    ),
    "negative noise": (
        lambda: create("denoising_autoencoder", noise="gaussian", level=-1),
        "stddev of GaussianNoise.*received -1",
    ),
    "unknown noise": (
        lambda: create("denoising_autoencoder", noise="gausian"),
        "Did you mean 'gaussian'",
    ),
    "unknown likelihood": (lambda: create(likelihood="bernouli"), "Did you mean 'bernoulli'"),
    "unknown prior": (lambda: create(prior="laplac"), "Did you mean 'laplace'"),
    "unknown posterior": (lambda: create(posterior="norml"), "Did you mean 'normal'"),
    "unknown regularizer": (lambda: create(regularizers=["lp_nrm"]), "Did you mean 'lp_norm'"),
    "unknown estimator": (lambda: create(estimator="analytc"), "Did you mean 'analytic'"),
    "no closed form": (
        lambda: create(prior="student_t", estimator="analytic"),
        "no closed-form KL for posterior 'normal' and prior 'student_t'.*'sampled'",
    ),
    "a vae without a prior": (lambda: create(prior=None), "'kl' needs.*a prior; received.*None"),
    "a number as a prior": (lambda: create(prior=3), "Expected a prior.*received 3"),
    "a dict without a name": (lambda: create(prior={"scale": 2}), "'name'.*received"),
    "a number as a regularizer": (lambda: create(regularizers=[0.1]), "Expected a regularizer"),
    "samples of zero": (lambda: create(samples=0), "samples.*at least 1; received 0"),
    "kl of a plain code": (
        lambda: create("autoencoder", regularizers=["kl"]),
        "'kl' needs a stochastic bottleneck",
    ),
    "mmd without a prior": (
        lambda: create("autoencoder", regularizers=["mmd"]),
        "'mmd' needs a model whose prior has a density.*prior='normal'",
    ),
    "unknown networks": (lambda: create(networks="cnn"), "Unknown network 'cnn'.*conv"),
    "convolutions on vectors": (
        lambda: create(networks="conv"),
        r"pictures of shape.*received.*\(6,\).*networks='mlp'",
    ),
    "one network": (lambda: create(networks=dense(3)), "a pair .encoder, decoder. of Keras models"),
    "three networks": (
        lambda: create(networks=(dense(3), dense(6), dense(6))),
        "a pair .encoder, decoder.",
    ),
    "a decoder of another shape": (
        lambda: create(networks=(dense(3), dense(5))),
        r"decoder must give \(batch, 6\).*gives \(None, 5\)",
    ),
    "an encoder that gives maps": (
        lambda: create(
            shape=(4, 4, 1), networks=(keras.Sequential([keras.layers.Conv2D(2, 3)]), dense(16))
        ),
        "encoder must give one tensor .batch, features.*Flatten",
    ),
    "an encoder that takes another shape": (
        lambda: create(
            networks=(keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)]), dense(6))
        ),
        r"encoder cannot take inputs of shape \(batch, 6\)",
    ),
    "units of own networks": (
        lambda: create(networks=(dense(3), dense(6)), hidden=(99,)),
        r"hidden has no effect on own networks; received hidden=\(99,\)",
    ),
    "an activation for networks that are fixed": (
        lambda: create(shape=(64, 64, 1), networks="shapes", activation="tanh"),
        "activation has no effect on networks='shapes'; received activation='tanh'",
    ),
    "unknown activation": (lambda: create(activation="relux"), "relux"),
    "seed as text": (lambda: create(seed="today"), "seed.*whole number.*'today'"),
    "fractional seed": (lambda: create(seed=0.5), "seed.*whole number.*0.5"),
    "corruption as a name": (
        lambda: create("autoencoder", corruption="masking"),
        "corruption must be.*MaskingNoise.*received 'masking'",
    ),
}
for shape in ((), (0,), (-1, 3), (None, 6), 6, "six", (2.5,), None, ("a",)):
    CREATION[f"input_shape {shape!r}"] = (
        lambda shape=shape: create(shape=shape),
        "input_shape must be the shape of one example.*received",
    )


@pytest.mark.parametrize("case", CREATION)
def test_creation(case):
    build, message = CREATION[case]
    with pytest.raises(ValueError, match=f"(?s){message}"):
        build()


def test_numpy_integers_are_whole_numbers():
    model = create(
        shape=np.array([6]), latents=np.int64(2), hidden=(np.int32(3),), seed=np.int64(4)
    )
    assert model.units == 2 and model.seed == 4


@pytest.mark.parametrize("layer", [MaskingNoise, GaussianNoise])
@pytest.mark.parametrize("level", ["much", None, float("nan"), -0.5])
def test_corruption(layer, level):
    with pytest.raises(ValueError, match=layer.__name__):
        layer(level)


@pytest.fixture(scope="module")
def model():
    made = create(prior=None, name="autoencoder")
    made.compile(jit_compile=False)
    return made


@pytest.fixture(scope="module")
def pictures():
    made = create("autoencoder", (4, 4, 1), likelihood="squared_error")
    made.compile(jit_compile=False)
    return made


def bad(index, value):
    x = make_vectors()
    x[index] = value
    return x


X = make_vectors()
DATA = {
    "shape": (X[:, :5], r"must have shape \(n, 6\); received \(160, 5\)"),
    "one example without a batch": (X[0], r"\(n, 6\); received \(6,\).*x\[None\]"),
    "rank": (X[None], r"\(n, 6\); received \(1, 160, 6\)"),
    "nan": (bad((7, 2), np.nan), r"NaN or infinite.*x\[7, 2\]"),
    "infinity": (bad((0, 0), np.inf), "NaN or infinite"),
    "empty": (X[:0], "x is empty"),
    "above the range": (bad((0, 0), 1.5), r"must lie in \[0, 1\].*to 1.5"),
    "below the range": (bad((0, 0), -0.1), r"must lie in \[0, 1\].*from -0.1"),
    "integers": ((X * 255).astype("int64"), "int64; expected uint8"),
    "text": (X.astype(str), "expected numbers"),
    "objects": (X.astype(object), "Python objects"),
    "complex numbers": (X.astype(complex), "expected numbers"),
    "rows of several lengths": ([[1.0, 2.0], [3.0]], "all have one shape"),
    "nothing": (None, "x must be.*array.*received None"),
    "a path": ("pictures/", "x must be.*array.*received 'pictures/'"),
    "a number": (3.5, "x must be.*array.*received 3.5"),
    "a dict of arrays": ({"a": X}, "x must be.*array.*received"),
}


@pytest.mark.parametrize("task", ["fit", "evaluate", "encode"])
@pytest.mark.parametrize("case", DATA)
def test_data(case, task, model):
    x, message = DATA[case]
    options = {} if task == "encode" else {"verbose": 0}
    weights = model.get_weights()
    with pytest.raises(ValueError, match=f"(?s){message}"):
        getattr(model, task)(x, **options)
    for now, before in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, before)


@pytest.mark.parametrize("case", ["shape", "nan", "empty", "above the range"])
def test_validation_data(case, model):
    x, message = DATA[case]
    with pytest.raises(ValueError, match=message.replace("x", "validation_data")):
        model.fit(X, validation_data=x, verbose=0)


def test_one_example_cannot_be_trained_on_but_encoded(model):
    with pytest.raises(ValueError, match="1 example; at least 2"):
        model.fit(X[:1], verbose=0)
    assert model.encode(X[:1]).shape == (1, 2)
    assert np.isfinite(model.evaluate(X[:1], verbose=0)[0])


def test_pictures_as_floats_of_bytes(pictures):
    with pytest.raises(ValueError, match="divide by 255"):
        pictures.fit(np.full((4, 4, 4, 1), 255.0), verbose=0)


def test_pictures_without_channels(pictures):
    with pytest.raises(ValueError, match=r"Add the channel axis: x\[..., None\]"):
        pictures.fit(np.zeros((4, 4, 4)), verbose=0)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (161, "at most the number of examples, 160; received 161"),
        (0, "at least 1; received 0"),
        (-4, "at least 1; received -4"),
        (2.5, "whole number.*received 2.5"),
        (True, "whole number.*received True"),
        ("8", "whole number.*received '8'"),
    ],
)
def test_batch_size(size, message, model):
    with pytest.raises(ValueError, match=f"batch_size.*{message}"):
        model.fit(X, batch_size=size, verbose=0)


@pytest.mark.parametrize("share", [1.0, 1.5, -0.1, 0.001])
def test_validation_split(share, model):
    with pytest.raises(ValueError, match=f"validation_split.*received {share}"):
        model.fit(X, validation_split=share, verbose=0)


def test_steps_of_an_evaluation_of_an_array(model):
    with pytest.raises(ValueError, match="steps is for data sets; received"):
        model.evaluate(X, verbose=0, steps=3)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (X[:, :5], r"x must have shape \(n, 6\); received \((n|16), 5\)"),
        ((X * 255).astype("int32"), "x holds int32; expected uint8"),
        ({"picture": X}, "one of the keys image.*received the keys picture"),
    ],
    ids=["shape", "integers", "keys"],
)
def test_data_sets(batch, message, model):
    dataset = tf.data.Dataset.from_tensor_slices(batch).batch(16)
    for task in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=message):
            task(dataset, verbose=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "mse"}, "computes its own loss.*likelihood"),
        ({"metrics": ["mae"]}, "computes its own loss and metrics"),
        ({"jit_compile": "yes"}, "True, False or 'auto'; received 'yes'"),
        ({"optimizer": "adamm"}, "adamm"),
    ],
)
def test_compile(options, message):
    with pytest.raises(ValueError, match=message):
        create().compile(**options)


def test_compiling_what_xla_lacks():
    model = zoo.create(
        "info_ae_robust", (4, 4, 1), latents=2, critic=(2,), generator=(2,), classifier=(2,)
    )
    with pytest.raises(ValueError, match=r"XLA lacks.*jit_compile=True.*'auto'"):
        model.compile(jit_compile=True)


@pytest.mark.parametrize("codes", [np.zeros((3, 5)), np.zeros(2), np.zeros((0, 2)), [["a", "b"]]])
def test_codes(codes, model):
    with pytest.raises(ValueError, match=r"codes|row"):
        model.decode(codes)


@pytest.mark.parametrize("function", ["fit", "evaluate", "encode", "decode", "encode_batch"])
def test_inputs_of_a_model_of_keras(function, model):
    """They hold no numbers: Keras said so in several lines, without a way out."""
    given = keras.Input((2,) if function == "decode" else (6,))
    with pytest.raises(ValueError, match=r"must hold numbers.*model\.as_keras\('encode'\)"):
        getattr(model, function)(given)


def test_codes_that_are_sparse(model):
    codes = scipy.sparse.csr_matrix(np.eye(3, 2))
    with pytest.raises(ValueError, match=r"z must be a dense array.*z\.toarray\(\)"):
        model.decode(codes)


@pytest.mark.parametrize("n", [0, -1, 2.5, True, "3", None])
def test_number_of_examples_to_generate(n):
    with pytest.raises(ValueError, match=f"n must be a whole number.*received {n!r}"):
        create().generate(n)


@pytest.mark.parametrize("seed", ["one", 1.5, None])
def test_seed_of_generate(seed):
    with pytest.raises(ValueError, match=f"seed must be a whole number.*received {seed!r}"):
        create().generate(2, seed=seed)


def test_generating_without_a_prior(model):
    with pytest.raises(ValueError, match=r"no prior.*prior=|decode"):
        model.generate(3)


def test_clustering_without_a_classifier(model):
    with pytest.raises(ValueError, match=r"No part of this model classifies.*kmeans"):
        model.cluster(X)


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 cut short", None], ids=["empty", "cut", "half"]
)
def test_a_truncated_file(content, tmp_path):
    path = tmp_path / "m.keras"
    if content is None:
        create().save(path)
        content = path.read_bytes()[:2000]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"m\.keras"):
        zoo.load_model(path)


def test_a_missing_file(tmp_path):
    with pytest.raises((ValueError, FileNotFoundError), match=r"gone\.keras"):
        zoo.load_model(tmp_path / "gone.keras")
