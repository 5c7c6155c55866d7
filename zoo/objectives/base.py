"""What every objective is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from zoo.forward import ForwardPass
from zoo.parts import Part

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder
    from zoo.bottlenecks import Code


class Objective(Part):
    """The terms of the loss that come from x, its code and its likelihood.

    The model adds to "loss" what its regularizers, its bottleneck and the layers of a user's own networks
    ask for. A subclass implements `terms`, and `check` where it does not work with every model.

    Attributes:
        jit_possible: whether XLA has all operations of it.

    Example:
        >>> @zoo.register("doubled", kind="objective")
        ... class Doubled(zoo.objectives.Objective):
        ...     def terms(self, forward):
        ...         reconstruction = forward.mean(forward.reconstruction())
        ...         return {"loss": 2 * reconstruction, "reconstruction": reconstruction}
        >>> encoder, decoder = zoo.networks.mlp([4]), zoo.networks.mlp([4], (6,))
        >>> model = zoo.Autoencoder(
        ...     (6,), encoder, {"name": "deterministic", "units": 2}, decoder, objective="doubled"
        ... )
        >>> model.compile()
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> found = model.evaluate(x, return_dict=True, verbose=0)
        >>> np.allclose(found["loss"], 2 * found["reconstruction"])
        True
    """

    jit_possible = True

    def __init__(self, **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)

    def received(self, code: Code) -> Code:
        """The bottleneck's code as it is decoded and as `ForwardPass` holds it.

        An objective whose gradient for the encoder is not that of the loss changes how the code hands
        gradients on.
        """
        return code

    def terms(self, forward: ForwardPass) -> dict[str, tf.Tensor]:
        """The terms of a pass by the names of their metrics, scalars.

        Args:
            forward: see `ForwardPass`; `forward.mean` averages over its rows.

        Returns:
            "loss", what is minimised, and any others, which are reported only.
        """
        raise NotImplementedError(f"{type(self).__name__} must define terms(forward).")

    def error(self, forward: ForwardPass, decoded: tf.Tensor) -> tf.Tensor:
        """What the loss counts for another output of the decoder than that of the pass.

        Args:
            forward: see `ForwardPass`.
            decoded: (batch, *event).

        Returns:
            (batch,) float32, by default the likelihood's term.
        """
        return forward.reconstruction(decoded)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; a subclass adds its own to these."""
        return {"name": self.name}


def refuse_measures(model: Autoencoder, name: str) -> None:
    """Raise ValueError where the objective of a name is given a likelihood whose loss is not -log p(x|z)."""
    if model.likelihood.reduction != "sum":
        raise ValueError(
            f"The objective {name!r} weighs draws by p(x|z), and with reduction="
            f"{model.likelihood.reduction!r} the loss is not -log p(x|z): leave the reduction out."
        )
    if not model.likelihood.has_density:
        raise ValueError(
            f"The objective {name!r} weighs draws by p(x|z), and the likelihood "
            f"{type(model.likelihood).zoo_name!r} is no density. Take one that is, such as 'bernoulli'."
        )
