"""What a rule asked of a view, and was told, in words: an entry for each method that the catalogue calls."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from agents.gender.stated import word_on_gender
from agents.rules.view import Instant, View
from agents.rules.watched import Call
from app.explain import taste_words
from app.explain.phrases import ago, chance, counted, minute, money, number, percent, plain, span, value
from app.wording import day
from schemas.rules import Population
from schemas.times import DAY_MS, Millis

_FIELDS: Final = ("click", "cart event", "order", "spend")
_SPEND: Final = _FIELDS.index("spend")
_INSTANTS: Final[dict[Instant, str]] = {
    "first_activity": "first activity",
    "last_activity": "last activity",
    "first_order": "first order",
    "last_order": "last order",
    "last_cart": "last cart event",
    "registered": "registration",
}
_DONE: Final = {
    "search": ("search", "searches"),
    "favorite": ("item saved", "items saved"),
    "share": ("item shared", "items shared"),
    "compare": ("comparison", "comparisons"),
    "review": ("review", "reviews"),
    "coupon_claim": ("coupon claimed", "coupons claimed"),
    "campaign_join": ("campaign joined", "campaigns joined"),
    "remove": ("item taken out of the cart", "items taken out of the cart"),
    "checkout": ("checkout", "checkouts"),
    "coupon_used": ("order with a coupon", "orders with a coupon"),
}
_NO_GAP: Final = "fewer than two orders, so there is no usual gap"


class Answer(NamedTuple):
    """A call's arguments and result, whom it was about, and what the population does."""

    arguments: Sequence[Any]
    result: Any
    view: View
    population: Population


_Tell: TypeAlias = Callable[[Answer], str]


class Number(NamedTuple):
    """Something that a rule saw, as it is and in words."""

    value: Any
    words: str


def in_words(calls: Sequence[Call], view: View, population: Population) -> list[Number]:
    """What a rule saw, in the order in which it asked; nothing is told twice."""
    told = {_words(call, view, population): call for call in reversed(list(_telling(calls)))}
    return [Number(call.result, words) for words, call in reversed(told.items())]


def _telling(calls: Sequence[Call]) -> Iterator[Call]:
    """The calls without those that another one's words tell too."""
    shares = {call.arguments[0] for call in calls if call.method in {"share", "top_share"}}
    return (call for call in calls if not (call.method in {"top", "observed"} and call.arguments[0] in shares))


def _words(call: Call, view: View, population: Population) -> str:
    return WORDS[call.method](Answer((*call.arguments, *call.named.items()), call.result, view, population))


def _window(answer: Answer) -> str:
    field, (unit, length) = answer.arguments
    return f"{_counted(field, answer.result)} in the last {counted(length, unit.removesuffix('s'))}"


def _total(answer: Answer) -> str:
    (field,) = answer.arguments
    return f"{_counted(field, answer.result)} ever"


def _counted(field: int, found: float) -> str:
    return f"{money(found)} spent" if field == _SPEND else counted(int(found), _FIELDS[field])


def _days_active(answer: Answer) -> str:
    return f"active on {answer.result} of the last {counted(answer.arguments[0], 'day')}"


def _instant(answer: Answer) -> str:
    return _when(answer.arguments[0], answer.result)


def _when(name: Instant, then: Millis | None) -> str:
    what = _INSTANTS[name]
    return f"no {what} is known" if then is None else f"{what} on {minute(then)} UTC"


def _since(answer: Answer) -> str:
    name, unit_ms, *_ = answer.arguments
    then = answer.view.instant(name)
    if then is None:
        return _when(name, None)
    when = day(then) if unit_ms == DAY_MS else f"{minute(then)} UTC"
    return f"{_INSTANTS[name]} {ago(answer.result, unit_ms)} ({when})"


def _mean_gap(answer: Answer) -> str:
    return _NO_GAP if answer.result is None else f"{number(answer.result)} days between orders on average"


