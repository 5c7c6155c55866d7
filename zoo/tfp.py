"""TensorFlow Probability's distributions, `tfd`, and bijectors, `tfb`, with types that a checker sees."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow_probability.python.bijectors as tfb
    import tensorflow_probability.python.distributions as tfd
else:
    from tensorflow_probability import bijectors as tfb
    from tensorflow_probability import distributions as tfd

__all__ = ["tfb", "tfd"]
