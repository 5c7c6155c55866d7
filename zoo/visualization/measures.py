"""What each metric says, and whether more of it is better."""

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


# Pattern of the last part of a metric's name -> its measure; the first that matches counts.
_MEASURES = (
    (r"loss", LOWER, "What training minimises: the sum of all terms, mean over examples."),
    (
        r"reconstruction",
        LOWER,
        "-log p(x|z) in nats, or the error that stands for it, per example.",
    ),
    (r"kl(_.*)?", None, "Distance of q(z|x) from the prior in nats: what the code says of x."),
    (r"elbo", HIGHER, "Lower bound of log p(x) in nats per example."),
    (r"iw.*|importance.*|.*bound|log_likelihood", HIGHER, "log p(x) in nats, by sampling."),
    (r".*standard_error|.*stderr|.*_se", None, "Standard error of the number above it."),
    (r"active_units.*", None, "Units whose mean changes with x; the others are collapsed."),
    (r"mean_squared_error|mse", LOWER, "Squared error per value."),
    (r"squared_error.*", LOWER, "Squared error, summed over an example."),
    (r"psnr.*", HIGHER, "Peak signal against error, in decibels; 10 more is a tenth of the error."),
    (r"ssim.*", HIGHER, "Likeness of structure between picture and reconstruction; 1 is equal."),
    (r".*cross_entropy", LOWER, "Bernoulli cross-entropy in nats, summed over an example."),
    (r"hoyer.*", None, "0 where all units are equal in size, 1 where one carries the code."),
    (r"gini.*", None, "Inequality of the units in a code; near 1 a few carry it."),
    (r"treves.*", None, "Treves-Rolls activity ratio of a code's units."),
    (r"l0.*", None, "Units above the threshold in a code."),
    (r"kurtosis.*", None, "Weight of the units' tails; 0 for a Normal unit."),
    (r"dead.*", LOWER, "Units that are active for no example."),
    (r"dense.*", None, "Units that are active for most examples."),
    (r".*one_active.*", None, "Codes that one unit carries."),
    (r"(logistic|knn|k_nn|few|linear|probe|nearest).*error.*", LOWER, "Error of a probe on codes."),
    (r"(logistic|knn|k_nn|few|linear|probe|nearest).*", HIGHER, "Accuracy of a probe on codes."),
    (r"(.*_)?accuracy", HIGHER, "Share of examples that get the right class."),
    (r"(.*_)?purity", HIGHER, "Share of examples in the main class of their cluster."),
    (r"(.*_)?nmi", HIGHER, "Information that clusters and classes share, 0 to 1."),
    (r"(.*_)?ari", HIGHER, "Pairs that clusters and classes treat alike; 0 is chance, 1 equal."),
    (r"(.*_)?silhouette", HIGHER, "How much closer codes lie to their own group than to the next."),
    (r"beta_vae.*", HIGHER, "A linear classifier names the factor that was held fixed."),
    (r"factor_vae.*", HIGHER, "The unit that varies least names the factor that was held fixed."),
    (r"mig.*", HIGHER, "How far the best unit of each factor is ahead of the second."),
    (r"(dci_)?disentanglement", HIGHER, "How far each unit serves one factor."),
    (r"(dci_)?completeness", HIGHER, "How far each factor is held by one unit."),
    (r"(dci_)?informativeness.*", HIGHER, "How well the factors are predicted from the code."),
    (r"sap", HIGHER, "Gap between the two units that predict a factor best."),
    (r"modularity", HIGHER, "How far each unit depends on one factor."),
    (r"explicitness", HIGHER, "How well a linear classifier reads the factors."),
    (r"irs", HIGHER, "How little a unit moves when other factors change."),
    (r"udr.*", HIGHER, "How alike models of several seeds are."),
    (r"precision", HIGHER, "Share of samples that lie among the data."),
    (r"recall", HIGHER, "Share of the data that lie among the samples."),
    (r"(fid|kid|frechet|kernel).*", LOWER, "Distance of samples from data in a feature space."),
    (r"mmd.*", LOWER, "Distance of the codes of data from the prior."),
)
_COMPILED = tuple((re.compile(p), Measure(better, text)) for p, better, text in _MEASURES)
_UNKNOWN = Measure(None, "")


def measure(name: str) -> Measure:
    """The measure of a metric by the last part of its name.

    Args:
        name: "group/metric" or "metric"; "val_" and "test_" in front change nothing.

    Returns:
        Its measure; an empty one, without a better end, for a metric that is not known.
    """
    leaf = re.sub(r"^(val|test|train)_", "", name.rsplit("/", 1)[-1].lower())
    return next((found for pattern, found in _COMPILED if pattern.fullmatch(leaf)), _UNKNOWN)
