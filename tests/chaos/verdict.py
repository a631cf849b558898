"""What has to be true when a campaign is over, whatever happened in it."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from tests.chaos.load import Load
from tests.chaos.recall import recall_findings
from tests.chaos.stored import Stored, timeless
from tests.oracle import DAY_MS, effective, history, is_erasure


class Finding(NamedTuple):
    """One law, whether it held, and what was counted."""

    law: str
    holds: bool
    counted: str


def verdict(stored: Stored, load: Load) -> list[Finding]:
    """All laws of exactly-once, looked at from what is stored alone."""
    laws = [
        Finding(law, *judge(stored, load))
        for law, judge in (
            ("the effective history is the oracle's", _history),
            ("each move between states is counted once, on its day", _moves),
            ("no change is said twice", _ids),
            ("no number of a user's changes and decisions is missing", _sequences),
            ("tags set by hand end as they should", _tags),
            ("no row is lost, none is wrong", _rows),
            ("all that was sent is stored, none of it too late", _sent),
            ("each event is applied once, each copy known", _counters),
            ("each unreadable record is one dead letter", _dead_letters),
            ("who reads what is committed sees everything to the end", _gaps),
            ("no transaction is open", _open),
            ("the group's offsets are at the end", _offsets),
            ("every partition has a marker at its end", _markers),
        )
    ]
    return [*laws, *(Finding(*finding) for finding in recall_findings(stored.world, stored.rows, stored.ledger))]


def _history(stored: Stored, load: Load) -> tuple[bool, str]:
    expected = history(stored.arrivals, load.ends + 1)
    moves = sum(len(changes) for tags in expected.values() for changes in tags.values())
    withdrawn = sum(1 for change in stored.changes if change.get("corrects"))
    try:
        same = effective(stored.changes) == expected
    except AssertionError as error:
        return False, str(error)
    return same, f"{len(expected):,} users, {moves:,} changes, {withdrawn:,} withdrawals"


def _moves(stored: Stored, load: Load) -> tuple[bool, str]:
    """The moves in the changelogs are the oracle's transitions, by day."""
    expected = Counter(
        (at // DAY_MS, tag, before, after)
        for tags in history(stored.arrivals, load.ends + 1).values()
        for tag, changes in tags.items()
        for at, before, after in changes
    )
    found = Counter[tuple[int, str, str | None, str | None]]()
    for days in stored.moves:
        for number, day in days.items():
            for tag, flows in day.items():
                found.update({(number, tag, *move): users for move, users in flows.items()})
    return found == expected, f"{expected.total():,} moves on {len({number for number, *_ in expected}):,} days"


def _ids(stored: Stored, _: Load) -> tuple[bool, str]:
    ids = Counter(change["id"] for change in stored.changes)
    return len(ids) == len(stored.changes), f"{len(stored.changes):,} records, {len(ids):,} ids"


def _sequences(stored: Stored, load: Load) -> tuple[bool, str]:
    """The numbers of a user's changes and decisions are 1, 2, 3, ...; who was erased and forgotten may begin anew."""
    erased = {event["user_id"] for event in load.events if is_erasure(event)}
    told: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for place, records in enumerate((stored.changes, stored.decisions)):
        for record in records:
            told[record["user_id"]][place].append(int(record["id"].rpartition("/")[2]))
    broken = [user for user, numbers in told.items() if not is_whole(*numbers, may_begin_anew=user in erased)]
    return not broken, f"{len(told):,} users, {len(broken)} gaps{', '.join(['', *broken[:3]])}"


def is_whole(changes: Sequence[int], decisions: Sequence[int], *, may_begin_anew: bool) -> bool:
    """Whether both, each in its order, can be laid together so that they count on from 1 without a gap."""
    reached = {(0, 0, 0)}
    for _ in range(len(changes) + len(decisions)):
        further = set()
        for read, decided, number in reached:
            for step, following in ((1, changes[read : read + 1]), (0, decisions[decided : decided + 1])):
                if number + 1 in following or (may_begin_anew and 1 in following):
                    further.add((read + step, decided + 1 - step, following[0]))
        reached = further
    return bool(reached)


def _tags(stored: Stored, _: Load) -> tuple[bool, str]:
    """What a consumer who follows along ends with is what one process without faults would have said."""
    expected = [change for epoch in stored.uninterrupted for change in epoch.changes]
    ours = {(change["user_id"], change["tag"]): change["to"] for change in stored.changes}
    theirs = {(change.user_id, change.tag): change.to for change in expected}
    return ours == theirs, f"{sum(value is not None for value in ours.values()):,} tags set, {len(ours):,} ever"


def _rows(stored: Stored, _: Load) -> tuple[bool, str]:
    expected = {
        user.encode(): timeless(row)
        for epoch in stored.uninterrupted
        for user, row in epoch.rows.items()
        if row is not None
    }
    found = {user: timeless(row) for user, row in stored.rows.items()}
    wrong = [user for user in found.keys() | expected.keys() if found.get(user) != expected.get(user)]
    shown = "".join(f"; {user.decode()}: {found.get(user)} is not {expected.get(user)}" for user in wrong[:1])
    return not wrong, f"{len(found):,} rows, {len(wrong)} wrong{shown}"


def _counters(stored: Stored, _: Load) -> tuple[bool, str]:
    counted = Counter[str]()
    for marker in stored.markers:
        counted.update(marker.state.counters)
    expected = Counter[str]()
    for epoch in stored.uninterrupted:
        expected.update(epoch.state.counters)
    whole = counted["applied"] + counted["duplicates"] + counted["erased"]
    told = ", ".join(f"{number:,} {name}" for name, number in sorted(counted.items()))
    return counted == expected and whole == len(stored.arrivals), told


def _sent(stored: Stored, load: Load) -> tuple[bool, str]:
    """The load is what the verdict is about: all of it, and in time, or the laws would not have to hold."""
    all_sent = [*load.events, *load.reports]
    sent, found = ({event["event_id"] for event in events} for events in (all_sent, stored.arrivals))
    too_late = sum(marker.state.counters["too_late"] for marker in stored.markers)
    again = len(stored.arrivals) - len(all_sent)
    return sent == found and not too_late, f"{len(stored.arrivals):,} events, {again:,} of them sent again by producers"


def _dead_letters(stored: Stored, load: Load) -> tuple[bool, str]:
    places = Counter(record.key for record in stored.dead_letters)
    unread = {
        f"{letter['topic']}/{letter['partition']}/{letter['offset']}".encode()
        for letter in (json.loads(record.value) for record in stored.dead_letters)
    }
    right = (
        set(places) == unread
        and max(places.values(), default=1) == 1
        and len(places) == stored.unreadable >= load.unreadable
    )
    return right, f"{stored.unreadable} stored, {len(stored.dead_letters)} dead letters"


def _gaps(stored: Stored, _: Load) -> tuple[bool, str]:
    gaps = stored.gaps()
    return not gaps, "no gap" if not gaps else f"{gaps}"


def _open(stored: Stored, _: Load) -> tuple[bool, str]:
    found = stored.open_transactions()
    return not found, "none" if not found else ", ".join(found)


def _offsets(stored: Stored, _: Load) -> tuple[bool, str]:
    lag = stored.group_lag
    return not lag, "no lag" if not lag else f"{lag}"


def _markers(stored: Stored, load: Load) -> tuple[bool, str]:
    behind = [marker for marker in stored.markers if marker.state.watermark <= load.ends]
    generations = max(marker.generation for marker in stored.markers)
    epochs = sum(marker.epoch for marker in stored.markers)
    complete = len(stored.markers) == len(stored.uninterrupted) and not behind
    return complete, f"{epochs:,} epochs, up to {generations} restores of a partition"
