"""What `BlockTrainer.compile` decides: the optimizer, its loss scale, and whether XLA compiles the step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from zoo.serialization import whole_number
from zoo.trainer import threads
from zoo.trainer.optimizer_settings import leaves
from zoo.trainer.optimizers import resolve_optimizer
from zoo.trainer.replicas import synchronizes

if TYPE_CHECKING:
    from zoo.trainer.block_trainer import BlockTrainer

# Above this many weights oneDNN's products outrun XLA's, and compilation is not paid back.
JIT_WEIGHTS = 50_000
# Arguments of `keras.Model.compile` that a saved model keeps beside those of `BlockTrainer.compile`.
KEPT = ("run_eagerly", "auto_scale_loss")
_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
_AVERAGES = "Leave it out: the averages then take the weights' place when fit ends."
_SHARED = "Leave it out, or compile with one optimizer for all weights."
LACKING = (
    "XLA lacks operations that this model uses; received jit_compile=True. Use 'auto' or False."
)


def check(
    strategy: tf.distribute.Strategy,
    jit_compile: bool | str,
    skip_nonfinite: bool,
    options: Mapping[str, Any],
) -> None:
    """Refuse what does not fit.

    Args:
        strategy: of the model.
        jit_compile: as in `BlockTrainer.compile`.
        skip_nonfinite: likewise.
        options: the further arguments of `keras.Model.compile`.

    Raises:
        ValueError: for a loss or metrics, groups of steps, parameter servers, or a combination that does not
            work.
    """
    if isinstance(strategy, tf.distribute.ParameterServerStrategy):
        raise ValueError(
            "Keras 3 does not train under tf.distribute.ParameterServerStrategy. Use "
            "MultiWorkerMirroredStrategy for several machines, see docs/devices.md."
        )
    for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
        if options.get(name):
            raise ValueError(
                f"An autoencoder computes its own loss and metrics; received {name} in compile(). Use "
                "likelihood=... and regularizers=... of the model instead."
            )
    if options.get("steps_per_execution") not in (None, 1):
        raise ValueError(
            "steps_per_execution must be left out: fit() runs the steps of a whole block for each call."
        )
    if jit_compile not in (True, False, "auto"):
        raise ValueError(f"jit_compile must be True, False or 'auto'; received {jit_compile!r}.")
    if skip_nonfinite and strategy.num_replicas_in_sync > 1:
        raise ValueError("skip_nonfinite works on one replica only.")


def optimizer_for(
    model: BlockTrainer, optimizer: Any, skip_nonfinite: bool, options: Mapping[str, Any]
) -> keras.optimizers.Optimizer:
    """The optimizer, with a dynamic scale of the loss where layers compute in float16.

    Arguments as in `check`, and:
        model: what is to be trained.
        optimizer: as in `zoo.trainer.optimizers.resolve_optimizer`.

    Raises:
        ValueError: for an unknown name, or a scale of the loss beside `skip_nonfinite`.
    """
    found = resolve_optimizer(optimizer, getattr(model, "heavy_tailed", False))
    scales = isinstance(found, keras.optimizers.LossScaleOptimizer)
    unscaled = not scales and found.loss_scale_factor is None
    refuse_alone(found, model.distribute_strategy.num_replicas_in_sync)
    half = any(layer.compute_dtype == "float16" for layer in model._flatten_layers())
    if half and unscaled and options.get("auto_scale_loss", True):
        found, scales = keras.optimizers.LossScaleOptimizer(found), True
    if skip_nonfinite and scales:
        raise ValueError(
            "A LossScaleOptimizer leaves out updates that are not finite itself; received "
            "skip_nonfinite=True too. Leave one of them out, or compute in mixed_bfloat16."
        )
    return found


def refuse_alone(optimizer: keras.Optimizer, replicas: int) -> None:
    """Refuse settings of an optimizer that several replicas do not keep, and one made for one replica.

    Raises:
        ValueError: where there are any.
    """
    if replicas == 1:
        return
    inner = leaves(optimizer)
    for each in inner:
        remedies = {
            "gradient_accumulation_steps": "Take a larger batch_size instead.",
            **({"ema_overwrite_frequency": _AVERAGES} if each.use_ema else {}),
            **(dict.fromkeys(_CLIPS, _SHARED) if len(inner) > 1 else {}),
        }
        for option, remedy in remedies.items():
            if value := getattr(each, option):
                raise ValueError(
                    f"{option} works on one replica only; received {value} with {replicas}. {remedy}"
                )
    for each in inner:
        if each._distribution_strategy.num_replicas_in_sync != replicas:
            raise ValueError(
                "The optimizer was made outside of the strategy's scope, where its variables belong to one "
                "device: every replica would count each step. Make it within: with strategy.scope(): "
                f"model.compile(keras.optimizers.{type(each).__name__}(...))."
            )


def refuse_unknown(optimizer: Any, variables: list[keras.Variable]) -> None:
    """Refuse to train weights that the optimizer was not built with.

    Raises:
        ValueError: where there are any.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    try:
        for variable in variables:
            optimizer._get_variable_index(variable)
    except KeyError as error:
        raise ValueError(
            "The optimizer was built for other weights: those of another model, or before some were freed. "
            "Call compile() with a new optimizer."
        ) from error


