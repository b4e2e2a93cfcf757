"""A reader of fax pages for tests: it says what it is told to say, in the place of the pool's children."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.domain.layout import Layouts
from gateway.domain.recognition import Box, Page, Recognition, Section, SignatureField, Sort, Suggestion


def recognition(*references: str, name: str = "Ines Vale", parts: Sequence[str] = ("2",)) -> Recognition:
    """A form, and a cover sheet for each reference."""
    suggestion = Suggestion("signer-name", name, 91, 1, Box(100, 200, 900, 400))
    form = Section(
        (1,), Sort.FORM, "Form 15410", 97, "11-2025", suggestions=(suggestion,),
        signatures=(SignatureField(1, Box(100, 9_000, 5_000, 9_400), drawn=True),),
    )  # fmt: skip
    sheets = tuple(Section((2 + at,), Sort.COVER_SHEET, reference=one) for at, one in enumerate(references))
    pages = tuple(Page(parts[0], 1 + at, 180 if at == 0 else 0) for at in range(1 + len(references)))
    return Recognition(pages, (form, *sheets))


class Reader:
    """What `Recogniser` asks. Each answer is given once, the last one ever after; an error is raised."""

    def __init__(self, *answers: Recognition | Exception) -> None:
        self._answers = list(answers or [recognition()])
        self.asked: list[list[tuple[str, bytes]]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def recognise(self, documents: Sequence[tuple[str, bytes]], layouts: Layouts) -> Recognition:
        del layouts
        self.asked.append(list(documents))
        await self.gate.wait()
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer
