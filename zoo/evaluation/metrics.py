"""The one table of metrics: what each is called, which way is better, what it says."""

from __future__ import annotations

import re
from typing import NamedTuple

HIGHER, LOWER, NEITHER = "higher", "lower", ""


class Metric(NamedTuple):
    """A metric in words.

    Args:
        label: its name in a table.
        better: "higher", "lower", or "" where neither is better in itself.
        text: what it says, in a sentence; "" for a metric that is not known.
    """

    label: str
    better: str = NEITHER
    text: str = ""


_METRICS = {
    "loss": Metric("loss", LOWER, "What training minimises: the weighted sum of the terms."),
    "reconstruction": Metric(
        "reconstruction", LOWER, "-log p(x|z) of an example, or the error in its place."
    ),
    "kl": Metric(
        "KL(q(z|x) || p(z))", NEITHER, "What a code says of its example, in nats; 0 says nothing."
    ),
    "kl_per_unit": Metric(
        "KL of each unit", NEITHER, "What each unit says of an example, in nats."
    ),
    "squared_error": Metric("squared error, per example", LOWER, "Summed over all values of x."),
    "mean_squared_error": Metric(
        "squared error, per value", LOWER, "The squared error divided by the number of values."
    ),
    "udr": Metric(
        "UDR", HIGHER, "How much models of several seeds agree unit by unit; it needs no labels."
    ),
    "psnr": Metric(
        "PSNR, mean over examples (dB)", HIGHER, "10 dB more is a tenth of the squared error."
    ),
    "psnr_total": Metric(
        "PSNR of the whole set (dB)", HIGHER, "The PSNR of the mean error; bad examples weigh more."
    ),
    "ssim": Metric(
        "SSIM", HIGHER, "Structural similarity of picture and reconstruction, at most 1."
    ),
    "bernoulli_cross_entropy": Metric(
        "Bernoulli cross-entropy (nats)",
        LOWER,
        "Of x under its reconstruction, summed over values.",
    ),
    "elbo": Metric(
        "ELBO (nats)", HIGHER, "Lower bound of log p(x): the two lines below, subtracted."
    ),
    "expected_log_likelihood": Metric(
        "E log p(x|z) (nats)", HIGHER, "How well codes drawn from q(z|x) give x back."
    ),
    "log_likelihood": Metric(
        "log p(x), importance-weighted bound (nats)",
        HIGHER,
        "A lower bound that is tighter than the ELBO.",
    ),
    "log_likelihood_standard_error": Metric(
        "log p(x), standard error",
        NEITHER,
        "How far other examples would move the mean of the bound.",
    ),
    "effective_samples": Metric(
        "effective importance samples",
        NEITHER,
        "Near 1, a single draw decides: the bound is loose.",
    ),
    "active_units": Metric(
        "active units",
        NEITHER,
        "Units whose posterior mean varies over the examples by more than .01.",
    ),
    "aggregate_mmd2": Metric(
        "aggregate posterior, squared MMD to prior",
        LOWER,
        "Distance between codes of the data and draws of the prior; 0 for equal distributions.",
    ),
    "aggregate_kl": Metric(
        "aggregate posterior, sum of marginal KL",
        LOWER,
        "KL of each unit's codes from the prior, one unit at a time, summed (nats).",
    ),
    "aggregate_kl_max": Metric(
        "aggregate posterior, largest marginal KL",
        LOWER,
        "The same of the unit that is furthest off.",
    ),
    "hoyer": Metric(
        "Hoyer", NEITHER, "0: all units of a code are equal in size. 1: one carries it."
    ),
    "gini": Metric("Gini", NEITHER, "Inequality of the units in a code; near 1 a few carry it."),
    "treves_rolls": Metric(
        "Treves-Rolls of codes", NEITHER, "Density of a code over the units; small is sparse."
    ),
    "treves_rolls_lifetime": Metric(
        "Treves-Rolls of units", NEITHER, "Density of a unit over the examples; small is sparse."
    ),
    "l0": Metric(
        "active units in a code (L0)", NEITHER, "Units above 1 % of the codes' RMS, counted."
    ),
    "kurtosis": Metric(
        "excess kurtosis of units", NEITHER, "Weight of the tails; 0 for a Gaussian."
    ),
    "one_active_share": Metric(
        "codes with one active unit, share", NEITHER, "Codes of which one unit carries nine tenths."
    ),
    "dead_units": Metric("dead units", LOWER, "Units active in at most 1 of 1,000 examples."),
    "dense_units": Metric(
        "dense units", NEITHER, "Units active in more than half of the examples."
    ),
    "dictionary_l0": Metric(
        "active atoms in a code (L0)", NEITHER, "Units whose code is not 0, counted."
    ),
    "explained_variance": Metric(
        "variance explained", HIGHER, "1 - squared error / variance, of sums over the whole set."
    ),
    "cosine": Metric(
        "cosine of x and reconstruction",
        HIGHER,
        "The mean over examples; 1 for the same direction.",
    ),
    "norm_ratio": Metric(
        "norm of reconstruction / of x", NEITHER, "The mean over examples; below 1 codes shrink."
    ),
    "reconstruction_bias": Metric(
        "reconstruction bias",
        NEITHER,
        "E ||r||^2 / E x . r for the reconstruction r: below 1, a larger multiple of r would be nearer to x.",
    ),
    "log_density": Metric(
        "log10 density of units", NEITHER, "Of the share of examples on which a unit fires, mean."
    ),
    "alive_share": Metric("units that fire, share", HIGHER, "On one example at least."),
    "rare_share": Metric(
        "rare units, share", NEITHER, "Units that fire, on fewer than 1 of 10,000 examples."
    ),
    "dead_share": Metric("units that never fire, share", LOWER, "On no example of those given."),
    "mcc": Metric(
        "atoms against true features, MCC", HIGHER, "Mean |cosine| of the best one-to-one pairs."
    ),
    "f1": Metric(
        "units against true features, F1", HIGHER, "Of firing, for the feature nearest to the atom."
    ),
    "uniqueness": Metric(
        "distinct nearest features, share", HIGHER, "Of the units; 1 where no two share one."
    ),
    "agreement": Metric(
        "atoms against those of another seed",
        HIGHER,
        "Mean |cosine| of the best one-to-one pairs with the other atoms.",
    ),
    "probe_of_1": Metric(
        "one unit tells a class, balanced accuracy",
        HIGHER,
        "A class against all others, on test examples; the mean over classes, 0.5 by chance.",
    ),
    "probe_of_5": Metric(
        "five units tell a class, balanced accuracy", HIGHER, "The same of five units."
    ),
    "absorption": Metric(
        "absorption of classes",
        LOWER,
        "How much of a class is written by other units than the one that stands for it; 0 is none.",
    ),
    "loss_recovered": Metric(
        "loss recovered",
        HIGHER,
        "What a network keeps of its loss with the reconstruction in place of its layer; 1 is all of it, 0 "
        "is what the mean gives.",
    ),
    "logistic_regression": Metric(
        "logistic regression, accuracy",
        HIGHER,
        "A linear classifier of the codes, on test examples.",
    ),
    "knn": Metric("k-NN, accuracy", HIGHER, "The label of most of the nearest training codes."),
    "label_silhouette": Metric(
        "classes: silhouette", HIGHER, "How much closer codes lie to their class than to the next."
    ),
    "beta_vae_score": Metric(
        "beta-VAE score", HIGHER, "A linear classifier names the factor that was held fixed."
    ),
    "factor_vae_score": Metric(
        "FactorVAE score",
        HIGHER,
        "The unit that varies least names the factor that was held fixed.",
    ),
    "mig": Metric("MIG", HIGHER, "How far the best unit of each factor is ahead of the second."),
    "mig_sup": Metric(
        "MIG-sup", HIGHER, "How far the best factor of each unit is ahead of the second."
    ),
    "dci_disentanglement": Metric(
        "DCI disentanglement", HIGHER, "How far each unit serves one factor."
    ),
    "dci_completeness": Metric("DCI completeness", HIGHER, "How far one unit holds each factor."),
    "dci_informativeness": Metric(
        "DCI informativeness", HIGHER, "How well boosted trees predict the factors from the code."
    ),
    "sap": Metric("SAP", HIGHER, "Gap between the two units that predict a factor best."),
    "modularity": Metric("modularity", HIGHER, "How far each unit depends on a single factor."),
    "explicitness": Metric(
        "explicitness (ROC AUC)", HIGHER, "How well a linear classifier reads the factors."
    ),
    "irs": Metric("IRS", HIGHER, "How little a unit moves when other factors change."),
    "precision": Metric(
        "precision", HIGHER, "Share of generated examples that lie among real ones."
    ),
    "recall": Metric("recall", HIGHER, "Share of real examples that lie among generated ones."),
    "kernel_distance": Metric(
        "kernel distance", LOWER, "Unbiased squared MMD of generated from real examples' features."
    ),
    "frechet_distance": Metric(
        "Frechet distance", LOWER, "Of Gaussians fitted to features of generated and real examples."
    ),
    "roc_auc": Metric(
        "ROC AUC", HIGHER, "Chance that an anomaly scores below an example that is none."
    ),
    "average_precision": Metric(
        "average precision", HIGHER, "Mean precision down to each anomaly, the lowest scores first."
    ),
    "anomaly_share": Metric(
        "share of anomalies", NEITHER, "The average precision of scores at random."
    ),
    "imputation_error": Metric(
        "error of missing values", LOWER, "Root mean square over the values that were hidden."
    ),
    "imputation_error_mean": Metric(
        "the same, by the mean", NEITHER, "Where the training mean of each value is filled in."
    ),
    "imputation_error_pca": Metric(
        "the same, by principal components", NEITHER, "Where fitted components fill it in."
    ),
    "usage": Metric("entries used in a batch", HIGHER, "Share of a codebook's entries."),
    "perplexity": Metric(
        "perplexity of the codebook", HIGHER, "The number of entries that are used alike."
    ),
    "training_distance_ratio": Metric(
        "distance to training set / held-out's",
        NEITHER,
        "Near 0, generated examples copy the training set; near 1 they do not.",
    ),
}
_CLUSTERING = {
    "one_to_one_accuracy": Metric(
        "one-to-one accuracy", HIGHER, "Accuracy where each cluster names one class."
    ),
    "majority_accuracy": Metric(
        "majority accuracy", HIGHER, "Accuracy where each cluster names its commonest class."
    ),
    "nmi": Metric("NMI", HIGHER, "Information that clusters and classes share, from 0 to 1."),
    "ari": Metric(
        "ARI", HIGHER, "Pairs that clusters and classes treat alike; 0 is chance, 1 equal."
    ),
    "silhouette": Metric(
        "silhouette", HIGHER, "How much closer codes lie to their cluster than to the next."
    ),
}
_FEW_LABELS = re.compile(r"few_label_(\d+)")


def metric(path: str) -> Metric:
    """The metric of a name; one that is not known is called by its name, without a better way.

    Args:
        path: "group/name" or "name", a key of `zoo.evaluation.evaluate`'s result or a term of the
            loss; "val_" in front of the name changes nothing.

    Returns:
        Its `Metric`.

    Example:
        >>> from zoo.evaluation.metrics import metric
        >>> metric("psnr").better, metric("of_my_own").label
        ('higher', 'of my own')
    """
    name = path.rpartition("/")[2].removeprefix("val_")
    if name in _METRICS:
        return _METRICS[name]
    few = _FEW_LABELS.fullmatch(name)
    if few:
        labels = "label" if few[1] == "1" else "labels"
        text = f"Accuracy of a linear classifier that is fitted to {few[1]} {labels} of each class."
        return Metric(f"{few[1]} {labels} a class, accuracy", HIGHER, text)
    for suffix, found in _CLUSTERING.items():
        if name.endswith(f"_{suffix}"):
            way = name.removesuffix(f"_{suffix}")
            return found._replace(label=f"{way}: {found.label}")
    return Metric(name.replace("_", " "))
