"""What there is to learn from triggers whose channel was chosen by chance: told once, when all is known."""

from agents.recall.verdict import Case, Verdict
from schemas.events import UserId
from schemas.examples import Lesson, user_key
from schemas.money import Minor
from schemas.times import Millis
from tables.recalls import FAILED, RECALLED, SENT, Bet, Recalls, Sent


class Lessons:
    """Gathers lessons until they are taken."""

    def __init__(self) -> None:
        self._lessons: list[Lesson] = []

    def take(self) -> list[Lesson]:
        """Hand over those that have come since."""
        lessons, self._lessons = self._lessons, []
        return lessons

    def settle(self, user_id: UserId, recalls: Recalls, bound: Millis) -> None:
        """Tell what each trigger has brought of which all is known before the bound."""
        for sent in recalls.sent:
            if sent.bet is not None and sent.bet.known_at < bound:
                self._lessons.append(_lesson(user_id, sent, sent.bet))
                sent.bet = None


def bet_on(case: Case, verdict: Verdict, lateness_ms: Millis) -> Bet | None:
    """What is to be remembered of a choice, to learn from it; None where nothing was chosen, or nobody is told."""
    choice, campaign = verdict.choice, case.campaign
    if verdict.outcome != "triggered" or campaign.is_test or choice is None or choice.propensities is None:
        return None
    known_at = case.at + choice.channel.window_ms + lateness_ms
    return Bet(choice.propensities, choice.context or {}, campaign.value, known_at)


def _lesson(user_id: UserId, sent: Sent, bet: Bet) -> Lesson:
    return Lesson(
        user=user_key(user_id),
        at=sent.at,
        as_of=bet.known_at,
        campaign=sent.campaign,
        channel=sent.channel,
        propensities=bet.propensities,
        context=bet.context,
        reward=_reward(sent, bet),
    )


def _reward(sent: Sent, bet: Bet) -> Minor:
    """What a message that failed would have cost is not spent."""
    is_unsent = sent.marks & FAILED and not sent.marks & SENT
    return bool(sent.marks & RECALLED) * bet.value + bet.revenue - (0 if is_unsent else sent.cost)
