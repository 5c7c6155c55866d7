"""Two devices train the same model as one: MirroredStrategy, here over two halves of the processor.

With graphics cards leave out the lines that split the processor: `tf.distribute.MirroredStrategy()` takes
all cards that there are. The batch is that of all devices together, and every example gets the same noise
wherever it lands, so that the number of devices changes nothing but the time.
"""

import keras
import numpy as np
import tensorflow as tf

import zoo

processor = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)


def train(strategy: tf.distribute.Strategy) -> zoo.Autoencoder:
    """A model after three epochs; its variables and optimizer belong to the strategy."""
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = zoo.create("laplace_vae", data.event_shape, latents=10, hidden=(100,))
        model.compile(optimizer="adam")
    model.fit(data, epochs=3, batch_size=128, verbose=0)
    return model


data, test = zoo.data.load("digits", "train"), zoo.data.load("digits", "test")
one = train(tf.distribute.get_strategy())
two = train(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))

for title, model in {"one device": one, "two devices": two}.items():
    loss = model.evaluate(test, return_dict=True, verbose=0)["loss"]
    print(f"{title:12} last epoch {model.history.history['loss'][-1]:.4f}, test {loss:.4f} nats")
difference = np.abs(one.encode(test) - two.encode(test)).max()
print(f"their codes of the test data differ by {difference:.1g} at most")
