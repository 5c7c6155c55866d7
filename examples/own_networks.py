"""Keras models of your own as encoder and decoder; the rest of the model stays as it is.

The encoder ends in one vector of features for each example: the layer that makes a code of them belongs to
the bottleneck. The decoder takes a code and gives one number for each element of the input, before the
likelihood's link: logits for the default likelihood.
"""

import keras
from keras import layers

import zoo


def residual_encoder() -> keras.Model:
    """(8, 8, 1) -> (features,), two residual blocks."""
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(16, 3, padding="same")(inputs)
    for _ in range(2):
        y = layers.Conv2D(16, 3, padding="same", activation="silu")(layers.GroupNormalization(4)(x))
        x = layers.Add()([x, layers.Conv2D(16, 3, padding="same")(y)])
    x = layers.AveragePooling2D(2)(layers.Activation("silu")(x))
    return keras.Model(inputs, layers.Flatten()(x))


def upsampling_decoder(latents: int) -> keras.Model:
    """(latents,) -> (8, 8, 1) logits."""
    return keras.Sequential(
        [
            keras.Input((latents,)),
            layers.Dense(4 * 4 * 32, activation="silu"),
            layers.Reshape((4, 4, 32)),
            layers.UpSampling2D(2),
            layers.Conv2D(16, 3, padding="same", activation="silu"),
            layers.Conv2D(1, 3, padding="same"),
        ]
    )


train, test = zoo.data.load("digits", "train"), zoo.data.load("digits", "test")
networks = {
    "mlp, 500, 500": "mlp",
    "own, residual": (residual_encoder(), upsampling_decoder(latents=10)),
}
for title, pair in networks.items():
    model = zoo.create("vae", train.event_shape, latents=10, networks=pair)
    model.compile(optimizer="adam")
    model.fit(train, epochs=8, batch_size=64, verbose=0)
    terms = model.evaluate(test, return_dict=True, verbose=0)
    print(
        f"{title:14} {model.count_params():>8,} weights   "
        f"reconstruction {terms['reconstruction']:.2f} + KL {terms['kl']:.2f} "
        f"= {terms['loss']:.2f} nats on test data"
    )
model.save("own_networks.keras")
same = keras.saving.load_model("own_networks.keras")
difference = abs(model.reconstruct(test) - same.reconstruct(test)).max()
print(f"saved and loaded again: reconstructions differ by {difference:.1g} at most")
