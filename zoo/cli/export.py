"""Write a trained model for serving."""

from __future__ import annotations

from pathlib import Path

from zoo.cli.call import Call

USAGE = "export"


def run(call: Call) -> int:
    """Export a trained model."""
    call.expect(0, USAGE)
    call.require("export", "run_dir", "output")
    from zoo.runs.run_config import RunConfig

    RunConfig.read(call.flags.run_dir)
    call.import_quietly()
    from zoo.runs.artefacts import load_model

    model = load_model(Path(call.flags.run_dir) / "model.keras")
    model.export(call.flags.output, format=call.flags.format or "tf_saved_model")
    print(f"The model is in {call.flags.output}.")
    return 0
