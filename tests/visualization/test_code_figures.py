"""Scatter, histograms, correlation and sparsity of codes."""

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA

import zoo
from zoo.visualization import (
    activation_histograms,
    code_scatter,
    factor_correlation,
    one_hot,
    rank_correlation,
    sparsity,
)
from zoo.visualization.drawing.style import class_style
from zoo.visualization.drawing.units import leading_units, robust_limits


def offsets(axes):
    return np.concatenate([np.asarray(c.get_offsets()) for c in axes.collections])


def test_two_units_are_shown_as_they_are_and_by_class():
    z = np.random.default_rng(0).normal(size=(60, 2))
    labels = np.repeat([4, 7, 9], 20)
    axes = code_scatter(z, labels).axes[0]
    assert len(axes.collections) == 3
    for collection, value in zip(axes.collections, [4, 7, 9], strict=True):
        np.testing.assert_allclose(collection.get_offsets(), z[labels == value])
    names = {text.get_text(): text.get_position() for text in axes.texts}
    np.testing.assert_allclose(names["7"], np.median(z[20:40], axis=0))
    colours = {tuple(c.get_facecolor()[0][:3]) for c in axes.collections}
    assert len(colours) == 3


def test_more_units_are_shown_on_their_principal_components():
    z = np.random.default_rng(0).normal(size=(50, 6)) * [5, 4, 1, 1, 1, 1]
    axes = code_scatter(z).axes[0]
    expected = PCA(2).fit_transform(z)
    signs = np.sign((offsets(axes) * expected).sum(axis=0))
    np.testing.assert_allclose(offsets(axes) * signs, expected, atol=1e-8)


@pytest.mark.filterwarnings("error")
def test_codes_that_are_all_equal_have_no_components():
    figure = code_scatter(np.ones((20, 4)), np.arange(20) % 3)
    assert "(0% of variance)" in figure.axes[0].get_xlabel()


@pytest.mark.filterwarnings("error")
def test_one_unit_lies_on_a_line():
    z = np.random.default_rng(0).normal(size=40)
    shown = offsets(code_scatter(z, np.repeat([0, 1], 20)).axes[0])
    np.testing.assert_allclose(shown[:, 0], z)
    assert shown[:20, 1].max() < shown[20:, 1].min()


@pytest.mark.parametrize("count", [3, 20])
def test_names_of_classes_that_lie_in_one_place_cover_no_other(count):
    z = np.random.default_rng(0).normal(size=(600, 2))
    figure = code_scatter(z, np.arange(600) % count)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == count
    for place, box in enumerate(boxes):
        for other in boxes[place + 1 :]:
            assert not box.shrunk(0.8, 0.6).overlaps(other.shrunk(0.8, 0.6))


def test_tsne_keeps_blobs_apart_and_draws_at_most_a_thousand():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 1100)
    z = rng.normal(size=(1100, 5)) * 0.1 + 10 * labels[:, None]
    axes = code_scatter(z, labels, "tsne").axes[0]
    groups = [np.asarray(c.get_offsets()) for c in axes.collections]
    assert sum(map(len, groups)) == 1000
    centres = [group.mean(axis=0) for group in groups]
    for own, other in ((0, 1), (1, 0)):
        to_own = np.linalg.norm(groups[own] - centres[own], axis=1)
        to_other = np.linalg.norm(groups[own] - centres[other], axis=1)
        assert (to_own < to_other).mean() > 0.99


def test_outliers_do_not_hide_the_rest():
    z = np.random.default_rng(0).standard_cauchy((1000, 2))
    figure = code_scatter(z)
    left, right = figure.axes[0].get_xlim()
    assert right - left < 0.5 * np.ptp(z[:, 0])
    x, y = z.T
    low, high = figure.axes[0].get_ylim()
    outside = np.sum((x < left) | (x > right) | (y < low) | (y > high))
    assert f"{outside} of them far outside" in figure.get_suptitle()
    assert outside < 50


def test_many_labels_are_a_colour_scale():
    z = np.random.default_rng(0).normal(size=(100, 2))
    axes = code_scatter(z, z[:, 0]).axes
    assert len(axes) == 2
    np.testing.assert_allclose(axes[0].collections[0].get_array(), z[:, 0])


def test_histograms_are_densities_beside_the_priors():
    z = np.random.default_rng(0).laplace(size=(2000, 3))
    figure = activation_histograms(z, stats.laplace())
    assert len(figure.axes) == 3
    for unit, axes in enumerate(figure.axes):
        low, high = axes.get_xlim()
        area = sum(bar.get_height() * bar.get_width() for bar in axes.patches)
        share = np.mean((z[:, unit] >= low) & (z[:, unit] <= high))
        np.testing.assert_allclose(area, share, atol=1e-9)
        x, y = axes.lines[0].get_data()
        inner = np.abs(x) < 2
        np.testing.assert_allclose(y[inner], stats.laplace.pdf(x[inner]), rtol=0.02)


def test_histograms_show_the_units_that_vary_most():
    z = np.zeros((100, 1000))
    z[:, [17, 400]] = np.random.default_rng(0).normal(size=(100, 2)) * [1, 3]
    titles = [axes.get_title(loc="left") for axes in activation_histograms(z, limit=2).axes]
    assert [title.split(":")[0] for title in titles] == ["unit 400", "unit 17"]


def test_rank_correlation_is_scipys():
    rng = np.random.default_rng(0)
    z, f = rng.normal(size=(80, 3)), rng.integers(0, 4, (80, 2))
    expected = stats.spearmanr(np.hstack([z, f])).statistic[:3, 3:]
    np.testing.assert_allclose(rank_correlation(z, f), expected)
    z[:, 1] = 2.0
    assert np.isnan(rank_correlation(z, f)[1]).all()


