"""Clusters that keep when a picture is turned a little: information between views, over several heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import zoo
from zoo import at_step, gather, positive_int, scalar, scalar_config

from .views import check_view
from .voters import Voters

EPSILON = 1e-8


@zoo.register("invariant_information")
class InvariantInformation(zoo.Regularizer):
    """Information between pictures and clusters, kept under small affine maps.

    For every head, a softmax p over its clusters on the code, with t a random affine map:

        KL(stop(p(x)) || p(t(x))) - information * [balance * H(mean_x p(x)) - mean_x H(p(x))]

    (Hu et al., "Learning Discrete Representations via Information Maximizing Self-Augmented Training",
    2017, equations 1 and 5; several heads, some with more clusters than classes: Ji et al., "Invariant
    Information Clustering", 2019, section 3.) The penalty is the mean over the heads.

    The heads shape the codes. After training, `merge` makes classes of them by voters (`zoo_plugins.voters`),
    which `classify` then asks; before, it asks the first head with `classes` clusters.

    Args:
        classes: clusters to end with.
        heads: clusters of every head, at least one of them `classes`.
        information: weight of the information beside the consistency, a number or a Keras schedule.
        balance: weight of the evenness of the clusters, a number or a schedule.
        confident: weight of the cross-entropy -log p_c(t(x)) for the own prediction c of x where p_c(x) is
            above `threshold`, a number or a schedule.
        threshold: see `confident`.
        view: "weak", "medium" or "strong" affine maps.
        cells: number of k-means cells of every voter.
        weight: a number or a schedule.
        name: name of the metric.

    Example:
        >>> heads = zoo.get(
        ...     "invariant_information", classes=3, heads=(3, 3, 6), cells=(8, 9), view="weak"
        ... )
        >>> model = zoo.create("autoencoder", (8, 8, 1), latents=4, hidden=(8,), regularizers=[heads])
        >>> x = zoo.data.load("digits", limit=100).inputs
        >>> agreement = heads.merge(model.encode(x), x)  # after training
        >>> 0 <= agreement <= 1, model.cluster(x).shape
        (True, (100,))
    """

    fixed = ("classes", "heads", "cells")
    jit_possible = False  # XLA has no affine maps of pictures
    classifies = True

    def __init__(
        self,
        classes: int = 10,
        *,
        heads: Sequence[int] = (10,) * 10 + (50,) * 3,
        information: Any = 0.1,
        balance: Any = 4.0,
        confident: Any = 0.0,
        threshold: float = 0.95,
        view: str = "strong",
        cells: Sequence[int] = (200, 200, 300, 400, 400),
        weight: Any = 1.0,
        name: str | None = None,
    ):
        super().__init__(weight, name)
        self.classes = positive_int(classes, "classes")
        self.heads = tuple(positive_int(size, "heads") for size in heads)
        if self.classes not in self.heads or min(self.heads) < self.classes:
            raise ValueError(
                f"heads of invariant_information must be at least {self.classes} clusters each, one of them "
                f"exactly {self.classes}; received {self.heads}."
            )
        self.information = scalar(information, "information", 0)
        self.balance = scalar(balance, "balance", 0)
        self.confident = scalar(confident, "confident", 0)
        self.threshold = float(threshold)
        self.view = view
        self.cells = tuple(positive_int(count, "cells") for count in cells)
        if not self.cells or min(self.cells) < self.classes:
            raise ValueError(
                f"cells of invariant_information must be at least {self.classes} each; received {self.cells}."
            )

    def check(self, model: zoo.Autoencoder) -> None:
        """Views are of pictures."""
        check_view(self.view, model, self.name)

    def build(self, event_shape: tuple[int, ...] = (), units: int = 0) -> None:
        """Create the heads, one matrix for all, and the voters."""
        self.dense = keras.layers.Dense(sum(self.heads), dtype="float32")
        self.dense.build((None, units))
        self.voters = Voters(self.classes, self.cells)
        self.voters.build((None, units))
        super().build(event_shape, units)

    def penalty(self, forward: zoo.ForwardPass, training: bool = False) -> tf.Tensor:
        """A scalar, in nats; below 0 where the clusters are informative."""
        moved = forward.encode(zoo.networks.view(forward.inputs, forward.noise, self.view))
        terms = []
        for plain, seen in zip(self._logits(forward.code), self._logits(moved), strict=True):
            terms.append(self._head(plain, seen, forward.step))
        return tf.add_n(terms) / len(terms)

    def votes(self, code: tf.Tensor) -> tf.Tensor:
        """Every voter's class, one-hot, (batch, voters, classes); before `merge`, the first head's."""
        first = tf.argmax(self._logits(code)[self.heads.index(self.classes)], axis=-1)
        first = tf.one_hot(first, self.classes)[:, None, :]
        return tf.where(self.voters.ready.value, self.voters(code), first)

    def classify(self, code: tf.Tensor) -> tf.Tensor:
        """Class logits, (batch, classes): the logarithm of the share of the votes."""
        return tf.math.log(tf.reduce_mean(self.votes(code), axis=1) + EPSILON)

    def merge(self, codes: np.ndarray, pictures: np.ndarray, **options: Any) -> float:
        """Make classes of the codes; call it when training has ended.

        Args:
            codes: (n, units), `model.encode(pictures)`.
            pictures: (n, *event), of the training data.
            **options: as in `zoo_plugins.voters.Voters.fit`.

        Returns:
            The share of the codes for which all voters agree: a measure that needs no label.
        """
        return self.voters.fit(np.asarray(codes), np.asarray(pictures), **options)

    def follow(self, codes: np.ndarray, reference: np.ndarray) -> None:
        """Rename the classes so that they agree best with another clustering of the same examples.

        Args:
            codes: (n, units).
            reference: (n,) classes.
        """
        own = np.asarray(self.classify(tf.convert_to_tensor(codes))).argmax(axis=-1)
        self.voters.rename(zoo.evaluation.merging.renaming(own, reference, self.classes))

    def _head(self, plain: tf.Tensor, seen: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        log_p, log_seen = tf.nn.log_softmax(plain), tf.nn.log_softmax(seen)
        p = tf.exp(log_p)
        target, log_target = tf.stop_gradient(p), tf.stop_gradient(log_p)
        kept = tf.reduce_sum(target * (log_target - log_seen), axis=-1)
        share = tf.reduce_mean(gather(p), axis=0)
        even = -tf.reduce_sum(share * tf.math.log(share + EPSILON))
        unsure = -tf.reduce_sum(p * log_p, axis=-1)
        information = at_step(self.balance, step) * even - tf.reduce_mean(unsure)
        total = tf.reduce_mean(kept) - at_step(self.information, step) * information
        if isinstance(self.confident, float) and self.confident == 0:
            return total
        best = tf.reduce_max(target, axis=-1, keepdims=True)
        chosen = tf.cast((target >= best) & (best > self.threshold), tf.float32)
        own = -tf.reduce_mean(tf.reduce_sum(chosen * log_seen, axis=-1))
        return total + at_step(self.confident, step) * own

    def _logits(self, code: tf.Tensor) -> list[tf.Tensor]:
        return tf.split(self.dense(code), self.heads, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "classes": self.classes,
            "heads": self.heads,
            "information": scalar_config(self.information),
            "balance": scalar_config(self.balance),
            "confident": scalar_config(self.confident),
            "threshold": self.threshold,
            "view": self.view,
            "cells": self.cells,
        }