def _cycle(answer: Answer) -> str:
    gap, then = answer.view.mean_gap(), answer.view.instant("last_order")
    if answer.result is None or gap is None or then is None:
        return _NO_GAP
    days = counted((answer.view.now - then) // DAY_MS, "day")
    return f"{days} since the last order, {number(answer.result)} times the usual gap of {number(gap)} days"


def _category_due(answer: Answer) -> str:
    return "no category is overdue" if answer.result is None else f"{plain(answer.result)} is the most overdue category"


def _return_rate(answer: Answer) -> str:
    return (
        "no order that could be returned" if answer.result is None else f"{percent(answer.result)} of orders returned"
    )


def _done(answer: Answer) -> str:
    one, many = _DONE[answer.arguments[0]]
    return f"{answer.result:,} {one if answer.result == 1 else many}"


def _share(answer: Answer) -> str:
    dimension, label = answer.arguments
    return taste_words.share(dimension, label, answer.view, answer.population)


def _spend_share(answer: Answer) -> str:
    dimension, label = answer.arguments
    return taste_words.spend_share(dimension, label, answer.result)


def _tag(answer: Answer) -> str:
    name = plain(answer.arguments[0])
    return f"no tag {name}" if answer.result is None else f"tag {name}: {value(answer.result)}"


def _attr(answer: Answer) -> str:
    name = plain(answer.arguments[0])
    return f"attribute {name}: {'not known' if answer.result is None else value(answer.result)}"


def _consent(answer: Answer) -> str:
    (channel,) = answer.arguments
    return {None: f"never said whether to use {channel}", True: f"agreed to {channel}"}.get(
        answer.result, f"refused {channel}"
    )


def _p_inactive(answer: Answer) -> str:
    score = answer.view.row.score
    if score is None:
        return "no score of the churn model yet"
    return f"{chance(score.p_inactive)} likely to stay away for {span(score.horizon_ms)}, by {plain(score.model)}"


def _stated_gender(answer: Answer) -> str:
    word = word_on_gender(answer.view.row)
    return "the profile says nothing about gender" if word is None else f"gender by the profile: {value(word)}"


def _p_female(answer: Answer) -> str:
    if answer.result is None:
        return f"no guess of the gender model {'yet' if answer.view.row.guess is None else 'counts beside the profile'}"
    likely = max((answer.result, "female"), (1 - answer.result, "male"))
    return f"{chance(likely[0])} likely to be {likely[1]}, as the gender model takes it from what they look at"


def _reachable(answer: Answer) -> str:
    (channel,) = answer.arguments
    return f"{'can' if answer.result else 'cannot'} be reached by {channel}"


WORDS: Final[dict[str, _Tell]] = {
    "window": _window,
    "total": _total,
    "days_active": _days_active,
    "instant": _instant,
    "since": _since,
    "since_crosses": _since,
    "mean_gap": _mean_gap,
    "cycle": _cycle,
    "cycle_crosses": _cycle,
    "category_due": _category_due,
    "purchase_days": lambda answer: f"{counted(answer.result, 'day')} with an order",
    "max_order": lambda answer: f"greatest order {money(answer.result)}",
    "returns": lambda answer: counted(answer.result, "return"),
    "return_rate": _return_rate,
    "done": _done,
    "top": lambda answer: taste_words.top(answer.arguments[0], answer.result),
    "top_share": lambda answer: taste_words.top_share(answer.arguments[0], answer.view, answer.population),
    "observed": lambda answer: taste_words.observed(answer.arguments[0], answer.result),
    "share": _share,
    "spend_share": _spend_share,
    "cart_items": lambda answer: f"{counted(answer.result, 'item')} in the open cart",
    "cart_value": lambda answer: f"open cart worth {money(answer.result)}",
    "p_inactive": _p_inactive,
    "stated_gender": _stated_gender,
    "p_female": _p_female,
    "tag": _tag,
    "attr": _attr,
    "consent": _consent,
    "reachable": _reachable,
}
