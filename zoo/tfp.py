"""TensorFlow Probability's distributions, `tfd`, with the types that its lazy loader hides from checkers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow_probability.python.distributions as tfd
else:
    from tensorflow_probability import distributions as tfd

__all__ = ["tfd"]
