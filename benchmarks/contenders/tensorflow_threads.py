"""TensorFlow on a number of threads."""

from __future__ import annotations


def limit_threads(threads: int, within: int | None = None) -> None:
    """Must be called before TensorFlow's first operation; `within` is how many one operation may use."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(within or threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
