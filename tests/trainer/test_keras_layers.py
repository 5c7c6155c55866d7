"""Every layer of Keras in a small network: one step, as plain Keras takes it, whatever XLA can compile."""

import inspect
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

import zoo
from tests.conftest import make_vectors

L = keras.layers
ROWS = 4
VECTOR, SEQUENCE, PHOTO, VOLUME, FILM = (6,), (6, 4), (8, 8, 3), (4, 4, 4, 2), (2, 3, 3, 3, 1)


def two(layer):
    """A layer of several inputs."""
    return lambda x: layer()([x, L.Activation("tanh")(x)])


def attention(layer):
    return lambda x: layer()(x, L.Activation("tanh")(x))


def of_numbers(layer, classes=5):
    """A layer of whole numbers from 0 to 2."""
    return lambda x: L.Embedding(classes, 2)(layer()(L.Discretization([0.3, 0.6])(x)))


def recurrent(cell):
    return lambda x: L.RNN(cell())(x)


def crossed(x):
    first, second = L.Discretization([0.3])(x[:, :1]), L.Discretization([0.6])(x[:, 1:2])
    return L.Embedding(5, 2)(L.HashedCrossing(5)((first, second)))


# name: (shape of an example, what is done to a batch of them)
EXACT = {
    "Activation": (VECTOR, lambda x: L.Activation("elu")(x)),
    "ELU": (VECTOR, lambda x: L.ELU()(x)),
    "LeakyReLU": (VECTOR, lambda x: L.LeakyReLU()(x)),
    "PReLU": (VECTOR, lambda x: L.PReLU()(x)),
    "ReLU": (VECTOR, lambda x: L.ReLU()(x)),
    "Softmax": (VECTOR, lambda x: L.Softmax()(x)),
    "Dense": (VECTOR, lambda x: L.Dense(3, "relu")(x)),
    "EinsumDense": (VECTOR, lambda x: L.EinsumDense("ab,bc->ac", 3)(x)),
    "Identity": (VECTOR, lambda x: L.Identity()(x)),
    "Lambda": (VECTOR, lambda x: L.Lambda(keras.ops.tanh)(x)),
    "BatchNormalization": (VECTOR, lambda x: L.BatchNormalization()(x)),
    "LayerNormalization": (VECTOR, lambda x: L.LayerNormalization()(x)),
    "RMSNormalization": (VECTOR, lambda x: L.RMSNormalization()(x)),
    "GroupNormalization": (VECTOR, lambda x: L.GroupNormalization(2)(x)),
    "UnitNormalization": (VECTOR, lambda x: L.UnitNormalization()(x)),
    "SpectralNormalization": (VECTOR, lambda x: L.SpectralNormalization(L.Dense(3))(x)),
    "ActivityRegularization": (VECTOR, lambda x: L.ActivityRegularization(0.1, 0.1)(x)),
    "Flatten": (SEQUENCE, lambda x: L.Flatten()(x)),
    "Reshape": (VECTOR, lambda x: L.Reshape((3, 2))(x)),
    "Permute": (SEQUENCE, lambda x: L.Permute((2, 1))(x)),
    "RepeatVector": (VECTOR, lambda x: L.RepeatVector(2)(x)),
    "Rescaling": (VECTOR, lambda x: L.Rescaling(2.0, 1.0)(x)),
    "Normalization": (VECTOR, lambda x: L.Normalization(mean=0.5, variance=2.0)(x)),
    "Masking": (SEQUENCE, lambda x: L.Masking(0.0)(x)),
    "Embedding": (VECTOR, of_numbers(lambda: L.Identity())),
    "ReversibleEmbedding": (
        VECTOR,
        lambda x: L.ReversibleEmbedding(3, 2)(L.Discretization([0.3, 0.6])(x)),
    ),
    "Discretization": (VECTOR, of_numbers(lambda: L.Identity())),
    "Hashing": (VECTOR, of_numbers(lambda: L.Hashing(5))),
    "IntegerLookup": (VECTOR, of_numbers(lambda: L.IntegerLookup(vocabulary=[0, 1, 2]))),
    "CategoryEncoding": (
        VECTOR,
        lambda x: L.CategoryEncoding(3)(L.Discretization([0.3, 0.6])(x)),
    ),
    "HashedCrossing": (VECTOR, crossed),
    "Add": (VECTOR, two(L.Add)),
    "Average": (VECTOR, two(L.Average)),
    "Concatenate": (VECTOR, two(L.Concatenate)),
    "Dot": (VECTOR, two(lambda: L.Dot(axes=1))),
    "Maximum": (VECTOR, two(L.Maximum)),
    "Minimum": (VECTOR, two(L.Minimum)),
    "Multiply": (VECTOR, two(L.Multiply)),
    "Subtract": (VECTOR, two(L.Subtract)),
    "Attention": (SEQUENCE, two(L.Attention)),
    "AdditiveAttention": (SEQUENCE, two(L.AdditiveAttention)),
    "MultiHeadAttention": (SEQUENCE, attention(lambda: L.MultiHeadAttention(2, 3))),
    "GroupedQueryAttention": (SEQUENCE, attention(lambda: L.GroupQueryAttention(3, 2, 1))),
    "Conv1D": (SEQUENCE, lambda x: L.Conv1D(3, 2)(x)),
    "Conv1DTranspose": (SEQUENCE, lambda x: L.Conv1DTranspose(3, 2)(x)),
    "DepthwiseConv1D": (SEQUENCE, lambda x: L.DepthwiseConv1D(2)(x)),
    "SeparableConv1D": (SEQUENCE, lambda x: L.SeparableConv1D(3, 2)(x)),
    "AveragePooling1D": (SEQUENCE, lambda x: L.AveragePooling1D(2)(x)),
    "MaxPooling1D": (SEQUENCE, lambda x: L.MaxPooling1D(2)(x)),
    "AdaptiveAveragePooling1D": (SEQUENCE, lambda x: L.AdaptiveAveragePooling1D(2)(x)),
    "AdaptiveMaxPooling1D": (SEQUENCE, lambda x: L.AdaptiveMaxPooling1D(2)(x)),
    "GlobalAveragePooling1D": (SEQUENCE, lambda x: L.GlobalAveragePooling1D()(x)),
    "GlobalMaxPooling1D": (SEQUENCE, lambda x: L.GlobalMaxPooling1D()(x)),
    "Cropping1D": (SEQUENCE, lambda x: L.Cropping1D()(x)),
    "UpSampling1D": (SEQUENCE, lambda x: L.UpSampling1D()(x)),
    "ZeroPadding1D": (SEQUENCE, lambda x: L.ZeroPadding1D()(x)),
    "SimpleRNN": (SEQUENCE, lambda x: L.SimpleRNN(3)(x)),
    "GRU": (SEQUENCE, lambda x: L.GRU(3)(x)),
    "LSTM": (SEQUENCE, lambda x: L.LSTM(3)(x)),
    "RNN": (SEQUENCE, recurrent(lambda: [L.LSTMCell(3), L.GRUCell(2)])),
    "SimpleRNNCell": (SEQUENCE, recurrent(lambda: L.SimpleRNNCell(3))),
    "GRUCell": (SEQUENCE, recurrent(lambda: L.GRUCell(3))),
    "LSTMCell": (SEQUENCE, recurrent(lambda: L.LSTMCell(3))),
    "StackedRNNCells": (SEQUENCE, recurrent(lambda: L.StackedRNNCells([L.LSTMCell(3)]))),
    "Bidirectional": (SEQUENCE, lambda x: L.Bidirectional(L.LSTM(2))(x)),
    "TimeDistributed": (SEQUENCE, lambda x: L.TimeDistributed(L.Dense(2))(x)),
    "STFTSpectrogram": (
        (32, 1),
        lambda x: L.STFTSpectrogram(frame_length=8, frame_step=4, fft_length=8)(x),
    ),
    "MelSpectrogram": (
        (32,),
        lambda x: L.MelSpectrogram(
            fft_length=16, sequence_stride=8, sequence_length=16, num_mel_bins=4, sampling_rate=100
        )(x),
    ),
    "Conv2D": (PHOTO, lambda x: L.Conv2D(2, 3, 2)(x)),
    "Conv2DTranspose": (PHOTO, lambda x: L.Conv2DTranspose(2, 3)(x)),
    "DepthwiseConv2D": (PHOTO, lambda x: L.DepthwiseConv2D(3)(x)),
    "SeparableConv2D": (PHOTO, lambda x: L.SeparableConv2D(2, 3)(x)),
    "AveragePooling2D": (PHOTO, lambda x: L.AveragePooling2D(2)(x)),
    "MaxPooling2D": (PHOTO, lambda x: L.MaxPooling2D(2)(x)),
    "AdaptiveAveragePooling2D": (PHOTO, lambda x: L.AdaptiveAveragePooling2D(2)(x)),
    "AdaptiveMaxPooling2D": (PHOTO, lambda x: L.AdaptiveMaxPooling2D(2)(x)),
    "GlobalAveragePooling2D": (PHOTO, lambda x: L.GlobalAveragePooling2D()(x)),
    "GlobalMaxPooling2D": (PHOTO, lambda x: L.GlobalMaxPooling2D()(x)),
    "Cropping2D": (PHOTO, lambda x: L.Cropping2D(2)(x)),
    "UpSampling2D": (PHOTO, lambda x: L.UpSampling2D(2, interpolation="bicubic")(x)),
    "ZeroPadding2D": (PHOTO, lambda x: L.ZeroPadding2D()(x)),
    "Resizing": (PHOTO, lambda x: L.Resizing(4, 4)(x)),
    "CenterCrop": (PHOTO, lambda x: L.CenterCrop(4, 4)(x)),
    "AutoContrast": (PHOTO, lambda x: L.AutoContrast(value_range=(0, 1))(x)),
    "Equalization": (PHOTO, lambda x: L.Equalization(value_range=(0, 1))(x)),
    "ContrastLimitedAdaptiveHistogramEqualization": (
        PHOTO,
        lambda x: L.ContrastLimitedAdaptiveHistogramEqualization((0, 1), tile_grid_size=(2, 2))(x),
    ),
    "ConvLSTM1D": (PHOTO, lambda x: L.ConvLSTM1D(2, 3)(x)),
    "ConvLSTM2D": (VOLUME, lambda x: L.ConvLSTM2D(2, 2)(x)),
    "ConvLSTM3D": (FILM, lambda x: L.ConvLSTM3D(2, 2)(x)),
    "Conv3D": (VOLUME, lambda x: L.Conv3D(2, 2)(x)),
    "Conv3DTranspose": (VOLUME, lambda x: L.Conv3DTranspose(2, 2)(x)),
    "AveragePooling3D": (VOLUME, lambda x: L.AveragePooling3D(2)(x)),
    "MaxPooling3D": (VOLUME, lambda x: L.MaxPooling3D(2)(x)),
    "AdaptiveAveragePooling3D": (VOLUME, lambda x: L.AdaptiveAveragePooling3D(2)(x)),
    "AdaptiveMaxPooling3D": (VOLUME, lambda x: L.AdaptiveMaxPooling3D(2)(x)),
    "GlobalAveragePooling3D": (VOLUME, lambda x: L.GlobalAveragePooling3D()(x)),
    "GlobalMaxPooling3D": (VOLUME, lambda x: L.GlobalMaxPooling3D()(x)),
    "Cropping3D": (VOLUME, lambda x: L.Cropping3D()(x)),
    "UpSampling3D": (VOLUME, lambda x: L.UpSampling3D()(x)),
    "ZeroPadding3D": (VOLUME, lambda x: L.ZeroPadding3D()(x)),
}
UNIT = {"value_range": (0, 1)}
NOISY = {
    "Dropout": (VECTOR, lambda x: L.Dropout(0.5)(x)),
    "AlphaDropout": (VECTOR, lambda x: L.AlphaDropout(0.5)(x)),
    "GaussianDropout": (VECTOR, lambda x: L.GaussianDropout(0.5)(x)),
    "GaussianNoise": (VECTOR, lambda x: L.GaussianNoise(0.5)(x)),
    "SpatialDropout1D": (SEQUENCE, lambda x: L.SpatialDropout1D(0.5)(x)),
    "SpatialDropout2D": (PHOTO, lambda x: L.SpatialDropout2D(0.5)(x)),
    "SpatialDropout3D": (VOLUME, lambda x: L.SpatialDropout3D(0.5)(x)),
    "AugMix": (PHOTO, lambda x: L.AugMix(**UNIT)(x)),
    "RandAugment": (PHOTO, lambda x: L.RandAugment(**UNIT)(x)),
    "RandomBrightness": (PHOTO, lambda x: L.RandomBrightness(0.2, **UNIT)(x)),
    "RandomColorDegeneration": (PHOTO, lambda x: L.RandomColorDegeneration(0.5, **UNIT)(x)),
    "RandomColorJitter": (
        PHOTO,
        lambda x: L.RandomColorJitter(**UNIT, brightness_factor=0.2, hue_factor=0.2)(x),
    ),
    "RandomContrast": (PHOTO, lambda x: L.RandomContrast(0.2, **UNIT)(x)),
    "RandomCrop": (PHOTO, lambda x: L.RandomCrop(4, 4)(x)),
    "RandomElasticTransform": (PHOTO, lambda x: L.RandomElasticTransform(**UNIT)(x)),
    "RandomErasing": (PHOTO, lambda x: L.RandomErasing(**UNIT)(x)),
    "RandomFlip": (PHOTO, lambda x: L.RandomFlip()(x)),
    "RandomGaussianBlur": (PHOTO, lambda x: L.RandomGaussianBlur(1.0, 3, **UNIT)(x)),
    "RandomGrayscale": (PHOTO, lambda x: L.RandomGrayscale()(x)),
    "RandomHue": (PHOTO, lambda x: L.RandomHue(0.2, **UNIT)(x)),
    "RandomInvert": (PHOTO, lambda x: L.RandomInvert(**UNIT)(x)),
    "RandomPerspective": (PHOTO, lambda x: L.RandomPerspective()(x)),
    "RandomPosterization": (PHOTO, lambda x: L.RandomPosterization(4, **UNIT)(x)),
    "RandomRotation": (PHOTO, lambda x: L.RandomRotation(0.1)(x)),
    "RandomSaturation": (PHOTO, lambda x: L.RandomSaturation(0.2, **UNIT)(x)),
    "RandomSharpness": (PHOTO, lambda x: L.RandomSharpness(0.2, **UNIT)(x)),
    "RandomShear": (PHOTO, lambda x: L.RandomShear(0.2, 0.2)(x)),
    "RandomTranslation": (PHOTO, lambda x: L.RandomTranslation(0.1, 0.1)(x)),
    "RandomZoom": (PHOTO, lambda x: L.RandomZoom(0.1)(x)),
    "Solarization": (PHOTO, lambda x: L.Solarization(**UNIT)(x)),
    "MixUp": (PHOTO, lambda x: L.MixUp()(x)),
    "CutMix": (PHOTO, lambda x: L.CutMix()(x)),
    "Pipeline": (PHOTO, lambda x: L.Pipeline([L.RandomFlip()])(x)),
}
ELSEWHERE = {
    "Layer": "the base class",
    "Wrapper": "a base class",
    "InputLayer": "in every network here",
    "StringLookup": "of strings",
    "TextVectorization": "of strings",
    "MaxNumBoundingBoxes": "of boxes",
    "TFSMLayer": "of a file",
    "FlaxLayer": "of another backend",
    "JaxLayer": "of another backend",
    "TorchModuleWrapper": "of another backend",
}
# Those that "auto" has XLA compile.
COMPILED = (
    "Activation",
    "Add",
    "BatchNormalization",
    "Concatenate",
    "Dense",
    "ELU",
    "Identity",
    "LayerNormalization",
    "LeakyReLU",
    "ReLU",
    "Reshape",
)


