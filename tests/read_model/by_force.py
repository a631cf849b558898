"""Laws of the read model, worked out by brute force from rows that are decoded whole."""

from collections.abc import Mapping
from typing import Any

from redis import Redis

from schemas.changes import LIFECYCLE, PURCHASE
from tables import codec
from tables.row import Row

Sets = dict[str, set[str]]
"""Users by label."""


def tags_of(row: Row) -> dict[str, Any]:
    """The values of a row's tags that were said last: by hand, else by a rule."""
    found: dict[str, Any] = {LIFECYCLE: row.lifecycle.state, PURCHASE: row.purchase.state}
    for name, tag in row.rule_tags.items():
        found[name] = tag.value
    for name, word in row.tags.items():
        if word.value is not None and word.ended_sequence is None:
            found[name] = word.value
    return {name: value for name, value in found.items() if value is not None}


def sets_of(rows: Mapping[str, bytes]) -> Sets:
    """Who is in which set; who was erased and has done nothing since is in none."""
    found: Sets = {}
    for user, row in known(rows).items():
        found.setdefault("", set()).add(user)
        for name, value in tags_of(row).items():
            found.setdefault(name, set()).add(user)
            text = {True: "true", False: "false"}[value] if isinstance(value, bool) else value
            if isinstance(text, str) and 1 <= len(text) <= 64:
                found.setdefault(f"{name}/{text}", set()).add(user)
    return found


def known(rows: Mapping[str, bytes]) -> dict[str, Row]:
    """The rows that are not blank."""
    decoded = {user: codec.decode(encoded) for user, encoded in rows.items()}
    return {user: row for user, row in decoded.items() if not row.is_blank}


def stored_sets(store: Any, prefix: str) -> Sets:
    """The sets of one stage."""
    head = f"{prefix}tag/"
    keys = [key.decode() for key in store.scan_iter(match=glob_free(head) + "*")]
    return {key.removeprefix(head): {user.decode() for user in store.smembers(key)} for key in keys}


def stored_rows(store: Any, prefix: str) -> dict[str, bytes]:
    """The rows of one stage."""
    return {user.decode(): row for user, row in store.hgetall(f"{prefix}rows").items()}


def glob_free(text: str) -> str:
    """A pattern that matches just this."""
    return "".join(f"[{each}]" if each in "*?[]" else each for each in text)


def kept(url: str, app_id: str = "") -> str:
    """All that Redis holds, of one application or of all, under whatever key."""
    with Redis.from_url(url) as store:
        return "".join(f"{key!r}{_value(store, key)!r}" for key in store.scan_iter() if app_id.encode() in key)


def _value(store: Any, key: bytes) -> Any:
    kinds = {
        b"hash": store.hgetall, b"list": lambda key: store.lrange(key, 0, -1), b"set": store.smembers,
        b"string": store.get, b"none": lambda _: b"",
    }  # fmt: skip
    return kinds[store.type(key)](key)
