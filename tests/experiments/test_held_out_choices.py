import pytest

from zoo.experiments import held_out_choices

ERRORS = {
    "deep/as_it_is/held_out": 1.25,
    "deep/slower/held_out": 1.0,
    "deep/faster/held_out": 1.5,
    "flat/as_it_is/held_out": 2.0,
    "flat/slower/held_out": 2.5,
    "flat/slower/agreed": 0.5,  # beside the judge
}


def test_a_row_is_led_by_the_best_other_setting():
    found = held_out_choices.outcome(ERRORS)
    assert found.measures == {**ERRORS, "deep/lead": 0.25, "flat/lead": -0.5}
    assert held_out_choices.rows_of(found.arrays) == {
        "deep": {"as_it_is": 1.25, "slower": 1.0, "faster": 1.5},
        "flat": {"as_it_is": 2.0, "slower": 2.5},
    }


def test_a_lead_within_chance_leaves_a_row_its_settings():
    deep, flat = held_out_choices.claims(("deep", "flat"))
    measures = held_out_choices.outcome(ERRORS).measures
    assert deep.verdict(measures) == "does not hold"
    assert flat.verdict(measures) == "holds"
    assert set(deep.measures) <= set(measures)


def test_the_best_setting_is_drawn_above():
    (figure,) = held_out_choices.draw(held_out_choices.outcome(ERRORS).arrays).values()
    shown = [[label.get_text() for label in axes.get_yticklabels()] for axes in figure.axes[:2]]
    assert shown == [["faster", "as_it_is", "slower"], ["slower", "as_it_is"]]
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == pytest.approx([1.5, 1.25, 1.0])
