"""The one model of the zoo: how its parts are put together, and how it is saved."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from zoo import registry
from zoo.autoencoder import beside_weights, collapse, scales
from zoo.autoencoder.given import check_event
from zoo.autoencoder.use import UsableModel
from zoo.bottlenecks import Bottleneck
from zoo.conditions import Condition
from zoo.distributions.likelihoods import Likelihood
from zoo.distributions.priors import Prior
from zoo.networks.build import built_shape, check_event_shape, named
from zoo.networks.corruption import Corruption
from zoo.networks.standardization import Standardization
from zoo.objectives import ELBO, Objective
from zoo.parts import Part
from zoo.regularizers import resolve
from zoo.serialization import (
    deserialize_part,
    part,
    policy,
    serializable,
    serialize_part,
    whole_number,
)
from zoo.trainer.column_names import ColumnNames
from zoo.trainer.intake import Intake
from zoo.trainer.slices import HOME

# Chosen when the model is made; set later they would have no effect, or half of one.
_FIXED = (
    "encoder",
    "bottleneck",
    "decoder",
    "likelihood",
    "prior",
    "objective",
    "regularizers",
    "corruption",
    "condition",
    "event_shape",
    "target_shape",
    "mask",
    "standardization",
    "input_shape",
    "pairs",
    "standardize",
    "step",
    "intake",
    "feed",
    # Keras's own, of which a model would read nothing later.
    "dtype_policy",
    "activity_regularizer",
    "autocast",
    "input_spec",
    "supports_jit",
    "supports_masking",
)
_MASKS = (None, "nan")
# Keras's layers that XLA compiles, and that it makes faster.
_COMPILED = (
    keras.Sequential,
    keras.layers.Activation,
    keras.layers.Add,
    keras.layers.BatchNormalization,
    keras.layers.Concatenate,
    keras.layers.Dense,
    keras.layers.Dropout,
    keras.layers.ELU,
    keras.layers.Flatten,
    keras.layers.Identity,
    keras.layers.InputLayer,
    keras.layers.LayerNormalization,
    keras.layers.LeakyReLU,
    keras.layers.ReLU,
    keras.layers.Reshape,
)


@serializable
class Autoencoder(UsableModel):
    """Encoder -> bottleneck -> decoder -> likelihood, with a prior, an objective and regularizers.

    Training minimises the mean over the batch of

        objective + sum_i weight_i * penalty_i

    where the objective is -log p(x|z), summed over the event, unless another is chosen: the negative
    evidence lower bound where the regularizer is KL.

    Args:
        input_shape: shape of one example, (h, w, channels) or (d,).
        encoder: Keras model or layer, (batch, *input_shape) -> (batch, features), or
            (batch, h, w, features) for a grid of codes. It is given [x, condition] where the model declares
            a condition, and x with its mask behind it on the last axis where values may be missing.
        bottleneck: see `zoo.bottlenecks`; a name, a dict with "name" and options, or a `Bottleneck`.
        decoder: Keras model or layer, (batch, *code) -> (batch, *input_shape), before the likelihood's link.
            It is given [code, condition] where the model declares a condition. One that shares weights has a
            method ``join(encoder, bottleneck)``, which is called when these are built; one with a method
            ``see_target(target)`` is shown the targets of training before it decodes.
        likelihood: p(x|z), likewise.
        prior: p(z), likewise, or None.
        regularizers: names, dicts, Keras regularizers (act on the code) or `Regularizer`s.
        corruption: what to do to the encoder's input in training, or None.
        objective: see `zoo.objectives`, likewise; None for the evidence lower bound.
        condition: what the model is given beside x as y: a number of classes, the shape of one row of
            covariates, or a dict of names to these; see `zoo.conditions`.
        target_shape: shape of one target, for a model that reconstructs y and not x.
        mask: "nan" where NaN in x stands for a missing value, which the likelihood leaves out and
            `reconstruct` fills in; None to refuse NaN.
        pairs: whether training and evaluation take pairs, ``fit(x, partner)`` with a second example beside
            each; the bottleneck brings their codes together. In use each example stands for itself.
        standardize: whether encoder and likelihood see (x - mean) / deviation of every column or channel
            (`zoo.networks.Standardization`), taken from the rows of the first `fit`. What the model gives
            back is in the data's units; the terms of the loss are those of standardized data.
        seed: of the noise and of the order of the data, a whole number.
        scale: what bytes (uint8) are divided by: a number, or "none" for 1; a dict of "x" and "target" where
            the two differ. None to decide by the first bytes that come, see `zoo.data.scaling`.
        formula: the objective as a formula, for reports.

    Raises:
        ValueError: for parts that do not fit together.

    Example:
        >>> from zoo.networks import mlp
        >>> model = zoo.Autoencoder(
        ...     (6,),
        ...     encoder=mlp([4]),
        ...     bottleneck={"name": "stochastic", "units": 2},
        ...     decoder=mlp([4], (6,)),
        ...     prior="laplace",
        ...     regularizers=["kl"],
        ... )
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.encode(x).shape, model.reconstruct(x).shape, model.generate(3, seed=0).shape
        ((20, 2), (20, 6), (3, 6))
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        encoder: keras.Layer,
        bottleneck: Any,
        decoder: keras.Layer,
        likelihood: Any = "bernoulli",
        prior: Any = None,
        regularizers: Any = None,
        corruption: Corruption | None = None,
        objective: Any = None,
        condition: Any = None,
        target_shape: Sequence[int] | None = None,
        mask: str | None = None,
        pairs: bool = False,
        standardize: bool = False,
        seed: int = 0,
        scale: Any = None,
        formula: str = "",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.event_shape = check_event_shape(input_shape)
        self.encoder = named(encoder, "encoder")
        self.bottleneck = part(bottleneck, "bottleneck", Bottleneck)
        self.decoder = named(decoder, "decoder")
        self.likelihood = part(likelihood, "likelihood", Likelihood)
        self.prior = part(prior, "prior", Prior)
        self.objective = ELBO() if objective is None else part(objective, "objective", Objective)
        self.regularizers = resolve(regularizers)
        self.corruption = _checked_corruption(corruption)
        self.condition = condition
        self.target_shape = None if target_shape is None else check_event_shape(target_shape)
        self.mask = mask
        self.pairs = bool(pairs)
        self.standardization = Standardization() if standardize else None
        self.seed = whole_number(seed, "seed")
        self.__dict__["_given_scale"] = scale
        self.formula = formula
        # Of the networks that a prior and critics make for themselves.
        self._policy = keras.config.dtype_policy().name
        self._check_inputs()
        self._build_parts()
        for member in self.parts:
            member.check(self)
        prior, bottleneck = type(self.prior).__name__, type(self.bottleneck).__name__
        check_event(self.prior_distribution(), self.code_shape, f"The prior {prior}")
        posterior = f"The posterior of the bottleneck {bottleneck}"
        check_event(self.example_posterior(), self.code_shape, posterior)
        for regularizer in self.regularizers:
            regularizer.check_gradient(self.likelihood)
        shape = self.target_shape or self.event_shape
        for scale_of in self.intake.reconstructed:
            scale_of.counts = self.likelihood.is_of_counts(shape)
            scale_of.only_whole = self.likelihood.only_whole

    @functools.cached_property
    def intake(self) -> Intake:
        """The door through which data reach the model."""
        declared = None if self.condition is None else Condition(self.condition)
        return Intake(
            self.event_shape,
            self.likelihood.bounds,
            self.target_shape,
            declared,
            self.mask == "nan",
            self.__dict__["_given_scale"],
            self.pairs,
        )

    def adapt(self, x: Any) -> None:
        """Take the mean and deviation of a model with ``standardize=True`` from data.

        `fit` does so with the first arrays that it is given; before a `fit` of a stream, or to take them from
        other rows, call this.

        Args:
            x: array (rows, *event), a `zoo.data.Data` record, or a data set of batches, which is read once.

        Raises:
            ValueError: for a model that does not standardize, or data that do not fit.
        """
        scales.adapt(self, x)

    def meet(self, x: Any) -> None:
        """Adapt to the rows that `fit` trains on, and look at their scales; see `BlockTrainer.meet`."""
        scales.meet(self, x)

    def collapsed(self, logs: Mapping[str, Any]) -> str:
        """What to warn of where the code tells nothing of x; see `BlockTrainer.collapsed`."""
        return collapse.collapsed(self, logs)

    @property
    def scale(self) -> Any:
        """What bytes are divided by, as given or as decided by the first that came; None before.

        A dict of "x" and "target" for a model with a target. It may be set as long as nothing is decided.
        """
        known = {name: scale.divisor for name, scale in self.intake.scales.items()}
        return known if self.target_shape is not None else known["x"]

    @scale.setter
    def scale(self, value: Any) -> None:
        if any(scale.divisor is not None for scale in self.intake.scales.values()):
            raise ValueError(
                f"What bytes are divided by is decided once: by {self.scale!r}; received {value!r} later. "
                "Create a new model with scale=..."
            )
        self.intake.give_scale(value)

    @property
    def parts(self) -> list[Part]:
        """Everything but the networks."""
        chosen = (self.bottleneck, self.prior, self.likelihood, self.objective, self.corruption)
        members = [member for member in (*chosen, *self.regularizers) if member is not None]
        inner = [la for member in members for la in member._layers if isinstance(la, Part)]
        return [*members, *inner]  # such as the family of a posterior

    @property
    def changes(self) -> int:
        """How often a setting of a part, the seed, or the meaning of bytes was changed."""
        watched = [*self.parts, *self.intake.scales.values()]
        return sum(each.changes for each in watched) + self.__dict__.get("_changes", 0)

    @property
    def heavy_tailed(self) -> bool:
        """Whether single draws of the code can be huge."""
        return self.bottleneck.heavy_tailed

    @property
    def jit_friendly(self) -> bool:
        """Whether XLA makes the step faster, and is known to have all operations of every layer.

        Convolutions are not among them: oneDNN's outrun XLA's on a processor. Nor are classes of a user's
        own, which may hold anything: `layer.supports_jit` is True for some of Keras's layers, too, that XLA
        has no kernel for.
        """
        known = all(
            type(layer) in _COMPILED
            or type(layer).__name__ == "Functional"
            or type(layer).__module__.startswith(HOME)
            for layer in self._flatten_layers()
        )
        return known and self.bottleneck.jit_friendly and not self.critics

    @property
    def jit_possible(self) -> bool:
        """Whether XLA has all operations of the step, as far as parts and layers say."""
        parts = all(getattr(member, "jit_possible", True) for member in self.parts)
        return parts and all(layer.supports_jit for layer in self._flatten_layers())

    @property
    def input_bounds(self) -> tuple[float, float] | None:
        """The range of the inputs, where the likelihood has one."""
        return self.intake.bounds

    def settle(self) -> None:
        """The bottleneck is frozen and freed with the encoder, whose last layer it is; parts are checked.

        An encoder that was frozen when the model was made leaves the bottleneck to be trained.
        """
        frozen = _is_frozen(self.encoder)
        if frozen != self._encoder_frozen:
            self._encoder_frozen = frozen
            self.bottleneck.trainable = not frozen
        for member in self.parts:
            member.check(self)

    def save_own_variables(self, store: Any) -> None:
        """See Keras; with what bytes are divided by, so that weights alone keep it too."""
        super().save_own_variables(store)
        beside_weights.write(self, store)

    def load_own_variables(self, store: Any) -> None:
        """See Keras.

        Raises:
            ValueError: for weights of a model that divides bytes by another number, or whose prior has
                weights where this one has none.
        """
        super().load_own_variables(beside_weights.read(self, store))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            "name": self.name,
            "input_shape": self.event_shape,
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "bottleneck": serialize_part(self.bottleneck),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "likelihood": serialize_part(self.likelihood),
            "prior": serialize_part(self.prior),
            "regularizers": [serialize_part(r) for r in self.regularizers],
            "corruption": serialize_part(self.corruption),
            "objective": serialize_part(self.objective),
            "condition": self.condition,
            "target_shape": self.target_shape,
            "mask": self.mask,
            "pairs": self.pairs,
            "standardize": self.standardization is not None,
            "seed": self.seed,
            "scale": self.intake.kept_scale,
            "columns": self.intake.names.names,
            "formula": self.formula,
            "policy": self._policy,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Autoencoder:
        """The inverse of `get_config`, of 0.1.0 too."""
        config = dict(config)
        config.setdefault("scale", 255.0)  # of all bytes, before it was decided
        if "formula" not in config:  # 0.1.0, where the formula was the objective
            config["formula"] = config.pop("objective", "")
            weight = config.pop("reconstruction_weight", 1.0)
            config["objective"] = serialize_part(ELBO(weight))
        with policy(config.pop("policy", None)):  # models saved before it was kept have none
            for name in ("encoder", "decoder"):
                config[name] = keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("bottleneck", "likelihood", "prior", "corruption", "objective"):
                config[name] = deserialize_part(config[name], name)
            config["regularizers"] = [
                deserialize_part(item, "regularizer") for item in config["regularizers"]
            ]
            if isinstance(config.get("condition"), list):
                config["condition"] = tuple(config["condition"])
            columns = config.pop("columns", None)
            model = cls(**config)
            model.intake.names = ColumnNames(columns)
            return model

    def fit_prior(
        self,
        prior: Any,
        x: Any,
        *,
        condition: Any = None,
        batch_size: int = 500,
        seed: int = 0,
        **options: Any,
    ) -> Autoencoder:
        """A model with these networks, and a prior that is fitted to the codes of x.

        Codes of an encoder that was not held to a prior, as an autoencoder's, fill some region of their own;
        those of a VAE do not fill their prior either. Draws from what fits them make better examples (Ghosh
        et al., "From Variational to Deterministic Autoencoders", 2020, section 4). The fitted prior takes the
        place of the prior: `generate`, a saved and an exported model draw from it, and terms of the loss are
        given its density where it has one.

        Args:
            prior: "gaussian_mixture", "flow", "two_stage", "kernel_density", "codes", "manifold" for normal
                posteriors, "autoregressive" for quantized codes, or a `Prior` with a `fit` of its own.
            x: as in `encode`. A stochastic code is drawn once for each row.
            condition: as in `encode`.
            batch_size: rows of a batch.
            seed: of the draws and of the fit.
            **options: of the prior, such as ``components=10``.

        Returns:
            A new model, compiled as this one is, which stays as it was; its ``prior.report`` says what the
            fit found.

        Raises:
            ValueError: for a prior that cannot be fitted to these codes.

        Example:
            >>> model = zoo.create("autoencoder", (6,), latents=2, hidden=(4,))
            >>> x = np.random.default_rng(0).random((100, 6), np.float32)
            >>> fitted = model.fit_prior("gaussian_mixture", x, components=2)
            >>> fitted.generate(3, seed=0).shape, np.array_equal(fitted.encode(x), model.encode(x))
            ((3, 6), True)
            >>> fitted.save("fitted.keras")
            >>> again = zoo.load_model("fitted.keras")
            >>> np.array_equal(again.generate(3, seed=0), fitted.generate(3, seed=0))
            True
        """
        from zoo.autoencoder.fitting import fitted

        return fitted(self, prior, x, condition, batch_size, seed, **options)

    def score(
        self,
        x: Any,
        by: str = "bound",
        *,
        samples: int = 50,
        condition: Any = None,
        batch_size: int = 500,
        seed: int = 0,
    ) -> np.ndarray:
        """How well every row of x fits the model, in the order of x: a low score marks an anomaly.

        With K draws z_k ~ q(z|x), log p(x|z) in the likelihood's convention:

            bound          log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x)   (Burda et al. 2016, equation 8)
            probability    1/K sum_k log p(x|z_k)   (An & Cho, "Variational Autoencoder based Anomaly
                           Detection using Reconstruction Probability", 2015, algorithm 4)
            error          -||x - x_hat||^2, x_hat the reconstruction of the code without noise

        Missing values are left out of all three. With standardize=True the first two are those of
        standardized data.

        Args:
            x: as in `encode`.
            by: "bound", "probability" or "error".
            samples: K; a code without noise is decoded once.
            condition: as in `encode`.
            batch_size: rows of a batch.
            seed: of the draws.

        Returns:
            (rows,) float64, in nats but for the error.

        Raises:
            ValueError: for another name, or a bound of a model that has no densities of its codes.

        Example:
            >>> model = zoo.create("vae", (6,), latents=2, hidden=(4,))
            >>> x = np.random.default_rng(0).random((20, 6), np.float32)
            >>> model.score(x, samples=5).shape, bool(np.all(model.score(x, by="error") < 0))
            ((20,), True)
        """
        from zoo.autoencoder.scoring import scores

        return scores(self, x, by, samples, condition, batch_size, seed)

    def build(self, input_shape: Any = None) -> None:
        """The constructor has built everything."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and getattr(self, "built", False):
            raise ValueError(
                f"{name} is chosen when a model is made; received a new one later. Create a new model "
                "(from_config(get_config()) copies one)."
            )
        if (
            type(self) is Autoencoder
            and name[0] != "_"
            and getattr(self, "built", False)
            and name in _made_by(self)
        ):
            raise ValueError(
                f"{name} is an option of zoo.create({self.name!r}, ...), which a model does not read later; "
                f"received {value!r}. Change the part that it was for, as model.regularizers[0].weight, or "
                "create a new model."
            )
        super().__setattr__(name, value)
        if name == "seed" and getattr(self, "built", False):
            self.__dict__["_changes"] = self.__dict__.get("_changes", 0) + 1
            self.__dict__.pop("feed", None)

    def _check_inputs(self) -> None:
        if self.mask not in _MASKS:
            raise ValueError(f"mask must be None or 'nan'; received {self.mask!r}.")
        if self.mask is not None and self.target_shape is not None:
            raise ValueError(
                "mask='nan' leaves missing values of x out of its reconstruction; a model with target_shape "
                "reconstructs y. Choose one of them."
            )
        if self.pairs and (self.target_shape, self.condition, self.mask) != (None, None, None):
            raise ValueError(
                "pairs=True makes y the partner of x; leave target_shape, condition and mask out."
            )
        if self.pairs and type(self.bottleneck).draw_pairs is Bottleneck.draw_pairs:
            raise ValueError(
                "pairs=True needs a bottleneck that draws the codes of pairs, such as 'shared_pairs'; "
                f"received a {type(self.bottleneck).__name__}."
            )
        shown = self.likelihood.encoder_shape(self.event_shape)
        if self.mask is not None and shown != self.event_shape:
            raise ValueError(
                "mask='nan' is for values that the encoder sees as they are; a "
                f"{type(self.likelihood).__name__} shows it x as {shown}. Leave such rows out."
            )
        if self.standardization is not None:
            scales.check_standardize(self)
            self.standardization.build((None, *self.event_shape))

    def _build_parts(self) -> None:
        condition = self.intake.condition
        given = () if condition is None else (condition.width,)
        seen = self.event_shape
        if self.target_shape is None:
            seen = self.likelihood.encoder_shape(seen)
        if self.intake.missing:
            seen = (*seen[:-1], 2 * seen[-1])
        features = built_shape(self.encoder, seen, "encoder", *given, flat=not self.bottleneck.grid)
        for member in self.parts:
            member.check_config()
            member.see(self)
        if not self.bottleneck.built:
            self.bottleneck.build(features)
        if hasattr(self.decoder, "join"):
            self.decoder.join(self.encoder, self.bottleneck)
        output = built_shape(self.decoder, self.code_shape, "decoder", *given)
        expected = self.likelihood.decoder_shape(self.target_shape or self.event_shape)
        if tuple(output[1:]) != expected:
            raise ValueError(
                f"The decoder must give (batch, {', '.join(map(str, expected))}), the shape of the "
                f"inputs; it gives {tuple(output)}."
            )
        if self.prior is not None and not self.prior.built:
            self.prior.build((None, *self.code_shape))
        if not self.likelihood.built:
            self.likelihood.build((None, *(self.target_shape or self.event_shape)))
        if not self.objective.built:
            self.objective.build(None)
        if self.corruption is not None and not self.corruption.built:
            self.corruption.build((None, *self.event_shape))
        for member in (self.bottleneck, self.prior):
            if member is not None:
                member.shown_as(self.code_shape)
        self.likelihood.shown_as(self.target_shape or self.event_shape)
        if self.corruption is not None:
            self.corruption.shown_as(self.event_shape)
        self._build_regularizers()
        for member in self.parts:
            if not member.trainable:
                # TensorFlow skips the assignment of the value that is there.
                member.trainable = True
                member.trainable = False
            member.settle()
        self._encoder_frozen = _is_frozen(self.encoder)
        self.built = True

    def _build_regularizers(self) -> None:
        for regularizer in self.regularizers:
            if regularizer.built and regularizer.weights:
                raise ValueError(
                    f"regularizer {regularizer.name!r} has the weights of another model already: give "
                    "every model one of its own."
                )
            regularizer.build(self.event_shape, self.units)


def _is_frozen(network: keras.Layer) -> bool:
    """Whether nothing of a network trains, be it frozen as a whole or layer by layer."""
    # What a layer never trains, as a mean of the data, says nothing of that.
    learned = [v for layer in network._flatten_layers() for v in layer._trainable_variables]
    return not network.trainable or bool(learned and not any(v.trainable for v in learned))


def _made_by(model: Autoencoder) -> set[str]:
    """The options of the function that made a model, but for those that act later."""
    if model.name not in registry.names("model"):
        return set()
    return registry.option_names(registry.lookup(model.name, "model")) - {"seed", "input_shape"}


def _checked_corruption(corruption: Any) -> Corruption | None:
    if corruption is None or isinstance(corruption, Corruption):
        return corruption
    raise ValueError(
        "corruption must be None or a layer such as zoo.networks.MaskingNoise(0.2); received "
        f"{corruption!r}."
    )
