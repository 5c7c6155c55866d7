"""One run for one folder."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

try:
    import fcntl
except ModuleNotFoundError:  # not a POSIX system: folders are not locked there
    fcntl = None

_NAME = ".lock"


class FolderLock:
    """A lock on a folder that the system releases when the process ends, however it ends.

    It is a POSIX record lock: it holds between processes, over NFS too, and a process may take it again.

    Args:
        folder: an existing folder; the lock is the file ``.lock`` in it.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = Path(folder)
        self.path = self.folder / _NAME
        self._file: Any = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            ValueError: where another process holds it, or the folder cannot be written.
        """
        if fcntl is None or self._file is not None:
            return
        try:
            file = self.path.open("a+")
        except OSError as error:
            raise ValueError(
                f"Cannot write into {str(self.folder)!r}: {error.strerror}. Name a folder that can be "
                "written."
            ) from error
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = file.read().strip() or "another process"
            file.close()
            raise ValueError(
                f"{str(self.folder)!r} is in use by {holder}. Wait for it, or choose another folder."
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the lock back; nothing happens where it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> FolderLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
