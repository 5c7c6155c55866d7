"""The L1 norm of the code."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

import zoo

OF = ("code", "raw")


@zoo.register("l1")
class L1(zoo.Regularizer):
    """sum_i |z_i|, the sparse autoencoder's penalty (Ng, "Sparse autoencoder", CS294A, 2011).

    With decoder_norms it is sum_i |z_i| ||d_i||, d_i the atoms of a `zoo.networks.Dictionary`, so that atoms
    which grow while codes shrink gain nothing (Conerly et al., "Update on how we train SAEs", 2024).

    Args:
        weight: a number or a Keras schedule of the training step.
        decoder_norms: whether every unit counts by the norm of its atom.
        of: "code", or "raw" for sum_i max(v_i, 0) of the code before gates, top-k or thresholds.
        name: name of the metric.

    Example:
        >>> model = zoo.create(
        ...     "autoencoder", (6,), latents=2, hidden=(4,), regularizers=[{"name": "l1", "weight": 0.1}]
        ... )
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> penalty = model.evaluate(x, return_dict=True, verbose=0)["l1"]
        >>> np.allclose(penalty, np.abs(model.encode(x)).sum(axis=1).mean(), rtol=1e-4)
        True
    """

    sees_model = True
    fixed = ("decoder_norms", "of")

    def __init__(
        self,
        weight: Any = 1.0,
        decoder_norms: bool = False,
        of: str = "code",
        name: str | None = None,
    ):
        super().__init__(weight, name)
        self.decoder_norms = bool(decoder_norms)
        if of not in OF:
            raise ValueError(f"of must be one of {', '.join(OF)}; received {of!r}.")
        self.of = of

    def check(self, model: zoo.Autoencoder) -> None:
        """Norms need a dictionary."""
        if self.decoder_norms and not isinstance(model.decoder, zoo.networks.Dictionary):
            raise ValueError(
                "The regularizer 'l1' with decoder_norms needs a decoder zoo.networks.Dictionary; received "
                f"{type(model.decoder).__name__}."
            )

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """(batch,)."""
        if self.of == "raw" and forward.raw is None:
            raise ValueError(
                "The regularizer 'l1' with of='raw' needs a bottleneck with a raw code, such as 'gated'; "
                f"received a {type(self.model.bottleneck).__name__}."
            )
        sizes = (
            tf.abs(forward.vectors)
            if self.of == "code"
            else tf.nn.relu(zoo.as_vectors(forward.raw))
        )
        if self.decoder_norms:
            decoder: Any = self.model.decoder
            sizes = sizes * decoder.norms
        return tf.reduce_sum(sizes, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "decoder_norms": self.decoder_norms, "of": self.of}
