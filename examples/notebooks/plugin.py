# %% [markdown]
# # A part of your own
#
# A penalty that asks the units of a code to be used equally often, by name in any model. Open this file as
# a notebook in VS Code or with Jupytext; as a script it runs from top to bottom.

# %%
import numpy as np
import tensorflow as tf

import zoo

# %% [markdown]
# A regularizer reads the record of a forward pass and gives one number for the batch. `zoo.gather` makes
# the batch that of all devices.


# %%
@zoo.register("even_use")
class EvenUse(zoo.Regularizer):
    """sum_j (m_j - mean m)^2, m_j the mean of |z_j| over the batch."""

    def penalty(self, forward, training=False):
        """One number for the batch."""
        use = tf.reduce_mean(tf.abs(zoo.gather(forward.code)), axis=0)
        return tf.reduce_sum(tf.square(use - tf.reduce_mean(use)))


# %% [markdown]
# It has a name now. `loss` holds it with its weight, and the metric `even_use` without.

# %%
data = zoo.data.load("digits", "train")


def train(weight):
    """A k-sparse autoencoder with this weight."""
    model = zoo.create(
        "k_sparse_autoencoder",
        data.event_shape,
        latents=32,
        k=4,
        regularizers=[{"name": "even_use", "weight": weight}],
        seed=0,
    )
    model.compile(zoo.trainer.Adam(2e-3))
    model.fit(data, epochs=15, batch_size=64, verbose=0)
    return model


plain, even = train(0.0), train(10.0)
for name, model in (("without", plain), ("with", even)):
    use = np.abs(model.encode(data)).mean(axis=0)
    print(f"{name} it: the uses of the units deviate by {use.std() / use.mean():.2f} of their mean")

# %% [markdown]
# It is saved with the model, and comes back where its class has been defined.

# %%
even.save("even.keras")
again = zoo.load_model("even.keras")
print("the same codes:", np.array_equal(again.encode(data), even.encode(data)))
