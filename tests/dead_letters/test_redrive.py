"""`dlq list` and `dlq redrive` on real brokers."""

import json
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource

from app.doctor.kafka import kafka_checks
from app.topics import admin, redriven_name
from schemas.partitioner import partition_of
from tests.dead_letters.office import FIRST, PARTITIONS, Office, click, order


@pytest.fixture
def office(kafka: str, request: pytest.FixtureRequest, tmp_path: Path) -> Office:
    embedded = "embedded" in request.node.callspec.id
    return Office(tmp_path, kafka, delivery="at_least_once" if embedded else "exactly_once")


def test_nothing_there_is_said_and_is_no_mistake(office: Office) -> None:
    assert office.done("list") == "there are no dead letters, or none that are asked for\n"
    assert office.done("list", "--json") == ""
    assert office.done("redrive", "--yes") == "there is nothing to send\n"


def test_no_topic_is_a_mistake(office: Office) -> None:
    office.environment["REKINDLE_TOPIC_PREFIX"] = "gone."
    for command in ("list", "redrive"):
        result = office.dlq(command)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == (
            "rekindle: there is no topic gone.dead-letters: a worker makes it; or set REKINDLE_TOPIC_PREFIX\n"
        )


def test_letters_are_listed_the_oldest_first_and_counted(office: Office) -> None:
    office.receive([office.letter(b"{", "invalid_json"), office.letter(order("o1"), "wrong_topic")])
    text = office.done("list")
    assert text.index(f"events.click/0/{FIRST}") < text.index(f"events.click/0/{FIRST + 1}")
    assert text.endswith("2 dead letters: invalid_json 1, wrong_topic 1; waiting 2\n")
    assert "o1" not in text
    assert "order_id" in office.done("list", "--payload").replace("\n", "")


def test_the_topic_of_marks_is_made_by_the_first_redrive_and_compacted(office: Office) -> None:
    office.receive([office.letter(click("c1"))])
    office.done("redrive", "--yes")
    with admin(office.settings) as client:
        resource = ConfigResource("TOPIC", redriven_name(office.settings))
        told: Any = client.describe_configs([resource], config_filter="all")
    assert told["topic"][redriven_name(office.settings)]["cleanup.policy"]["value"] == "compact"


def test_what_can_be_used_goes_to_the_topic_and_partition_of_its_user_once(office: Office) -> None:
    letters = [office.letter(order(f"o{user}", f"u{user}"), "wrong_topic") for user in range(8)]
    office.receive([*letters, office.letter(b"{", "invalid_json"), *letters[:3]])
    assert office.done("redrive", "--yes") == (
        "8 events can be sent: events.order 8\n- left as they are: invalid_json 1\n8 events sent\n"
    )
    events = office.events()
    for record in events:
        user = json.loads(record.value)["user_id"].encode()
        assert (record.topic, record.key) == (office.settings.topic_prefix + "events.order", user)
        assert record.partition == partition_of(user, PARTITIONS)
    assert sorted(record.value for record in events) == sorted(each.payload for each in letters)
    again = office.done("redrive", "--yes")
    assert again == "there is nothing to send\n- left as they are: invalid_json 1\n"
    assert len(office.events()) == 8


def test_a_mark_names_where_its_event_lies(office: Office) -> None:
    office.receive([office.letter(click(f"c{number}", f"u{number}")) for number in range(20)])
    office.done("redrive", "--yes")
    lie = {
        (record.topic.removeprefix(office.settings.topic_prefix), record.partition, record.offset): record.value
        for record in office.events()
    }
    marks = office.marks()
    assert len(marks) == 20
    for place, mark in marks.items():
        event = json.loads(lie[mark["topic"], mark["partition"], mark["offset"]])
        assert place == f"events.click/0/{FIRST + int(event['event_id'][1:])}"
    assert set(office.states().values()) == {"redriven"}


def test_what_fails_again_is_told_and_not_redriven_again(office: Office) -> None:
    office.receive([office.letter(click("c1"))])
    office.done("redrive", "--yes")
    (mark,) = office.marks().values()
    failed = office.letter(click("c1"))
    office.receive([type(failed)(**{**as_fields(failed), **{name: mark[name] for name in ("partition", "offset")}})])
    states = office.states()
    assert states.pop(f"{mark['topic']}/{mark['partition']}/{mark['offset']}") == "redriven and failed again"
    assert office.done("redrive", "--yes") == "there is nothing to send\n"
    assert "redriven and failed again 1" in office.done("list")
    assert office.event_ids() == ["c1"]


