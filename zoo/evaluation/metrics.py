"""What each metric of `evaluate` is called in a table, and which way is better."""

from __future__ import annotations

import re
from typing import NamedTuple


class Metric(NamedTuple):
    """A metric in words.

    Args:
        label: its name in a table.
        better: "higher", "lower", or "" where neither is better in itself.
    """

    label: str
    better: str


_METRICS = {
    "squared_error": Metric("squared error, per example", "lower"),
    "mean_squared_error": Metric("squared error, per value", "lower"),
    "psnr": Metric("PSNR, mean over examples (dB)", "higher"),
    "psnr_total": Metric("PSNR of the whole set (dB)", "higher"),
    "ssim": Metric("SSIM", "higher"),
    "bernoulli_cross_entropy": Metric("Bernoulli cross-entropy (nats)", "lower"),
    "elbo": Metric("ELBO (nats)", "higher"),
    "expected_log_likelihood": Metric("  E log p(x|z)", "higher"),
    "kl": Metric("  KL(q(z|x) || p(z))", ""),
    "log_likelihood": Metric("log p(x), importance-weighted bound", "higher"),
    "log_likelihood_standard_error": Metric("  standard error", "lower"),
    "effective_samples": Metric("effective importance samples", "higher"),
    "active_units": Metric("active units", ""),
    "aggregate_mmd2": Metric("aggregate posterior, squared MMD to prior", "lower"),
    "aggregate_kl": Metric("aggregate posterior, sum of marginal KL", "lower"),
    "aggregate_kl_max": Metric("aggregate posterior, largest marginal KL", "lower"),
    "hoyer": Metric("Hoyer", ""),
    "gini": Metric("Gini", ""),
    "treves_rolls": Metric("Treves-Rolls of codes (small is sparse)", ""),
    "treves_rolls_lifetime": Metric("Treves-Rolls of units (small is sparse)", ""),
    "l0": Metric("active units in a code (L0)", ""),
    "kurtosis": Metric("excess kurtosis of units", ""),
    "one_active_share": Metric("codes with one active unit, share", ""),
    "dead_units": Metric("dead units", "lower"),
    "dense_units": Metric("dense units", ""),
    "logistic_regression": Metric("logistic regression, accuracy", "higher"),
    "knn": Metric("k-NN, accuracy", "higher"),
    "label_silhouette": Metric("classes: silhouette", "higher"),
    "beta_vae_score": Metric("beta-VAE score", "higher"),
    "factor_vae_score": Metric("FactorVAE score", "higher"),
    "mig": Metric("MIG", "higher"),
    "mig_sup": Metric("MIG-sup", "higher"),
    "dci_disentanglement": Metric("DCI disentanglement", "higher"),
    "dci_completeness": Metric("DCI completeness", "higher"),
    "dci_informativeness": Metric("DCI informativeness", "higher"),
    "sap": Metric("SAP", "higher"),
    "modularity": Metric("modularity", "higher"),
    "explicitness": Metric("explicitness (ROC AUC)", "higher"),
    "irs": Metric("IRS", "higher"),
    "precision": Metric("precision", "higher"),
    "recall": Metric("recall", "higher"),
    "kernel_distance": Metric("kernel distance", "lower"),
    "frechet_distance": Metric("Frechet distance", "lower"),
    "training_distance_ratio": Metric("distance to training set / held-out's", ""),
}
_CLUSTERING = {
    "one_to_one_accuracy": Metric("one-to-one accuracy", "higher"),
    "majority_accuracy": Metric("majority accuracy", "higher"),
    "nmi": Metric("NMI", "higher"),
    "ari": Metric("ARI", "higher"),
    "silhouette": Metric("silhouette", "higher"),
}
_FEW_LABELS = re.compile(r"few_label_(\d+)")


def metric(name: str) -> Metric:
    """The metric of a name; one that is not known is called by its name, without a better way.

    Args:
        name: a key of a group of `zoo.evaluation.evaluate`'s result.

    Returns:
        Its `Metric`.

    Example:
        >>> from zoo.evaluation.metrics import metric
        >>> metric("psnr").better, metric("of_my_own").label
        ('higher', 'of my own')
    """
    if name in _METRICS:
        return _METRICS[name]
    few = _FEW_LABELS.fullmatch(name)
    if few:
        labels = "label" if few[1] == "1" else "labels"
        return Metric(f"{few[1]} {labels} a class, accuracy", "higher")
    for suffix, found in _CLUSTERING.items():
        if name.endswith(f"_{suffix}"):
            return Metric(f"{name.removesuffix(f'_{suffix}')}: {found.label}", found.better)
    return Metric(name.replace("_", " "), "")
