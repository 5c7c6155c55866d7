import csv
import io
import json
import zipfile

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.visualization.pages import check
from zoo.visualization import to_png, write_comparison
from zoo.visualization.pages.compare import best, settings_that_differ
from zoo.visualization.pages.runs import load_run, load_runs


def near(value, half=0.1):
    """A value with a short interval."""
    return {"value": value, "low": value - half, "high": value + half}


def make_run(folder, config, metrics=None, history=None, figures=()):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    if metrics is not None:
        (folder / "metrics.json").write_text(json.dumps(metrics))
    if history is not None:
        with (folder / "history.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(history)
            writer.writerows(zip(*history.values(), strict=True))
    for name in figures:
        (folder / "figures").mkdir(exist_ok=True)
        (folder / "figures" / f"{name}.png").write_bytes(to_png(Figure(figsize=(1, 1))))
    return folder


@pytest.fixture
def runs(tmp_path):
    shared = {"model": "vae", "dataset": "digits", "seed": 0}
    first = make_run(
        tmp_path / "a",
        {**shared, "options": {"beta": 1}},
        {
            "loss": near(20.0),
            "reconstruction": {"squared_error": near(2.0), "psnr": near(15.0)},
            "label_silhouette": float("nan"),
        },
        {"epoch": [0, 1], "loss": [30.0, 20.0], "val_loss": [31.0, 21.5]},
        ["samples", "code_scatter"],
    )
    second = make_run(
        tmp_path / "b",
        {**shared, "options": {"beta": 4}},
        {
            "loss": near(25.0),
            "reconstruction": {"squared_error": near(3.0), "psnr": near(13.0)},
            "label_silhouette": 0.5,
        },
        {"epoch": [0], "loss": [40.0]},
        ["samples"],
    )
    return [first, second]


def marked(page):
    """Metric -> index of the run that is marked as the best."""
    found, row, column = {}, None, -1
    for tag, attrs in page.tags:
        if tag == "tr":
            row, column = attrs.get("data-name"), -1
        elif tag == "td":
            column += 1
            if "best" in attrs.get("class", "").split():
                found[row] = column
    return found


def test_the_page_holds_both_runs(tmp_path, runs):
    page = check(write_comparison(tmp_path / "compare.html", runs))
    rows = [attrs["data-name"] for attrs in page.all("tr") if "data-name" in attrs]
    assert rows == ["options/beta", "loss", "label_silhouette", "squared_error", "psnr"]
    assert marked(page) == {"squared_error": 0, "psnr": 0}
    assert "losses do not compare" in page.text
    alternatives = [image["alt"] for image in page.all("img")]
    assert len(alternatives) == 4  # the curves, two of samples, one scatter
    assert "Not drawn for this run." in page.text


@pytest.mark.parametrize("name", ["seed", "data_seed", "slices"])
def test_losses_compare_where_what_is_minimised_is_the_same(tmp_path, runs, name):
    for run, value in zip(runs, (1, 2), strict=True):
        (run / "config.json").write_text(json.dumps({"model": "vae", name: value}))
    page = check(write_comparison(tmp_path / "compare.html", runs))
    assert marked(page) == {"loss": 0, "squared_error": 0, "psnr": 0}
    assert "different objectives" not in page.text


def test_nothing_is_best_on_different_data(tmp_path, runs):
    (runs[1] / "config.json").write_text(json.dumps({"model": "vae", "dataset": "mnist"}))
    page = check(write_comparison(tmp_path / "compare.html", runs))
    assert marked(page) == {}
    assert "different data" in page.text


def test_runs_without_metrics_or_history_are_shown(tmp_path, runs):
    bare = make_run(tmp_path / "c", {"model": "vae"})
    page = check(write_comparison(tmp_path / "compare.html", [*runs, bare]))
    assert "Without metrics as yet: c." in page.text


def save_model(folder, likelihood, **options):
    """What Keras leaves of a model that a comparison reads."""
    part = {"zoo_name": likelihood, "config": {"name": f"{likelihood}_{folder.name}", **options}}
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"likelihood": part}}))