def test_correlation_figure_holds_the_table():
    rng = np.random.default_rng(0)
    f = rng.normal(size=(50, 2))
    z = np.hstack([-f[:, :1], rng.normal(size=(50, 40)), f[:, 1:] ** 3])
    axes = factor_correlation(z, f, ["x", "y"], limit=5).axes[0]
    shown = [int(label.get_text()) for label in axes.get_xticklabels()]
    assert {0, 41} <= set(shown)
    table = rank_correlation(z, f).T[:, shown]
    np.testing.assert_allclose(axes.images[0].get_array(), np.abs(table))
    assert axes.texts[0].get_text() == "-1.00"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["x", "y"]


def test_one_hot():
    columns, names = one_hot(np.array([5, 2, 5]))
    np.testing.assert_array_equal(columns, [[0, 1], [1, 0], [0, 1]])
    assert names == ["class 2", "class 5"]


def test_sparsity_counts_dead_units_and_active_ones():
    z = np.zeros((40, 12))
    z[np.arange(40), np.arange(40) % 3] = 1.0
    figure = sparsity(z)
    assert len(figure.axes) == 3
    assert "9 of 12 dead" in figure.axes[0].get_title(loc="left")
    assert "mean 1" in figure.axes[1].get_title(loc="left")
    assert "mean 1.00" in figure.axes[2].get_title(loc="left")
    assert len(sparsity(np.arange(4.0)).axes) == 2


def test_the_figure_counts_dead_units_as_the_metrics_do():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2000, 6))
    z[:, 1] *= 1e-4  # below the threshold in every code
    z[:, 2] = 0
    z[:, 3] *= np.arange(2000) < 2  # in no more than a thousandth of the codes
    z[:, 4] *= np.arange(2000) < 3
    z[:, 5] *= 0.05  # small, but not dead
    assert zoo.evaluation.sparsity.scores(z)["dead_units"] == 3
    assert "3 of 6 dead" in sparsity(z).axes[0].get_title(loc="left")


def test_leading_units_and_limits():
    z = np.random.default_rng(0).normal(size=(200, 5)) * [1, 9, 2, 8, 3]
    np.testing.assert_array_equal(leading_units(z, 3), [1, 3, 4])
    np.testing.assert_array_equal(leading_units(z, 5), range(5))
    low, high = robust_limits(np.r_[np.linspace(0, 1, 999), 1e6])
    assert low < 0 and 1 < high < 2
    low, high = robust_limits(np.full(9, 3.0))
    assert low < 3 < high


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda z: code_scatter(z, method="umap"), "Unknown method 'umap'. Known: auto, pca, tsne"),
        (lambda z: code_scatter(z, [1, 2]), r"one for each of the 5 examples, shape \(5,\)"),
        (lambda z: code_scatter(z[:1]), "at least 2 codes"),
        (lambda z: code_scatter(z[:3], method="tsne"), "at least 4 codes"),
        (lambda z: code_scatter(z * np.nan), "15 of 15 values that are NaN"),
        (lambda z: code_scatter(z[None]), r"shape \(n, units\); received \(1, 5, 3\)"),
        (lambda z: activation_histograms(z, stats.norm(0, [1, 2])), "must have 3 units"),
        (lambda z: activation_histograms(z, units=[5]), "indices from 0 to 2"),
        (lambda z: rank_correlation(z, z[:4]), "each of the 5 codes; received 4"),
        (lambda z: rank_correlation(z[:1], z[:1]), "at least 2 examples"),
        (lambda z: factor_correlation(z, z, ["a"]), "each of the 3 factors; received 1"),
        (lambda z: sparsity(z, -1), "threshold must not be negative"),
        (lambda z: sparsity(z[:0]), "codes must not be empty"),
    ],
)
def test_bad_codes_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0).normal(size=(5, 3)))


def test_twenty_classes_have_twenty_colours():
    """Told apart by eye: at least 20 apart in CIELAB, where 2.3 is a just noticeable difference."""
    from matplotlib.colors import to_rgb

    labels = np.repeat(np.arange(20), 3)
    axes = code_scatter(np.random.default_rng(0).normal(size=(60, 2)), labels).axes[0]
    colors = np.array([to_rgb(c.get_facecolor()[0][:3]) for c in axes.collections])
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(np.maximum((linear @ to_xyz.T / [0.9505, 1, 1.089]), 1e-9)).T
    lab = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    assert distance[~np.eye(20, dtype=bool)].min() > 20
    styles = {tuple(class_style(index).values()) for index in range(160)}
    assert len(styles) == 160


def test_names_of_classes_are_shown_as_they_are():
    names = ["_background", "5$ to 10$_", "plain"]
    codes, labels = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 3
    figure = code_scatter(codes, labels, names=names)
    shown = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert [text.replace("\\", "").strip() for text in shown] == names
    figure.draw_without_rendering()  # mathematics between the dollars would not parse
    columns, found = one_hot(labels, names)
    factor_correlation(codes, columns, found).draw_without_rendering()


def test_a_prior_with_a_peak_leaves_the_codes_their_height():
    codes = np.random.default_rng(0).normal(size=(500, 1))
    axes = activation_histograms(codes, stats.laplace(scale=0.01)).axes[0]
    tallest = max(patch.get_height() for patch in axes.patches)
    assert axes.lines[0].get_ydata().max() > 20 * tallest
    assert axes.get_ylim()[1] < 2 * tallest
