"""A classifier as the critic: sure of the data and undecided about what is generated."""

from __future__ import annotations

import keras
import tensorflow as tf

import zoo


@zoo.register("class_entropy")
class ClassEntropy(zoo.AdversarialRegularizer):
    """The game of the categorical GAN, whose discriminator is the model's encoder, a classifier.

    With p(c|x) by the encoder and H the entropy in nats, the encoder minimises

        mean H(p(c|x)) - H(mean p(c|x)) - mean H(p(c|x_g))

    over the data x and what is generated, x_g; the decoder minimises

        mean H(p(c|x_g)) - H(mean p(c|x_g))

    (Springenberg, "Unsupervised and Semi-supervised Learning with Categorical Generative Adversarial
    Networks", 2016, equations 7 and 8). The encoder's weights are the critic's: nothing else in the loss
    trains them.

    Args:
        weight: a number or a Keras schedule of the training step.
        learning_rate: of the classifier's Adam, a number or a Keras schedule.
        beta_1: Adam's first decay rate.
        critic_steps: steps of the classifier for each of the decoder.
        name: name of the metric.

    Example:
        >>> model = zoo.create("cat_gan", (6,), classes=3, noise_units=4, hidden=(8,))
        >>> model.compile("adam")
        >>> x = np.random.default_rng(0).random((64, 6), np.float32)
        >>> sorted(model.fit(x, verbose=0).history)
        ['class_entropy', 'class_entropy_critic', 'loss', 'reconstruction']
    """

    sees_model = True
    judges_pictures = True

    @property
    def critic_layers(self) -> list[keras.layers.Layer]:
        """The encoder and the bottleneck."""
        return [self.model.encoder, self.model.bottleneck]

    def check(self, model: zoo.Autoencoder) -> None:
        """The bottleneck classifies, and there is something to generate from."""
        if model.bottleneck.classes is None or model.prior is None:
            raise ValueError(
                "The regularizer 'class_entropy' needs a bottleneck of classes and a prior, both "
                f"'categorical_style'; received a {type(model.bottleneck).__name__}. Take the model "
                "'cat_gan'."
            )

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """A scalar, in nats: minus what the classes of generated examples tell of them."""
        sure, even = self._entropies(forward.generated.recoded)
        return sure - even

    def critic_loss(self, forward: zoo.ForwardPass) -> tf.Tensor:
        """A scalar, in nats."""
        sure, even = self._entropies(forward.encode(forward.inputs, training=True))
        fake, _ = self._entropies(forward.encode(forward.generated.picture, training=True))
        return sure - even - fake

    def _entropies(self, code: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The mean entropy of the classes of each row, and the entropy of their mean over all rows."""
        chances = tf.nn.softmax(self.model.bottleneck.classify(zoo.gather(code)))
        return tf.reduce_mean(_entropy(chances)), _entropy(tf.reduce_mean(chances, axis=0))


def _entropy(chances: tf.Tensor) -> tf.Tensor:
    return -tf.reduce_sum(chances * tf.math.log(chances + 1e-8), axis=-1)
