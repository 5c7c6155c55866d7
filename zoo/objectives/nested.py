"""Reconstructions from the first units alone: the Matryoshka objective."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from zoo.forward import ForwardPass
from zoo.networks.dictionary import Dictionary
from zoo.objectives.explained_variance import ExplainedVariance
from zoo.registry import register
from zoo.values import positive_int

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder


@register("nested", kind="objective")
class Nested(ExplainedVariance):
    """The mean over widths m of ||x - x_hat_{1:m}||^2 / Var(x), x_hat_{1:m} by the first m units alone.

    Bussmann et al., "Learning Multi-Level Features with Matryoshka Sparse Autoencoders", 2025, equation 4.
    General features come to lie in the first units.

    Args:
        widths: rising numbers of units; all units are the last width whether they are named or not.

    Example:
        >>> model = zoo.create("matryoshka_sae", (6,), latents=12, target_l0=3, widths=(3, 6))
        >>> model.objective.widths
        (3, 6, 12)
    """

    fixed = ("widths",)

    def __init__(self, widths: Sequence[int] = (), **kwargs: Any):
        super().__init__(**kwargs)
        self.widths = tuple(positive_int(width, "a width") for width in widths)

    def build(self, input_shape: Any = None) -> None:
        """Create the running sums; the last width is that of the code."""
        units = self.model.units
        self.widths = tuple(sorted({*self.widths, units}))
        if self.widths[-1] > units:
            raise ValueError(
                f"widths must be at most the number of units, {units}; received {self.widths[-1]}."
            )
        super().build(input_shape)

    def check(self, model: Autoencoder) -> None:
        """The decoder must be a dictionary."""
        super().check(model)
        if not isinstance(model.decoder, Dictionary):
            raise ValueError(
                "The objective 'nested' needs a decoder that can use some units alone, a "
                f"zoo.networks.Dictionary; received {type(model.decoder).__name__}."
            )

    def loss(self, forward: ForwardPass) -> tf.Tensor:
        """The mean of the shares that are left, (batch,)."""
        decoder: Any = self.model.decoder
        outputs = decoder.partial(forward.code, self.widths, forward.condition)
        return tf.add_n([self.error(forward, output) for output in outputs]) / len(outputs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "widths": self.widths}
