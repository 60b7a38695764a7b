"""The general questions that are shipped: how many, of what kinds, none twice."""

import re

from searcher.ranking import GENERAL, TOPICS


def test_general_questions_are_of_many_topics_and_none_stands_twice() -> None:
    assert len(TOPICS) >= 25
    assert all(len(questions) >= 6 for questions in TOPICS.values())
    assert len({question.casefold() for question in GENERAL}) == len(GENERAL) == sum(map(len, TOPICS.values())) >= 250
    assert [question for question in GENERAL if question != " ".join(question.split()) or not question] == []


def test_general_questions_are_short_and_long_and_asked_in_many_ways() -> None:
    words = [len(question.split()) for question in GENERAL]
    assert min(words) <= 2
    assert max(words) >= 20
    assert 0.1 < sum(question.endswith("?") for question in GENERAL) / len(GENERAL) < 0.5
    assert 0.1 < sum(count <= 4 for count in words) / len(words) < 0.5
    assert 4 <= sum(bool(re.search("[一-鿿]", question)) for question in GENERAL) <= 20