def as_fields(letter: Any) -> dict[str, Any]:
    return {name: getattr(letter, name) for name in letter.__struct_fields__}


def test_a_dry_run_and_a_no_send_nothing(office: Office) -> None:
    office.receive([office.letter(click("c1"))])
    assert office.done("redrive", "--dry-run") == "1 event can be sent: events.click 1\n"
    assert office.done("redrive", typed="n\n").endswith("nothing was sent\n")
    result = office.dlq("redrive")
    assert result.exit_code == 2
    assert result.stderr == "rekindle: nothing was sent, because nobody answered; --yes sends without being asked\n"
    assert office.events() == []
    assert office.done("redrive", typed="y\n").endswith("1 event sent\n")
    assert office.event_ids() == ["c1"]


def test_filters_choose_the_same_for_both(office: Office) -> None:
    office.receive(
        [
            office.letter(click("c1")),
            office.letter(click("c2"), "wrong_topic", "events.cart"),
            office.letter(click("c3"), "wrong_topic"),
        ]
    )
    assert [each["event"]["event_id"] for each in office.listed("--reason", "wrong_topic")] == ["c2", "c3"]
    assert office.listed("--since", "2099-01-01T00:00:00Z") == []
    assert len(office.listed("--since", "1h")) == 3
    assert office.done("list", "--limit", "1").endswith("- beyond --limit: 2\n")
    assert "- beyond --limit: 1\n" in office.done("redrive", "--yes", "--reason", "wrong_topic", "--limit", "1")
    assert office.event_ids() == ["c2"]
    office.done("redrive", "--yes", "--topic", "events.click", "--reason", "wrong_topic")
    assert office.event_ids() == ["c2", "c3"]


def test_a_corrected_file_is_sent_once(office: Office, tmp_path: Path) -> None:
    office.receive([office.letter({**click("c1"), "ts": "soon"}, "invalid_value"), office.letter(b"{", "invalid_json")])
    first, second = office.listed()
    assert first["event"]["ts"] == "soon"
    first["event"]["ts"] = "2026-01-31T12:00:00Z"
    del second["payload"]
    second["event"] = order("o2", "u2")
    path = tmp_path / "fixed.jsonl"
    path.write_text(f"{json.dumps(first)}\n\n{json.dumps(second)}\n")
    assert office.done("redrive", "--fixed", path, "--yes").endswith("2 events sent\n")
    assert office.event_ids() == ["c1", "o2"]
    assert office.done("redrive", "--fixed", path, "--yes") == (
        "there is nothing to send\n- left as they are: redriven 2\n"
    )


def test_a_line_that_is_still_wrong_is_named_and_nothing_is_sent(office: Office, tmp_path: Path) -> None:
    office.receive([office.letter(b"{", "invalid_json"), office.letter(click("c1"))])
    path = tmp_path / "fixed.jsonl"
    path.write_text(office.done("list", "--json"))
    result = office.dlq("redrive", "--fixed", path, "--yes")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "rekindle: line 1: invalid_json: Input data was truncated\n"
        "rekindle: 1 line is still wrong, so nothing was sent: correct what is named, or take it out\n"
    )
    assert office.events() == []


def test_records_that_are_no_letters_are_left_out_and_told(office: Office) -> None:
    office.receive([office.letter(click("c1"))])
    producer = KafkaProducer(bootstrap_servers=office.settings.kafka, enable_idempotence=False, acks="all")
    for value in (b"", b"{}", b"\xff", b"[" * 100_000, b'{"topic": "t", "reason": "unheard_of"}'):
        producer.send(office.settings.topic_prefix + "dead-letters", value)
    producer.close()
    result = office.dlq("list", "--json")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1)
    assert result.stderr == "rekindle: 5 records on the topic of dead letters are none, and are left out\n"


def test_the_doctor_knows_the_topic_of_marks(office: Office) -> None:
    name = redriven_name(office.settings)
    assert findings(office)["redriven"].startswith(f"{name} is not there yet")
    office.receive([office.letter(click("c1"))])
    office.done("redrive", "--yes")
    assert findings(office)["redriven"] == f"{name} is compacted"


def findings(office: Office) -> dict[str, str]:
    return {check.name: check.finding for check in kafka_checks(office.settings)}
