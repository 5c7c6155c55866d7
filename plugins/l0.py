"""The number of active units, as a penalty that has a gradient."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo

FORMS = ("step", "quadratic", "tanh")


@zoo.register("l0")
class L0(zoo.Regularizer):
    """The active units of a code, in one of three forms.

        sum_j H(v_j - theta_j)                               "step"
        (mean_i L0_i / target - 1)^2                         "quadratic", of the batch
        sum_j tanh(c z_j ||d_j||)
           + pre_act sum_j relu(theta_j - v_j) ||d_j||       "tanh"

    The first is Rajamanoharan et al., "Jumping Ahead", 2024, equation 9, the second their appendix G, the
    third Conerly et al., "Dictionary Learning Optimization Techniques", 2025.
    The first two need a bottleneck with gates, such as "jump_relu", whose estimate of the gradient they take.
    The last adds its second sum where there are thresholds; it gives dead units a gradient.

    Args:
        form: see above.
        target: of the form "quadratic", above 0.
        c: of the form "tanh", at least 0; a number or a Keras schedule of the training step.
        pre_act: likewise.
        weight: a number or a Keras schedule of the training step.
        name: name of the metric.

    Example:
        >>> model = zoo.create("jump_relu_sae", (6,), latents=12, target_l0=3, regularizers=["l0"])
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> count = model.evaluate(x, return_dict=True, verbose=0)["l0"]
        >>> np.allclose(count, np.count_nonzero(model.encode(x), axis=1).mean())
        True
    """

    sees_model = True

    def __init__(
        self,
        form: str = "step",
        target: float | None = None,
        c: float = 4.0,
        pre_act: float = 3e-6,
        *,
        weight: Any = 1.0,
        name: str | None = None,
    ):
        super().__init__(weight, name)
        if form not in FORMS:
            raise ValueError(f"form of l0 must be one of {', '.join(FORMS)}; received {form!r}.")
        if (form == "quadratic") != (target is not None) or (target is not None and target <= 0):
            raise ValueError(
                f"target of l0, above 0, belongs to form='quadratic'; received form={form!r} and "
                f"target={target!r}."
            )
        self.form, self.target = form, target
        self.c = zoo.scalar(c, "c of l0", minimum=0)
        self.pre_act = zoo.scalar(pre_act, "pre_act of l0", minimum=0)

    def check(self, model: zoo.Autoencoder) -> None:
        """There must be gates or atoms."""
        if self.form != "tanh" and not model.bottleneck.has_gates:
            raise ValueError(
                f"The regularizer 'l0' of form {self.form!r} needs a bottleneck with gates, such as "
                f"'jump_relu'; received {type(model.bottleneck).__name__}. Use form='tanh'."
            )
        if self.form == "tanh" and not isinstance(model.decoder, zoo.networks.Dictionary):
            raise ValueError(
                "The regularizer 'l0' of form 'tanh' needs a decoder zoo.networks.Dictionary; received "
                f"{type(model.decoder).__name__}."
            )

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,), or a scalar of the form "quadratic"."""
        if self.form == "tanh":
            return self._tanh(forward)
        count = tf.reduce_sum(forward.notes["gates"], axis=-1)
        if self.form == "step":
            return count
        target: Any = self.target  # which this form has
        return tf.square(tf.reduce_mean(zoo.gather(count)) / target - 1.0)

    def _tanh(self, forward: zoo.ForwardPass) -> tf.Tensor:
        decoder: Any = self.model.decoder
        norms = decoder.norms
        c, pre_act = (zoo.at_step(number, forward.step) for number in (self.c, self.pre_act))
        count = tf.reduce_sum(tf.tanh(c * forward.code * norms), axis=-1)
        if "thresholds" not in forward.notes:
            return count
        below = tf.nn.relu(forward.notes["thresholds"] - forward.raw) * norms
        return count + pre_act * tf.reduce_sum(below, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        own = {"form": self.form, "target": self.target}
        numbers = {"c": zoo.scalar_config(self.c), "pre_act": zoo.scalar_config(self.pre_act)}
        return {**super().get_config(), **own, **numbers}
