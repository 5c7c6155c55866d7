"""The checks that every model of the zoo passes, for parts and models of one's own.

In a test file:

    @zoo.testing.parametrize(MyRegularizer(weight=0.1))
    def test_conforms(trial, check):
        check(trial)
"""

from zoo.testing.checks import CHECKS
from zoo.testing.subjects import parametrize
from zoo.testing.trial import Trial

__all__ = ["CHECKS", "Trial", "parametrize"]
