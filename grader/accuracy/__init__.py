"""What a port does: trained, run and served in the sandbox, judged outside it.

Nothing that a submission prints counts, and no process that runs its code holds an expected
answer of a hidden case. It leaves tables behind; they are read as data and compared here.
"""

from grader.accuracy.measure import Accuracy, measure, not_run
from grader.accuracy.metrics import metrics_schema

__all__ = ["Accuracy", "measure", "metrics_schema", "not_run"]
