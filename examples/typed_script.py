"""A script with types throughout: a checker such as pyright knows every name of the zoo that it uses."""

from pathlib import Path

import numpy as np
import tensorflow as tf

import zoo


@zoo.register("half_wide")
class HalfWide(zoo.Regularizer):
    """(mean |z_i| - 1/2)^2, summed over the units of the code."""

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """A scalar."""
        mean = tf.reduce_mean(tf.abs(zoo.gather(forward.vectors)), axis=0)
        return tf.reduce_sum(tf.square(mean - 0.5))


def trained(data: zoo.data.Data, terms: list[zoo.Regularizer]) -> zoo.Autoencoder:
    """A variational autoencoder of the digits with terms of one's own."""
    model = zoo.create("vae", data.event_shape, latents=4, hidden=(64,), regularizers=terms)
    model.compile(optimizer="adam")
    model.fit(data, epochs=5, batch_size=64, verbose=0)
    return model


data = zoo.data.load("digits", "train")
model: zoo.Autoencoder = trained(data, [HalfWide(weight=10.0)])
codes: np.ndarray = model.encode(data)
pictures: np.ndarray = model.generate(10, seed=0)
terms: dict[str, float] = model.evaluate(data, return_dict=True, verbose=0)
model.export(Path("typed"))
print(f"codes {codes.shape}, exported {Path('typed').is_dir()}")
print(f"pictures {pictures.shape} of {pictures.dtype}")
print(f"half_wide, a metric like any other: {terms['half_wide']:.4f}")
