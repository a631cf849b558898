"""The contracts as documents: JSON Schema of every record, and AsyncAPI of every topic, generated from the structs.

`python -m schemas.contracts docs/contracts` writes them; a test compares them with what the structs say now.
"""

import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from schemas.changes import TagChange
from schemas.dead_letter import DeadLetter
from schemas.events import Cart, Click, Message, Order, Profile, Tag, Tick
from schemas.recall import RecallDecision, RecallTrigger
from schemas.rules import RulesFile
from schemas.scores import ChurnScore
from schemas.topics import (
    CHURN_SCORES,
    DEAD_LETTERS,
    INPUT_TOPICS,
    RECALL_DECISIONS,
    RECALL_TRIGGERS,
    TAG_CHANGES,
    TOPIC_OF_TYPE,
    Topic,
)

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_INPUTS: Final[tuple[type[msgspec.Struct], ...]] = (Click, Cart, Order, Profile, Message, Tag)
_OUTPUTS: Final[dict[Topic, type[msgspec.Struct]]] = {
    TAG_CHANGES: TagChange,
    RECALL_TRIGGERS: RecallTrigger,
    RECALL_DECISIONS: RecallDecision,
    CHURN_SCORES: ChurnScore,
    DEAD_LETTERS: DeadLetter,
}
_RECORDS: Final[dict[Topic, type[msgspec.Struct]]] = {
    **{TOPIC_OF_TYPE[str(struct.__struct_config__.tag)]: struct for struct in _INPUTS},
    **_OUTPUTS,
}


def json_schemas() -> dict[str, dict[str, Any]]:
    """A JSON Schema for the records of each topic, one for ticks and one for files of rules, by file name."""
    named = {**_RECORDS, "tick": Tick, "rules": RulesFile}
    return {
        f"{name}.schema.json": {"$schema": _DIALECT, **msgspec.json.schema(struct)} for name, struct in named.items()
    }


def asyncapi() -> dict[str, Any]:
    """An AsyncAPI 3.0 document: what Rekindle receives and sends, each keyed by user_id."""
    structs: list[type[msgspec.Struct]] = [*_RECORDS.values(), Tick]
    _, components = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rekindle",
            "version": "1",
            "description": "Behaviour events in, tag changes and recall triggers out. Kafka key: user_id (ticks: null);"
            " partition: murmur2 of the key, as Java clients do by default.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic, struct) for topic, struct in _RECORDS.items()},
        "operations": {topic: _operation(topic) for topic in _RECORDS},
        "components": {
            "schemas": components,
            "messages": {struct.__name__: _message(struct) for struct in structs},
        },
    }


def _channel(topic: Topic, struct: type[msgspec.Struct]) -> dict[str, Any]:
    names = [struct.__name__, Tick.__name__] if topic in INPUT_TOPICS else [struct.__name__]
    messages = {name: {"$ref": f"#/components/messages/{name}"} for name in names}
    return {"address": topic, "messages": messages}


def _operation(topic: Topic) -> dict[str, Any]:
    action = "receive" if topic in INPUT_TOPICS else "send"
    return {"action": action, "channel": {"$ref": f"#/channels/{topic}"}}


def _message(struct: type[msgspec.Struct]) -> dict[str, Any]:
    summary = (struct.__doc__ or "").strip().splitlines()[0]
    payload = {"$ref": f"#/components/schemas/{struct.__name__}"}
    return {"name": struct.__name__, "summary": summary, "payload": payload}


def documents() -> dict[str, bytes]:
    """Every document as the bytes of its file, by file name."""
    contents = {**json_schemas(), "asyncapi.json": asyncapi()}
    return {name: msgspec.json.format(msgspec.json.encode(each), indent=2) + b"\n" for name, each in contents.items()}


def write(folder: Path) -> None:
    """Write every document, and remove those of records that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    current = documents()
    for old in folder.glob("*.schema.json"):
        if old.name not in current:
            old.unlink()
    for name, content in current.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
