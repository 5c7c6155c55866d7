"""Regularizers: terms of the loss beside the reconstruction."""

from zoo.regularizers.adversarial import AdversarialRegularizer
from zoo.regularizers.base import Regularizer
from zoo.regularizers.hold_l0 import HoldL0
from zoo.regularizers.keras_regularizer import KerasRegularizer
from zoo.regularizers.kl import KL
from zoo.regularizers.resolve import resolve

__all__ = ["KL", "AdversarialRegularizer", "HoldL0", "KerasRegularizer", "Regularizer", "resolve"]
