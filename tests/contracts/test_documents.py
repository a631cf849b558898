"""The published contracts: what the structs say, valid in their own languages, and of one mind with `decode`."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from schemas.changes import TagChange
from schemas.contracts import documents, write
from schemas.dead_letter import DeadLetter
from schemas.recall import RecallDecision, RecallTrigger
from schemas.scores import ChurnScore
from schemas.topics import INPUT_TOPICS
from tests.schemas.test_decode import BAD_CASES, GOOD_CASES, RULES, Raw, encode, fields_of, wire

PUBLISHED: Final = Path(__file__).parents[2] / "docs" / "contracts"
OPENAPI: Final = "openapi.json"
"""Made of the API's routes: see test_openapi.py."""
OUTPUTS: Final[dict[str, list[msgspec.Struct]]] = {
    "tag-changes": [
        TagChange(
            id="u1/lifecycle/5/1",
            user_id="u1",
            tag="lifecycle",
            from_=None,
            to="active",
            at=5,
            cause="click:e1",
            rule_version=1,
        ),
        TagChange(
            id="u1/vip/5/2",
            user_id="u1",
            tag="vip",
            from_=True,
            to=1.5,
            at=5,
            cause="tag:e1",
            rule_version=0,
            corrects="u1/vip/5/1",
        ),
    ],
    "recall-triggers": [
        RecallTrigger(
            id="u1/win-back/5/1",
            rev=0,
            user_id="u1",
            campaign="win-back",
            variant=None,
            reason="silent",
            recall_channel="sms",
            offer=None,
            at=5,
            expires_at=6,
            test=False,
            churn_risk=0.5,
            profile={"region": "north", "age": 41, "gender": None},
            cause="timer",
        )
    ],
    "recall-decisions": [
        RecallDecision(
            id="u1/win-back/5/1",
            user_id="u1",
            campaign="win-back",
            outcome="suppressed",
            reasons=["no_consent"],
            at=5,
            cause="u1/lifecycle/5/1",
            campaign_version=1,
            variant=None,
            recall_channel=None,
        )
    ],
    "churn-scores": [
        ChurnScore(user_id="u1", as_of=5, p_inactive=1, horizon_ms=6, model="champion", model_version="1")
    ],
    "dead-letters": [
        DeadLetter(topic="events.click", partition=0, offset=0, reason="empty", detail="no payload", payload=b""),
        DeadLetter(
            topic="events.tag",
            partition=1,
            offset=2,
            reason="too_large",
            detail="too large",
            payload=b"\xff",
            size=300_000,
            sha256="0" * 64,
        ),
    ],
}
BEYOND_SCHEMA: Final[dict[str, set[Raw]]] = {
    "ts": {"1.0", "1e12", '"7"'},
    "quantity": {"1.0", "1e2"},
    "ttl_ms": {"1.0"},
    "value": {str(2**53 + 1), str(-(2**53) - 1), "9" * 30, "1e999"},
    "attributes": {json.dumps({"a": 2**53 + 1})},
    "consent": {'{"fax": true}'},
    "items": {'[{"item_id": "i1", "quantity": 1.0}]', '[{"item_id": "i1", "quantity": 1e2}]'},
}
"""What `decode` refuses and a schema lets pass: to JSON Schema 1.0 is an integer, a `format` is only a note, and a
large integer is also a number; and msgspec does not write down which keys a map may have."""


@cache
def validator(name: str) -> Any:
    return Draft202012Validator(json.loads(documents()[f"{name}.schema.json"]))


def schema_of(kind: str) -> Any:
    return validator("tick" if kind == "tick" else f"events.{kind}")


def asyncapi() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(documents()["asyncapi.json"])
    return document


def test_the_published_documents_are_those_of_the_structs() -> None:
    published = {path.name: path.read_bytes() for path in PUBLISHED.iterdir() if path.name != OPENAPI}
    current = documents()
    drifted = sorted(name for name in published.keys() | current.keys() if published.get(name) != current.get(name))
    assert not drifted, f"docs/contracts is not what the structs say ({', '.join(drifted)}): run `make contracts`"


def test_writing_removes_the_documents_of_records_that_are_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "docs" / "contracts"
    folder.mkdir(parents=True)
    (folder / "events.gone.schema.json").write_text("{}")
    (folder / "tick.schema.json").write_text("old")
    (folder / "README.md").write_text("kept")
    write(folder)
    left = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert left == {**documents(), "README.md": b"kept"}


def test_there_is_a_schema_for_every_topic_for_ticks_and_for_rules() -> None:
    names = {*INPUT_TOPICS, *OUTPUTS, "tick", "rules"}
    assert documents().keys() == {f"{name}.schema.json" for name in names} | {"asyncapi.json"}


