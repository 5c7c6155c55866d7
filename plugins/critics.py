"""What the critics of pictures and codes share: losses, networks and the options of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

import zoo
from zoo import at_step, positive_int, scalar, scalar_config, suggest

FORMS = ("saturating", "non_saturating", "hinge")
NORMS = ("batch", "spectral", "none")


def real_loss(logits: tf.Tensor, form: str, smoothing: float = 0.0) -> tf.Tensor:
    """What a critic minimises on real examples.

    -(1 - s) log S - s log(1 - S) with S = sigmoid(logits) and label smoothing s (one-sided: Salimans et
    al., "Improved Techniques for Training GANs", 2016, section 3.4); max(0, 1 - logits) for "hinge".

    Args:
        logits: any shape.
        form: one of `FORMS`; the first two differ for the model alone.
        smoothing: s.

    Returns:
        The same shape.

    Example:
        >>> from zoo_plugins.critics import real_loss
        >>> round(float(real_loss(0.0, "non_saturating")), 3)  # log 2
        0.693
        >>> real_loss(np.float32([-1.0, 2.0]), "hinge").numpy().tolist()
        [2.0, 0.0]
    """
    if form == "hinge":
        return tf.nn.relu(1.0 - logits)
    return tf.nn.softplus(-logits) + smoothing * logits


def fake_loss(logits: tf.Tensor, form: str) -> tf.Tensor:
    """What a critic minimises on fakes: -log(1 - S), or max(0, 1 + logits) for "hinge".

    Example:
        >>> from zoo_plugins.critics import fake_loss
        >>> round(float(fake_loss(0.0, "non_saturating")), 3)  # log 2
        0.693
        >>> fake_loss(np.float32([-1.0, 2.0]), "hinge").numpy().tolist()
        [0.0, 3.0]
    """
    return tf.nn.relu(1.0 + logits) if form == "hinge" else tf.nn.softplus(logits)


def fooling_loss(logits: tf.Tensor, form: str) -> tf.Tensor:
    """What the model minimises on its fakes.

    log(1 - S) for "saturating" (Goodfellow et al., "Generative Adversarial Nets", 2014, equation 1; its
    gradient vanishes where the critic wins), -log S for "non_saturating" (section 3 there), -logits for
    "hinge".

    Example:
        >>> from zoo_plugins.critics import fooling_loss
        >>> round(float(fooling_loss(0.0, "saturating")), 3)
        -0.693
        >>> round(float(fooling_loss(0.0, "non_saturating")), 3)
        0.693
    """
    if form == "saturating":
        return -tf.nn.softplus(logits)
    return -logits if form == "hinge" else tf.nn.softplus(-logits)


class Critic(zoo.AdversarialRegularizer):
    """Base of regularizers whose critic tells real from fake.

    Args:
        weight: as in `zoo.Regularizer`.
        form: of the losses, "saturating", "non_saturating" or "hinge".
        hidden: units of the critic's hidden layers, or filters of its convolutions.
        norm: of the hidden layers: "batch" (all but the first), "spectral" or "none".
        label_smoothing: s of `real_loss`, from 0 to below 0.5.
        instance_noise: standard deviation of the noise added to what the critic sees of examples, a
            number or a Keras schedule of the training step.
        **kwargs: learning_rate, beta_1, critic_steps and name, as in `zoo.AdversarialRegularizer`.

    A subclass gives `build`, which creates the networks and ends with ``super().build(...)``,
    `penalty` and `critic_loss`.

    Example:
        >>> import tensorflow as tf
        >>> from zoo_plugins.critics import Critic
        >>> class Uniformity(Critic):  # codes against uniform numbers
        ...     def build(self, event_shape=(), units=0):
        ...         self.critic = self.network((units,))
        ...         super().build(event_shape, units)
        ...     def penalty(self, forward, training=False):
        ...         return self.fool(self.critic(forward.code, training=training))
        ...     def critic_loss(self, forward):
        ...         uniform = forward.noise.fold("uniform").uniform(tf.shape(forward.code)[0], 2)
        ...         return self.separate(self.critic(uniform), self.critic(forward.code))
        >>> critic = Uniformity(hidden=(8,), norm="none")
        >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,), regularizers=[critic])
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> history = model.fit(x, verbose=0)
        >>> sorted(history.history)
        ['loss', 'reconstruction', 'uniformity', 'uniformity_critic']
    """

    fixed = ("hidden", "norm")

    def __init__(
        self,
        weight: Any = 1.0,
        form: str = "non_saturating",
        hidden: Sequence[int] = (64, 128),
        norm: str = "batch",
        label_smoothing: float = 0.0,
        instance_noise: Any = 0.0,
        **kwargs: Any,
    ):
        super().__init__(weight, **kwargs)
        for value, known, option in ((form, FORMS, "form"), (norm, NORMS, "norm")):
            if value not in known:
                raise ValueError(f"Unknown {option} {value!r} of a critic.{suggest(value, known)}")
        if not 0 <= label_smoothing < 0.5:
            raise ValueError(
                f"label_smoothing must be at least 0 and below 0.5; received {label_smoothing!r}."
            )
        self.form = form
        self.hidden = tuple(positive_int(units, "hidden") for units in hidden)
        self.norm = norm
        self.label_smoothing = float(label_smoothing)
        self.instance_noise = scalar(instance_noise, "instance_noise", 0)

    def separate(self, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        """The critic's loss for its logits of real and fake examples, a scalar."""
        return tf.reduce_mean(real_loss(real, self.form, self.label_smoothing)) + tf.reduce_mean(
            fake_loss(fake, self.form)
        )

    def fool(self, logits: tf.Tensor) -> tf.Tensor:
        """The model's loss for the critic's logits of its fakes, (batch,)."""
        return fooling_loss(logits, self.form)[:, 0]

    def blurred(self, examples: tf.Tensor, forward: zoo.ForwardPass, tag: str) -> tf.Tensor:
        """Examples with the instance noise of this step (Sønderby et al. 2017, section 3)."""
        if isinstance(self.instance_noise, float) and self.instance_noise == 0:
            return examples
        noise = forward.noise.fold(tag).normal(tf.shape(examples)[0], *examples.shape[1:])
        return examples + at_step(self.instance_noise, forward.step) * noise

    def once(
        self, what: str, forward: zoo.ForwardPass, judge: Callable[[], tf.Tensor]
    ) -> tf.Tensor:
        """The logits of one kind of examples, the same in `penalty` and `critic_loss` unless noise is added.

        Args:
            what: the examples, in a word.
            forward: see `zoo.ForwardPass`.
            judge: () -> the logits.

        Returns:
            What `judge` gave, now or before.
        """
        if isinstance(self.instance_noise, float) and self.instance_noise == 0:
            return forward.once((self.name, what), judge)
        return judge()

    def network(self, event_shape: Sequence[int], outputs: int = 1, **options: Any) -> keras.Model:
        """A built critic of examples: see `zoo.networks.critic_network`."""
        network = zoo.networks.critic_network(
            event_shape, self.hidden, self.norm, outputs, **options
        )
        network.build((None, *event_shape))
        return network

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "form": self.form,
            "hidden": self.hidden,
            "norm": self.norm,
            "label_smoothing": self.label_smoothing,
            "instance_noise": scalar_config(self.instance_noise),
        }
