"""Runs: strategies, checkpoints to resume from, the run folder, and the whole of a run.

Names are loaded when they are first used, so that the command line can list things without TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import Any

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
__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'zoo.runs' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return [*__all__]
