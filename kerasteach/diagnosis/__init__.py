"""Diagnosis in words of what is wrong with a training, from tidy tables. Nothing here needs Keras or TensorFlow.

Each rule has an identifier such as `KT201`, a page of explanation (`explain`), and a measured reliability
(docs/diagnosis.md). A rule that depends on judgement speaks only where the loss shows a problem.
"""

from kerasteach.diagnosis.diagnose import diagnose
from kerasteach.diagnosis.findings import Findings
from kerasteach.diagnosis.rules import explain

__all__ = ["Findings", "diagnose", "explain"]
