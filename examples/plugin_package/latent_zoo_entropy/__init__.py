"""A plugin for latent-zoo: the regularizer code_entropy."""

from latent_zoo_entropy.code_entropy import CodeEntropy

__all__ = ["CodeEntropy"]
