"""Encoders and decoders: small builders of plain Keras models."""

from zoo.networks.build import Networks, build_networks
from zoo.networks.conv import conv_decoder, conv_encoder
from zoo.networks.corruption import Corruption, GaussianNoise, MaskingNoise
from zoo.networks.mlp import mlp
from zoo.networks.tied import Tied

__all__ = [
    "Corruption",
    "GaussianNoise",
    "MaskingNoise",
    "Networks",
    "Tied",
    "build_networks",
    "conv_decoder",
    "conv_encoder",
    "mlp",
]
