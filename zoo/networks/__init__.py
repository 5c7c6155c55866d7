"""Encoders and decoders: small builders of plain Keras models."""

from zoo.networks.archetypal import Archetypal
from zoo.networks.build import Networks, build_networks
from zoo.networks.causal import CausalConvolutions
from zoo.networks.conditioned import Conditioned
from zoo.networks.conv import conv_decoder, conv_encoder
from zoo.networks.corruption import Corruption, GaussianNoise, MaskingNoise
from zoo.networks.critic import BatchSpread, critic_network
from zoo.networks.dictionary import Dictionary, UnitAtoms
from zoo.networks.few_channels import Conv2D, Conv2DTranspose, Cropping2D
from zoo.networks.mlp import Gated, mlp
from zoo.networks.offset import Centred
from zoo.networks.standardization import Standardization
from zoo.networks.tied import Tied
from zoo.networks.unconditioned import Unconditioned
from zoo.networks.views import RandomView, check_strength, view
from zoo.networks.with_condition import WithCondition

__all__ = [
    "Archetypal",
    "BatchSpread",
    "CausalConvolutions",
    "Centred",
    "Conditioned",
    "Conv2D",
    "Conv2DTranspose",
    "Corruption",
    "Cropping2D",
    "Dictionary",
    "Gated",
    "GaussianNoise",
    "MaskingNoise",
    "Networks",
    "RandomView",
    "Standardization",
    "Tied",
    "Unconditioned",
    "UnitAtoms",
    "WithCondition",
    "build_networks",
    "check_strength",
    "conv_decoder",
    "conv_encoder",
    "critic_network",
    "mlp",
    "view",
]
