"""Regularizers: terms of the loss beside the reconstruction."""

from zoo.regularizers.adversarial import AdversarialRegularizer
from zoo.regularizers.base import Regularizer
from zoo.regularizers.keras_regularizer import KerasRegularizer
from zoo.regularizers.kl import KL
from zoo.regularizers.resolve import resolve

__all__ = ["KL", "AdversarialRegularizer", "KerasRegularizer", "Regularizer", "resolve"]
