"""Adam as one operation for each variable."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from zoo.serialization import serializable


@serializable
class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` whose update is TensorFlow's fused kernel.

    The update, its arguments and its saved state are Keras's (Kingma & Ba 2015, end of section 2); one
    kernel replaces about ten small operations for each variable. Sparse gradients, AMSGrad and several
    replicas take Keras's own path.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable."""
        single = self._distribution_strategy.num_replicas_in_sync == 1
        target = variable.value if isinstance(variable, keras.Variable) else variable
        if self.amsgrad or isinstance(gradient, tf.IndexedSlices) or not single:
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        kind = target.dtype
        step = tf.cast(self.iterations + 1, kind)
        beta_1, beta_2 = (tf.constant(beta, kind) for beta in (self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=target.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, kind),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, kind),
            grad=tf.cast(gradient, kind),
        )


def resolve_optimizer(optimizer: Any, heavy_tailed: bool) -> keras.optimizers.Optimizer:
    """The optimizer of a name, a config or an instance.

    Args:
        optimizer: as in `keras.Model.compile`. The name "adam" gives the fused `Adam`.
        heavy_tailed: whether single draws of the code can be huge. Adam's second moment does not recover
            from such a spike soon, so the named optimizer then clips the global norm of the gradient
            at 5.

    Returns:
        A Keras optimizer.

    Raises:
        ValueError: for a name that Keras does not know.
    """
    clip = {"global_clipnorm": 5.0} if heavy_tailed else {}
    if optimizer in ("adam", "Adam"):
        return Adam(**clip)
    if isinstance(optimizer, str) and clip:
        config = keras.optimizers.get(optimizer).get_config()
        return type(keras.optimizers.get(optimizer)).from_config({**config, **clip})
    return keras.optimizers.get(optimizer)
