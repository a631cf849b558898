"""Rules that fit some users: each score for a fifth of them, the best tier for a twentieth."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from app.rules_file import builtin_rules
from app.rules_suggest.known import Buyer
from app.rules_suggest.thresholds import Distribution
from app.rules_suggest.toml import Choice, Suggestion
from schemas.changes import TagName
from schemas.events import Scalar

SCORES: Final = {5: 0.2, 4: 0.4, 3: 0.6, 2: 0.8}
"""By score, the share of users who have it or a better one."""
TOP, GOOD = 0.05, 0.2
"""The share of users in the best tier, and in the best two; likewise of loyalty."""
TOP_DAYS, GOOD_DAYS = 0.1, 0.4
"""The share of users who come on as many days as those tiers ask for."""
_REPEAT: Final = 2

_Holds = Callable[[Buyer], bool]


class _Cut(NamedTuple):
    value: Scalar
    when: str
    holds: _Holds


def suggestions(buyers: Sequence[Buyer]) -> list[Suggestion]:
    """Rules to stand in place of the built-in ones of the same name."""
    return [_recency(buyers), _frequency(buyers), _monetary(buyers), _tier(buyers), _loyalty(buyers)]


def _recency(buyers: Sequence[Buyer]) -> Suggestion:
    days = Distribution(each.recency for each in buyers)

    def cut(score: int, below: float) -> _Cut:
        return _Cut(score, f"recency < {below}", lambda each: each.recency < below)

    cuts = [cut(score, days.threshold(1 - share)) for score, share in SCORES.items()]
    return _rule("rfm.recency", "How lately they ordered: 5 is best.", cuts, 1, buyers)


def _frequency(buyers: Sequence[Buyer]) -> Suggestion:
    orders = Distribution(each.frequency for each in buyers)

    def cut(score: int, least: float) -> _Cut:
        return _Cut(score, f"frequency >= {least}", lambda each: each.frequency >= least)

    cuts = [cut(score, orders.threshold(share)) for score, share in SCORES.items()]
    return _rule("rfm.frequency", "How often they ordered, ever: 5 is best.", cuts, 1, buyers)


def _monetary(buyers: Sequence[Buyer]) -> Suggestion:
    spend = Distribution(each.monetary for each in buyers)

    def cut(score: int, least: float) -> _Cut:
        return _Cut(score, f"monetary >= {least}", lambda each: each.monetary >= least)

    cuts = [cut(score, spend.threshold(share)) for score, share in SCORES.items()]
    return _rule("rfm.monetary", "How much they spent, ever, less returns: 5 is best.", cuts, 1, buyers)


def _tier(buyers: Sequence[Buyer]) -> Suggestion:
    days = Distribution(each.purchase_days for each in buyers)

    def cut(tier: str, share: float, of_days: float) -> _Cut:
        enough = days.threshold(of_days)
        regulars = [each.monetary for each in buyers if each.purchase_days >= enough]
        least = Distribution(regulars).threshold(min(share * len(buyers) / len(regulars), 1))
        when = f"spend() >= {least} and purchase_days >= {enough}"
        return _Cut(tier, when, lambda each: each.monetary >= least and each.purchase_days >= enough)

    cuts = [cut("vip", TOP, TOP_DAYS), cut("core", GOOD, GOOD_DAYS)]
    doc = "vip: those who spend most, on many days; core: those who follow them; else ordinary."
    return _rule("tier", doc, cuts, "ordinary", buyers)


def _loyalty(buyers: Sequence[Buyer]) -> Suggestion:
    days = Distribution(each.purchase_days for each in buyers)

    def cut(value: str, least: float) -> _Cut:
        return _Cut(value, f"purchase_days >= {least}", lambda each: each.purchase_days >= least)

    regular = max(days.threshold(GOOD), _REPEAT + 1)
    devoted = max(days.threshold(TOP), regular + 1)
    cuts = [cut("devoted", devoted), cut("regular", regular), cut("repeat", _REPEAT)]
    doc = "By days with a purchase: one_time, repeat, regular, devoted."
    return _rule("loyalty", doc, cuts, "one_time", buyers)


def _rule(name: TagName, doc: str, cuts: Sequence[_Cut], otherwise: Scalar, buyers: Sequence[Buyer]) -> Suggestion:
    """A rule without the values that nobody has; the last one would be none."""
    builtin = next(rule for rule in builtin_rules().tag if rule.name == name)
    found = Counter(next((cut.value for cut in cuts if cut.holds(each)), otherwise) for each in buyers)
    choices = [Choice(cut.value, cut.when, found[cut.value] / len(buyers)) for cut in cuts if found[cut.value]]
    return Suggestion(
        name=name,
        version=builtin.version + 1,
        doc=doc,
        only=str(builtin.only),
        choices=choices or [Choice(cuts[0].value, cuts[0].when, 0.0)],
        otherwise=otherwise,
        rest=found[otherwise] / len(buyers),
    )
