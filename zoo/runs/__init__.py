"""Runs: strategies, checkpoints to resume from, the run folder, and the whole of a run.

Names are loaded when they are first used, so that the command line can list things without TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.runs.event_log import EventLog
    from zoo.runs.history_file import HistoryFile
    from zoo.runs.progress import Progress
    from zoo.runs.resume import Resume
    from zoo.runs.run import train
    from zoo.runs.run_config import RunConfig
    from zoo.runs.run_folder import RunFolder
    from zoo.runs.strategies import strategy

# Written out, and imported above, for editors and checkers.
__all__ = [
    "EventLog",
    "HistoryFile",
    "Progress",
    "Resume",
    "RunConfig",
    "RunFolder",
    "strategy",
    "train",
]

# Public name -> module that defines it.
_PUBLIC = {
    "EventLog": "zoo.runs.event_log",
    "HistoryFile": "zoo.runs.history_file",
    "Progress": "zoo.runs.progress",
    "Resume": "zoo.runs.resume",
    "RunConfig": "zoo.runs.run_config",
    "RunFolder": "zoo.runs.run_folder",
    "strategy": "zoo.runs.strategies",
    "train": "zoo.runs.run",
}

if not TYPE_CHECKING:  # a checker that saw it would take any name for one of the room's

    def __getattr__(name: str) -> Any:
        if name not in _PUBLIC:
            raise AttributeError(f"module 'zoo.runs' has no attribute {name!r}")
        return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return [*__all__]
