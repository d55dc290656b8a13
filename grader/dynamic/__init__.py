"""What only running a submission can show: that its wheel builds, and what its tests are worth.

What an observer outside the sandbox can conclude from a team's tests is little, and stated so:

- that pytest's process ended with 0 is seen from outside. That it means anything is not: a
  ``conftest.py`` may end the process with any status it likes;
- that the same tests end otherwise once the package is broken is seen from outside as well. Tests
  that never touch the package, and processes that always end with 0, stay green there and are
  found out. Tests that look whether they are being watched are not;
- counts and coverage are written by the process that also runs the team's code. They inform a
  reader and decide nothing.

What a port computes is therefore never judged here, but by ``grader.accuracy``.
"""

from grader.dynamic.ci import run_ci
from grader.dynamic.mutation import run_mutants
from grader.dynamic.shell import place_shell
from grader.dynamic.suite import run_tests
from grader.dynamic.wheel import build_wheel

__all__ = ["build_wheel", "place_shell", "run_ci", "run_mutants", "run_tests"]