def test_nats_compare_under_one_likelihood_only(tmp_path, runs):
    for run, elbo in zip(runs, (-20.0, -25.0), strict=True):
        metrics = {
            "density": {"elbo": near(elbo)},
            "reconstruction": {"ssim": near(-elbo)},
        }
        (run / "metrics.json").write_text(json.dumps(metrics))
    target = tmp_path / "compare.html"
    unknown = check(write_comparison(target, runs))
    assert marked(unknown) == {"ssim": 1} and "nats are not compared" in unknown.text
    for run in runs:
        save_model(run, "bernoulli", reduction="sum")
    equal = check(write_comparison(target, runs))
    assert marked(equal) == {"elbo": 0, "ssim": 1} and "not compared" not in equal.text
    save_model(runs[1], "bernoulli", reduction="mean")
    assert marked(check(write_comparison(target, runs))) == {"ssim": 1}
    (runs[1] / "model.keras").write_bytes(b"truncated")
    assert marked(check(write_comparison(target, runs))) == {"ssim": 1}


def test_calls_and_left_out_groups_are_not_compared(tmp_path, runs):
    for run in runs:
        config = {"model": "vae", "seed": 0, "command": f"train --run_dir={run}"}
        (run / "config.json").write_text(json.dumps(config))
        metrics = {"loss": {"loss": 1.0}, "skipped": {"disentanglement": "needs factors"}}
        (run / "metrics.json").write_text(json.dumps(metrics))
    page = check(write_comparison(tmp_path / "compare.html", runs))
    assert "None: all settings are equal." in page.text
    assert [row["data-name"] for row in page.all("tr") if "data-name" in row] == ["loss"]


def test_a_run_is_read_as_written(runs):
    run = load_run(runs[0])
    assert run.name == "a"
    assert run.config["options/beta"] == 1
    assert run.history == {"loss": [30.0, 20.0], "val_loss": [31.0, 21.5]}
    assert run.metrics["reconstruction/psnr"] == near(15.0)
    assert list(run.pictures) == ["code_scatter", "samples"]
    assert list(settings_that_differ(load_runs(runs))) == ["options/beta"]


def test_an_option_that_only_one_run_sets(tmp_path):
    paths = [
        make_run(tmp_path / "a", {"options": {}, "seed": 0}),
        make_run(tmp_path / "b", {"options": {"beta": 4}, "seed": 0}),
    ]
    assert settings_that_differ(load_runs(paths)) == {"options/beta": [None, 4]}
    page = check(write_comparison(tmp_path / "compare.html", paths))
    assert "not set" in page.text


def test_equal_folder_names_are_told_apart(tmp_path):
    paths = [make_run(tmp_path / parent / "run", {"x": 1}) for parent in ("p", "q")]
    assert [run.name for run in load_runs(paths)] == ["p/run", "q/run"]


@pytest.mark.parametrize(
    ("values", "better", "expected"),
    [
        ([near(1.0), near(3.0), near(2.0)], "higher", [0, 1, 0]),
        ([near(1.0), near(3.0), near(1.0)], "lower", [1, 0, 1]),
        ([near(np.nan), near(3.0), near(2.0)], "lower", [0, 0, 1]),
        ([near(np.nan), near(3.0), None], "higher", [0, 0, 0]),
        ([near(2.0), near(2), near(2.0)], "higher", [0, 0, 0]),
        ([near(1.0), near(2.0)], "", [0, 0]),
        ([np.inf, near(2.0), near(1.0)], "higher", [0, 1, 0]),
        (["a", [1, 2], near(3.0)], "higher", [0, 0, 0]),
        # Without an interval nobody knows whether the difference is chance.
        ([1.0, 3.0], "higher", [0, 0]),
        ([near(1.0), 3.0], "higher", [0, 0]),
        # sqrt(.3^2 + .4^2) = .5
        ([near(1.0, 0.3), near(1.51, 0.4)], "higher", [0, 1]),
        ([near(1.0, 0.3), near(1.49, 0.4)], "higher", [0, 0]),
        # Ahead of one, but not of the other.
        ([near(1.0), near(3.0), near(2.99)], "higher", [0, 0, 0]),
    ],
)
def test_best_values(values, better, expected):
    assert best(values, better) == [bool(flag) for flag in expected]


def write_metrics(runs, *contents):
    for run, content in zip(runs, contents, strict=True):
        (run / "metrics.json").write_text(json.dumps(content))
        (run / "config.json").write_text(json.dumps({"model": "vae", "seed": 0}))


