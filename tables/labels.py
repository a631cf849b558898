"""Labels: by which tags a user can be found, read off the bytes of a row without decoding all of it."""

from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec
from msgspec import Raw, Struct, field

from schemas.changes import LIFECYCLE, PURCHASE, TagName
from schemas.events import Scalar
from schemas.times import Millis
from tables.codec import HEADER, DamagedError, check
from tables.row import Tags
from tables.rule_tags import PackedRuleTags, RuleTags

Label: TypeAlias = str
"""`vip`: has the tag, `vip/gold`: with that value; no tag has a slash. The empty one is everybody's."""

EVERYBODY: Final[Label] = ""
MAX_VALUE: Final = 64
"""Characters of a value that makes a label: longer ones are no groups of users."""

_NOTHING: Final = Raw(b"\xc0")
_TAGS: Final = msgspec.msgpack.Decoder(Tags)


class _State(Struct, array_like=True, frozen=True, gc=False):
    """As much of a lifecycle as tells its value."""

    state: str | None = None


class Glance(Struct, array_like=True, gc=False):
    """The first fields of a row, under the same names; what labels do not need stays as it is."""

    due: Raw = _NOTHING
    sequence: Raw = _NOTHING
    erased_at: Millis | None = None
    arrivals: bytes = b""
    first: Raw = _NOTHING
    lifecycle: _State = _State()
    purchase: _State = _State()
    totals: Raw = _NOTHING
    day_window: Raw = _NOTHING
    hour_window: Raw = _NOTHING
    packed_orders: Raw = _NOTHING
    packed_cart: Raw = _NOTHING
    cart_closed_at: Raw = _NOTHING
    registered_at: Raw = _NOTHING
    packed_attributes: Raw = _NOTHING
    consent: Raw = _NOTHING
    reachable: Raw = _NOTHING
    messages: Raw = _NOTHING
    packed_tags: bytes | None = None
    rules_mark: Raw = _NOTHING
    rules_at: Raw = _NOTHING
    rules_since: Raw = _NOTHING
    rules_due: Raw = _NOTHING
    rules_daily: Raw = _NOTHING
    rules_day_end: Raw = _NOTHING
    packed_rule_tags: PackedRuleTags = field(default_factory=dict)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is known but that the user was erased, as the row has it."""
        return not self.arrivals and self.packed_tags is None

    @property
    def values(self) -> dict[TagName, Scalar]:
        """All tags of the user that were said to have a value, as of the last that was said."""
        found: dict[TagName, Scalar] = {LIFECYCLE: self.lifecycle.state, PURCHASE: self.purchase.state}
        found |= {name: tag.value for name, tag in RuleTags(self.packed_rule_tags).items()}
        if self.packed_tags is not None:
            words = _TAGS.decode(self.packed_tags).items()
            found |= {
                name: word.value for name, word in words if word.ended_sequence is None and word.value is not None
            }
        return {name: value for name, value in found.items() if value is not None}


_DECODER: Final = msgspec.msgpack.Decoder(Glance)


def glance(encoded: bytes) -> Glance:
    """Look at a row; raises as `codec.decode` does."""
    check(encoded)
    try:
        return _DECODER.decode(memoryview(encoded)[HEADER.size :])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedError("a row") from error


def labels_of(row: Glance) -> list[Label]:
    """The labels of a row.

    >>> from tables.codec import encode
    >>> from tables.row import Row
    >>> labels_of(glance(encode(Row())))
    ['']
    """
    return [EVERYBODY, *_of_tags(row.values)]


def _of_tags(values: dict[TagName, Scalar]) -> Iterator[Label]:
    for name, value in values.items():
        yield name
        if (text := value_text(value)) is not None:
            yield label(name, text)


def label(name: TagName, text: str | None) -> Label:
    """The label of a tag, and of one of its values.

    >>> label("vip", None), label("vip", "gold")
    ('vip', 'vip/gold')
    """
    return name if text is None else f"{name}/{text}"


def value_text(value: Scalar) -> str | None:
    """How a value is written in a label; None for one that makes none: numbers, and long text.

    >>> value_text("gold"), value_text(True), value_text(4.5)
    ('gold', 'true', None)
    """
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) and 0 < len(value) <= MAX_VALUE else None
