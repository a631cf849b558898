"""The first web page: the numbers of the moment, which a script keeps fresh."""

from collections.abc import Callable, Mapping
from functools import cache
from secrets import token_urlsafe
from typing import Any, Final, NamedTuple

from jinja2 import Environment

from app import wording
from app.demo.labels import LABELS, NEW_SCORE, TIME_PASSED, cause_in_words
from app.ledger_words import TOP_REASONS, lift_text, money_text, percent, reasons_text
from app.live.status import NEWEST, Summary
from app.pages import environment
from app.population import LIFECYCLES, STATES, State
from schemas.changes import TagName
from schemas.events import Scalar

LEDGER: Final = (
    (
        "What was decided",
        (
            ("eligible", "Eligible", "number"),
            ("held_out", "Held out", "number"),
            ("triggered", "Triggered", "number"),
            ("cancelled", "Cancelled", "number"),
            ("suppressed", "Suppressed", "number"),
            ("reasons", "Mostly because of", "reasons"),
        ),
    ),
    (
        "What came of it",
        (
            ("sent", "Sent", "number"),
            ("delivered", "Delivered", "number"),
            ("opened", "Opened", "number"),
            ("clicked", "Clicked", "number"),
            ("recalled", "Recalled", "number"),
            ("recall_rate", "Rate", "share"),
            ("lift", "Lift", "lift"),
            ("cost", "Cost", "money"),
            ("cost_per_user", "Per user", "money"),
            ("cost_per_recalled", "Per recall", "money"),
            ("revenue", "Revenue", "money"),
        ),
    ),
)
"""The tables of the ledger: title, and of each column the field, its title, and how it is written."""
_WRITTEN: Final[Mapping[str, Callable[..., str]]] = {
    "number": wording.number,
    "share": percent,
    "lift": lift_text,
    "money": money_text,
    "reasons": reasons_text,
}
_WORDS: Final = {
    "titles": {tag: wording.scope(tag).title for tag in LIFECYCLES},
    "labels": LABELS,
    "time": TIME_PASSED,
    "score": NEW_SCORE,
    "most": NEWEST,
    "ledger": LEDGER,
    "reasons": TOP_REASONS,
}
"""What the script says too."""


class Page(NamedTuple):
    """HTML, and the Content-Security-Policy to send with it: nothing runs but what the page came with."""

    html: str
    policy: str


def page(summary: Summary, title: str = "") -> Page:
    """The page; `title` says what is seen here."""
    return _page(
        "live.html.j2",
        "connect-src 'self'; form-action 'none'",
        summary=summary,
        title=title,
        users={tag: users_by_state(summary.users.get(tag, {})) for tag in LIFECYCLES},
        newest=summary.newest[:NEWEST],
        words=_WORDS,
        ledger=LEDGER,
        written=_WRITTEN,
    )


def sign_in_page(*, is_wrong: bool = False) -> Page:
    """The form that asks for the token; `is_wrong`: what was typed was another one."""
    return _page("sign_in.html.j2", "form-action 'self'", is_wrong=is_wrong)


def _page(template: str, allowed: str, **names: Any) -> Page:
    nonce = token_urlsafe(16)
    own = f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:"
    policy = f"default-src 'none'; base-uri 'none'; frame-ancestors 'none'; {own}; {allowed}"
    return Page(_pages().get_template(template).render(nonce=nonce, **names), policy)


def users_by_state(users: Mapping[str, int]) -> dict[State, int]:
    """Users by state, in the order in which states are shown.

    >>> users_by_state({"lost": 2, "active": 3})
    {'unactivated': 0, 'active': 3, 'silent': 0, 'lost': 2}
    """
    return {state: users.get(state, 0) for state in STATES}


def value_state(tag: TagName, value: Scalar, absent: str) -> str:
    """The state whose colour a value has, or `absent` for none; nothing for what is no lifecycle's.

    >>> value_state("lifecycle", None, "new"), value_state("lifecycle", "lost", "new"), value_state("vip", 1, "new")
    ('new', 'lost', '')
    """
    if tag not in LIFECYCLES:
        return ""
    return absent if value is None else next((state for state in STATES if state == value), "")


def value_text(value: Scalar) -> str:
    """A value of a tag set by hand, as JSON would write it.

    >>> value_text(None), value_text(True), value_text("gold")
    ('none', 'true', 'gold')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


@cache
def _pages() -> Environment:
    return environment(
        value_state=value_state, value_text=value_text, cause_in_words=cause_in_words, reasons_text=reasons_text
    )
