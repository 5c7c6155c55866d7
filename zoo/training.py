"""The old name of `zoo.runs` and `zoo.recipes`: what users imported from here in 0.1.0 still is.

`zoo.training.Resume` is `zoo.runs.Resume`, `from zoo.training.fine_tuning import classifier` gives what
`zoo.recipes.fine_tuning` has. New code names the two rooms.
"""

import importlib
import sys

from zoo.recipes import CyclicWarmUp, LinearSchedule, WarmUp
from zoo.runs import (
    EventLog,
    HistoryFile,
    Progress,
    Resume,
    RunConfig,
    RunFolder,
    strategy,
    train,
)

__all__ = [
    "CyclicWarmUp",
    "EventLog",
    "HistoryFile",
    "LinearSchedule",
    "Progress",
    "Resume",
    "RunConfig",
    "RunFolder",
    "WarmUp",
    "strategy",
    "train",
]

_MODULES = {
    "zoo.cli": ("settings",),
    "zoo.recipes": ("centering", "fine_tuning", "rbm", "schedules", "spreading"),
    "zoo.runs": ("artefacts", "checkpoints", "run", "run_config", "run_folder", "strategies"),
}
for _room, _names in _MODULES.items():
    for _name in _names:
        # Python finds `zoo.training.rbm` here, though this module is not a package.
        globals()[_name] = sys.modules[f"{__name__}.{_name}"] = importlib.import_module(
            f"{_room}.{_name}"
        )
