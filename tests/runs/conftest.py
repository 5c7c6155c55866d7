"""What tests of runs share."""

import pytest

from zoo.trainer import compilation


@pytest.fixture(scope="module", autouse=True)
def _traced_only():
    """XLA would take longer to compile a few steps than all the rest of a small run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compilation, "JIT_WEIGHTS", 0)
        yield
