"""Write a trained model for serving."""

from __future__ import annotations

from pathlib import Path

from zoo.cli.call import Call

USAGE = "export"


def _copy_columns(run_dir: Path, output: Path) -> None:
    """Put the transformation of a table beside what takes its encoded columns, if there is one."""
    from zoo.data import columns
    from zoo.runs.run_folder import RunFolder

    known = RunFolder(run_dir).columns
    if known.is_file():
        beside = output / known.name if output.is_dir() else output.with_suffix(".columns.json")
        columns.load(known).save(beside)
        print(f"It takes encoded columns; {beside} says how.")


def run(call: Call) -> int:
    """Export a trained model."""
    call.expect(0, USAGE)
    call.require("export", "run_dir", "output")
    from zoo.runs.run_config import RunConfig

    RunConfig.read(call.flags.run_dir)
    call.import_quietly()
    from zoo.runs.artefacts import load_model

    model = load_model(Path(call.flags.run_dir) / "model.keras")
    model.export(
        call.flags.output,
        format=call.flags.format or "tf_saved_model",
        quantize=call.flags.quantize or None,
    )
    _copy_columns(Path(call.flags.run_dir), Path(call.flags.output))
    print(f"The model is in {call.flags.output}.")
    return 0
