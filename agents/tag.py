"""Manual tags: the newest word wins, whatever arrives last, until it ends."""

from collections.abc import Sequence

from agents.journal import Journal
from agents.limits import Limits
from agents.sameness import same
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
    before = _value_at(row, event.tag, known, event.ts, journal)
    after = _beneath(row, event.tag, event.ts) if event.value is None else event.value
    if not same(before, after):
        journal.say(event.tag, before, after, event.ts)
    expires_at = NEVER if event.value is None or event.ttl_ms is None else event.ts + event.ttl_ms
    tags[event.tag] = ManualTag(event.value, event.ts, event.event_id, expires_at)
    _make_room(row, tags, event.ts, journal)
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
        _end(row, name, tags[name], journal)
    if due:
        row.tags = tags


def erase_tags(row: Row, at: Millis, journal: Journal) -> frozenset[str]:
    """Every tag set at or before the erasure goes to null; those set after it stay. Gives those that were in force."""
    tags = row.tags
    in_force = set()
    for name, known in sorted(tags.items()):
        if known.ts <= at and known.value is not None:
            value = _value_at(row, name, known, at, journal)
            if known.ended_sequence is None or known.expires_at >= at:
                in_force.add(name)
                journal.say(name, value, None, at)
    row.tags = {name: known for name, known in tags.items() if known.ts > at}
    return frozenset(in_force)


def _value_at(row: Row, name: str, known: ManualTag | None, ts: Millis, journal: Journal) -> Scalar:
    """The value just before a time: the end of a tag set by hand is said if it came before, and taken back if not."""
    if known is None or known.value is None:
        return _beneath(row, name, ts)
    if known.ended_sequence is not None and known.expires_at >= ts:
        journal.withdraw(name, known.value, known.ended_to, known.expires_at, known.ended_sequence)
        return known.value
    if _ends_before(known, ts):
        _end(row, name, known, journal)
    return known.value if known.ended_sequence is None else _beneath(row, name, ts)


def _beneath(row: Row, name: str, moment: Millis) -> Scalar:
    """The value that a rule gives, which shows where none is set by hand."""
    tag = row.rule_tags.get(name)
    return None if tag is None else tag.value_at(moment)


def _ends_before(known: ManualTag, bound: Millis) -> bool:
    return known.ended_sequence is None and known.expires_at < bound


def _end(row: Row, name: str, known: ManualTag, journal: Journal) -> None:
    known.ended_to = _beneath(row, name, known.expires_at)
    known.ended_sequence = journal.say(name, known.value, known.ended_to, known.expires_at, BY_TIME)


def _make_room(row: Row, tags: Tags, ts: Millis, journal: Journal) -> None:
    """Beyond the capacity the tag with the oldest word leaves."""
    if len(tags) > MAX_TAGS:
        name = min(tags, key=lambda each: (tags[each].ts, tags[each].event_id, each))
        before, after = _value_at(row, name, tags[name], ts, journal), _beneath(row, name, ts)
        if not same(before, after):
            journal.say(name, before, after, ts)
        del tags[name]
