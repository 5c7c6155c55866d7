"""Who may write into a run folder, and what is said to who may not."""

import json

import pytest

from zoo.runs.run_config import RunConfig
from zoo.runs.run_folder import RunFolder, new_folder


def begun(path, resume=False, **settings):
    folder = RunFolder(path)
    folder.occupy(resume)
    try:
        folder.begin(RunConfig(**{"epochs": 3, **settings}), "python launch.py")
    finally:
        folder.end()
    return folder


def test_the_configuration_says_all_that_is_needed_to_repeat_the_run(tmp_path):
    folder = begun(tmp_path / "a", options={"latents": 3}, seed=7)
    content = json.loads(folder.config.read_text())
    assert RunConfig.from_json(content) == RunConfig(epochs=3, options={"latents": 3}, seed=7)
    assert content["command"] == "python launch.py"
    assert {"python", "zoo", "tensorflow", "keras", "tensorflow-probability", "numpy"} == set(
        content["versions"]
    )


def test_a_run_that_is_there_is_not_overwritten(tmp_path):
    before = begun(tmp_path).config.read_bytes()
    with pytest.raises(ValueError, match=r"holds a run already\. Resume it"):
        begun(tmp_path, seed=1)
    assert (tmp_path / "config.json").read_bytes() == before


def test_resumed_with_other_settings_it_names_them(tmp_path):
    begun(tmp_path, options={"latents": 3})
    with pytest.raises(ValueError, match=r"options\.latents is 3 there and 4 here; .*seed is 0"):
        begun(tmp_path, True, options={"latents": 4}, seed=1)
    with pytest.raises(ValueError, match="epochs is 3 there and 2 here"):
        begun(tmp_path, True, options={"latents": 3}, epochs=2)


def test_more_epochs_reopen_a_finished_run(tmp_path):
    folder = begun(tmp_path)
    folder.metrics.write_text("{}")
    assert begun(tmp_path, True).finished
    assert begun(tmp_path, True, strategy="none").finished
    assert not begun(tmp_path, True, epochs=4).finished
    assert RunConfig.read(tmp_path).epochs == 4


def test_other_versions_are_told(tmp_path):
    folder = begun(tmp_path)
    content = json.loads(folder.config.read_text())
    content["versions"]["keras"] = "3.0.0"
    folder.config.write_text(json.dumps(content))
    with pytest.warns(UserWarning, match="keras is '3.0.0' there"):
        begun(tmp_path, True)


def test_other_data_are_told(tmp_path, recwarn):
    data = {"train": {"examples": 80, "rows": "a"}, "held_out": {"examples": 20, "rows": "b"}}
    folder = RunFolder(tmp_path)
    folder.occupy()
    folder.begin(RunConfig(epochs=3))
    folder.compare_data(data)
    folder.end()
    again = RunFolder(tmp_path)
    again.compare_data(data)
    assert not recwarn.list
    with pytest.warns(UserWarning, match=r"others .*train\.examples is 80 there and 96 here"):
        again.compare_data({**data, "train": {"examples": 96, "rows": "c"}})


def test_a_run_whose_training_never_began_can_be_started_again(tmp_path):
    folder = RunFolder(tmp_path / "a")
    folder.occupy()
    folder.begin(RunConfig(epochs=3))
    folder.abandon()
    folder.end()
    assert not folder.path.exists()
    folder = begun(tmp_path / "b")
    folder.history.touch()
    folder.abandon()
    assert folder.config.exists()


def test_what_a_kill_left_is_removed_and_the_rest_is_not(tmp_path):
    begun(tmp_path)
    (tmp_path / "figures").mkdir()
    halves = [".config.7.part.json", ".report.7.part.html", "figures/.samples.7.part.png"]
    kept = ["figures/samples.png", "notes.txt", ".mine"]
    for name in [*halves, *kept]:
        (tmp_path / name).write_text("")
    (tmp_path / ".saved_model.7.part").mkdir()
    begun(tmp_path, True)
    assert all((tmp_path / name).exists() for name in kept)
    assert not any((tmp_path / name).exists() for name in [*halves, ".saved_model.7.part"])


def test_a_folder_made_for_a_run_that_never_began_goes_again(tmp_path):
    folder = RunFolder(tmp_path / "a")
    folder.occupy()
    folder.end()
    assert not folder.path.exists()
    (tmp_path / "b").mkdir()
    folder = RunFolder(tmp_path / "b")
    folder.occupy()
    folder.end()
    assert folder.path.exists()


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="Cannot make the run folder"):
        RunFolder(tmp_path / "file" / "run").occupy()
    with pytest.raises(ValueError, match="Cannot make the run folder"):
        RunFolder(tmp_path / "file").occupy()


def test_new_folders_are_numbered(tmp_path):
    assert new_folder(tmp_path, "vae-digits") == tmp_path / "vae-digits"
    (tmp_path / "vae-digits").mkdir()
    (tmp_path / "vae-digits-2").mkdir()
    assert new_folder(tmp_path, "vae-digits") == tmp_path / "vae-digits-3"
