"""A regularizer of your own: a class with a name and a penalty, used, saved and loaded like any other."""

import keras
import numpy as np
import tensorflow as tf

import zoo


@zoo.register("decorrelation")
class Decorrelation(zoo.Regularizer):
    """Sum of the squared correlations between different units of the code, over the batch.

    Args:
        weight: a number or a Keras schedule of the training step.
        name: name of the metric.
    """

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """A scalar; `forward` holds the inputs, the code, the posterior, the prior and the output."""
        code = zoo.gather(forward.code)  # of all devices: the batch is one, however many share it
        centred = code - tf.reduce_mean(code, axis=0)
        scaled = tf.math.l2_normalize(centred, axis=0, epsilon=1e-6)
        correlation = tf.matmul(scaled, scaled, transpose_a=True)
        return tf.reduce_sum(tf.square(correlation)) - tf.linalg.trace(tf.square(correlation))


def train(regularizers: list) -> zoo.Autoencoder:
    """A deterministic autoencoder of the digits, with these regularizers."""
    model = zoo.create(
        "autoencoder", data.event_shape, latents=8, hidden=(200,), regularizers=regularizers
    )
    model.compile(optimizer="adam")
    model.fit(data, epochs=15, batch_size=64, verbose=0)
    return model


def mean_correlation(model: zoo.Autoencoder) -> float:
    """Mean |correlation| between two units on test data."""
    correlation = np.corrcoef(model.encode(test), rowvar=False)
    return np.abs(correlation[np.triu_indices_from(correlation, 1)]).mean()


data, test = zoo.data.load("digits", "train"), zoo.data.load("digits", "test")
plain = train([])
model = train([{"name": "decorrelation", "weight": 1.0}])

model.save("decorrelated.keras")
loaded = keras.saving.load_model("decorrelated.keras")

print("every term is a metric:", model.evaluate(test, return_dict=True, verbose=0))
print(f"mean |correlation| of two units: {mean_correlation(plain):.3f} without the regularizer")
print(f"                                 {mean_correlation(model):.3f} with it")
print(f"                                 {mean_correlation(loaded):.3f} saved and loaded again")
