"""TensorFlow's threads: one for each operation, and as many operations at a time as there are cores.

By default TensorFlow cuts every operation among all cores and waits for the slowest; on two cores a training
step of a dense model leaves 20 to 30 % of the time idle. Where each core has a slice of the batch to itself
(`zoo.trainer.slices`), no operation has to be cut. Either of the two without the other is slower than
TensorFlow's defaults.
"""

from __future__ import annotations

import functools
import os
from typing import NamedTuple

SWITCH = "ZOO_CORES"
# Measured on two cores; with many more the sums over the slices' gradients may cost what the slices save.
MOST_CORES = 8
_USERS_OWN = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


class Cores(NamedTuple):
    """How many cores slices of a batch are computed on, and why it is one where it is."""

    count: int
    why_one: str | None = None


@functools.cache
def cores() -> Cores:
    """Choose TensorFlow's threads for the whole process, once; the first model that is made asks for it.

    One intra-op thread and an inter-op thread for every core, where nobody chose otherwise: the user's
    ``tf.config.threading`` and the environment's ``TF_NUM_INTRAOP_THREADS``, ``TF_NUM_INTEROP_THREADS`` and
    ``OMP_NUM_THREADS`` stay in force. ``ZOO_CORES=n`` in the environment asks for n cores whatever these say,
    and ``ZOO_CORES=0`` leaves TensorFlow alone.

    Returns:
        The cores to use, and why it is one.

    Raises:
        ValueError: where ``ZOO_CORES`` is not a whole number of at least 0.
    """
    wanted = os.environ.get(SWITCH)
    if wanted is not None and not wanted.isdecimal():
        raise ValueError(f"{SWITCH} must be a number of cores, 0 for none; received {wanted!r}.")
    if wanted == "0":
        return Cores(1, f"{SWITCH}=0 leaves TensorFlow's threads alone")
    import tensorflow as tf

    if wanted is None:
        why_not = _chosen_otherwise(tf)
        if why_not is not None:
            return Cores(1, why_not)
    count = _available() if wanted is None else int(wanted)
    try:
        tf.config.threading.set_inter_op_parallelism_threads(count)
        tf.config.threading.set_intra_op_parallelism_threads(1)
    except RuntimeError:
        return Cores(1, "TensorFlow was running before the first model was made")
    return Cores(count, "there is one core" if count == 1 else None)


def _chosen_otherwise(tf: type) -> str | None:
    """Why TensorFlow's threads are to be left as they are, or None."""
    for name in _USERS_OWN:
        if os.environ.get(name):
            return f"the environment sets {name}"
    threading = tf.config.threading
    if threading.get_intra_op_parallelism_threads() or threading.get_inter_op_parallelism_threads():
        return "tf.config.threading was set"
    if tf.config.list_physical_devices("GPU"):
        return "there is a GPU"
    if _available() == 1:
        return "there is one core"
    if _available() > MOST_CORES:
        return f"there are more than {MOST_CORES} cores; {SWITCH} chooses a number of them"
    return None


def _available() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