def test_a_standard_error_is_a_spread_and_never_the_best(tmp_path, runs):
    target = tmp_path / "compare.html"
    for run in runs:
        save_model(run, "bernoulli", reduction="sum")
    for error, expected in ((0.1, {"log_likelihood": 0}), (10.0, {})):
        bounds = [
            {"density": {"log_likelihood": value, "log_likelihood_standard_error": error * factor}}
            for value, factor in ((-20.0, 1.0), (-25.0, 0.5))
        ]
        write_metrics(runs, *bounds)
        assert marked(check(write_comparison(target, runs))) == expected


def test_intervals_of_a_run_are_read(tmp_path, runs):
    write_metrics(
        runs,
        *[
            {"probing": {"knn": v}, "intervals": {"probing": {"knn": [v - 0.01, v + 0.01]}}}
            for v in (0.7, 0.9)
        ],
    )
    page = check(write_comparison(tmp_path / "compare.html", runs))
    assert marked(page) == {"knn": 1} and "0.9 [0.89, 0.91]" in page.text
    assert "k-NN, accuracy" in page.text


def test_other_rows_and_other_features_are_told(tmp_path, runs):
    target = tmp_path / "compare.html"

    def page(rows, features):
        write_metrics(
            runs,
            *[
                {
                    "probing": {"knn": near(value)},
                    "generation": {"frechet_distance": near(value)},
                    "measured_on": {"rows": row, "features": feature, "examples": 10},
                }
                for value, row, feature in zip((1.0, 2.0), rows, features, strict=True)
            ],
        )
        return check(write_comparison(target, runs))

    alike = page("aa", "bb")
    assert marked(alike) == {"knn": 1, "frechet_distance": 0}
    assert "held-out rows" not in alike.text and "features of generated" not in alike.text
    other_features = page("aa", "bc")
    assert marked(other_features) == {"knn": 1}
    assert "The features of generated examples differ" in other_features.text
    other_rows = page("ab", "bb")
    assert marked(other_rows) == {} and "different held-out rows" in other_rows.text
    metrics = {"probing": {"knn": near(1.0)}, "measured_on": {"rows": "a", "level": "quick"}}
    full = {"probing": {"knn": near(2.0)}, "measured_on": {"rows": "a", "level": "full"}}
    write_metrics(runs, metrics, full)
    levels = check(write_comparison(target, runs))
    assert marked(levels) == {} and "quickly and some in full" in levels.text


def test_many_large_pictures_make_a_small_page(tmp_path):
    """Nine runs of two figures: the page is below 5 MB, though their files are more than 20."""
    noise = np.random.default_rng(0).integers(0, 256, (500, 1000, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, format="PNG", dpi=(150, 150))
    folders = []
    for index in range(9):
        folder = make_run(tmp_path / f"run {index}", {"seed": index})
        (folder / "figures").mkdir()
        for figure in range(2):
            (folder / "figures" / f"figure_{figure}.png").write_bytes(buffer.getvalue())
        folders.append(folder)
    path = write_comparison(tmp_path / "compare.html", folders)
    assert 18 * len(buffer.getvalue()) > 20e6
    assert path.stat().st_size < 5e6
    page = check(path)
    assert len(page.all("img")) == 18
    assert all(i["src"].startswith("data:image/webp") for i in page.all("img"))


def test_folders_that_are_no_runs_are_refused(tmp_path, runs):
    target = tmp_path / "compare.html"
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"empty' is not a run folder: it has no config.json"):
        write_comparison(target, [runs[0], tmp_path / "empty"])
    with pytest.raises(ValueError, match="nowhere' is not a run folder"):
        write_comparison(target, [runs[0], tmp_path / "nowhere"])
    with pytest.raises(ValueError, match="at least 2 run folders; received 1"):
        write_comparison(target, runs[:1])
    with pytest.raises(ValueError, match="named twice"):
        write_comparison(target, [runs[0], runs[0]])
    assert not target.exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", "{", "config.json' is not JSON"),
        ("config.json", "[1]", "must hold a JSON object"),
        ("metrics.json", b"\xff\xfe", "metrics.json' is not JSON"),
        ("history.csv", "epoch,loss\n0,fast\n", "history.csv' is damaged"),
        ("figures/samples.png", b"\x89PNG\r\n", "'samples' is a broken picture"),
    ],
)
def test_broken_files_are_named(tmp_path, runs, name, content, message):
    (runs[1] / name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ValueError, match=message):
        write_comparison(tmp_path / "compare.html", runs)
