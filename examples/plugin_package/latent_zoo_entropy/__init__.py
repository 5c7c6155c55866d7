"""Parts for latent-zoo: the regularizer code_entropy, and a model that uses it."""

from latent_zoo_entropy.code_entropy import CodeEntropy

__all__ = ["CodeEntropy"]
