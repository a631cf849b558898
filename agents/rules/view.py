"""The view: what an expression may read of one user at an instant, and when time alone may change an answer."""

from itertools import pairwise
from math import ceil, floor
from operator import attrgetter
from typing import Final, Literal, TypeAlias

from agents.gender.stated import gender_of, word_on_gender
from agents.rules.cycles import cycles, most_overdue
from agents.rules.purchases import purchases
from agents.rules.tastes import Lead, Tastes
from agents.rules.windows import ORDERS, SPEND, Correction, Windows, corrections
from agents.rules.zones import hours_ahead
from schemas.events import Scalar
from schemas.money import CENTS
from schemas.times import DAY_MS, HOUR_MS, NEVER, Millis
from tables.dimensions import DONE, Dimension
from tables.portrait import Portrait
from tables.purchases import Purchases
from tables.row import CartItem, Register, Row

Instant: TypeAlias = Literal["first_activity", "last_activity", "first_order", "last_order", "last_cart", "registered"]

ANY_NUMBER: Final = 2**53
_TOTALS: Final = tuple(attrgetter(name) for name in ("clicks", "carts", "orders", "spend"))
_RETURNS: Final = DONE["return"]


class View:
    """One user at the instant `now`. What its methods have answered holds until `changes_at`, if nothing happens.

    `calm_for`: fewer further actions than that make no difference to those who asked about interests. Both are those of
    the rule that is worked out; `dues` and `calm` gather them by rule.
    `before`: a midnight (a multiple of DAY_MS) of the last 7 days: only what came on days before it is known then. What
    cannot be known of it: former words on attributes, consent and reachability, which are those of now; of the cart,
    items whose newest word came later; hours that lie more than 48 h before the newest one, which are empty. `tags`:
    the values of other tags. Money is decimal. `purchases`: what the orders come to, once somebody has asked.
    """

    __slots__ = (
        *("now", "before", "changes_at", "calm_for", "dues", "calm", "row", "tags", "purchases"),
        *("_days", "_hours", "_late", "_portrait", "_tastes"),
    )

    def __init__(
        self,
        row: Row,
        now: Millis,
        before: Millis = NEVER,
        tags: dict[str, Scalar] | None = None,
        portrait: Portrait | None = None,
    ) -> None:
        self.row = row
        self.now = now
        self.before = before
        self.tags = tags
        self.changes_at: Millis = NEVER
        self.calm_for = ANY_NUMBER
        self.dues: dict[str, Millis] = {}
        self.calm: dict[str, int] = {}
        self._days: Windows | None = None
        self._hours: Windows | None = None
        self._late: list[Correction] | None = None
        self._portrait = portrait
        self.purchases: Purchases | None = None
        self._tastes: Tastes | None = None

    def window(self, field: int, hours: int = 0, days: int = 0) -> float:
        """Clicks, carts, orders or spend (0 to 3) in the hour or day of `now` and those before it, so many in all."""
        windows = self._hour_windows() if hours else self._day_windows()
        counted, leaves = windows.counted(field, hours or days, self.now)
        self._may_change(leaves)
        return counted / CENTS if field == SPEND else counted

    def total(self, field: int) -> float:
        """Clicks, carts, orders or spend (0 to 3), ever."""
        counted: int = _TOTALS[field](self.row.totals)
        if self.before != NEVER:
            counted -= self._day_windows().later(field)
            counted += sum((0, 0, *late[1:])[field] for late in self._corrections())
        return counted / CENTS if field == SPEND else counted

    def days_active(self, days: int) -> int:
        """Days with a click, a cart event or an order, among so many up to today."""
        counted, leaves = self._day_windows().active(days, self.now)
        self._may_change(leaves)
        return counted

    def instant(self, name: Instant) -> Millis | None:
        """When something was; None where it was not."""
        row = self.row
        if name in {"last_order", "first_order"}:
            return self._bought().last if name == "last_order" else self._bought().first
        if name in {"first_activity", "registered"}:
            first = row.first.ts if row.first is not None else None
            return self._if_before(first if name == "first_activity" else row.registered_at)
        if name == "last_activity":
            last = row.lifecycle.last if row.lifecycle.first is not None else None
            return last if row.lifecycle.last < self.before else self._known().last or None
        return row.last_cart if (row.last_cart or 0) < self.before else self._known().cart or None

    def _if_before(self, instant: Millis | None) -> Millis | None:
        return instant if instant is not None and instant < self.before else None

    def since(self, name: Instant, unit_ms: Millis) -> int | None:
        """Whole units since an instant."""
        then = self.instant(name)
        if then is None:
            return None
        units = (self.now - then) // unit_ms
        self._may_change(then + (units + 1) * unit_ms)
        return units

    def since_crosses(self, name: Instant, unit_ms: Millis, *crossings: float) -> int | None:
        """The same; but time matters only when the number of units comes to one of the crossings."""
        then = self.instant(name)
        if then is None:
            return None
        for crossing in crossings:
            for units in {floor(crossing), ceil(crossing)}:
                self._may_change(then + units * unit_ms)
        return (self.now - then) // unit_ms

    def mean_gap(self) -> float | None:
        """Mean days between purchases that follow each other; None before the second one."""
        return self._bought().mean_gap_days

    def cycle(self) -> float | None:
        """Days since the last purchase, as a part of the mean gap."""
        days = self.since("last_order", DAY_MS)
        return None if days is None else self._bought().cycles(days)

    def cycle_crosses(self, limit: float) -> float | None:
        """The same; but time matters only when it comes to the limit, or passes it."""
        bought = self._bought()
        last, gap = bought.last, bought.mean_gap_days
        if last is None or not gap:
            return None
        days = ceil(limit * gap)
        sides = [_side(bought.cycles(each), limit) for each in range(days - 2, days + 2)]
        for each, (before, then) in enumerate(pairwise(sides), days - 1):
            if before != then:
                self._may_change(last + each * DAY_MS)
        return bought.cycles((self.now - last) // DAY_MS)

    def purchase_days(self) -> int:
        """UTC days with a purchase that was not cancelled."""
        return self._bought().days

    def max_order(self) -> float:
        """The greatest purchase that was not cancelled."""
        return self._bought().greatest / CENTS

    def returns(self) -> int:
        """Records of orders that were returned."""
        returns = self.row.totals.returns
        if self.before != NEVER:  # (a row of an older version has not counted all of them in its portrait)
            returns -= self.row.portraits.done.get(_RETURNS, 0) - self._known().done.get(_RETURNS, 0)
        return returns

    def return_rate(self) -> float | None:
        """Returns by purchases; None without a purchase."""
        orders = self.total(ORDERS)
        return self.returns() / orders if orders else None

    def done(self, name: str) -> int:
        """How often something was done, ever."""
        if self.before == NEVER:
            return self.row.portraits.done.get(DONE[name], 0)
        return self._known().done.get(DONE[name], 0)

    def category_due(self) -> str | None:
        """The category, of those bought three times or more, that is the most cycles of its own overdue."""
        known = cycles(self._known().bought.items())
        category, day = most_overdue(known, self.now // DAY_MS)
        self._may_change(NEVER if day is None else day * DAY_MS)
        return category

    def acted(self) -> int:
        """So many actions at the most, ever, in any dimension."""
        return self.row.portraits.added

    def holds_for(self, actions: int) -> None:
        """Who asks about interests says that fewer actions than that would make no difference to the answer."""
        self.calm_for = min(self.calm_for, actions)

    def share(self, dimension: Dimension, value: str) -> float | None:
        """The decayed share of actions with a value; None without any in that dimension."""
        return self._liked().share(dimension, value)

    def spend_share(self, dimension: Dimension, value: str) -> float | None:
        """The decayed share of spend with a value; None without any in that dimension."""
        return self._liked().spend_share(dimension, value)

    def top(self, dimension: Dimension) -> str | None:
        """The value with the most decayed actions, of several the least."""
        return self.lead(dimension).top

    def top_share(self, dimension: Dimension) -> float | None:
        """Its share."""
        lead = self.lead(dimension)
        return lead.share if lead.total else None

    def lead(self, dimension: Dimension) -> Lead:
        """Both, and how far ahead it is."""
        return self._liked().lead(dimension)

    def observed(self, dimension: Dimension) -> int:
        """The number of actions with a value of that dimension, not decayed."""
        return self._liked().observed(dimension)

    def weight(self, dimension: Dimension, value: str) -> int:
        """What the actions with a value weigh."""
        return self._liked().weight(dimension, value)

    def unit(self, dimension: Dimension) -> int | None:
        """What one more action weighs; None where the time zone makes a difference too."""
        is_local = dimension == "hour" and "timezone" in self.row.attributes
        return None if is_local else self._liked().unit(self.now)

    def tag(self, name: str) -> Scalar:
        """The value of another tag."""
        try:
            return None if self.tags is None else self.tags[name]
        except KeyError:
            return None

    def attr(self, name: str) -> Scalar:
        """The newest word on an attribute."""
        register = self.row.attributes.get(name)
        return None if register is None or isinstance(register.value, list) else register.value

    def consent(self, channel: str) -> bool | None:
        """The newest word on whether a channel may be used."""
        register = self.row.consent.get(channel)
        return None if register is None else bool(register.value)

    def reachable(self, channel: str) -> bool:
        """Whether the newest word on where the user can be reached names a channel."""
        register: Register | None = self.row.reachable
        return register is not None and isinstance(register.value, list) and channel in register.value

    def p_inactive(self) -> float | None:
        """How likely the user is to stay away for the horizon, by the newest score; None before the first."""
        score = self.row.score
        return None if score is None else score.p_inactive

    def stated_gender(self) -> str | None:
        """What the profile says, in any of the usual spellings; None where it says nothing, or neither."""
        return gender_of(word_on_gender(self.row))

    def p_female(self) -> float | None:
        """The newest guess at the gender; None before the first, and of those whose profile says anything."""
        guess = self.row.guess
        return None if guess is None or word_on_gender(self.row) is not None else guess.p_female

    def cart_items(self) -> int:
        """Different items that lie in the cart since the last checkout, of the 8 newest."""
        return len(self._open_cart())

    def cart_value(self) -> float:
        """What they are worth; those without a price count nothing."""
        return sum(item.quantity * (item.price or 0) for item in self._open_cart()) / CENTS

    def _open_cart(self) -> list[CartItem]:
        closed = self.row.cart_closed_at
        if closed is not None and closed >= self.before:
            closed = self._known().checkout
        items = self.row.cart.values()
        return [item for item in items if item.quantity and (closed or 0) < item.ts < self.before]

    def _may_change(self, at: Millis) -> None:
        if self.now < at < self.changes_at:
            self.changes_at = at

    def _day_windows(self) -> Windows:
        if self._days is None:
            self._days = Windows(self.row.days, DAY_MS, self.before, self._corrections())
        return self._days

    def _hour_windows(self) -> Windows:
        if self._hours is None:
            self._hours = Windows(self.row.hours, HOUR_MS, self.before, self._corrections())
        return self._hours

    def _corrections(self) -> list[Correction]:
        if self._late is None:
            self._late = corrections(self.row, self.before)
        return self._late

    def _bought(self) -> Purchases:
        if self.purchases is None:
            self.purchases = purchases(self.row, self.before)
        return self.purchases

    def _known(self) -> Portrait:
        if self._portrait is None:
            self._portrait = self.row.portraits.before(self.before)
        return self._portrait

    def _liked(self) -> Tastes:
        if self._tastes is None:
            then = self.instant("last_activity")
            zone = self.row.attributes.get("timezone")
            ahead = 0 if zone is None or then is None else hours_ahead(zone.value, then)
            self._tastes = Tastes(self._known(), ahead)
        return self._tastes


def _side(number: float | None, limit: float) -> int:
    """Below a limit (-1), on it, or above it (1)."""
    return 0 if number is None else (number > limit) - (number < limit)
