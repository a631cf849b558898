"""Manual tags: the newest word wins, whatever arrives last, until it ends."""

from collections.abc import Sequence

from agents.journal import Journal
from agents.limits import Limits
from schemas.changes import BY_TIME, TagChange
from schemas.events import Scalar, Tag, cause_of
from schemas.times import NEVER, Millis
from tables.row import MAX_TAGS, ManualTag, Row, Tags


def tag(row: Row, event: Tag, now: Millis, limits: Limits) -> Sequence[TagChange]:
    """Set or remove a tag by hand; an older word than the known one, or one that comes too late, changes nothing."""
    tags = row.tags
    known = tags.get(event.tag)
    if now - event.ts > limits.allowed_lateness_ms:
        return ()
    if known is not None and (event.ts, event.event_id) < (known.ts, known.event_id):
        return ()
    journal = Journal(row, event.user_id, cause_of(event))
    value = None if known is None else _value_at(event.tag, known, event.ts, journal)
    if not _same(value, event.value):
        journal.say(event.tag, value, event.value, event.ts)
    expires_at = NEVER if event.value is None or event.ttl_ms is None else event.ts + event.ttl_ms
    tags[event.tag] = ManualTag(event.value, event.ts, event.event_id, expires_at)
    _make_room(tags, event.ts, journal)
    row.tags = tags
    return journal.changes


def next_end(row: Row) -> Millis:
    """When the next tag set by hand ends."""
    return min((each.expires_at for each in row.tags.values() if each.ended_sequence is None), default=NEVER)


def end_tags(row: Row, bound: Millis, journal: Journal) -> None:
    """Say the ends that became due before the bound, in order."""
    tags = row.tags
    due = sorted((each.expires_at, name) for name, each in tags.items() if _ends_before(each, bound))
    for _, name in due:
        _end(name, tags[name], journal)
    if due:
        row.tags = tags


def erase_tags(row: Row, at: Millis, journal: Journal) -> None:
    """Every tag set at or before the erasure goes to null; those set after it stay."""
    tags = row.tags
    for name, known in sorted(tags.items()):
        if known.ts <= at:
            value = _value_at(name, known, at, journal)
            if value is not None:
                journal.say(name, value, None, at)
    row.tags = {name: known for name, known in tags.items() if known.ts > at}


def _value_at(name: str, known: ManualTag, ts: Millis, journal: Journal) -> Scalar:
    """The value just before a time: its end is said if it came before, and taken back if not."""
    if known.ended_sequence is not None and known.expires_at >= ts:
        journal.withdraw(name, known.value, None, known.expires_at, known.ended_sequence)
        return known.value
    if _ends_before(known, ts):
        _end(name, known, journal)
    return known.value if known.ended_sequence is None else None


def _ends_before(known: ManualTag, bound: Millis) -> bool:
    return known.ended_sequence is None and known.expires_at < bound


def _end(name: str, known: ManualTag, journal: Journal) -> None:
    known.ended_sequence = journal.say(name, known.value, None, known.expires_at, BY_TIME)


def _make_room(tags: Tags, ts: Millis, journal: Journal) -> None:
    """Beyond the capacity the tag with the oldest word leaves."""
    if len(tags) > MAX_TAGS:
        name = min(tags, key=lambda each: (tags[each].ts, tags[each].event_id, each))
        value = _value_at(name, tags[name], ts, journal)
        if value is not None:
            journal.say(name, value, None, ts)
        del tags[name]


def _same(one: Scalar, other: Scalar) -> bool:
    """Equal, and of one JSON type: 1 is not true."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other
