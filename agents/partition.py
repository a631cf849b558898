"""One partition: records in, in each topic's order; staged changes, dead letters and rows out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec import Struct, convert
from msgspec.structs import asdict

from agents import steps
from agents.churn.sampler import NEVER_SWEPT, Sampler
from agents.gender.voice import MODEL
from agents.limits import Limits
from agents.recall.by_hand import ByHand
from agents.recall.desk import Desk, floor
from agents.rules.event_inputs import inputs_of
from agents.rules.inputs import ALL_INPUTS, FIRST, GUESS, SCORE
from agents.rules.look import Pending, Rules, catch_up, look, note
from agents.rules.revise import revise
from agents.rules.rulebook import NO_RULES, Rulebook
from schemas.changes import BY_RULES, CHURN_RISK, TagChange
from schemas.dead_letter import DeadLetter, Rejected, dead_letter
from schemas.decode import decode
from schemas.events import TYPE_OF, AnyEvent, Profile, Tick, UserId, cause_of
from schemas.examples import Example
from schemas.partitioner import partition_of
from schemas.recall import RecallDecision, RecallTrigger
from schemas.scores import ChurnScore
from schemas.times import MINUTE_MS, NEVER, SECOND_MS, Millis, to_datetime
from schemas.topics import INPUT_TOPICS, Offset, Topic
from tables.census import count, empty
from tables.changelog import State
from tables.codec import DamagedError, UnknownVersionError
from tables.days import Records
from tables.guess import Guess
from tables.merge import Merge
from tables.moves import Moves
from tables.row import Row
from tables.score import Score
from tables.table import Table

GRACE_MS: Final[Millis] = 5 * SECOND_MS
"""So long after its time an event may arrive without being late, where the clock on the wall moves time."""
MAX_FUTURE_MS: Final[Millis] = 5 * MINUTE_MS
"""An event further in the future than this has a wrong clock; it is a dead letter, and ages nobody."""
SLICE: Final = 400
"""About so many events of a topic, or timers, are applied in one go: 10 to 20 ms."""

SAMPLED_AT_ONCE: Final = 200
"""So many users are sampled for models in one go: 10 to 20 ms."""
NOTHING: Final[Records] = MappingProxyType({})
USERS_REMEMBERED: Final = 10_000
"""Users who are known to belong here: their partition is not worked out again for each event."""


def latest_believed(wall_now: Millis | None) -> Millis:
    """The newest time that is believed; without a clock on the wall that depends on the events alone."""
    return NEVER if wall_now is None else wall_now + MAX_FUTURE_MS


def yet_to_come(ts: Millis) -> Rejected:
    """Why an event later than `latest_believed` is not believed."""
    return Rejected("too_far_ahead", f"`ts`: {to_datetime(ts).isoformat()} is yet to come")


class Wall(NamedTuple):
    """The clock on the wall, and the topics that have more to read: only those hold time back."""

    now: Millis
    behind: Collection[Topic]


class Epoch(NamedTuple):
    """What one epoch changed (rows by user, None: deleted), the state at its end, and whom it erased.

    `days`: of the ledger and of moves, as records of the changelog.
    """

    rows: Mapping[UserId, bytes | None]
    changes: Sequence[TagChange]
    dead_letters: Sequence[DeadLetter]
    state: State
    erased: Collection[UserId] = frozenset()
    examples: Sequence[Example] = ()
    scores: Sequence[ChurnScore] = ()
    triggers: Sequence[RecallTrigger] = ()
    decisions: Sequence[RecallDecision] = ()
    days: Records = NOTHING


class Counters(Struct):
    """What became of the events, and how late they were."""

    applied: int = 0
    duplicates: int = 0
    erased: int = 0
    late: int = 0
    too_late: int = 0
    dead_letters: int = 0


class Partition:
    """The rows of one partition, driven by events and by time; without input or output of its own.

    `take` and `run` serve topics that are read side by side; a history that is already in order calls `apply` and
    `advance`. `watermark`: everything that was due before it has been said.
    """

    def __init__(
        self, number: int, limits: Limits, table: Table, partitions: int = 1, rulebook: Rulebook = NO_RULES
    ) -> None:
        self._number = number
        self._partitions = partitions
        self._limits = limits
        self._rules = Rules(rulebook, limits)
        self._pending: dict[UserId, Pending] = {}
        self._unswept: list[UserId] = []
        self._has_rules = bool(rulebook.names)
        self._at_home: set[UserId] = set()
        self.table = table
        self.merge = Merge(tuple(INPUT_TOPICS), limits.max_ahead_ms)
        self._now: Millis = 0
        self._furthest: Millis = 0
        self.watermark: Millis = 0
        self.counters = Counters()
        self.census = empty()
        self.moves = Moves()
        self.dead_letters: list[DeadLetter] = []
        self._erased: set[UserId] = set()
        self._scores: list[ChurnScore] = []
        self.sampler = None
        if limits.churn is not None:
            with_gender = any(rule.reads & GUESS for rule in rulebook.rules)
            self.sampler = Sampler(number, limits.churn, table, with_gender=with_gender)
        self.desk = Desk(rulebook.campaigns, limits, number, partitions)
        self.by_hand = ByHand(self.desk, table, lambda row: floor(row, self.watermark), partitions)
        self._has_campaigns = bool(rulebook.campaigns.all)

    def take(
        self, topic: Topic, records: Iterable[tuple[Offset, bytes | None]], wall_now: Millis | None = None
    ) -> None:
        """Read a chunk of one topic into the merge. With a wall clock, what lies far in its future is not believed."""
        latest = latest_believed(wall_now)
        for offset, payload in records:
            try:
                self._take(topic, offset, payload, latest)
            except Rejected as why:
                self.merge.dead_letter(topic, offset, dead_letter(topic, self._number, offset, payload, why))

    def _take(self, topic: Topic, offset: Offset, payload: bytes | None, latest: Millis) -> None:
        record = decode(payload)
        if record.ts > latest:
            raise yet_to_come(record.ts)
        if isinstance(record, Tick):
            self.merge.tick(topic, offset, record.ts)
            return
        if TYPE_OF[type(record)] != INPUT_TOPICS[topic]:
            raise Rejected("wrong_topic", f"`type`: {TYPE_OF[type(record)]} does not belong into {topic}")
        if self._partitions > 1 and record.user_id not in self._at_home:
            self._check_partition(record.user_id)
        self.merge.event(topic, offset, record, is_believed=latest < NEVER)

    def _check_partition(self, user_id: UserId) -> None:
        """One user must never have two rows."""
        if (home := partition_of(user_id.encode(), self._partitions)) != self._number:
            what = f"user {user_id!r} belongs into partition {home} of {self._partitions}"
            raise Rejected("wrong_partition", f"{what}: use user_id as the key, and the murmur2 partitioner")
        if len(self._at_home) >= USERS_REMEMBERED:
            self._at_home.clear()
        self._at_home.add(user_id)

    def run(self, wall: Wall | None = None) -> bool:
        """Apply a slice of what has come up in the merge, then of what time has made due; True when nothing is left.

        Without a wall clock all topics are waited for, and time is what they have reached. With it only those that are
        behind are waited for, and time goes on by itself. What time has made due comes before further events: so no
        event is measured against a time that the watermark, and with it a restart, does not know.
        """
        if self._now > self.watermark and not self._pass_time():
            return False
        limit, reached = self._reached(wall)
        stop = NEVER if wall is not None else self._stop(limit)
        is_stopped, limit, reached = limit > stop, min(limit, stop), min(reached, stop)
        below = self.merge.slice_below(limit, SLICE)
        for key, _, _, record in self.merge.release(below):
            if isinstance(record, DeadLetter):
                self.dead_letters.append(record)
                self.counters.dead_letters += 1
            else:
                self.apply(record, self._moment(key, wall))
        self._look_at_all(NEVER)
        if below < limit:
            return False
        self._now = max(self._now, reached)
        return self._pass_time() and not is_stopped

    def _stop(self, limit: Millis) -> Millis:
        """Where events have to wait until all users are sampled: then it makes no difference how they came."""
        if self.sampler is None:
            return NEVER
        if (first := self.merge.first) is not None and 0 < first < limit:
            self.sampler.start(first)
        return min(self.next_sweep, NEVER - 1) + 1

    def _moment(self, key: Millis, wall: Wall | None) -> Millis:
        """How far time had come for a record: it never goes back, also where no topic waits for another."""
        if wall is not None:
            self._furthest = key = max(self._furthest, key)
        return max(key, self._now)

    def _pass_time(self) -> bool:
        is_done = self.advance(self._now, SLICE)
        if is_done:
            self.watermark = self._now
        return is_done

    def _reached(self, wall: Wall | None) -> tuple[Millis, Millis]:
        """What lies below the first may be applied, what is due below the second may be said."""
        if wall is None:
            watermark = self.merge.watermark or 0
            return watermark, watermark
        limit = (self.merge.bound_of(wall.behind) or 0) if wall.behind else NEVER
        return limit, min(limit, wall.now) - GRACE_MS

    @property
    def state(self) -> State:
        """Where the partition stands, between two epochs."""
        return State(
            positions={topic: self.merge.position(topic) for topic in INPUT_TOPICS},
            watermark=self.watermark,
            census=self.census,
            counters=asdict(self.counters),
            furthest=self._furthest,
            rules_mark=0 if self._unswept else self._rules.book.mark,
            swept=NEVER_SWEPT if self.sampler is None else self.sampler.swept,
            swept_to="" if self.sampler is None else self.sampler.cursor,
            control=self.by_hand.control,
            moves_since=self.moves.since,
        )

    def collect(self) -> Epoch:
        """End an epoch: what it changed, and where the partition stands."""
        rows, changes = self.table.collect()
        count(self.census, changes)
        self.moves.count(changes)
        dead_letters, self.dead_letters = self.dead_letters, []
        erased, self._erased = self._erased, set()
        lessons = self.desk.lessons.take()  # before the word that an instant is done with, which they may belong to
        examples = () if self.sampler is None else (*lessons, *self.sampler.take_examples())
        scores, self._scores = tuple(self._scores), []
        said, days = self.desk.said.take(), self.desk.ledger.collect() | self.moves.collect()
        return Epoch(rows, changes, dead_letters, self.state, erased, examples, scores, *said, days)

    def resume(self, state: State, rows: Mapping[bytes, bytes], days: Records = NOTHING) -> None:
        """Go on from where an epoch ended.

        Raises UnknownVersionError or DamagedError for what this version cannot go on from.
        """
        if unknown := state.positions.keys() - INPUT_TOPICS.keys():
            raise UnknownVersionError(f"the changelog knows the input topics {sorted(unknown)}: upgrade this worker")
        self.merge.resume(state.positions.items())
        self._now = self.watermark = state.watermark
        self._furthest = state.furthest
        if self.sampler is not None:
            self.sampler.resume(state.swept, state.swept_to)
        self.census = state.census
        self.counters = convert(state.counters, Counters)
        self.moves.resume(days, state.reached if state.moves_since is None else state.moves_since)
        self.desk.ledger.resume(days)
        self.by_hand.resume(state.control)
        try:
            for user, encoded in rows.items():
                self.table.load(user.decode(), encoded)
        except UnicodeDecodeError as error:
            raise DamagedError("a key") from error
        if state.rules_mark != self._rules.book.mark:
            self._unswept = list(self.table.encoded_rows())
            self._has_rules = True

    @property
    def unswept(self) -> int:
        """How many users may still have tags by other rules than those in force."""
        return len(self._unswept)

    def sweep(self, at_most: int) -> None:
        """Look at users that nothing has happened to since the rules changed, as of the watermark."""
        if not self.watermark:
            return
        for _ in range(min(at_most, len(self._unswept))):
            user_id = self._unswept.pop()
            row = self.table.get(user_id)
            if row is not None and not row.is_blank and row.rules_mark != self._rules.book.mark:
                at = max(self.watermark, row.rules_at)
                self._say(user_id, row, look(row, user_id, at, ALL_INPUTS, BY_RULES, self._rules))

    def run_campaigns(self, seconds: float) -> None:
        """Let campaigns that were told to run come to their next users. `seconds`: since the last time.

        Nothing is decided before it is known what time it is.
        """
        if self._has_campaigns and (self.watermark or not self.table.users()):
            self.by_hand.go_on(seconds)

    def score(self, user_id: UserId, score: Score) -> None:
        """Take over a score of a user; rules that go by it are looked at as of its instant."""
        row = self.table.get(user_id)
        if row is None or row.is_blank:
            return
        row.score = score
        changes = self._take_over(user_id, row, score.as_of, SCORE, f"churn:{score.model}@{score.version}")
        if any(change.tag == CHURN_RISK for change in changes):
            self._scores.append(_told(user_id, score))

    def guess(self, user_id: UserId, guess: Guess) -> None:
        """Take over a guess at the gender of a user, likewise."""
        row = self.table.get(user_id)
        if row is not None and not row.is_blank:
            row.guess = guess
            self._take_over(user_id, row, guess.as_of, GUESS, f"gender:{MODEL}@{guess.version}")

    def _take_over(self, user_id: UserId, row: Row, as_of: Millis, inputs: int, cause: str) -> Sequence[TagChange]:
        """What the rules that go by a model's word make of it."""
        self.table.put(user_id, row)
        book = self._rules.book
        if not (book.reading(inputs).rules or inputs & book.daily_inputs):
            return ()
        self._look_before(user_id, row, max(as_of, row.rules_at))
        changes = look(row, user_id, max(as_of, row.rules_at), inputs, cause, self._rules)
        self._say(user_id, row, changes)
        return changes

    def apply(self, event: AnyEvent, now: Millis) -> None:
        """Apply one event; `now` is how far time had come in its topic, and never goes back."""
        table, user_id = self.table, event.user_id
        row = table.get(user_id)
        if row is not None and row.erased_at is not None and steps.is_over(row, now, self._limits):
            row = None
        if event.ts < now and self._is_too_late(event, now) and row is None:
            return
        if row is None:
            row = Row()
        if (verdict := steps.admit(row, event)) != "fresh":
            self._ignore(verdict)
            return
        self.counters.applied += 1
        self._come_to(event.ts, user_id, row)
        kind, first = type(event), row.first
        was = self.desk.before(row, event, self.watermark) if row.packed_recalls is not None else None
        changes = steps.STEPS[kind](row, event, now, self._limits)
        table.put(user_id, row)
        if row.packed_recalls is not None:
            self.desk.after(row, event, was, self.watermark)
            table.schedule(user_id, row, row.recall_due)
        if changes or kind in steps.MAY_HASTEN:
            if isinstance(event, Profile) and event.kind == "erased":
                self._erased.add(user_id)
            self._hear(user_id, row, changes)
            table.schedule(user_id, row, steps.next_due(row, self._limits))
        if self._has_rules:
            inputs = inputs_of(event)
            self._look_after(user_id, row, event, now, inputs if row.first is first else inputs | FIRST)

    def _come_to(self, ts: Millis, user_id: UserId, row: Row) -> None:
        """Before an event is applied: what a user's time up to it comes to is sampled, looked at, and decided."""
        if self.sampler is not None and ts > self.sampler.due:
            self.sampler.catch_up(user_id, row, ts)
        if self._has_rules or self._has_campaigns:
            self._look_before(user_id, row, ts)

    def _look_before(self, user_id: UserId, row: Row, ts: Millis) -> None:
        """Before an event of another instant is applied: look at those that wait, and at what time alone changed.

        Where there are campaigns they decide in between, as they would if time had passed before the event came.
        """
        pending = self._pending.get(user_id)
        if pending is not None and pending.at == ts:
            return
        if pending is not None:
            del self._pending[user_id]
            self._say(user_id, row, catch_up(row, user_id, pending, pending.at + 1, self._rules))
        if self._has_campaigns:
            if row.due < ts:
                self._fire_until(user_id, row, ts)
        elif min(row.rules_due, row.rules_day_end) < ts:
            self._say(user_id, row, catch_up(row, user_id, None, ts, self._rules))

    def _look_after(self, user_id: UserId, row: Row, event: AnyEvent, now: Millis, inputs: int) -> None:
        """Once an event is applied: its instant waits for a look, or was looked at before the event came."""
        ts = event.ts
        if row.is_blank:
            self._pending.pop(user_id, None)
        elif not inputs:
            pass
        elif ts >= row.rules_at:
            book = self._rules.book
            if row.rules_mark == book.mark and not book.reading(inputs).rules:
                row.rules_at = ts
                note(row, ts, inputs, book)
                if row.rules_day_end < row.due:
                    self.table.schedule(user_id, row, row.rules_day_end)
                return
            pending = self._pending.get(user_id)
            self._pending[user_id] = Pending(ts, inputs if pending is None else inputs | pending.inputs, event)
        elif now - ts <= self._limits.allowed_lateness_ms:
            self._say(user_id, row, revise(row, user_id, event, inputs, self._rules))
        else:
            self._say(user_id, row, look(row, user_id, row.rules_at, inputs, cause_of(event), self._rules))

    def _look_at_all(self, bound: Millis) -> None:
        """Look at every instant before the bound that waits: all its events have come."""
        waiting, self._pending = self._pending, {}
        for user_id, pending in waiting.items():
            row = self.table.get(user_id)
            if pending.at >= bound:
                self._pending[user_id] = pending
            elif row is not None:
                self._say(user_id, row, catch_up(row, user_id, pending, pending.at + 1, self._rules))

    def _say(self, user_id: UserId, row: Row, changes: Sequence[TagChange]) -> None:
        self.table.put(user_id, row)
        self._hear(user_id, row, changes)
        self.table.schedule(user_id, row, steps.next_due(row, self._limits))

    def _hear(self, user_id: UserId, row: Row, changes: Sequence[TagChange]) -> None:
        """Changes are staged, and campaigns hear of them."""
        self.table.changes.extend(changes)
        if self._has_campaigns or row.packed_recalls is not None:
            self.desk.hear(row, user_id, changes, self.watermark)

    def advance(self, bound: Millis, at_most: int | None = None) -> bool:
        """Let time pass: fire what is due before the bound, in the order of (due, user); True when nothing is left.

        At each instant of the churn grid all users are sampled, when everything that is due by then has been fired.
        """
        self._look_at_all(bound)
        if self.sampler is not None:
            self.sampler.start(bound)
            while self.sampler.swept != NEVER_SWEPT and self.sampler.due < bound:
                if not self._fire_before(self.sampler.due + 1, at_most):
                    return False
                if not self.sampler.sweep(None if at_most is None else SAMPLED_AT_ONCE):
                    return False
        return self._fire_before(bound, at_most)

    @property
    def next_sweep(self) -> Millis:
        """The next instant as of which all users are sampled: a history that is in order lets time pass it first."""
        return NEVER if self.sampler is None or self.sampler.swept == NEVER_SWEPT else self.sampler.due

    def _fire_before(self, bound: Millis, at_most: int | None) -> bool:
        fired = 0
        for due, user_id in islice(self.table.timers.due_before(bound), at_most):
            fired += 1
            row = self.table.get(user_id)
            if row is not None and row.due == due:
                self._fire(user_id, row, due)
        return fired != at_most

    def _ignore(self, verdict: steps.Verdict) -> None:
        self.counters.duplicates += verdict == "duplicate"
        self.counters.erased += verdict == "erased"

    def _is_too_late(self, event: AnyEvent, now: Millis) -> bool:
        """Whether a late event comes later than allowed; counts it."""
        too_late = now - event.ts > self._limits.allowed_lateness_ms
        self.counters.too_late += too_late
        self.counters.late += not too_late
        return too_late

    def _fire(self, user_id: str, row: Row, due: Millis) -> None:
        """Look at a row whose timer has come: it may have something to say, or be due later by now."""
        row.due = NEVER
        next_due = steps.next_due(row, self._limits)
        if next_due <= due:
            if row.is_blank:
                self.table.delete(user_id)
                return
            self._come_due(user_id, row, due)
            next_due = steps.next_due(row, self._limits)
        self.table.put(user_id, row)
        self.table.schedule(user_id, row, next_due)

    def _come_due(self, user_id: UserId, row: Row, due: Millis) -> None:
        """Say what has become true by then: rules first, as they may read lifecycles that time moves."""
        self._hear(user_id, row, catch_up(row, user_id, None, due + 1, self._rules))
        self._hear(user_id, row, steps.pass_time(row, user_id, due + 1, self._limits))
        if row.recall_due <= due:
            self.desk.decide(row, user_id, due + 1)

    def _fire_until(self, user_id: UserId, row: Row, bound: Millis) -> None:
        """What was due for a user before an event is said, and decided, before it: however events come together."""
        while not row.is_blank and (due := steps.next_due(row, self._limits)) < bound:
            self._come_due(user_id, row, due)


def _told(user_id: UserId, score: Score) -> ChurnScore:
    """What others are told of a score."""
    return ChurnScore(
        user_id=user_id,
        as_of=score.as_of,
        p_inactive=score.p_inactive,
        horizon_ms=score.horizon_ms,
        model=score.model,
        model_version=score.version,
    )
