"""Getting a TensorFlow Datasets set onto the disk, or saying at once why that cannot be.

TFDS retries a download for minutes before it gives up. So before it is asked to download, the files that a
set needs are looked for, and the host of a missing one is tried once for a few seconds.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.data.storage import cache_folder
from zoo.registry import names, suggest

PROBE_SECONDS = 3.0
"""How long the host of a download may take to answer."""

_ANY_HOST = "https://storage.googleapis.com"  # tried for a set that does not list what it downloads


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without TFDS's warnings about what it does itself."""
    from absl import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


def known_sets() -> list[str]:
    """The names of all TFDS sets that need no network to be known."""
    import tensorflow_datasets as tfds

    return tfds.list_builders(with_community_datasets=False)


def open_builder(name: str, data_dir: str | os.PathLike | None = None) -> Any:
    """The TFDS builder of a set, prepared or not.

    Args:
        name: TFDS's name, with a config or version where wanted (``"emnist/letters"``).
        data_dir: TFDS's folder of prepared sets; None for TFDS's default.

    Returns:
        A ``tfds.core.DatasetBuilder``.

    Raises:
        ValueError: for an unknown name, config or version.
    """
    import tensorflow_datasets as tfds

    base = re.split(r"[/:]", name)[0]
    root = cache_folder(data_dir).parent
    known = known_sets()
    # A set that TFDS does not know may be one that a user has prepared with a builder of his own.
    if base not in known and not (base.isidentifier() and (root / base).is_dir()):
        raise ValueError(f"Unknown data set {name!r}.{_nearest(base, known)}")
    try:
        with quiet():
            if base in known:
                return tfds.builder(name, data_dir=root, try_gcs=False)
            core: Any = tfds.core
            return core.read_only_builder.builder_from_files(name, data_dir=root)
    except Exception as error:  # TFDS raises many kinds for a config or version it does not have
        configs = ", ".join(tfds.builder_cls(base).builder_configs) if base in known else ""
        reason = first_line(error).rpartition('}": ')[2]
        raise ValueError(
            f"TFDS cannot open {name!r} in {root}: {reason}"
            + (f" Its configs: {configs}." if configs else "")
        ) from error


def prepare(builder: Any, manual_dir: str | os.PathLike | None = None) -> None:
    """Download and prepare a set, unless that is done already.

    Args:
        builder: a ``tfds.core.DatasetBuilder``.
        manual_dir: folder of files fetched by hand, which TFDS takes where it would download.

    Raises:
        ValueError: where a file is missing and its host does not answer, or TFDS fails.
    """
    import tensorflow_datasets as tfds

    if manual_dir is not None and not Path(manual_dir).expanduser().is_dir():
        raise ValueError(
            f"manual_dir must be an existing folder; received {os.fspath(manual_dir)!r}."
        )
    with quiet():
        if builder.is_prepared():
            return
    present, missing = _files(builder, manual_dir)
    trouble = _unreachable(next(iter(missing), _ANY_HOST)) if missing or not present else None
    if trouble and missing and not present:
        raise ValueError(_unprepared(builder, missing, trouble))
    config = tfds.download.DownloadConfig(manual_dir=manual_dir, try_download_gcs=False)
    try:
        # A set may list more files than the chosen config needs: with some of them there, try.
        with quiet(), _without_retries() if trouble else contextlib.nullcontext():
            builder.download_and_prepare(download_config=config)
    except Exception as error:  # builders run their authors' code and may fail in any way
        with quiet():
            if builder.is_prepared():  # by another process, meanwhile: its rename was the first
                builder.info.read_from_directory(builder.data_dir)
                return
        if trouble:
            raise ValueError(_unprepared(builder, missing, trouble)) from error
        raise ValueError(
            f"TFDS could not prepare {builder.name!r}: {type(error).__name__}: {first_line(error)}"
        ) from error


def _nearest(name: str, known: list[str]) -> str:
    listed = names("dataset")
    hint = suggest(name, sorted({*listed, *known})).partition(" Known:")[0]
    return f"{hint} Listed: {', '.join(listed)}; any other image set of TFDS is taken by its name."


def _files(
    builder: Any, manual_dir: str | os.PathLike | None
) -> tuple[list[str], dict[str, str | None]]:
    """The URLs whose file is here, and those whose file is not, with its name."""
    downloads = Path(builder.data_dir_root) / "downloads"
    manual = Path(manual_dir).expanduser() if manual_dir else downloads / "manual"
    # TFDS writes the URL of each download into a small file beside it.
    fetched = "".join(path.read_text() for path in downloads.rglob("*.INFO"))
    present, missing = [], {}
    for url, info in (builder.url_infos or {}).items():
        if (info.filename and (manual / info.filename).exists()) or f'"{url}"' in fetched:
            present.append(url)
        else:
            missing[url] = info.filename
    return present, missing


def _unprepared(builder: Any, missing: dict[str, str | None], trouble: str) -> str:
    wanted = ", ".join(sorted({filename or url for url, filename in missing.items()}))
    return (
        f"{builder.name!r} is not prepared in {builder.data_dir_root}, and {trouble}. "
        "Give data_dir, a folder where TFDS has prepared it, or manual_dir, a folder that holds "
        f"{wanted or 'its files'}."
    )


def _unreachable(url: str) -> str | None:
    """Why the host of a download cannot be reached, or None where it answers.

    ``requests`` is what TFDS downloads with, so that proxies and certificates count here as they do there.
    It runs in a thread of its own, since looking up a name can block for longer than any timeout of it.
    """
    import requests

    if url.startswith("gs://"):
        url = "https://storage.googleapis.com/" + url.removeprefix("gs://")
    host = re.sub(r"^\w+://([^/]+).*$", r"\1", url)
    if not url.startswith("http"):
        return None
    found: list[str | None] = []

    def probe() -> None:
        try:
            with requests.get(
                url, stream=True, allow_redirects=False, timeout=PROBE_SECONDS
            ) as response:
                failed = response.status_code >= 500
                found.append(f"{host} answers HTTP {response.status_code}" if failed else None)
        except requests.Timeout:
            pass
        except requests.RequestException:
            found.append(f"{host} cannot be reached for the download")

    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return found[0] if found else f"{host} did not answer within {PROBE_SECONDS:g} s"


@contextlib.contextmanager
def _without_retries() -> Iterator[None]:
    """TFDS's downloader gives up at the first failure."""
    from tensorflow_datasets.core.download import downloader

    retries = downloader.MAX_RETRIES
    downloader.MAX_RETRIES = 0
    try:
        yield
    finally:
        downloader.MAX_RETRIES = retries


def first_line(error: Exception) -> str:
    """What TFDS says in the first of its many lines."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].partition(" Here are ")[0].rstrip(" :.") + "."