@pytest.mark.parametrize("name", [*INPUT_TOPICS, *OUTPUTS, "tick", "rules"])
def test_every_schema_is_valid_json_schema_2020_12(name: str) -> None:
    schema = json.loads(documents()[f"{name}.schema.json"])
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("kind", RULES)
def test_a_schema_takes_what_decode_takes(kind: str) -> None:
    examples = [wire(kind, field, raw) for each, field, raw in GOOD_CASES if each == kind]
    examples += [encode(fields_of(kind)), encode({**fields_of(kind), "unknown": "[{}]"})]
    refused = [payload for payload in examples if not schema_of(kind).is_valid(json.loads(payload))]
    assert refused == []


@pytest.mark.parametrize("kind", RULES)
def test_a_schema_refuses_what_decode_refuses_but_for_what_it_cannot_say(kind: str) -> None:
    examples = {(field, raw): wire(kind, field, raw) for each, field, raw, _ in BAD_CASES if each == kind}
    taken = {case for case, payload in examples.items() if schema_of(kind).is_valid(json.loads(payload))}
    assert taken == {(field, raw) for field, raw in examples if raw in BEYOND_SCHEMA.get(field, set())}


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, rules in RULES.items() for field, rule in rules.items() if rule[2]]
)
def test_a_schema_refuses_an_event_without_a_required_field(kind: str, field: str) -> None:
    assert not schema_of(kind).is_valid(json.loads(encode(fields_of(kind, but=field))))


@pytest.mark.parametrize("kind", RULES)
def test_a_schema_is_for_one_type_only(kind: str) -> None:
    event = json.loads(encode(fields_of(kind)))
    for wrong in [{**event, "type": "other"}, {**event, "type": None}, {k: event[k] for k in event if k != "type"}]:
        assert not schema_of(kind).is_valid(wrong)


@pytest.mark.parametrize(
    ("name", "record"), [(name, record) for name, records in OUTPUTS.items() for record in records]
)
def test_what_is_published_follows_its_schema(name: str, record: msgspec.Struct) -> None:
    told = json.loads(msgspec.json.encode(record))
    validator(name).validate(told)
    for field in told:
        is_optional = field in ("corrects", "size", "sha256")
        assert validator(name).is_valid({k: told[k] for k in told if k != field}) == is_optional, field


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("tag-changes", "at", "2010-12-01T00:00:00Z"),
        ("tag-changes", "from", []),
        ("tag-changes", "corrects", None),
        ("recall-triggers", "rev", 2),
        ("recall-triggers", "recall_channel", "fax"),
        ("recall-decisions", "outcome", "sent"),
        ("recall-decisions", "reasons", ["rain"]),
        ("churn-scores", "p_inactive", 1.1),
        ("churn-scores", "horizon_ms", 0),
        ("dead-letters", "reason", "bad_luck"),
    ],
)
def test_a_schema_of_an_output_is_closed_where_the_struct_is(name: str, field: str, value: object) -> None:
    told = json.loads(msgspec.json.encode(OUTPUTS[name][0]))
    assert not validator(name).is_valid({**told, field: value})


def references(node: Any) -> Iterator[str]:
    """Every `$ref` below a node."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def resolve(document: dict[str, Any], reference: str) -> Any:
    """The node that a reference within the document points to (RFC 6901)."""
    assert reference.startswith("#/"), f"{reference} leaves the document"
    node: Any = document
    for part in reference[2:].split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return node


def test_every_reference_in_asyncapi_resolves() -> None:
    document = asyncapi()
    found = list(references(document))
    assert len(found) > 3 * len(document["channels"])
    for reference in found:
        assert resolve(document, reference), reference


def test_every_topic_is_a_channel_that_takes_its_record_and_ticks_if_it_is_an_input() -> None:
    document = asyncapi()
    assert document["asyncapi"] == "3.0.0"
    assert document["channels"].keys() == {*INPUT_TOPICS, *OUTPUTS}
    for topic, channel in document["channels"].items():
        assert channel["address"] == topic
        payloads = [
            resolve(document, resolve(document, message["$ref"])["payload"]["$ref"])
            for message in channel["messages"].values()
        ]
        schemas = [json.loads(documents()[f"{topic}.schema.json"])]
        schemas += [json.loads(documents()["tick.schema.json"])] if topic in INPUT_TOPICS else []
        assert [payload["title"] for payload in payloads] == [schema["$ref"].split("/")[-1] for schema in schemas]
        assert [payload.get("required") for payload in payloads] == [
            resolve(schema, schema["$ref"])["required"] for schema in schemas
        ]


def test_every_channel_has_an_operation_that_points_to_it() -> None:
    document = asyncapi()
    directions = {operation["channel"]["$ref"]: operation["action"] for operation in document["operations"].values()}
    assert directions == {
        **{f"#/channels/{topic}": "receive" for topic in INPUT_TOPICS},
        **{f"#/channels/{topic}": "send" for topic in OUTPUTS},
    }


def test_every_message_has_a_name_and_a_sentence() -> None:
    for name, message in asyncapi()["components"]["messages"].items():
        assert message["name"] == name
        assert len(message["summary"]) > 10