def test_every_layer_has_an_entry():
    classes = {
        cls.__name__
        for cls in vars(L).values()
        if inspect.isclass(cls) and issubclass(cls, L.Layer)
    }
    assert classes == {*EXACT, *NOISY, *ELSEWHERE}


def networks(shape, change):
    """An encoder that ends in a dense layer, and a decoder, the same each time."""
    keras.utils.set_random_seed(0)
    inputs, code = keras.Input(shape), keras.Input((2,))
    features = L.Dense(3)(L.Flatten()(change(inputs)))
    decoded = L.Reshape(shape)(L.Dense(math.prod(shape))(code))
    return keras.Model(inputs, features), keras.Model(code, decoded)


def side_by_side(changes):
    """One network of several branches."""
    return lambda x: L.Concatenate()([L.Flatten()(change(x)) for change in changes])


def data(shape):
    return make_vectors(ROWS, math.prod(shape)).reshape(ROWS, *shape)


def ours(shape, change, **options):
    encoder, decoder = networks(shape, change)
    bottleneck = {"name": "deterministic", "units": 2}
    model = zoo.Autoencoder(shape, encoder, bottleneck, decoder, "squared_error")
    model.compile(keras.optimizers.SGD(0.01), **options)
    return model


def plain(model, shape, change):
    """The same layers and weights with Keras alone."""
    encoder, decoder = networks(shape, change)
    dense = L.Dense(2)
    inputs = keras.Input(shape)
    copy = keras.Model(inputs, decoder(dense(encoder(inputs))))
    encoder.set_weights(model.encoder.get_weights())
    dense.set_weights(model.bottleneck.dense.get_weights())
    decoder.set_weights(model.decoder.get_weights())
    copy.compile(
        keras.optimizers.SGD(0.01),
        loss=lambda x, y: tf.reduce_sum((x - y) ** 2, axis=list(range(1, len(shape) + 1))),
        run_eagerly=True,
    )
    return copy, [encoder, dense, decoder]


