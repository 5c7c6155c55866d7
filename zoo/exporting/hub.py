"""Models on the Hugging Face Hub: Keras does the transfer, the zoo writes the card."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.exporting.card import card
from zoo.files import read_json

if TYPE_CHECKING:
    from zoo.autoencoder import Autoencoder

HUB = "hf://"
_OF_A_MACHINE = ("command", "data_dir", "manual_dir")


def is_address(path: Any) -> bool:
    """Whether a path is an address of the hub, "hf://user/name".

    Example:
        >>> from zoo.exporting.hub import is_address
        >>> is_address("hf://me/mine"), is_address("mine.keras")
        (True, False)
    """
    return str(path).startswith(HUB)


def push(
    model: Autoencoder,
    address: str,
    save: Callable[[], Any],
    run: str | os.PathLike[str] | None = None,
) -> None:
    """Send a model and its card to the hub.

    Args:
        model: a built model.
        address: "hf://user/name"; the repository is made where it is missing.
        save: Keras's transfer of the model.
        run: folder of the run that trained it, whose settings, metrics and figures the card shows.

    Raises:
        ImportError: without huggingface_hub.
        ValueError: for another address, or a folder that is not a run.
    """
    repository = address.removeprefix(HUB)
    if repository.count("/") != 1 or not all(repository.split("/")):
        raise ValueError(f"Expected an address hf://user/name; received {address!r}.")
    hub = _library()
    folder = None if run is None else Path(run)
    known = _of_run(folder) if folder else {}
    save()
    text = card(model, load=f'zoo.load_model("{address}")', **known)
    api = hub.HfApi()
    api.upload_file(
        path_or_fileobj=text.encode(),
        path_in_repo="README.md",
        repo_id=repository,
        commit_message="Write the card",
    )
    if folder and known["figures"]:
        api.upload_folder(
            repo_id=repository,
            folder_path=str(folder / "figures"),
            path_in_repo="figures",
            commit_message="Add the figures",
        )


def _of_run(folder: Path) -> dict[str, Any]:
    """What the card shows of a run."""
    settings = read_json(folder / "config.json", "The run's configuration")
    for name in _OF_A_MACHINE:
        settings.pop(name, None)
    metrics = folder / "metrics.json"
    pictures = sorted((folder / "figures").glob("*.png"))
    return {
        "config": settings,
        "metrics": read_json(metrics, "The metrics") if metrics.exists() else None,
        "figures": {path.stem: f"figures/{path.name}" for path in pictures},
    }


def _library() -> Any:
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError:
        raise ImportError(
            "Models on the hub need the package huggingface_hub: pip install huggingface_hub."
        ) from None
