"""TensorFlow on a number of threads."""

from __future__ import annotations


def limit_threads(threads: int) -> None:
    """Must be called before TensorFlow's first operation."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
