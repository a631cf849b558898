"""The desk of a partition: hears every tag change, decides what is due, and takes back what a late event proves wrong.

```
change       c                       quiet hours        an activity         window's end     30 days later
             |-------- after --------|------------------|T-------o----------|-----------------|
decisions                            deferred           triggered
ledger                                                  +1       recalled +1                    lost again +1, or not
```
"""

from collections.abc import Collection, Iterable, Sequence

from agents.limits import Limits
from agents.recall.campaign import Campaign
from agents.recall.campaigns import Campaigns
from agents.recall.lessons import Lessons, bet_on
from agents.recall.policy import UNIFORM
from agents.recall.results import Purchase, Results, keep, purchase_of
from agents.recall.said import Said
from agents.recall.verdict import Case, Choose, Verdict, fits, judge
from agents.rules.effective import EffectiveTags, set_by_hand
from agents.rules.view import View
from schemas.changes import TagChange
from schemas.events import AnyEvent, Message, Order, Profile, UserId
from schemas.money import Minor
from schemas.recall import Reason
from schemas.times import Millis
from tables.ledger import Ledger
from tables.recalls import CANCELLED, HELD, MAX_SENT, REMEMBERED_MS, RUN, Due, Recalls, Sent
from tables.row import Row


class Desk:
    """The campaigns of one partition; what is said is gathered in `said`.

    `number` of `partitions`: budgets are divided among them. `paused`: campaigns that decide nothing for now, by hand.
    `choose`: how channels are chosen where a campaign leaves it to what was learnt; `lessons`: what there is to learn.
    """

    def __init__(self, campaigns: Campaigns, limits: Limits, number: int = 0, partitions: int = 1) -> None:
        self.campaigns = campaigns
        self.ledger = Ledger()
        self.said = Said(self.ledger, campaigns.profile)
        self.results = Results(self.ledger)
        self.paused: Collection[str] = frozenset()
        self.choose: Choose = UNIFORM.choose
        self.lessons = Lessons()
        self._limits = limits
        self._number, self._partitions = number, partitions

    def hear(self, row: Row, user_id: UserId, changes: Sequence[TagChange], watermark: Millis) -> None:
        """Note what has to be decided because of these changes, and take back what they prove wrong.

        `watermark`: nothing is decided before it.
        """
        withdrawn = {change.corrects: change for change in changes if isinstance(change.corrects, str)}
        said = [change for change in changes if change.corrects not in withdrawn and change.id not in withdrawn]
        starting = [change for change in said if self._started_by(change)]
        if not starting and not (withdrawn and row.packed_recalls is not None):
            return
        recalls, now = row.recalls, floor(row, watermark)
        renamed = _said_again(withdrawn.items(), said)
        for each in recalls.all:
            each.cause = renamed.get(each.cause, each.cause)
        self._take_back(row, user_id, recalls, withdrawn.keys() - renamed.keys(), now, "corrected")
        for change in starting:
            for campaign, due in self._started_by(change) if change.id not in renamed.values() else ():
                self._await(row, user_id, recalls, Due(max(due, now), campaign.name, change.id, due))
        keep(row, recalls)

    def _started_by(self, change: TagChange) -> list[tuple[Campaign, Millis]]:
        """The campaigns that a change starts, and when each has to decide."""
        return [
            (campaign, change.at + campaign.on.after_ms)
            for campaign in self.campaigns.on.get(change.tag, ())
            if campaign.on is not None and fits(campaign.on.to, change.to)
        ]

    def _await(self, row: Row, user_id: UserId, recalls: Recalls, due: Due) -> None:
        """A campaign has one decision at a time to take about a user: the newest."""
        for older in [each for each in recalls.due if each.campaign == due.campaign]:
            recalls.due.remove(older)
            self.said.decision(row, user_id, older, "suppressed", ("superseded",))
        if recalls.sent:
            due.at = max(due.at, recalls.sent[-1].at)
        recalls.due.append(due)

    def run(self, row: Row, user_id: UserId, campaign: str, run_id: str, at: Millis) -> None:
        """Let a campaign decide about a user without a change."""
        recalls = row.recalls
        self._await(row, user_id, recalls, Due(at, campaign, RUN + run_id, at))
        keep(row, recalls)

    def before(self, row: Row, event: AnyEvent, watermark: Millis) -> Purchase | None:
        """Before an event is applied: who is to be forgotten gets nothing more; what an order was taken for so far."""
        if row.packed_recalls is None:
            return None
        if isinstance(event, Profile) and event.kind == "erased":
            self._forget(row, event.user_id, max(floor(row, watermark), event.ts))
        return purchase_of(row, event) if isinstance(event, Order) and event.ts <= row.recall_until else None

    def after(self, row: Row, event: AnyEvent, was: Purchase | None, watermark: Millis) -> None:
        """After it: what it says of what was triggered."""
        if row.packed_recalls is None or (event.ts > row.recall_until and not isinstance(event, Message)):
            return
        recalls = row.recalls
        if isinstance(event, Message):
            self._report(row, recalls, event, watermark)
        elif event.is_activity:
            self.results.activity(recalls, event.ts)
        if isinstance(event, Order):
            for sign, bought in ((-1, was), (1, purchase_of(row, event))):
                if bought is not None:
                    self.results.purchase(recalls, bought.ts, sign * bought.amount)
        keep(row, recalls)

    def _report(self, row: Row, recalls: Recalls, event: Message, watermark: Millis) -> None:
        sent = self.results.report(recalls, event)
        if sent is None or event.kind != "failed" or sent.marks & CANCELLED:
            return
        campaign = self.campaigns.by_name.get(sent.campaign)
        if campaign is not None and campaign.falls_back:
            at, first = max(floor(row, watermark), event.ts), sent.expires_at - campaign.expiry_ms
            due = Due(at, campaign.name, sent.cause, first, sent.channel)
            if any(each.campaign == sent.campaign for each in recalls.due):
                self.said.decision(row, event.user_id, due, "suppressed", ("superseded",))
            else:
                self._await(row, event.user_id, recalls, due)

    def decide(self, row: Row, user_id: UserId, bound: Millis) -> None:
        """Decide what is due before the bound, in the order of time and priority; settle what has come of triggers."""
        recalls = row.recalls
        while (at := min((each.at for each in recalls.due), default=bound)) < bound:
            waiting = sorted((each for each in recalls.due if each.at == at), key=self._rank)
            recalls.due = [each for each in recalls.due if each.at != at]
            view = self._view(row, at)
            for due in waiting:
                self._decide(row, user_id, recalls, due, view)
        self.results.settle(recalls, bound)
        self.lessons.settle(user_id, recalls, bound)
        keep(row, recalls)

    def _rank(self, due: Due) -> tuple[int, str]:
        campaign = self.campaigns.by_name.get(due.campaign)
        return 0 if campaign is None else -campaign.priority, due.campaign

    def _view(self, row: Row, at: Millis) -> View:
        return View(row, at, tags=EffectiveTags(row, row.rule_tags, set_by_hand(row, at), at, self._limits))

    def _decide(self, row: Row, user_id: UserId, recalls: Recalls, due: Due, view: View) -> None:
        campaign = self.campaigns.by_name.get(due.campaign)
        if campaign is None:  # it has left the file since
            self.said.decision(row, user_id, due, "suppressed", ("outdated",))
            return
        left, is_paused = self._left(campaign, due.at), campaign.name in self.paused
        case = Case(row, user_id, due, campaign, self.campaigns, view, recalls, left, is_paused)
        verdict = judge(case, self.choose)
        decision = self.said.decision(row, user_id, due, verdict.outcome, verdict.reasons, verdict, campaign.version)
        if verdict.until is not None:
            recalls.due.append(Due(verdict.until, due.campaign, due.cause, due.due, due.failed))
        elif verdict.outcome in ("triggered", "held_out"):
            self._remember(case, verdict)
            if verdict.outcome == "triggered":
                self.said.trigger(case, verdict, decision)

    def _left(self, campaign: Campaign, at: Millis) -> Minor | None:
        """What a campaign may still book here on that day: this partition's part of its budget, less what it has."""
        if campaign.budget is None:
            return None
        whole, rest = divmod(campaign.budget, self._partitions)
        return whole + (self._number < rest) - self.ledger.booked(at, campaign.name)

    def _remember(self, case: Case, verdict: Verdict) -> None:
        """Caps count it from now on, and what the user does is put down to it."""
        channel, at = verdict.channel, case.at
        sent = Sent(
            case.row.sequence,
            case.campaign.name,
            verdict.variant and verdict.variant.name,
            channel.name,
            at,
            case.expires_at,
            at + channel.window_ms,
            case.due.cause,
            channel.cost,
            HELD if verdict.outcome == "held_out" else 0,
            bet_on(case, verdict, self._limits.allowed_lateness_ms),
        )
        known = [each for each in case.recalls.sent if each.at > at - REMEMBERED_MS]
        case.recalls.sent = [*known, sent][-MAX_SENT:]
        if sent.campaign not in case.recalls.met:
            case.recalls.met.append(sent.campaign)
            self.results.first(sent)
        if verdict.outcome == "triggered":
            self.ledger.book(at, sent.campaign, channel.cost)

    def _forget(self, row: Row, user_id: UserId, now: Millis) -> None:
        """Take back all that waits, and all that may not have been sent yet."""
        recalls = row.recalls
        self._take_back(row, user_id, recalls, {each.cause for each in recalls.all}, now, "erased")
        keep(row, recalls)

    def _take_back(
        self, row: Row, user_id: UserId, recalls: Recalls, causes: Collection[str], now: Millis, reason: Reason
    ) -> None:
        for due in [each for each in recalls.due if each.cause in causes]:
            recalls.due.remove(due)
            self.said.decision(row, user_id, due, "cancelled", (reason,))
        for sent in recalls.sent:
            if sent.cause in causes and now < sent.expires_at and not sent.marks & CANCELLED:
                sent.marks |= CANCELLED
                sent.bet = None
                self.said.cancellation(row, user_id, sent, max(now, sent.at), reason)


def floor(row: Row, watermark: Millis) -> Millis:
    """The earliest time at which may be decided: no decision is from before what it goes by."""
    zone = row.attributes.get("timezone")
    words = (*row.consent.values(), *(word for word in (row.reachable, zone) if word is not None))
    return max(watermark, row.lifecycle.last, *(word.ts for word in words))


def _said_again(withdrawn: Iterable[tuple[str, TagChange]], said: Sequence[TagChange]) -> dict[str, str]:
    """Of changes that were withdrawn only to be said again, the same at the same time: the new id by the old one."""
    ids = {(each.tag, each.to, each.at): each.id for each in said}
    keys = ((ident, (each.tag, each.from_, each.at)) for ident, each in withdrawn)
    return {ident: ids[key] for ident, key in keys if key in ids}
