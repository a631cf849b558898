"""Dead letters by HTTP: a worker looks at so many, and has so much of them in memory, and no more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

import pytest

from app.api import letters, redrive
from schemas.topics import INPUT_TOPICS
from tests.api.served import Served, sources
from tests.api.test_problems import checked
from tests.dead_letters.office import PARTITIONS, Office, click

NUMBER: Final = 60


@pytest.fixture(scope="module")
def office(embedded_kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = Office(tmp_path_factory.mktemp("letters"), embedded_kafka, delivery="at_least_once")
    for start in range(0, NUMBER, 10):
        office.receive([office.letter(click(f"e{each}", f"u{each}")) for each in range(start, start + 10)])
    return office


@pytest.fixture
def served(office: Office) -> Iterator[Served]:
    served = Served(known=sources(office.settings))
    yield served
    served.stop()


def test_the_topics_are_those_of_input() -> None:
    assert get_args(letters.InputTopic) == tuple(INPUT_TOPICS)


def test_of_very_many_only_the_newest_are_looked_at(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    assert served.ask("/api/dead-letters?limit=1000").json["count"] == NUMBER
    monkeypatch.setattr(letters, "LOOKED_AT", 0)
    monkeypatch.setattr(letters, "_AT_LEAST", 5)
    found = served.ask("/api/dead-letters?limit=1000&payload=true").json
    assert found["looked_at"] == 5
    assert found["count"] == len(found["letters"]) <= 5 * PARTITIONS
    assert f"e{NUMBER - 1}" in {each["event"]["event_id"] for each in found["letters"]}


def test_a_redrive_has_only_so_many_bytes_in_memory_and_comes_to_the_others_when_asked_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redrive, "PAYLOADS_BYTES", 2_000)
    sent = 0
    for _ in range(NUMBER):
        answer = served.ask("/api/dead-letters/redrive?limit=1000", "POST")
        assert answer.status == 200, answer
        sent += answer.json["sent"]
        if not answer.json["beyond"]:
            break
        assert 0 < answer.json["sent"] < NUMBER / 2
    assert sent == NUMBER
    assert served.ask("/api/dead-letters").json["states"] == {"redriven": NUMBER}


def test_where_there_is_no_such_topic_that_is_said(embedded_kafka: str, tmp_path: Path) -> None:
    served = Served(known=sources(Office(tmp_path, embedded_kafka).settings.model_copy(update={"topic_prefix": "no."})))
    try:
        found = checked(served.ask("/api/dead-letters"))
        assert (found["status"], "there is no topic no.dead-letters" in found["detail"]) == (503, True)
    finally:
        served.stop()