def assert_steps_as_keras(shape, change, **options):
    model, x = ours(shape, change, **options), data(shape)
    copy, pieces = plain(model, shape, change)
    loss = model.fit(x, batch_size=ROWS, shuffle=False, verbose=0).history["loss"][0]
    assert_allclose(copy.train_on_batch(x, x), loss, rtol=1e-5)
    for piece, own in zip(
        pieces, (model.encoder, model.bottleneck.dense, model.decoder), strict=True
    ):
        for one, other in zip(piece.weights, own.weights, strict=True):
            assert_allclose(other.numpy(), one.numpy(), rtol=1e-4, atol=1e-6, err_msg=one.path)
    return model


def shapes_of(table):
    return sorted({shape for shape, _ in table.values()})


def changes_of(table, shape):
    return [change for its, change in table.values() if its == shape]


@pytest.mark.parametrize("shape", shapes_of(EXACT), ids=str)
def test_layers_side_by_side_step_as_in_keras(shape):
    assert_steps_as_keras(shape, side_by_side(changes_of(EXACT, shape)))


@pytest.mark.parametrize("shape", shapes_of(NOISY), ids=str)
def test_noisy_layers_side_by_side_step(shape):
    model = ours(shape, side_by_side(changes_of(NOISY, shape)))
    before = model.encoder.layers[-1].kernel.numpy()
    history = model.fit(data(shape), batch_size=ROWS, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert np.abs(model.encoder.layers[-1].kernel.numpy() - before).max() > 0


def test_what_xla_is_given_it_compiles(auto_compiles):
    model = assert_steps_as_keras(VECTOR, side_by_side([EXACT[name][1] for name in COMPILED]))
    assert model._use_jit


@pytest.mark.long
@pytest.mark.parametrize("name", EXACT)
def test_a_layer_steps_as_in_keras(name, auto_compiles):
    shape, change = EXACT[name]
    model = assert_steps_as_keras(shape, change)
    assert model._use_jit or name not in COMPILED


@pytest.mark.long
@pytest.mark.parametrize("name", NOISY)
def test_a_noisy_layer_steps(name):
    shape, change = NOISY[name]
    history = ours(shape, change).fit(data(shape), batch_size=ROWS, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def unknown_to_xla(x):
    """A dense layer whose activation leaves the graph."""
    return L.Dense(3, activation=_in_numpy)(x)


def _in_numpy(x):
    @tf.custom_gradient
    def doubled(x):
        found = tf.numpy_function(lambda a: 2 * a, [x], x.dtype)
        return tf.ensure_shape(found, x.shape), lambda upstream: 2 * upstream

    return doubled(x)


def test_auto_compiles_small_models(auto_compiles):
    for hidden, small in (((8,), True), ((4000,), False)):  # 4,000 units: 72,008 weights
        model = zoo.create("autoencoder", (6,), latents=2, hidden=hidden)
        model.compile()
        assert model._use_jit == small


def test_auto_falls_back_where_xla_refuses(auto_compiles):
    model = ours(VECTOR, unknown_to_xla)
    assert model._use_jit  # by its layers it could be compiled
    model = assert_steps_as_keras(VECTOR, unknown_to_xla)
    assert not model._use_jit


@pytest.mark.parametrize(
    "change", [unknown_to_xla, NOISY["RandomRotation"][1], EXACT["UpSampling2D"][1]]
)
def test_compilation_that_was_asked_for_is_refused_in_one_line(change):
    shape = VECTOR if change is unknown_to_xla else PHOTO
    with pytest.raises(ValueError, match="XLA lacks operations") as caught:
        ours(shape, change, jit_compile=True).fit(data(shape), verbose=0)
    assert "\n" not in str(caught.value)


def channels_first(x):
    return L.Conv2D(2, 3, 2, data_format="channels_first")(x)


def test_pictures_whose_channels_come_first():
    assert_steps_as_keras((3, 8, 8), channels_first)


@pytest.fixture
def channels_first_by_default():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


def answers(model, x):
    noise = zoo.Noise(0, 0)
    views = zoo.networks.view(x, noise)
    return [
        views,
        model.reconstruct(x),
        *(c.critic_loss(model.forward(x, noise, True)) for c in model.critics),
    ]


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("vae", {"hidden": (3,)}),
        ("vae", {"networks": "conv", "hidden": (3, 4)}),
        ("autoencoder", {"networks": "tied", "hidden": (3,)}),
        ("vae", {"networks": "dc_ign"}),
        ("invariant_autoencoder", {"filters": (3, 3), "dense": (4,)}),
        ("vae", {"hidden": (3,), "regularizers": [{"name": "discriminator", "hidden": (2, 3)}]}),
    ],
)
def test_pictures_have_their_channels_last_whatever_keras_has(
    model, options, channels_first_by_default
):
    x, found = data((8, 9, 3)), []
    for kind in ("channels_first", "channels_last"):
        keras.config.set_image_data_format(kind)
        found.append(answers(zoo.create(model, (8, 9, 3), latents=2, seed=0, **options), x))
    for one, other in zip(*found, strict=True):
        assert_allclose(one, other, rtol=1e-5, atol=1e-6)
