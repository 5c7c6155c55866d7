"""Train a model on a data set.

Without --model and --dataset it begins from the settings of the default run: 60 epochs, batches of 64, a
learning rate of 2e-3, a Normal likelihood.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from zoo.cli.call import Call
from zoo.cli.flags import configured
from zoo.registry import names, one_of

USAGE = "train"


def run(call: Call) -> int:
    """Train a model, and leave a run folder."""
    call.expect(0, USAGE)
    given = call.flags
    if given.resume and not given.run_dir:
        raise ValueError("--resume needs --run_dir, the folder of the run to go on with.")
    if os.environ.get("TF_CONFIG") and not given.run_dir:
        raise ValueError("Several workers (TF_CONFIG is set) need one --run_dir, the same for all.")
    from zoo.runs.run_config import RunConfig, main_job
    from zoo.runs.run_folder import new_folder

    there = given.resume and (Path(given.run_dir) / "config.json").exists()
    config = main_job()
    if there:
        config = RunConfig.read(given.run_dir)
    elif given["model"].present or given["dataset"].present:
        config = RunConfig()
    config = configured(given, config)
    one_of(config.model, "model", names("model"))  # without the import of it
    data = Path(config.dataset).stem or "data"
    run_dir = given.run_dir or str(new_folder("runs", f"{config.model}-{data}"))
    call.import_quietly()
    from zoo.runs import train

    try:
        outcome = train(
            config,
            run_dir,
            given.resume,
            call.line,
            program=call.program,
            loggers=given.logger,
        )
    except KeyboardInterrupt:
        again = f"{call.program} train --run_dir={shlex.quote(run_dir)} --resume"
        raise KeyboardInterrupt(f"To go on: {again}") from None
    if outcome.bad_term:
        raise ValueError(
            f"The term {outcome.bad_term!r} of the loss is not a finite number any more. "
            f"{outcome.folder.model} has the last good weights. Try a lower --learning_rate."
        )
    if outcome.repeated:
        print(
            f"The run in {run_dir} is finished. To go on with it, add more --epochs=N; to measure it again: "
            f"{call.program} evaluate --run_dir={shlex.quote(run_dir)} --evaluate=full"
        )
    call.farewell(outcome)
    return 0
