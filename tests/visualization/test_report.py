import base64
import io
import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.visualization.pages import check
from zoo.evaluation.metrics import metric
from zoo.visualization import learning_curves, save_figures, to_png, traversal_gif, write_report
from zoo.visualization.drawing.style import styled
from zoo.visualization.pages.tables import flatten, text

HISTORY = {"loss": [3.0, 2.0, 1.5], "val_loss": [3.5, 2.5, 2.25]}
METRICS = {
    "loss": 2.25,
    "reconstruction": {"psnr": 14.123456, "squared_error": {"value": 2.5, "low": 2.0, "high": 3.0}},
    "density": {"kl_per_unit": np.linspace(0, 7, 40), "active_units": np.int64(3)},
    "clustering": {"nmi": float("nan"), "method": "k-means <b>"},
    "skipped": {"disentanglement": "needs factors"},
}


def gif():
    return traversal_gif(lambda z: np.repeat(z[:, None, :, None], 4, 1), np.eye(3), 3, frames=3)


def report(path, **changes):
    arguments = {
        "title": "laplace_vae & digits",
        "objective": "E_q[log p(x|z)] - beta KL(q(z|x) || p(z)) < 0",
        "config": {"model": {"latents": 10, "hidden": [500, 500]}, "versions": {"keras": "3.15"}},
        "history": HISTORY,
        "metrics": METRICS,
        "figures": {
            "samples": (Figure(figsize=(3, 2)), "Some samples."),
            "traversal_animation": (gif(), "They move."),
            "something_else": to_png(Figure(figsize=(2, 2))),
        },
        "next_steps": ["Look at it.", ("Export it:", "python launch.py export --run_dir=a")],
    }
    return write_report(path, **{**arguments, **changes})


def test_report_is_one_well_formed_page_with_everything(tmp_path):
    path = report(tmp_path / "new" / "report.html")
    page = check(path)
    assert "laplace_vae & digits" in page.text
    assert "E_q[log p(x|z)] - beta KL(q(z|x) || p(z)) < 0" in page.text
    for name, value in flatten(METRICS).items():
        assert metric(name).label in page.text and metric(name).text in page.text
        assert text(value) in page.text
    assert "squared_error" not in page.text
    for shown in ("14.12", "2.5 [2, 3]", "40 values, 0 to 7", "NaN", "k-means <b>", "500, 500"):
        assert shown in page.text
    assert "Some samples." in page.text and "python launch.py export" in page.text
    assert "keras" in page.text and "3.15" in page.text
    headings = ["Metrics", "Learning curves", "Samples", "Traversals", "More pictures", "Settings"]
    places = [page.source.index(f">{name}</h2>") for name in headings]
    assert places == sorted(places)
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_facts_and_failures_stand_at_the_top(tmp_path):
    facts = {"Weights": "1,234 trained", "Training": "3 epochs"}
    failed = {"code_scatter": "KeyError: <none>"}
    page = check(report(tmp_path / "r.html", facts=facts, failed=failed))
    for said in (*facts, *facts.values(), "Not drawn: Code scatter.", "<none>"):
        assert page.text.index(said) < page.text.index("What training minimises")


def test_a_heading_is_said_once(tmp_path):
    figures = {
        "samples": (Figure(figsize=(3, 2)), "Some samples."),
        "of_my_own": Figure(figsize=(2, 2)),
    }
    page = check(report(tmp_path / "r.html", figures=figures))
    below = page.source[page.source.index("</nav>") :]
    assert len(re.findall(r">\s*Samples[.<]", below)) == 1
    assert "<b>Of my own.</b>" in below  # its section does not say what it is


def test_intervals_beside_the_metrics_are_shown_with_them(tmp_path):
    metrics = {
        "probing": {"knn": 0.5},
        "intervals": {"probing": {"knn": [0.4, 0.6]}},
        "measured_on": {"rows": "abc", "examples": 7},
        "training": {"seconds": 1.0},
    }
    page = check(report(tmp_path / "r.html", metrics=metrics, config={}))
    assert "0.5 [0.4, 0.6]" in page.text and "abc" not in page.text
    assert len([row for row in page.all("tr") if "data-name" in row]) == 1


