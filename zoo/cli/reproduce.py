"""Make a figure or table of a paper again, or 'all' of them."""

from __future__ import annotations

from zoo.cli import settings
from zoo.cli.call import Call

USAGE = "reproduce EXPERIMENT"


def run(call: Call) -> int:
    """Run an experiment, or all."""
    call.expect(1, USAGE)
    from zoo.experiments.catalogue import known

    given = call.flags
    name = "all" if call.words[0] == "all" else known(call.words[0])
    changes = settings.named_values(given.set, "set")
    if name == "all" and changes:
        raise ValueError("'reproduce all' takes no --set: experiments have different settings.")
    if name == "all" and given.first_seed is not None:
        raise ValueError("'reproduce all' takes no --first_seed.")
    call.import_quietly()
    from zoo.experiments.experiment import Sources
    from zoo.experiments.reproduce import reproduce, reproduce_all

    sources = Sources(given.data_dir, given.manual_dir, given.pictures)
    shared = (given.quick, given.output, given.seeds, sources)
    try:
        if name == "all":
            errors = reproduce_all(*shared, precision=given.precision)
            if errors:
                raise ValueError(
                    f"These could not run: {', '.join(errors)}; the reasons stand above."
                )
            return 0
        path = reproduce(
            name,
            *shared,
            changes=changes,
            precision=given.precision,
            first_seed=given.first_seed or 0,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("The same command goes on after the last seed.") from None
    print(f"The results are in {path}.")
    return 0
