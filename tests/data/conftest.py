"""The prepared MNIST of TFDS, made once for all tests of data."""

from pathlib import Path

import pytest

FILES = Path(__file__).resolve().parents[3] / "shared" / "datasets"


@pytest.fixture(scope="session")
def mnist_files():
    folder = FILES / "downloads" / "mnist"
    if not folder.is_dir():
        pytest.skip(f"the files of MNIST are not in {folder}")
    return folder


@pytest.fixture(scope="session")
def mnist_data_dir(mnist_files, tmp_path_factory):
    from zoo.data import load

    data_dir = tmp_path_factory.mktemp("tfds")
    load("mnist", "test", data_dir=data_dir, manual_dir=mnist_files, limit=2)
    return data_dir


@pytest.fixture
def no_network(monkeypatch):
    """Every download goes to a port where nothing listens, as on a machine without a network."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
        monkeypatch.setenv(variable.lower(), "http://127.0.0.1:9")
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
