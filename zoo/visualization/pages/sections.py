"""Where a figure stands on a page, by its name."""

from __future__ import annotations

# Section -> how the names of its figures begin.
_SECTIONS = (
    ("Learning curves", ("learning_curves",)),
    ("Reconstructions", ("reconstruction",)),
    ("Samples", ("sample",)),
    ("Traversals", ("prior_", "posterior_trav", "traversal", "manifold", "interpolation")),
    (
        "The code",
        (
            "code_",
            "scatter",
            "activation",
            "sparsity",
            "factor_",
            "class_",
            "correlation",
            "calibration",
        ),
    ),
    ("Filters", ("filters", "unit_pictures")),
)
REST = "More pictures"
SECTIONS = (*(name for name, _ in _SECTIONS), REST)


def section_of(figure: str) -> str:
    """The section of a figure; `REST` for a name that is not known."""
    return next((name for name, starts in _SECTIONS if figure.startswith(starts)), REST)