def test_pictures_within_are_the_pictures_given(tmp_path):
    curves = learning_curves(HISTORY)
    animation = gif()
    figures = {"learning_curves": (curves, "Mine."), "traversal_animation": (animation, "")}
    page = check(report(tmp_path / "report.html", figures=figures))
    kinds = [image["src"].split(",", 1) for image in page.all("img")]
    contents = [(kind, base64.b64decode(data)) for kind, data in kinds]
    assert contents == [
        ("data:image/png;base64", to_png(curves)),
        ("data:image/gif;base64", animation),
    ]
    still = page.all("source")[0]
    assert "prefers-reduced-motion" in still["media"] and "print" in still["media"]


def test_a_report_of_nothing_but_settings(tmp_path):
    page = check(
        report(tmp_path / "r.html", history={}, metrics={}, figures={}, next_steps=[], config={})
    )
    assert not page.all("img") and "Metrics" not in page.text


def test_curves_are_drawn_from_the_history(tmp_path):
    page = check(report(tmp_path / "r.html", figures={}))
    assert [image["alt"].split(".")[0] for image in page.all("img")] == ["Learning curves"]
    assert "2.25" in page.text


def test_a_failure_leaves_the_old_report(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(ValueError, match="Figure 'samples' must be a matplotlib Figure"):
        report(path, figures={"samples": "a.png"})
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<svg></svg>", "bytes of a PNG or GIF"),
        (to_png(Figure())[:300], "Figure 'x' is a broken picture"),
        (b"\x89PNG\r\n\x1a\n", "Figure 'x' is a broken picture"),
    ],
)
def test_broken_pictures_are_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        report(tmp_path / "r.html", figures={"x": content})


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="Cannot write"):
        report(tmp_path / "file" / "report.html")
    (tmp_path / "report.html").mkdir()
    with pytest.raises(ValueError, match=r"Cannot write .*Is a directory\. Name a file\.$"):
        report(tmp_path / "report.html")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "report.html"]


def test_figures_are_saved_under_their_names(tmp_path):
    figure = Figure(figsize=(1, 1))
    paths = save_figures(tmp_path / "figures", {"a": (figure, "caption"), "b": gif()})
    assert [path.name for path in paths] == ["a.png", "b.gif"]
    assert paths[0].read_bytes() == to_png(figure)


def test_a_picture_is_that_of_savefig_and_leaves_the_figure_alone():
    figure = learning_curves({"loss": [9.0, 5.0, 4.0], "kl": [1.0, 2.0, 3.0]})
    figure.set_facecolor("grey")
    before = figure.canvas, figure.dpi, figure.get_facecolor()
    expected, options = io.BytesIO(), {"metadata": {"Software": None}, "facecolor": "white"}
    styled(figure.savefig)(expected, format="png", dpi=120, **options)
    assert to_png(figure, dpi=120) == expected.getvalue()
    assert (figure.canvas, figure.dpi, figure.get_facecolor()) == before


def test_values_as_texts():
    assert text(3.14159265) == "3.142"
    assert text(1e-7) == "1.000e-07"
    assert text(2_000_000.0) == "2.000e+06"
    assert text(25.0) == "25" and text(True) == "True" and text(None) == "none"
    assert text(float("inf")) == "inf" and text([]) == "none"
    assert text((1, "a", 0.5)) == "1, a, 0.5"
    assert text({"name": "l1", "weight": 0.1}) == "name: l1, weight: 0.1"


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("loss", "lower"),
        ("val_loss", "lower"),
        ("reconstruction/squared_error", "lower"),
        ("reconstruction/psnr_total", "higher"),
        ("reconstruction/bernoulli_cross_entropy", "lower"),
        ("density/elbo", "higher"),
        ("density/kl", ""),
        ("loss/reconstruction", "lower"),
        ("sparsity/hoyer", ""),
        ("clustering/kmeans_one_to_one_accuracy", "higher"),
        ("disentanglement/mig", "higher"),
        ("generation/frechet_distance", "lower"),
        ("a/b/never_heard_of", ""),
    ],
)
def test_better_ends_of_metrics(name, better):
    assert metric(name).better == better
