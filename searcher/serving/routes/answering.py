"""Answers out of the FAQ, and sources as one text for a language model."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from searcher.serving.asked import Serving, note
from searcher.serving.models import Answering, Contexting, Question
from searcher.serving.replies import reply
from searcher.serving.service import Service

router = APIRouter(tags=["answers"])

NONE = dict.fromkeys(("answer", "question", "source", "score", "probability", "margin"))
ANSWER = {
    "answer": "Click on Forgotten password.", "question": "How do I reset my password?", "source": "faq.csv#4",
    "score": 0.83, "probability": 0.97, "margin": 0.2, "why": None,
}  # fmt: skip
ANSWERED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer as `searcher ask --json` prints it, all null where there is none; `why` says what "
        "it lacks. Of several questions `results`, one for each.",
        "content": {"application/json": {"example": ANSWER}},
    }
}


async def _answered(
    service: Service, question: str | list[str], min_score: float | None, min_probability: float | None
) -> Response:
    texts = [question] if isinstance(question, str) else question

    def work() -> list[dict[str, Any]]:
        if not service.searcher.exists():
            return [NONE | {"why": "there is no entry"}] * len(texts)
        verdicts = service.searcher.faq.verdicts(texts, min_score, min_probability)
        return [(own.answer.as_dict() if own.answer else NONE) | {"why": own.why} for own in verdicts]

    answers = await service.read(work)
    return reply(answers[0] if isinstance(question, str) else {"results": answers})


@router.post("/answer", responses=ANSWERED, summary="Answer from the FAQ")
async def answer(asked: Answering, request: Request, service: Serving) -> Response:
    """The answer of the FAQ entry that fits a question best, if it fits well enough."""
    note(request.scope, asked.question)
    return await _answered(service, asked.question, asked.min_score, asked.min_probability)


@router.get("/answer", responses=ANSWERED, summary="Answer from the FAQ, by address")
async def answer_by_address(
    q: Question,
    request: Request,
    service: Serving,
    min_score: Annotated[float | None, Query(allow_inf_nan=False)] = None,
    min_probability: Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False)] = None,
) -> Response:
    """The same for one question."""
    note(request.scope, q)
    return await _answered(service, q, min_score, min_probability)


@router.post("/context", summary="Sources as one text for a language model")
async def context(asked: Contexting, request: Request, service: Serving) -> Response:
    """The passages that answer a question best, as one text with numbered sources, as `searcher context --json`."""
    note(request.scope, asked.question)
    found = await service.read(lambda: service.searcher.context(asked.question, **asked.how()))
    return reply(found.as_dict())
