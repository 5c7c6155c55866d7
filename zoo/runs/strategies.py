"""Where a run computes: one device, several of one machine, or several machines."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import tensorflow as tf

from zoo.registry import one_of
from zoo.runs.run_config import STRATEGIES

_KINDS = ("chief", "worker")
_ADDRESS = re.compile(r"\S+:\d+")
_EXAMPLE = (
    '{"cluster": {"worker": ["host1:4000", "host2:4000"]}, "task": {"type": "worker", "index": 0}}'
)


def strategy(name: str = "auto", virtual_devices: int = 0) -> tf.distribute.Strategy:
    """A TensorFlow strategy by name; build and fit a model in its ``scope()``.

    Args:
        name: "none" for one device, "mirrored" for all GPUs of this machine, "multi_worker" for the
            machines that the environment variable TF_CONFIG lists, "auto" for "multi_worker" where
            TF_CONFIG lists workers, "mirrored" where there are several GPUs, and "none" otherwise.
        virtual_devices: cut the processor into so many logical devices and mirror over these, to try out
            and to test; 0 to leave it whole.

    Returns:
        The strategy.

    Raises:
        ValueError: for an unknown name, "mirrored" without devices to mirror over, "multi_worker"
            without TF_CONFIG, a TF_CONFIG that does not say who is who, or logical devices after TensorFlow
            has begun to compute.

    Example:
        >>> with zoo.runs.strategy("none").scope():
        ...     model = zoo.create("vae", (6,), latents=2, hidden=(4,))
        ...     model.compile()
        >>> zoo.runs.strategy("mirrord")
        Traceback (most recent call last):
            ...
        ValueError: Unknown strategy 'mirrord'. Did you mean 'mirrored'? ...
    """
    one_of(name, "strategy", STRATEGIES)
    if virtual_devices and name in ("none", "multi_worker"):
        raise ValueError(
            f"virtual_devices={virtual_devices} goes with the strategy 'mirrored'; received {name!r}."
        )
    if virtual_devices:
        # In one process no collective operations are needed, which can lock each other out on few cores.
        return tf.distribute.MirroredStrategy(
            _logical_processors(virtual_devices), tf.distribute.ReductionToOneDevice()
        )
    workers = _workers() if name in ("auto", "multi_worker") else 0
    gpus = len(tf.config.list_physical_devices("GPU"))  # to ask for logical ones starts the runtime
    if name == "auto":
        name = "multi_worker" if workers > 1 else "mirrored" if gpus > 1 else "none"
    if name == "none":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        if not gpus:
            raise ValueError(
                "The strategy 'mirrored' found no GPU on this machine. Use 'none', or try it on the "
                "processor with virtual_devices=2."
            )
        return tf.distribute.MirroredStrategy()
    if not workers:
        raise ValueError(
            "The strategy 'multi_worker' needs the environment variable TF_CONFIG on each machine, such "
            f"as {_EXAMPLE}."
        )
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise ValueError(
            f"The strategy 'multi_worker' must be made before TensorFlow computes anything: {error}"
        ) from error


def is_chief(name: str = "auto") -> bool:
    """Whether this process is the one of its job that writes files: alone, the chief or the first worker.

    Args:
        name: of the strategy, as in `strategy`.

    Returns:
        True for one process of the job.

    Example:
        >>> from zoo.runs.strategies import is_chief
        >>> is_chief("none")
        True
    """
    if name not in ("auto", "multi_worker"):
        return True
    cluster, kind, index = _cluster()
    return not cluster or kind == "chief" or ("chief" not in cluster and index == 0)


def _workers() -> int:
    """Machines that TF_CONFIG lists, 0 without it."""
    cluster, *_ = _cluster()
    return sum(len(cluster.get(kind, ())) for kind in _KINDS)


def _cluster() -> tuple[dict[str, Any], str, int]:
    """The cluster, and the kind and number of this task; an empty cluster without TF_CONFIG."""
    text = os.environ.get("TF_CONFIG", "")
    if not text.strip():
        return {}, "worker", 0
    try:
        content = json.loads(text)
        cluster, task = dict(content["cluster"]), content["task"]
        kind, index = str(task["type"]), int(task["index"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"TF_CONFIG must be JSON with 'cluster' and 'task'; received {text!r:.80}."
        ) from error
    _check_cluster(cluster, kind, index)
    return cluster, kind, index


def _check_cluster(cluster: dict[str, Any], kind: str, index: int) -> None:
    """Refuse what is no cluster of workers, or does not have this task."""
    for found, addresses in cluster.items():
        if found not in _KINDS:
            raise ValueError(
                f"The cluster of TF_CONFIG is made of 'worker' and perhaps one 'chief', as in {_EXAMPLE}; "
                f"received {found!r}."
            )
        listed = addresses if isinstance(addresses, list) and addresses else [None]
        for address in listed:
            if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
                raise ValueError(
                    f"TF_CONFIG must list every {found} as 'host:port', as in {_EXAMPLE}; received "
                    f"{addresses!r:.80}."
                )
    if cluster and not 0 <= index < len(cluster.get(kind, ())):
        there = " and ".join(f"{len(each)} of type {name!r}" for name, each in cluster.items())
        raise ValueError(
            f"The task of TF_CONFIG must be one of its cluster, which has {there} (their index begins at 0); "
            f"received type {kind!r} with index {index}."
        )


def _logical_processors(count: int) -> list[str]:
    """Names of so many logical processors, made where TensorFlow has not begun to compute."""
    processor = tf.config.list_physical_devices("CPU")[0]
    made = tf.config.get_logical_device_configuration(processor)
    if made is None or len(made) != count:
        try:
            tf.config.set_logical_device_configuration(
                processor, [tf.config.LogicalDeviceConfiguration()] * count
            )
        except RuntimeError as error:
            have = len(tf.config.list_logical_devices("CPU"))
            raise ValueError(
                f"The processor cannot be cut into {count} logical devices now: TensorFlow has begun to "
                f"compute with {have}. Ask for them at the start of the program."
            ) from error
    return [device.name for device in tf.config.list_logical_devices("CPU")]
