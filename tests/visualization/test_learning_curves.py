import keras
import numpy as np
import pytest

from zoo.visualization import learning_curves, overlaid_curves
from zoo.visualization.figures.curves import terms

HISTORY = {
    "kl": [1.0, 2.0, 3.0],
    "loss": [100.0, 20.0, 5.0],
    "val_loss": [110.0, 25.0, 8.0],
    "learning_rate": [1e-3, 1e-3, 1e-4],
}


TITLES = ["loss", "KL(q(z|x) || p(z))", "learning rate"]


def panel(figure, term):
    return next(axes for axes in figure.axes if axes.get_title(loc="left").startswith(term))


def test_a_panel_for_each_term_with_its_values():
    figure = learning_curves(HISTORY, "nats")
    assert [axes.get_title(loc="left") for axes in figure.axes] == TITLES
    training, validation = panel(figure, "loss").lines
    np.testing.assert_array_equal(training.get_data(), [[1, 2, 3], HISTORY["loss"]])
    np.testing.assert_array_equal(validation.get_ydata(), HISTORY["val_loss"])
    assert training.get_linestyle() != validation.get_linestyle()
    assert len(panel(figure, "KL").lines) == 1
    assert [axes.get_ylabel() for axes in figure.axes] == ["nats", "nats", ""]


@pytest.mark.parametrize("epochs", [1, 2, 30])
def test_epochs_are_whole_numbers(epochs):
    (axes,) = learning_curves({"loss": np.linspace(5, 4, epochs)}).axes
    assert not (np.asarray(axes.get_xticks()) % 1).any()


def test_what_fit_returns_is_a_history():
    returned = keras.callbacks.History()
    returned.history = HISTORY
    figure, same = learning_curves(returned), learning_curves(HISTORY)
    for axes, other in zip(figure.axes, same.axes, strict=True):
        assert axes.get_title(loc="left") == other.get_title(loc="left")
        for line, twin in zip(axes.lines, other.lines, strict=True):
            np.testing.assert_array_equal(line.get_xydata(), twin.get_xydata())


def test_log_scale_where_a_positive_term_changes_tenfold():
    figure = learning_curves({**HISTORY, "signed": [-1.0, 50.0, 100.0], "flat": [0.5, 0.5, 0.4]})
    scales = {axes.get_title(loc="left"): axes.get_yscale() for axes in figure.axes}
    assert scales == {
        "loss": "log",
        "KL(q(z|x) || p(z))": "linear",
        "learning rate": "linear",
        "signed": "linear",
        "flat": "linear",
    }


def test_units_by_term():
    figure = learning_curves(HISTORY, {"kl": "nats"})
    assert [axes.get_ylabel() for axes in figure.axes] == ["", "nats", ""]


def test_values_that_are_not_finite_are_counted():
    figure = learning_curves({"loss": [3.0, np.nan, np.inf, 2.0]})
    assert figure.axes[0].get_title(loc="left") == "loss (2 not finite)"
    assert figure.axes[0].get_yscale() == "linear"


def test_one_epoch_is_a_point():
    assert learning_curves({"loss": [3.0]}).axes[0].lines[0].get_marker() == "o"


def test_runs_overlaid_prefer_validation():
    figure = overlaid_curves({"a": HISTORY, "b": {"loss": [9.0, 8.0]}})
    assert [axes.get_title(loc="left") for axes in figure.axes] == TITLES
    first, second = panel(figure, "loss").lines
    np.testing.assert_array_equal(first.get_ydata(), HISTORY["val_loss"])
    np.testing.assert_array_equal(second.get_ydata(), [9, 8])
    assert (first.get_color(), first.get_linestyle()) != (
        second.get_color(),
        second.get_linestyle(),
    )
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_eleven_runs_can_be_told_apart():
    figure = overlaid_curves({f"run {i}": {"loss": [i, i + 1.0]} for i in range(11)})
    styles = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
    assert len(styles) == 11


def test_names_of_runs_are_shown_as_they_are():
    figure = overlaid_curves({"_first": {"loss": [2.0, 1.0]}, "a$b$^": {"loss": [3.0, 1.0]}})
    figure.draw_without_rendering()
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert shown == [" _first", r"a\$b\$^"]


def test_terms_put_the_loss_first():
    assert terms({"epoch": [0], "lp": [1], "val_kl": [1], "loss": [1]}) == ["loss", "kl", "lp"]


@pytest.mark.parametrize("history", [{}, {"loss": []}, {"epoch": [1, 2]}])
def test_an_empty_history_is_refused(history):
    with pytest.raises(ValueError, match="at least one value of one term"):
        learning_curves(history)


def test_no_runs_are_refused():
    with pytest.raises(ValueError, match="at least one run"):
        overlaid_curves({})
