"""Adam as one operation for each variable."""

from __future__ import annotations

import reprlib
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

    Example:
        >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        >>> model.compile(zoo.trainer.Adam(1e-3, beta_1=0.5))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> history = model.fit(x, verbose=0)
        >>> int(model.optimizer.iterations)
        1
    """

    _powers: Any

    def _backend_update_step(
        self, grads: Any, trainable_variables: Any, learning_rate: Any
    ) -> None:
        if self._distribution_strategy.num_replicas_in_sync > 1:
            super()._backend_update_step(grads, trainable_variables, learning_rate)
            return
        # Once for all variables: on a small model the scalars would cost as much as the kernels.
        iterations: Any = self.iterations
        step = tf.cast(iterations + 1, tf.float32)
        self._powers = [
            tf.pow(tf.constant(b, tf.float32), step) for b in (self.beta_1, self.beta_2)
        ]
        # Keras sums over the replicas first, and so waits for the last gradient, by when the others have left
        # the cache.
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            self.update_step(gradient, variable, learning_rate)
        self._powers = None

    def load_own_variables(self, store: Any) -> None:
        """As Keras's; of a file that was saved without them, nothing: the optimizer begins anew."""
        if store.keys():
            super().load_own_variables(store)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable."""
        single = self._distribution_strategy.num_replicas_in_sync == 1
        target = variable.value if isinstance(variable, keras.Variable) else variable
        if self.amsgrad or isinstance(gradient, tf.IndexedSlices) or not single:
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        kind = target.dtype
        powers = [tf.cast(power, kind) for power in self._powers]
        tf.raw_ops.ResourceApplyAdam(
            var=target.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=powers[0],
            beta2_power=powers[1],
            lr=tf.cast(learning_rate, kind),
            beta1=tf.constant(self.beta_1, kind),
            beta2=tf.constant(self.beta_2, kind),
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
        ValueError: for a name that Keras does not know, and for what is no optimizer of Keras, as None, a
            class or one of PyTorch.
    """
    if not isinstance(optimizer, str | dict | keras.optimizers.Optimizer):
        raise ValueError(
            "optimizer must be a name such as 'adam', a config or an optimizer of Keras (an object, as "
            f"keras.optimizers.Adam(1e-3)); received {reprlib.repr(optimizer)}."
        )
    clip: dict[str, Any] = {"global_clipnorm": 5.0} if heavy_tailed else {}
    if optimizer in ("adam", "Adam"):
        return Adam(**clip)
    if isinstance(optimizer, str) and clip:
        made: Any = keras.optimizers.get(optimizer)
        return type(made).from_config({**made.get_config(), **clip})
    return keras.optimizers.get(optimizer)
