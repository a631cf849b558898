"""Which events are behind what a rule saw."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from agents.rules.watched import Call, Seen
from app.explain.trail import Behind, Chooses, Mark
from schemas.changes import LIFECYCLE, PURCHASE, TagName

_FIELDS: Final = ("click", "cart", "order", "order")
_IN_CART: Final = ("remove", "checkout")


def behind(name: TagName, seen: Mapping[TagName, Seen]) -> Iterator[Behind]:
    """The kinds of events behind a tag, and behind those tags that its rule reads."""
    left, known = [name], {name}
    while left:
        each = left.pop()
        yield from _behind_one(each, seen)
        read = {call.arguments[0] for call in _calls(each, seen) if call.method == "tag"} - known
        left += sorted(read)
        known |= read


def _behind_one(name: TagName, seen: Mapping[TagName, Seen]) -> Iterator[Behind]:
    if name in {LIFECYCLE, PURCHASE}:
        yield Behind(_activity if name == LIFECYCLE else _purchase)
    for call in _calls(name, seen):
        yield behind_hand(call.arguments[0]) if call.method == "tag" else behind_call(call)


def _calls(name: TagName, seen: Mapping[TagName, Seen]) -> Sequence[Call]:
    return seen[name].calls if name in seen else ()


def behind_hand(name: TagName) -> Behind:
    """The words by hand on a tag."""
    return Behind(_by_hand(name))


def behind_call(call: Call) -> Behind:
    """The kinds of events behind one answer of the view."""
    method, arguments = call.method, call.arguments
    if method in {"instant", "since", "since_crosses"}:
        return _INSTANTS[arguments[0]]
    if method in {"window", "total"}:
        return Behind(_of_type(_FIELDS[arguments[0]]))
    if method == "done":
        return Behind(_done(arguments[0]))
    if method in _TASTES:
        return Behind(_telling(arguments[0]))
    return Behind(_OTHERS[method])


def _of_type(*types: str) -> Chooses:
    return lambda mark: mark.type in types


def _activity(mark: Mark) -> bool:
    return mark.is_activity


def _purchase(mark: Mark) -> bool:
    return mark.type == "order" and mark.is_activity


def _by_hand(name: TagName) -> Chooses:
    return lambda mark: mark.type == "tag" and mark.what == name


def _done(action: str) -> Chooses:
    if action == "coupon_used":
        return lambda mark: mark.type == "order" and mark.is_activity and "coupon_id" in mark.told
    wanted = "cart" if action in _IN_CART else "click"
    return lambda mark: mark.type == wanted and mark.what == action


def _telling(dimension: str) -> Chooses:
    """Clicks, cart events and purchases that have a value of a dimension; an hour they have all."""
    told = "price" if dimension == "price_band" else dimension
    return lambda mark: (
        mark.type in {"click", "cart", "order"}
        and (mark.type != "order" or mark.is_activity)
        and (dimension == "hour" or told in mark.told)
    )


def _profile(told: str) -> Chooses:
    return lambda mark: mark.type == "profile" and told in mark.told


_TASTES: Final = frozenset({"top", "top_share", "observed", "share", "spend_share"})
_INSTANTS: Final[dict[str, Behind]] = {
    "first_activity": Behind(_activity, only_first=True),
    "last_activity": Behind(_activity),
    "first_order": Behind(_purchase, only_first=True),
    "last_order": Behind(_purchase),
    "last_cart": Behind(_of_type("cart")),
    "registered": Behind(lambda mark: mark.type == "profile" and mark.what == "registered", only_first=True),
}
_OTHERS: Final[dict[str, Chooses]] = {
    "days_active": lambda mark: mark.type in {"click", "cart"} or _purchase(mark),
    "mean_gap": _of_type("order"),
    "cycle": _of_type("order"),
    "cycle_crosses": _of_type("order"),
    "category_due": lambda mark: mark.type == "order" and "category" in mark.told,
    "purchase_days": _of_type("order"),
    "max_order": _of_type("order"),
    "returns": lambda mark: mark.type == "order" and mark.what == "returned",
    "return_rate": _of_type("order"),
    "cart_items": _of_type("cart"),
    "cart_value": _of_type("cart"),
    "p_inactive": _activity,
    "stated_gender": _profile("attributes"),
    "p_female": lambda mark: mark.type in {"click", "cart"} or _purchase(mark),
    "attr": _profile("attributes"),
    "consent": _profile("consent"),
    "reachable": _profile("reachable"),
}
