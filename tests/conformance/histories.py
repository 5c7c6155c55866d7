"""Seeded histories of every case, bit for bit: `python -m tests.conformance.histories write|compare FILE`.

Written at one commit and compared at another on the same machine, they show whether a change of the code
changed what is computed. (Another processor adds in another order: the file is not to be committed.)
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import keras
import numpy as np

from tests.conformance.cases import CASES

BATCH = 16


def history_of(name: str) -> dict[str, list[str]]:
    """The terms of two epochs and of an evaluation, and what the weights end as, as hexadecimal text."""
    case = CASES[name]
    data = case.data()
    model = case.build()
    model.compile("adam", jit_compile=False)
    fitted = model.fit(data, batch_size=BATCH, epochs=2, verbose=0).history
    judged = model.evaluate(data, verbose=0, return_dict=True)
    terms = {key: [float(v).hex() for v in values] for key, values in fitted.items()}
    terms |= {f"evaluated {key}": [float(value).hex()] for key, value in judged.items()}
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    outputs = model.reconstruct(data[:5])
    terms["weights"] = [digest.hexdigest()]
    terms["pictures"] = [hashlib.sha256(outputs.tobytes()).hexdigest()]
    return terms


def main(action: str, path: str, *names: str) -> int:
    """Write the histories of all cases, or say which differ from those of a file."""
    found = {}
    for name in names or CASES:
        keras.backend.clear_session()
        found[name] = history_of(name)
        print(name, flush=True)
    if action == "write":
        Path(path).write_text(json.dumps(found, indent=1))
        return 0
    known = json.loads(Path(path).read_text())
    different = {
        name: [key for key in {*known[name], *terms} if known[name].get(key) != terms.get(key)]
        for name, terms in found.items()
        if name in known
    }
    different = {name: keys for name, keys in different.items() if keys}
    for name, keys in different.items():
        key = min(keys)
        print(f"{name}: {sorted(keys)}; {key}: {known[name].get(key)} -> {found[name].get(key)}")
    print(f"{len(found) - len(different)} alike, {len(different)} different")
    return bool(different)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
