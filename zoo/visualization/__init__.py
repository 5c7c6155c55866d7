"""Pictures that explain a model, and the pages that hold them.

Every figure is a function of arrays or of a model that returns a `matplotlib.figure.Figure`.
`figures_for` chooses those that apply to a model; `write_report` makes one page of a run and
`write_comparison` one page of several.
"""

from zoo.visualization.drawing.files import draw, save_figures, to_png
from zoo.visualization.drawing.quantiles import quantiles
from zoo.visualization.figures.animation import traversal_gif
from zoo.visualization.figures.calibration import calibration, posterior_ranks, prior_ranks
from zoo.visualization.figures.correlation import factor_correlation, one_hot, rank_correlation
from zoo.visualization.figures.curves import learning_curves, overlaid_curves
from zoo.visualization.figures.filters import added_by_units, filters, unit_pictures
from zoo.visualization.figures.histograms import activation_histograms
from zoo.visualization.figures.interpolation import interpolation_codes, interpolations
from zoo.visualization.figures.manifold import inverse_cdf_grid, manifold
from zoo.visualization.figures.reconstructions import reconstructions
from zoo.visualization.figures.samples import samples
from zoo.visualization.figures.scatter import code_scatter
from zoo.visualization.figures.sparsity import sparsity
from zoo.visualization.figures.traversals import (
    posterior_traversals,
    prior_traversals,
    traversal_codes,
    traversals,
)
from zoo.visualization.pages.compare import write_comparison
from zoo.visualization.pages.report import write_report
from zoo.visualization.selection import figures_for, loss_units

__all__ = [
    "activation_histograms",
    "added_by_units",
    "calibration",
    "code_scatter",
    "draw",
    "factor_correlation",
    "figures_for",
    "filters",
    "interpolation_codes",
    "interpolations",
    "inverse_cdf_grid",
    "learning_curves",
    "loss_units",
    "manifold",
    "one_hot",
    "overlaid_curves",
    "posterior_ranks",
    "posterior_traversals",
    "prior_ranks",
    "prior_traversals",
    "quantiles",
    "rank_correlation",
    "reconstructions",
    "samples",
    "save_figures",
    "sparsity",
    "to_png",
    "traversal_codes",
    "traversal_gif",
    "traversals",
    "unit_pictures",
    "write_comparison",
    "write_report",
]
