"""What each metric says, in a sentence, and whether more of it is better."""

from __future__ import annotations

import re
from typing import NamedTuple

HIGHER, LOWER = "higher", "lower"


class Measure(NamedTuple):
    """A metric in words.

    Args:
        better: "higher", "lower", or None where neither end is better in itself.
        text: one sentence.
    """

    better: str | None
    text: str


# Terms of the loss; the better end of every other metric is `zoo.evaluation`'s to say.
_TERMS = {"loss": LOWER, "reconstruction": LOWER, "kl": None}
# Pattern of the last part of a name -> what the metric says; the first that matches counts.
_TEXTS = {
    r"loss": "What training minimises: the sum of all terms, mean over examples.",
    r"reconstruction": "-log p(x|z), or the error that stands for it, per example.",
    r"kl(_per_unit)?": "Distance of q(z|x) from the prior in nats: what the code says of x.",
    r"elbo": "Lower bound of log p(x) in nats per example.",
    r"expected_log_likelihood": "E_q log p(x|z) in nats: how well codes bring x back.",
    r"log_likelihood": "log p(x) in nats per example, by importance sampling: a lower bound.",
    r".*_standard_error": "How far the number above would move with other examples.",
    r"effective_samples": "Importance samples that count; few mean a loose bound.",
    r"active_units": "Units whose mean changes with x; the others are collapsed.",
    r"aggregate_.*": "How far the codes of data are from the prior that samples come from.",
    r"mean_squared_error": "Squared error per value.",
    r"squared_error": "Squared error, summed over an example.",
    r"psnr.*": "Peak signal against error in decibels; 10 more is a tenth of the error.",
    r"ssim": "Likeness of structure of picture and reconstruction; 1 is equal.",
    r"bernoulli_cross_entropy": "Cross-entropy in nats, summed over an example.",
    r"hoyer": "0 where all units are equal in size, 1 where one carries the code.",
    r"gini": "Inequality of the units in a code; near 1 a few carry it.",
    r"treves_rolls": "Density of a code; small is sparse.",
    r"treves_rolls_lifetime": "Density of a unit's values over the data; small is sparse.",
    r"l0": "Units above the threshold in a code.",
    r"kurtosis": "Weight of the units' tails; 0 for a Normal unit.",
    r"dead_units": "Units that are active for no example.",
    r"dense_units": "Units that are active for most examples.",
    r"one_active_share": "Share of codes that one unit carries.",
    r"logistic_regression": "Accuracy of a linear classifier on the codes.",
    r"knn": "Accuracy of the nearest neighbours' labels.",
    r"few_label_\d+": "Accuracy of a classifier that sees so many labels of each class.",
    r".*one_to_one_accuracy": "Accuracy where each cluster names one class.",
    r".*majority_accuracy": "Accuracy where each cluster names its main class.",
    r".*_nmi": "Information that clusters and classes share, 0 to 1.",
    r".*_ari": "Pairs that clusters and classes treat alike; 0 is chance, 1 equal.",
    r".*silhouette": "How much closer codes lie to their own group than to the next.",
    r"beta_vae_score": "A linear classifier names the factor that was held fixed.",
    r"factor_vae_score": "The unit that varies least names the factor that was held fixed.",
    r"mig": "How far the best unit of each factor is ahead of the second.",
    r"mig_sup": "How far the best factor of each unit is ahead of the second.",
    r"dci_disentanglement": "How far each unit serves one factor.",
    r"dci_completeness": "How far each factor is held by one unit.",
    r"dci_informativeness": "How well the factors are predicted from the code.",
    r"sap": "Gap between the two units that predict a factor best.",
    r"modularity": "How far each unit depends on one factor.",
    r"explicitness": "How well a linear classifier reads the factors.",
    r"irs": "How little a unit moves when other factors change.",
    r"precision": "Share of samples that lie among the data.",
    r"recall": "Share of the data that lie among the samples.",
    r"(kernel|frechet)_distance": "Distance of samples from data in a feature space.",
    r"training_distance_ratio": "Near 0, samples copy the training set; near 1 they do not.",
}
_COMPILED = tuple((re.compile(pattern), sentence) for pattern, sentence in _TEXTS.items())


def measure(path: str) -> Measure:
    """The measure of a metric.

    Args:
        path: "group/metric" or "metric"; "val_" and "test_" in front of the last part change
            nothing.

    Returns:
        Its measure; one without a text and a better end for a metric that is not known.
    """
    from zoo.evaluation.metrics import metric

    name = re.sub(r"^(val|test)_", "", path.rsplit("/", 1)[-1])
    better = _TERMS[name] if name in _TERMS else metric(name).better or None
    return Measure(better, next((text for rule, text in _COMPILED if rule.fullmatch(name)), ""))
