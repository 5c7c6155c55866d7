"""Runs: strategies, schedules, checkpoints to resume from, the run folder, and the whole of a run.

Names are loaded when they are first used, so that the command line can list things without TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import Any

# Public name -> module that defines it.
_PUBLIC = {
    "CyclicWarmUp": "zoo.training.schedules",
    "EventLog": "zoo.training.event_log",
    "HistoryFile": "zoo.training.history_file",
    "LinearSchedule": "zoo.training.schedules",
    "Progress": "zoo.training.progress",
    "Resume": "zoo.training.resume",
    "RunConfig": "zoo.training.run_config",
    "RunFolder": "zoo.training.run_folder",
    "WarmUp": "zoo.training.schedules",
    "strategy": "zoo.training.strategies",
    "train": "zoo.training.run",
}
__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'zoo.training' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return [*__all__]