def uses_jit(model: BlockTrainer, choice: bool | str) -> bool:
    """Whether XLA compiles the training step.

    Args:
        model: what is to be trained.
        choice: ``jit_compile`` of `BlockTrainer.compile`.

    Returns:
        True where it does.

    Raises:
        ValueError: for True where XLA lacks an operation.
    """
    if synchronizes(model.distribute_strategy):
        return False
    if choice is True and not model.jit_possible:
        raise ValueError(LACKING)
    if choice != "auto":
        return bool(choice)
    if not (model.jit_possible and model.jit_friendly):
        return False
    weights = sum(math.prod(v.shape) for v in model.trainable_variables)
    return weights <= JIT_WEIGHTS or bool(tf.config.list_logical_devices("GPU"))


def slices_for(model: BlockTrainer, choice: int | str, compiled: bool) -> tuple[int, str | None]:
    """Into how many slices a batch is cut, and why it is not where it is not.

    Args:
        model: what is to be trained.
        choice: ``slices`` of `BlockTrainer.compile`.
        compiled: whether XLA compiles the step, see `uses_jit`.

    Returns:
        The number, and in a few words why it is 1, or None.

    Raises:
        ValueError: for a number of slices that the model does not allow.
    """
    if choice != "auto":
        choice = whole_number(choice, "slices", 1)
    why: str | None = None
    if (
        synchronizes(model.distribute_strategy)
        or model.distribute_strategy.num_replicas_in_sync > 1
    ):
        why = "the replicas share a batch already"
    elif compiled:
        why = "XLA compiles the step"
    if choice == "auto":
        cores = threads.cores()
        return (cores.count, cores.why_one) if why is None else (1, why)
    if choice > 1 and why is not None:
        raise ValueError(f"slices must be 1 or 'auto' for this model: {why}; received {choice}.")
    return int(choice), None if choice > 1 else why or "slices=1 was chosen"


def compiles(function: Any, data: Any) -> bool:
    """Whether XLA can compile a `tf.function` for such data; asked while the step around it is traced.

    Args:
        function: of one argument.
        data: tensors or specifications of the argument; a number of rows that is not known counts as 8.

    Returns:
        False where it lacks an operation, or needs a number that is not known before the data are there.
    """

    def shape(tensor: Any) -> list[int]:
        return [8 if side is None else side for side in tensor.shape]

    specs = tf.nest.map_structure(lambda each: tf.TensorSpec(shape(each), each.dtype), data)
    function.get_concrete_function(specs)  # here, since no gradients are recorded within init_scope
    with tf.init_scope():
        try:
            zeros = tf.nest.map_structure(lambda each: tf.zeros(shape(each), each.dtype), specs)
            function.experimental_get_compiler_ir(zeros)(stage="hlo_serialized")
        except (ValueError, TypeError, tf.errors.OpError):
            return False
    return True
