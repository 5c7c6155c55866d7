"""The one model of the zoo, by concept: its parts, a training step, and what one does with it."""

from zoo.autoencoder.autoencoder import Autoencoder

__all__ = ["Autoencoder"]
