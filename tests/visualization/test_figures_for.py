import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

import zoo
from zoo.visualization import draw, figures_for, loss_units
from zoo.visualization.selection import FIGURES

ALWAYS = {"reconstructions", "posterior_traversals", "interpolations", "activation_histograms"}


def long(*values):
    """A parameter of .ci/long."""
    return pytest.param(*values, marks=pytest.mark.long)


def untrained(name, shape, **options):
    return zoo.create(name, shape, hidden=(8,), **options)


def test_a_variational_autoencoder_on_digits(digits):
    x, labels = digits
    model = untrained("laplace_vae", (8, 8, 1), latents=3)
    history = {"loss": [3.0, 2.0], "val_loss": [3.1, 2.2]}
    figures = figures_for(model, x[:300], labels[:300], history=history, animate=True)
    assert set(figures) == ALWAYS | {
        "learning_curves",
        "samples",
        "prior_traversals",
        "traversal_animation",
        "code_scatter",
        "sparsity",
        "class_correlation",
        "calibration",
        "filters",
    }
    assert [name for name in FIGURES if name in figures] == list(figures)
    for name, (figure, caption) in figures.items():
        assert isinstance(figure, bytes if name == "traversal_animation" else Figure)
        assert caption.endswith(".")
    pictures = draw(figures)
    assert list(pictures) == list(figures)
    assert figures["learning_curves"][0].axes[0].get_ylabel() == "nats"
    again = figures_for(model, x[:300], labels[:300], history=history)
    for name in ("samples", "interpolations"):
        assert draw({name: again[name]})[name] == pictures[name]


@pytest.mark.parametrize("units", [1, 2])
def test_a_model_of_points_of_a_plane(units):
    x = np.random.default_rng(0).uniform(size=(200, 2)).astype(np.float32)
    model = untrained("vae", (2,), latents=units, likelihood="normal")
    figures = figures_for(model, x)
    assert set(figures) == ALWAYS | {
        "samples",
        "prior_traversals",
        "manifold",
        "code_scatter",
        "calibration",
    }
    draw(figures)


def test_a_sparse_code_of_a_thousand_units(digits):
    x, labels = digits
    model = zoo.create("k_sparse_autoencoder", (8, 8, 1), latents=1000, k=5)
    figures = figures_for(model, x[:100], labels[:100])
    assert {"unit_pictures", "filters", "sparsity"} <= set(figures)
    assert not {"samples", "prior_traversals", "calibration", "manifold"} & set(figures)
    mean = figures["sparsity"][0].axes[1].get_title(loc="left")
    assert mean.endswith("mean 5")
    draw({"unit_pictures": figures["unit_pictures"]})


@pytest.mark.parametrize(
    ("event", "units"),
    [
        *[((5, 9, 3), 12), ((6, 4, 2), 1), ((1,), 1), ((9,), 3), ((12, 3), 2), ((3, 5, 6, 1), 2)],
        *[long((7, 7), 2), long((30,), 2), long((24, 9, 1), 3)],
        *[long((40, 1), 12), long((4, 6, 5, 3), 11)],
    ],
)
def test_any_encoder_of_any_examples(linear_model, event, units):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (60, *event)).astype(np.uint8)
    factors = rng.integers(0, 3, (60, 2))
    figures = figures_for(linear_model(x / 255, units), x, factors=factors, factor_names=["a", "b"])
    assert ALWAYS | {"samples", "factor_correlation"} <= set(figures) <= set(FIGURES)
    for figure, _ in figures.values():
        figure.draw_without_rendering()


def test_a_figure_that_fails_costs_that_figure_only(linear_model, digits):
    class Fails(linear_model):
        """Stands for a plugin: its errors are of any class."""

        def generate(self, n, seed=0):
            raise KeyError("no prior today")

    x, labels = digits
    model = Fails(x, 3)
    failed = {}
    figures = figures_for(model, x[:50], labels[:50], on_failure=failed.__setitem__)
    whole = figures_for(linear_model(x, 3), x[:50], labels[:50])
    assert list(failed) == ["samples"] and isinstance(failed["samples"], KeyError)
    assert set(figures) == set(whole) - {"samples"}
    with pytest.raises(KeyError):
        figures_for(model, x[:50], labels[:50])


def test_class_names_stand_in_every_figure_of_classes(linear_model, digits):
    x = digits[0][:60]
    names = ("square", "ellipse", "heart")
    figures = figures_for(linear_model(x, 2), x, np.arange(60) % 3, class_names=names)
    axes = figures["code_scatter"][0].axes[0]
    assert {text.get_text() for text in axes.texts} == set(names)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(names)
    rows = [t.get_text() for t in figures["interpolations"][0].axes[0].get_yticklabels()]
    assert "square to square" in rows and "square to ellipse" in rows
    correlation = figures["class_correlation"][0]
    assert [t.get_text() for t in correlation.axes[0].get_yticklabels()] == list(names)
    assert correlation.get_suptitle() == "Correlation of units with classes"


