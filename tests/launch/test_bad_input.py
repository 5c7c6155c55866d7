"""Bad input: one clear line, exit code 2, nothing left behind."""

import numpy as np
import pytest

import launch

CASES = {
    "trian": "Unknown command 'trian'. Did you mean 'train'",
    "train --epocs=3": "Unknown command line flag 'epocs'. Did you mean: epochs",
    "train --epochs=three": "epochs=three",
    "train --epochs=0": "epochs must be a whole number of at least 1; received 0",
    "train --epochs": "epochs",
    "train --limit=1": "limit must be",
    "train now": "Expected 'python launch.py train' and flags; received 'now'",
    "train --quick": "'train' takes no --quick",
    "train --resume": "--resume needs --run_dir",
    "train --model=laplace": "Did you mean 'laplace_vae'",
    "train --model=": "Unknown model ''",
    "train --set latents": "Expected name=value",
    "train --set latnts=3": "Did you mean 'latents'",
    "train --set latents=-1": "latents",
    "train --set latents=ten": "must be a whole number; received 'ten'",
    "train --set beta=-1": "at least 0",
    "train --set beta=nan": "finite number",
    "train --set prior=lapalce": "Did you mean 'laplace'",
    "train --model=k_sparse_autoencoder --set latents=5 --set k=9": "at most",
    "train --regularizer=lp_nrm": "Did you mean 'lp_norm'",
    "train --regularizer=lp_norm:p=-1": "p of lp_norm must be above 0",
    "train --regularizer=lp_norm:0.5": "expects name or name:option=value",
    "train --dataset=digitz": "Did you mean 'digits'",
    "train --dataset=": "received ''",
    "train --dataset=missing.csv": "no file",
    "train --data colour=3": "colour",
    "train --data split=all": "trains on 'train' and is measured on 'test'; received split='all'",
    "train --limit=10 --batch_size=11": "batch_size must be at most",
    "train --learning_rate=0": "learning_rate must be a number above 0",
    "train --optimizer=adm": "Did you mean 'adam'",
    "train --precision=half": "Unknown precision 'half'",
    "train --strategy=mirored": "Did you mean 'mirrored'",
    "train --strategy=multi_worker": "TF_CONFIG",
    "train --strategy=none --virtual_devices=2": "virtual_devices",
    "train --seed=-1": "seed must be",
    "train --model=vae --logger=wandbb": "Did you mean 'wandb'",
    "train --model=vae --start_at_mean": "start_at_mean needs one layer",
    "evaluate": "'evaluate' needs --run_dir",
    "evaluate --run_dir=missing": "not a run folder",
    "export --run_dir=missing": "needs --output",
    "export --run_dir=missing --output=x": "not a run folder",
    "list": "Expected 'python launch.py list regularizers|priors",
    "list modles": "Did you mean 'models'",
    "list models --import=no_module": "'no_module' cannot be imported: ModuleNotFoundError",
    "train --import=no_file.py": "There is no module 'no_file.py' to import",
    "compare one": "at least 2",
    "compare one two": "not a run folder",
    "reproduce": "Expected 'python launch.py reproduce EXPERIMENT'",
    "reproduce OX-LIM": "Did you mean 'OX-LIN'",
}


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TF_CONFIG", raising=False)


def refused(capsys, *words):
    """The one line that a command line is refused with."""
    assert launch.main(["launch.py", *words]) == 2
    printed, error = capsys.readouterr()
    assert error.count("\n") == 1 and error.startswith("launch.py: ")
    assert "Traceback" not in printed + error
    return error


@pytest.mark.parametrize("command", CASES)
def test_one_line(command, capsys, tmp_path):
    assert CASES[command] in refused(capsys, *command.split())
    assert not list(tmp_path.glob("runs/*")), "a run that never began leaves no folder"


def test_an_empty_word(capsys):
    assert "Unknown command ''" in refused(capsys, "")


def save_object(path):
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)


DATA = {
    "nan.npy": lambda path: np.save(path, np.full((5, 3), np.nan, np.float32)),
    "objects.npy": save_object,
    "one.npy": lambda path: np.save(path, np.zeros((1, 3), np.float32)),
    "empty.npy": lambda path: np.save(path, np.zeros((0, 3), np.float32)),
    "rank.npy": lambda path: np.save(path, np.zeros(3, np.float32)),
    "bright.npy": lambda path: np.save(path, np.full((9, 4, 4, 1), 7, np.float32)),
    "cut.npy": lambda path: path.write_bytes(b"\x93NUMPY\x01\x00v\x00{'descr'"),
    "words.csv": lambda path: path.write_text("a,b\n1,2\n3,four\n"),
    "folder.png": lambda path: path.write_bytes(b"\x89PNG\r\n"),
}


@pytest.mark.parametrize("name", DATA)
def test_bad_data(name, capsys, tmp_path):
    DATA[name](tmp_path / name)
    assert name.split(".")[0] in refused(capsys, "train", f"--dataset={name}")
    assert not list(tmp_path.glob("runs/*"))


def test_a_run_folder_that_is_a_file(capsys, tmp_path):
    (tmp_path / "taken").write_text("")
    assert "Cannot make the run folder" in refused(capsys, "train", "--run_dir=taken")


def test_a_run_folder_with_a_broken_configuration(capsys, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text('{"model": 3}')
    assert "config.json" in refused(capsys, "train", "--run_dir=run", "--resume")


def test_the_traceback_is_there_for_who_asks():
    with pytest.raises(ValueError, match="Unknown command"):
        launch.main(["launch.py", "trian", "--debug"])
