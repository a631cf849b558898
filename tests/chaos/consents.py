"""How users may be reached, in a campaign."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final, TypeAlias

from tests.oracle import is_erasure

Wire: TypeAlias = dict[str, Any]
_REACH: Final = ("push", "sms", "email", "phone")


def consents(events: Sequence[Wire], users: int, start: int, seed: int) -> list[Wire]:
    """What users agree to, said from `start` on: but for those whom an erasure concerns that comes late.

    For these the topics do not tell what was done before the erasure came, and what after it.
    """
    random = Random(-1 - seed)  # noqa: S311  repeatable
    late = set(_erased_late(events))
    found = []
    for number in range(users):
        channels = random.sample(_REACH, random.randrange(len(_REACH) + 1))
        if (user := f"user-{number}") not in late:
            said = {"consent": dict.fromkeys(channels, True), "reachable": channels}
            head = {"event_id": f"c{number}", "user_id": user, "ts": start + number}
            found.append(head | {"type": "profile", "kind": "consent"} | said)
    return found


def _erased_late(events: Sequence[Wire]) -> Iterator[str]:
    newest = 0
    for event in events:
        if is_erasure(event) and event["ts"] < newest:
            yield event["user_id"]
        newest = max(newest, event["ts"])
