"""What a desk says: decisions, each counted in the ledger, and triggers. Each has the user's next sequence number."""

from msgspec import UNSET

from agents.recall.verdict import Case, Verdict
from schemas.changes import change_id
from schemas.events import Scalar, UserId
from schemas.recall import Outcome, Reason, RecallDecision, RecallTrigger
from schemas.times import Millis
from tables.ledger import Ledger, key_of
from tables.recalls import HELD, RUN, Due, Sent
from tables.row import Row

_NO_VERDICT = Verdict("suppressed")
_ELIGIBLE = frozenset({"triggered", "held_out", "shadow"})


class Said:
    """Gathers what was said until it is taken. `profile`: attributes and tags that go along with a trigger."""

    def __init__(self, ledger: Ledger, profile: tuple[str, ...]) -> None:
        self.triggers: list[RecallTrigger] = []
        self.decisions: list[RecallDecision] = []
        self._ledger = ledger
        self._profile = profile

    def take(self) -> tuple[tuple[RecallTrigger, ...], tuple[RecallDecision, ...]]:
        """Hand over what was said since."""
        said = tuple(self.triggers), tuple(self.decisions)
        self.triggers, self.decisions = [], []
        return said

    def decision(  # noqa: PLR0913, PLR0917  a decision says all this
        self,
        row: Row,
        user_id: UserId,
        due: Due,
        outcome: Outcome,
        reasons: tuple[Reason, ...],
        verdict: Verdict = _NO_VERDICT,
        version: int = 0,
    ) -> RecallDecision:
        """Say a decision."""
        row.sequence += 1
        choice, variant = verdict.choice, verdict.variant
        decision = RecallDecision(
            id=change_id(user_id, due.campaign, due.at, row.sequence),
            user_id=user_id,
            campaign=due.campaign,
            outcome=outcome,
            reasons=list(reasons),
            at=due.at,
            cause=due.cause,
            campaign_version=version,
            variant=None if variant is None else variant.name,
            recall_channel=None if choice is None else choice.channel.name,
            until=verdict.until or UNSET,
            propensities=(choice and choice.propensities) or UNSET,
            policy=(choice and choice.policy) or UNSET,
        )
        self._add(decision, decision.at)
        return decision

    def _add(self, decision: RecallDecision, counted_at: Millis) -> None:
        """A decision that takes another back counts on that one's day."""
        self.decisions.append(decision)
        key = key_of(decision.campaign, decision.variant, decision.recall_channel)
        names = ("eligible", decision.outcome) if decision.outcome in _ELIGIBLE else (decision.outcome,)
        self._ledger.count(counted_at, key, 1, *names, reasons=decision.reasons)

    def trigger(self, case: Case, verdict: Verdict, decision: RecallDecision) -> None:
        """Say a trigger, under the id of its decision."""
        campaign, score, channel, variant = case.campaign, case.row.score, verdict.channel, verdict.variant
        offers = (channel.offer, variant and variant.offer, campaign.offer)
        self.triggers.append(
            RecallTrigger(
                id=decision.id,
                rev=0,
                user_id=case.user_id,
                campaign=campaign.name,
                variant=decision.variant,
                reason=_reason(case),
                recall_channel=channel.name,
                offer=next((offer for offer in offers if offer is not None), None),
                at=case.at,
                expires_at=case.expires_at,
                test=campaign.is_test,
                churn_risk=None if score is None else score.p_inactive,
                profile=self._profile_of(case),
                cause=case.due.cause,
            )
        )

    def _profile_of(self, case: Case) -> dict[str, Scalar]:
        """What a template needs: attributes of these names, else tags."""
        attributes = case.row.attributes
        found: dict[str, Scalar] = {}
        for name in self._profile:
            value = attributes[name].value if name in attributes else case.tag(name)
            if value is not None and not isinstance(value, list):
                found[name] = value
        return found

    def cancellation(self, row: Row, user_id: UserId, sent: Sent, at: Millis, reason: Reason) -> None:
        """Say that a trigger is taken back, and why; of one who is held out only that."""
        cancelled = change_id(user_id, sent.campaign, sent.at, sent.sequence)
        row.sequence += 1
        decision = RecallDecision(
            id=change_id(user_id, sent.campaign, at, row.sequence),
            user_id=user_id,
            campaign=sent.campaign,
            outcome="cancelled",
            reasons=[reason],
            at=at,
            cause=sent.cause,
            campaign_version=0,
            variant=sent.variant,
            recall_channel=sent.channel,
            cancels=cancelled,
        )
        self._add(decision, sent.at)
        if not sent.marks & HELD:
            self.triggers.append(_taken_back(user_id, sent, cancelled))


def _reason(case: Case) -> str:
    on = case.campaign.on
    return "run" if on is None or case.due.cause.startswith(RUN) else f"{on.tag}: {_written(case.tag(on.tag))}"


def _written(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _taken_back(user_id: UserId, sent: Sent, ident: str) -> RecallTrigger:
    return RecallTrigger(
        id=ident,
        rev=1,
        user_id=user_id,
        campaign=sent.campaign,
        variant=sent.variant,
        reason="cancelled",
        recall_channel=sent.channel,
        offer=None,
        at=sent.at,
        expires_at=sent.expires_at,
        test=False,
        churn_risk=None,
        profile={},
        cause=sent.cause,
    )