def test_windows_have_a_panel_for_each_channel(linear_model):
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.normal(size=(50, 30, 4)), axis=1).astype(np.float32)
    x[..., 1] /= 100  # of four channels three are shown
    figures = figures_for(linear_model(x, 2), x)
    model = linear_model(x, 2)
    shown = figures["reconstructions"][0]
    assert len(shown.axes) == 12
    assert [axes.get_title(loc="right") for axes in shown.axes[:3]] == [
        f"channel {channel}" for channel in (0, 2, 3)
    ]
    order = np.random.default_rng(0).permutation(50)
    for place, axes in enumerate(shown.axes):
        first, channel = x[order[[place // 3]]], (0, 2, 3)[place % 3]
        pair = first[0, :, channel], model.reconstruct(first)[0, :, channel]
        for line, expected in zip(axes.lines, pair, strict=True):
            np.testing.assert_allclose(line.get_ydata(), expected, atol=1e-4)
    assert len({axes.get_ylim() for axes in shown.axes}) == 1
    walks = figures["posterior_traversals"][0]
    assert len(walks.axes) == 2 * 3  # units, channels
    assert all(len(axes.lines) == 9 for axes in walks.axes)
    assert [bool(axes.get_title(loc="left")) for axes in walks.axes] == [True, False, False] * 2


def test_columns_of_a_table_are_not_joined(linear_model):
    x = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    figures = figures_for(linear_model(x, 3), x)
    for name in ("reconstructions", "samples", "posterior_traversals", "interpolations"):
        lines = figures[name][0].axes[0].lines
        assert lines and all(line.get_linestyle() == "None" for line in lines), name


def test_no_column_of_a_table_hides_the_others(linear_model):
    """Columns of a thousand, one and a thousandth are drawn in standard deviations, and it is said."""
    x = np.random.default_rng(0).normal(size=(60, 4)) * (1e3, 1, 1e-3, 1) + (5e3, 0, 0, 7)
    model = linear_model(x, 3)
    figures = figures_for(model, x)
    order = np.random.default_rng(0).permutation(60)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    first = figures["reconstructions"][0].axes[0].lines
    np.testing.assert_allclose(first[0].get_ydata(), scaled[order[0]], rtol=1e-4, atol=1e-5)
    expected = (model.reconstruct(x[order[:1]])[0] - x.mean(axis=0)) / x.std(axis=0)
    np.testing.assert_allclose(first[1].get_ydata(), expected, rtol=1e-3, atol=1e-3)
    for name in ("reconstructions", "samples", "prior_traversals", "interpolations"):
        figure, caption = figures[name]
        assert "standard deviations" in caption
        assert max(abs(side) for side in figure.axes[0].get_ylim()) < 10, name
    _, caption = figures_for(linear_model(scaled, 3), scaled)["reconstructions"]
    assert "standard deviations" not in caption


def test_a_volume_is_shown_by_its_middle_slice(linear_model):
    x = np.random.default_rng(0).random((30, 5, 6, 7, 1)).astype(np.float32)
    shown = figures_for(linear_model(x, 3), x)["reconstructions"][0].axes[0].images[0].get_array()
    chosen = np.random.default_rng(0).permutation(30)[0]
    np.testing.assert_array_equal(shown[:6, :7], x[chosen, 2, :, :, 0])


def test_a_single_example(linear_model, digits):
    x, labels = digits
    figures = figures_for(linear_model(x, 3), x[:1], labels[:1])
    assert ALWAYS - {"interpolations"} <= set(figures)
    assert not {"code_scatter", "class_correlation"} & set(figures)
    for figure, _ in figures.values():
        figure.draw_without_rendering()


def test_units_of_the_loss():
    nats = {"loss": "nats", "reconstruction": "nats", "kl": "nats"}
    assert loss_units(untrained("vae", (4,), latents=2)) == nats
    assert loss_units(untrained("vae", (4,), latents=2, likelihood="squared_error")) == {
        "kl": "nats"
    }
    averaged = {"name": "bernoulli", "reduction": "mean"}
    assert loss_units(untrained("vae", (4,), latents=2, likelihood=averaged)) == {"kl": "nats"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((0, 8, 8, 1))}, "x must not be empty"),
        ({"x": np.full((3, 8, 8, 1), np.nan)}, "x must be finite"),
        ({"labels": [1, 2]}, "labels must be one for each of the 20 examples"),
        ({"factors": np.zeros((4, 2))}, "each of the 20 examples; received 4 rows"),
        ({"factors": np.zeros((20, 2)), "factor_names": ["a"]}, "each of the 2 factors"),
    ],
)
def test_bad_data_are_refused(linear_model, digits, change, message):
    model = linear_model(digits[0], 3)
    with pytest.raises(ValueError, match=message):
        figures_for(model, **{"x": digits[0][:20], **change})


@pytest.mark.parametrize(
    ("shape", "scale", "divisor"), [((5,), None, 1), ((5,), 51, 51), ((4, 4, 1), 16, 16)]
)
@pytest.mark.filterwarnings("ignore:x is a table of bytes")
def test_bytes_are_shown_as_the_model_sees_them(shape, scale, divisor):
    x = np.random.default_rng(0).integers(0, 17, (30, *shape), np.uint8)
    keras.utils.set_random_seed(0)
    options = {"latents": 2, "hidden": (4,), "likelihood": "squared_error"}
    model = zoo.create("autoencoder", shape, scale=scale, **options)
    (figure, _), same = (
        figures_for(model, rows)["reconstructions"]
        for rows in (x, (x / np.float32(divisor)).astype(np.float32))
    )
    assert figure.get_suptitle() == same[0].get_suptitle()
    for ours, theirs in zip(figure.axes, same[0].axes, strict=True):
        for one, other in zip(ours.lines, theirs.lines, strict=True):
            np.testing.assert_allclose(one.get_ydata(), other.get_ydata(), rtol=1e-6)
        for one, other in zip(ours.images, theirs.images, strict=True):
            np.testing.assert_allclose(one.get_array(), other.get_array(), rtol=1e-6)
    if scale is None:
        shown = max(line.get_ydata().max() for axes in figure.axes for line in axes.lines[:1])
        assert shown == 16
