"""What one does with a trained autoencoder: encode, decode, reconstruct, generate, cluster, export."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from zoo.autoencoder.scales import in_units_of_data, warn_unadapted
from zoo.autoencoder.step import StepModel
from zoo.bottlenecks import Bottleneck
from zoo.conditions import Condition
from zoo.distributions.priors import Prior
from zoo.noise import Noise
from zoo.regularizers import Regularizer
from zoo.serialization import whole_number
from zoo.tfp import tfd
from zoo.trainer.forms import as_array
from zoo.trainer.inference import cut, map_batches
from zoo.trainer.ordering import in_order
from zoo.trainer.refusals import PART, plain_errors
from zoo.trainer.slices import in_slices
from zoo.trainer.sources import batch_columns, batches_of, is_array


class UsableModel(StepModel):
    """The part of `zoo.Autoencoder` that is there to be used rather than trained."""

    @property
    def units(self) -> int:
        """Dimensions of the code, or of the code at one place of a grid."""
        return self.bottleneck.units

    @property
    def code_shape(self) -> tuple[int, ...]:
        """Shape of one code."""
        return self.bottleneck.code_shape

    @property
    def classifies(self) -> bool:
        """Whether a part of the model reads class logits from codes."""
        return self._classifier is not None

    @property
    def classifier(self) -> Bottleneck | Regularizer | Prior:
        """The bottleneck, the first regularizer or the prior that classifies codes.

        Raises:
            ValueError: where there is none.
        """
        found = self._classifier
        if found is None:
            raise ValueError(
                "No part of this model classifies codes. Add a regularizer that does, such as "
                "'mutual_information', or cluster the codes: "
                "zoo.evaluation.clustering.kmeans(model.encode(x), k)."
            )
        return found

    @property
    def _classifier(self) -> Bottleneck | Regularizer | Prior | None:
        if self.bottleneck.classes is not None:
            return self.bottleneck
        return next(
            (part for part in (*self.regularizers, self.prior) if part and part.classifies), None
        )

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """As `call`, for arrays, tables, and tensors that are checked as `encode` checks them."""
        x, condition = self._beside_condition(inputs)
        if self.intake.condition is None:
            return super().__call__(self.intake.called(x), *args, **kwargs)
        return super().__call__((self.intake.called(x), condition), *args, **kwargs)

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """The mean of p(x|z) at the posterior's location.

        Args:
            inputs: (batch, *event), uint8 or float; a pair (x, condition) where the model declares one.
            training: passed to the networks.

        Returns:
            (batch, *event) float32.
        """
        x, condition = self._beside_condition(inputs)
        if tf.is_symbolic_tensor(x):
            x = self.intake.stream_inputs(x)
        return self.reconstruct_batch(x, condition, training)

    def reconstruct_batch(
        self, inputs: Any, condition: Any = None, training: bool = False
    ) -> tf.Tensor:
        """`reconstruct` for one batch, in a graph."""
        encoded = self._encoded(condition)
        features = self._features(self._prepared(inputs), encoded, training)
        code = self.bottleneck.encode(features)
        return self._in_units(self.decode_view(code, encoded, training))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """(batch, *event), of what is reconstructed."""
        rows = tf.nest.flatten(input_shape)[0]
        return (rows, *(self.intake.target_shape or self.event_shape))

    def encode(self, x: Any, batch_size: int = 500, condition: Any = None) -> np.ndarray:
        """The code of every row without noise: the posterior's location, or the deterministic code.

        Args:
            x: as in `fit`: an array (rows, *event) of uint8 or float, a `zoo.data.Data` record, or a
                `tf.data.Dataset` or another stream of batches.
            batch_size: rows of a batch.
            condition: (rows, ...), where the model declares one; streams hold it as y.

        Returns:
            (rows, *code) float32.
        """
        return self._map("encode", self.encode_batch, self._batches(x, batch_size, condition))

    def decode(self, z: Any, batch_size: int = 500, condition: Any = None) -> np.ndarray:
        """The mean of p(x|z).

        Args:
            z: (rows, *code).
            batch_size: rows of a batch.
            condition: (rows, ...), where the model declares one.

        Returns:
            (rows, *event) float32.

        Raises:
            ValueError: for codes of another shape, or that are not finite numbers.
        """
        z = self._codes(z)
        rows = cut((z, *self._conditions(condition, len(z))), _size(batch_size))
        return self._map("decode", self.decode_batch, rows)

    def reconstruct(self, x: Any, batch_size: int = 500, condition: Any = None) -> np.ndarray:
        """decode(encode(x)), (rows, *event) float32, missing values filled in; arguments as in `encode`."""
        batches = self._batches(x, batch_size, condition)
        return self._map("reconstruct", self.reconstruct_batch, batches)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> np.ndarray:
        """As `reconstruct`, with the further arguments of `keras.Model.predict`.

        x is a pair (x, condition) where the model declares a condition. A target is not asked for, and left
        out; one that the model would never use is refused, as in `fit`.
        """
        x, y, _ = self.intake.columns(x)
        kwargs: Any = {"verbose": verbose, "steps": steps, "callbacks": callbacks}
        with plain_errors():
            if not is_array(x):
                if steps is None:
                    in_order(x, "x")
                batches = self.intake.stream(x, "x", inputs=True)
                return super().predict(batches, batch_size=batch_size, **kwargs)
            fields = self.intake.arrays(x, y, inputs=True)
            named = {"x": fields["x"], "y": fields.get("condition")}
            whole = {key: field for key, field in named.items() if field is not None}
            return super().predict(whole, batch_size=batch_size, **kwargs)

    def predict_step(self, data: Any) -> tf.Tensor:
        """Reconstructions of one batch."""
        fields = self.intake.stream_fields(data, "evaluation", inputs=True)
        given = [fields[name] for name in ("x", "condition") if name in fields]
        return in_slices(self.reconstruct_batch, self.slices_in_use)(*given)

    def save(
        self,
        filepath: Any,
        *args: Any,
        include_optimizer: bool = True,
        run: Any = None,
        **kwargs: Any,
    ) -> None:
        """As `keras.Model.save`, to a .keras file or the Hugging Face Hub.

        Args:
            filepath: of the file, whose folder is made where it is missing, or "hf://user/name": the model
                then gets a card there, and the package huggingface_hub must be installed and logged in.
            *args: of Keras's method.
            include_optimizer: False leaves out the optimizers, the critics' too, which hold two thirds of the
                file after training with Adam; the model is then compiled before it trains on.
            run: folder of the run that trained it, whose settings, metrics and figures the card shows.
            **kwargs: of Keras's method.

        Raises:
            ImportError: for the hub without huggingface_hub.
            ValueError: for a file of another suffix (Keras writes HDF5 and cannot read it again), another
                address of the hub, or a `run` beside a file, which has no card.
        """
        from zoo.exporting.hub import is_address, push

        folder = kwargs.get("zipped") is False or args[1:2] == (False,)
        if not (folder or is_address(filepath) or str(filepath).endswith(".keras")):
            raise ValueError(
                f"A model is saved to a .keras file; received {str(filepath)!r}. (Weights alone go to "
                "save_weights('....weights.h5'), a SavedModel is written by export.)"
            )
        with (
            self.with_optimizer(include_optimizer),
            self._with_critics_optimizers(include_optimizer),
        ):
            if is_address(filepath):
                keras_save = super().save
                push(self, filepath, lambda: keras_save(filepath, *args, **kwargs), run)
                return
            if run is not None:
                raise ValueError(
                    f"run= is for the card of a hub, hf://user/name; received {str(filepath)!r}."
                )
            if "://" not in str(filepath):  # of a bucket, which Keras writes to as well
                Path(filepath).parent.mkdir(parents=True, exist_ok=True)
            super().save(filepath, *args, **kwargs)

    @contextmanager
    def _with_critics_optimizers(self, there: bool) -> Iterator[None]:
        """The critics as they are, or within the block without what their optimizers remember.

        A critic makes its optimizer anew from its own settings, so that only the numbers are left out.
        """
        critics = [
            term for term in self.regularizers if getattr(term, "optimizer", None) is not None
        ]
        kept = (
            []
            if there
            else [(critic.optimizer, critic.optimizer.save_own_variables) for critic in critics]
        )
        for optimizer, _ in kept:
            optimizer.save_own_variables = lambda store: None
        try:
            yield
        finally:
            for optimizer, save in kept:
                optimizer.save_own_variables = save

    def generate(
        self,
        n: int,
        seed: int = 0,
        batch_size: int = 500,
        label: Any = None,
        condition: Any = None,
    ) -> np.ndarray:
        """New examples: the mean of p(x|z) at draws from the prior, or a draw where the likelihood draws.

        Args:
            n: how many.
            seed: the same seed gives the same examples, whatever the label.
            batch_size: rows of a batch.
            label: class of all examples, or (n,) classes, where the prior has labels; None for random ones.
            condition: (n, ...), where the model declares one, or one label for all.

        Returns:
            (n, *event) float32.

        Raises:
            ValueError: where the model has no prior, or its prior no such label.
        """
        n, seed = whole_number(n, "n", 1), whole_number(seed, "seed")
        declared = self.intake.condition
        if declared is not None and isinstance(declared.declared, int) and np.ndim(condition) == 0:
            condition = None if condition is None else np.full(n, condition)
        given = self._conditions(condition, n)
        encoded = self._encoded(*given) if given else None
        codes = self.sample_prior(n, seed, label, encoded).numpy()
        if not self.likelihood.draws:
            return self.decode(codes, batch_size, condition)
        rows = cut((codes, self._elements(n, seed).numpy(), *given), _size(batch_size))
        return self._map("draw", self.draw_batch, rows)

    def generate_batch(self, n: Any, seed: Any, condition: Any = None) -> tf.Tensor:
        """`generate` for one batch, in a graph; `n` and `seed` may be scalar tensors."""
        code = self.sample_prior(n, seed, condition=self._encoded(condition))
        if not self.likelihood.draws:
            return self.decode_batch(code, condition)
        return self.draw_batch(code, self._elements(n, seed), condition)

    def draw_batch(self, code: tf.Tensor, uniform: tf.Tensor, condition: Any = None) -> tf.Tensor:
        """A draw of p(x|z) for each code by uniform numbers of its elements, in a graph."""
        output = self._decoded(code, self._encoded(condition), False)
        return self._in_units(self.likelihood.draw(output, uniform))

    def _elements(self, n: Any, seed: Any) -> tf.Tensor:
        """A uniform number for each element of n examples."""
        shape = self.intake.target_shape or self.event_shape
        return Noise(self.seed, seed).fold("elements").uniform(n, *shape)

    def cluster(self, x: Any, batch_size: int = 500, condition: Any = None) -> np.ndarray:
        """The class that the model's classifier gives every row, (rows,) int64.

        Args:
            x: as in `encode`.
            batch_size: rows of a batch.
            condition: as in `encode`.

        Returns:
            The classes, from 0.

        Raises:
            ValueError: where no part of the model classifies codes.
        """
        batches = self._batches(x, batch_size, condition)
        return self._map("classify", self.classify_batch, batches).argmax(axis=-1)

    def encode_batch(self, inputs: tf.Tensor, condition: Any = None) -> tf.Tensor:
        """`encode` for one batch, in a graph."""
        encoded = self._encoded(condition)
        return self.bottleneck.encode(self._features(self._prepared(inputs), encoded, False))

    def classify_batch(self, inputs: tf.Tensor, condition: Any = None) -> tf.Tensor:
        """Class logits of one batch, (batch, classes), in a graph."""
        return self.classifier.classify(self.encode_batch(inputs, condition))

    def decode_batch(self, code: tf.Tensor, condition: Any = None) -> tf.Tensor:
        """`decode` for one batch, in a graph."""
        encoded = self._encoded(condition)
        return self._in_units(self.decode_view(code, encoded, False))

    def sample_prior(
        self, n: Any, seed: Any, label: Any = None, condition: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Draws from the prior, (n, *code) float32; `n` and `seed` may be scalar tensors.

        `label` is as in `generate`; `condition` is (n, width), see `zoo.conditions.Condition.encoded`.
        """
        if self.prior is None:
            raise ValueError(
                "This model has no prior to draw codes from. Give it one with prior=..., or decode codes "
                "of your own with decode(z)."
            )
        noise = Noise(self.seed, seed).fold("generate")
        return self._prior_draw(noise, n, label, condition, False).code

    def posterior(self, x: Any, condition: Any = None) -> tfd.Distribution | Any:
        """q(z|x), batch shape (rows,), event shape (*code); None for a deterministic bottleneck.

        Args:
            x: as in `encode`; of a stream, all its rows are read.
            condition: as in `encode`.

        Returns:
            A TFP distribution.
        """
        if tf.is_symbolic_tensor(x):
            return self.posterior_batch(self.intake.stream_inputs(x), condition)
        x = self.intake.values(x)
        return self.posterior_batch(tf.convert_to_tensor(x), *self._conditions(condition, len(x)))

    def posterior_batch(self, inputs: tf.Tensor, condition: Any = None) -> tfd.Distribution | Any:
        """`posterior` for one batch, in a graph."""
        encoded = self._encoded(condition)
        return self.bottleneck.posterior(self._features(self._prepared(inputs), encoded, False))

    def conditional(self, z: Any, condition: Any = None) -> tfd.Distribution:
        """p(x|z), batch shape (rows,), event shape (*event), for z of (rows, *code)."""
        given = (condition,)
        if not tf.is_symbolic_tensor(z):
            z = self._codes(z)
            given = self._conditions(condition, len(z))
        encoded = self._encoded(*given) if given else None
        code = tf.convert_to_tensor(z, tf.float32)
        found = self.likelihood.distribution(self._decoded(code, encoded, False))
        if self.standardization is None:
            return found
        return in_units_of_data(self.standardization, found)

    def prior_distribution(self, condition: tf.Tensor | None = None) -> tfd.Distribution | Any:
        """p(z), event shape (*code); None without a prior, or with one that has no density.

        Args:
            condition: (rows, width), for p(z|c) with batch shape (rows,); see `sample_prior`.

        Returns:
            A TFP distribution, or None.
        """
        if self.prior is None:
            return None
        given = {} if condition is None else {"condition": condition}
        return self.prior.distribution(*self.code_shape, **given)

    def example_posterior(self) -> tfd.Distribution | None:
        """A member of the posterior's family, to ask what divergences it has; None where there is none."""
        return self.bottleneck.example_posterior()

    def export(self, filepath: Any, format: str = "tf_saved_model", **kwargs: Any) -> None:
        """Export for serving; see `zoo.exporting.export`.

        Raises:
            ValueError: for Keras's further arguments, which an export of several functions does not have.
        """
        from zoo.exporting import export

        if unused := sorted(set(kwargs) - {"check", "quantize"}):
            raise ValueError(
                f"export() has no {unused[0]}: every function is exported with a signature of its own. "
                "Leave it out."
            )
        export(self, filepath, format=format, **kwargs)

    def _codes(self, z: Any) -> np.ndarray:
        """Codes, checked."""
        z = np.asarray(as_array(z, "z"))
        if z.shape[1:] != self.code_shape or z.dtype.kind not in "fiub":
            shape = ", ".join(map(str, self.code_shape))
            raise ValueError(
                f"Expected codes of shape (rows, {shape}) of numbers; received {z.shape} of {z.dtype}."
            )
        z = z.astype(np.float32, copy=False)
        if not np.isfinite(z).all():
            raise ValueError("Expected codes of finite numbers; received NaN or infinity.")
        return z

    def as_keras(self, function: str = "reconstruct", dtype: str | None = None) -> keras.Model:
        """A function of the model as an ordinary Keras model that shares its weights.

        Args:
            function: "encode", "decode" or "reconstruct".
            dtype: of x, "float32" or "uint8".

        Returns:
            A functional model; see `zoo.exporting.keras_model.as_keras`.
        """
        from zoo.exporting.keras_model import as_keras

        return as_keras(self, function, dtype)

    def _prepared(self, x: Any) -> tf.Tensor:
        """What the encoder is given for inputs of any kind, in a graph."""
        if not self.intake.missing:
            return self.seen(self.standardized(self.intake.numbers(x), None), None)
        batch = self.intake.floats({"x": x})
        return self.seen(self.standardized(batch.x, batch.mask), batch.mask)

    def _in_units(self, values: tf.Tensor) -> tf.Tensor:
        """What the decoder gave, in the units of the data."""
        return values if self.standardization is None else self.standardization.inverse(values)

    def _beside_condition(self, inputs: Any) -> tuple[Any, Any]:
        """X and the condition of a call: a pair where the model declares one."""
        if self.intake.condition is None:
            return inputs, None
        if isinstance(inputs, tuple | list) and len(inputs) == 2:
            return inputs[0], inputs[1]
        if self.bottleneck.infers_condition:
            return inputs, tf.fill([len(inputs)], -1)
        raise ValueError(
            "This model declares a condition; received x alone. Call it with a pair (x, condition)."
        )

    def _encoded(self, condition: Any) -> tf.Tensor | None:
        """The condition of one batch as numbers, in a graph."""
        if condition is None:
            return None
        return cast(Condition, self.intake.condition).encoded(condition)

    def _conditions(self, condition: Any, rows: int) -> tuple[Any, ...]:
        """The condition of some rows, checked, as a tuple of one; of none where the model declares none."""
        declared = self.intake.condition
        if declared is not None and condition is None and self.bottleneck.infers_condition:
            condition = np.full(rows, -1)
        if declared is None:
            if condition is not None:
                raise ValueError("This model declares no condition; received one. Leave it out.")
            return ()
        if condition is None:
            raise ValueError(
                "This model declares a condition; received none. Pass condition=..., one for each row."
            )
        return (declared.arrays(condition, rows, "condition"),)

    def _batches(self, x: Any, batch_size: int, condition: Any) -> Iterator[tuple[Any, ...]]:
        """Checked rows with their condition, batch by batch."""
        size = _size(batch_size)
        x, y, _ = self.intake.columns(x)
        condition = y if condition is None and self.intake.condition is not None else condition
        if is_array(x):
            rows = self.intake.inputs(x)
            return cut((rows, *self._conditions(condition, len(rows))), size)
        if condition is not None:
            raise ValueError(
                "A stream of batches holds its condition itself, as (x, condition); received one beside it."
            )
        return self._stream(in_order(batches_of(x, "x"), "x"))

    def _stream(self, batches: Any) -> Iterator[tuple[Any, ...]]:
        for batch in batches:
            x, y, _ = batch_columns(batch)
            rows = self.intake.inputs(x, part=PART)
            declared = self.intake.condition is not None
            yield (rows, *(self._conditions(_as_numpy(y), len(rows)) if declared else ()))

    def _map(self, name: str, function: Any, batches: Any) -> np.ndarray:
        self._refresh()
        warn_unadapted(cast(Any, self))

        def make() -> Any:
            sliced = in_slices(function, self.slices_in_use)
            return tf.function(sliced, reduce_retracing=True, autograph=False)

        traced = self.traces.kept(name, make)
        with plain_errors():
            return map_batches(traced, batches, self.distribute_strategy)


def _as_numpy(nest: Any) -> Any:
    return tf.nest.map_structure(np.asarray, nest)


def _size(batch_size: int) -> int:
    return whole_number(batch_size, "batch_size", 1)
