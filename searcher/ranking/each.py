"""Questions of many people at once, each asked in a way of its own: embedded together, ranked with those alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from searcher.ranking.asking import Asking
from searcher.ranking.questions import query_texts
from searcher.ranking.ways import Embedded, Way
from searcher.records import Hits

__all__ = ["AskingEach"]


class AskingEach(Asking):
    """What can be asked for several who know nothing of each other."""

    def search_each(self, asked: Sequence[Mapping[str, Any]]) -> list[Hits | Exception]:
        """The hits of each question, or what is wrong with it, which is nobody else's fault.

        asked: for each the arguments of `search`, `query` a text. One forward pass embeds all of them, whatever else
        they ask for; those that ask for the same but for their text are ranked in one call.
        """
        answers: list[Hits | Exception] = [Hits()] * len(asked)
        texts: dict[int, str] = {}
        alike: dict[str, tuple[Way, list[int]]] = {}
        for place, own in enumerate(asked):
            how = {name: value for name, value in own.items() if name != "query"}
            try:
                [texts[place]] = query_texts([own.get("query")])
                # Not by equality: to a filter, 1 is not True.
                alike.setdefault(repr(sorted(how.items())), (Way.of(**how), []))[1].append(place)
            except (TypeError, ValueError) as fault:
                answers[place] = fault
        groups = list(alike.values())
        ready = None
        if len(texts) > 1:  # one alone need not be embedded before it is ranked, which asks the index for once more
            ready = self._embedded_for([(way, texts[place]) for way, places in groups for place in places])
        for way, places in groups:
            own_answers = self._answers([texts[place] for place in places], way, ready)
            for place, answer in zip(places, own_answers, strict=True):
                answers[place] = answer
        return answers

    def _embedded_for(self, questions: Sequence[tuple[Way, str]]) -> Embedded | None:
        """The vectors of what is to be embedded, of each text once; None where that is nothing, or a fault."""
        texts = list(dict.fromkeys(text for way, question in questions if (text := way.embeds(question)) is not None))
        if not texts or not self.exists():
            return None
        try:
            embedder, made_with = self._fitting()
            return Embedded(dict(zip(texts, embedder.embed(texts, "query"), strict=True)), made_with)
        except Exception:
            return None  # whoever asks alone learns what it is

    def _answers(self, texts: list[str], way: Way, ready: Embedded | None) -> Sequence[Hits | Exception]:
        try:
            return self._found(texts, way, ready)
        except Exception as fault:
            if len(texts) == 1:
                return [fault]
            return [self._answers([text], way, ready)[0] for text in texts]
