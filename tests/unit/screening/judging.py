from __future__ import annotations

from gateway.domain.verdict import Kind, Verdict
from gateway.screening.chunk import Chunk, Form
from gateway.screening.examiner import Examiner
from gateway.screening.policy import Policy


def judge(*texts: str, form: Form = Form.TEXT, policy: Policy | None = None) -> Verdict:
    examiner = Examiner(policy or Policy.default())
    for number, text in enumerate(texts, 1):
        examiner.take(Chunk(text, f"text {number}", form))
    return examiner.verdict()


def kinds(*texts: str, form: Form = Form.TEXT) -> set[Kind]:
    return {finding.kind for finding in judge(*texts, form=form).findings}
