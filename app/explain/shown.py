"""An explanation for people, on a terminal."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from app.explain.explanation import Event, Explanation, Lifecycle, Outlook, Profile, Tag, Valueless
from app.explain.phrases import ago, chance, counted, minute, money, plain, span, value
from app.wording import scope
from schemas.times import DAY_MS, Millis

WIDTH: Final = 100
"""Longer lines are hard to read."""

_LABEL: Final = 6
_HEADINGS: Final = {
    "hand": "Set by hand",
    "fact": "Facts",
    "model": "Models: concluded, and not certain",
    "prediction": "Predictions",
    "other": "From rules that are not here",
}
_Row: TypeAlias = tuple[str, Text]


def show(console: Console, told: Explanation) -> None:
    """Who this is, each tag in a short block, and which tags have no value."""
    width = min(console.width, WIDTH)
    for part in _parts(told):
        console.print(part, width=width)


def _parts(told: Explanation) -> Iterator[RenderableType]:
    yield _head(told)
    yield from map(Text, (*_who(told.profile, told.as_of), *told.notes))
    if told.outlook is not None:
        yield from _ahead_of(told.outlook)
    shown: dict[tuple[str, ...], str] = {}
    for kind, heading in _HEADINGS.items():
        tags = [tag for tag in told.tags if _kind(tag) == kind]
        if tags:
            yield Text.assemble("\n", (heading, "bold underline"))
        for tag in tags:
            yield Text.assemble("\n", _title(tag))
            yield _block(tag, shown)
    shown_names = {tag.name for tag in told.tags}
    hidden = [_hidden(each) for each in told.valueless if each.name not in shown_names]
    if hidden:
        yield Text(f"\nWithout a value (--all shows why): {', '.join(sorted(hidden))}", style="dim")


def _ahead_of(outlook: Outlook) -> Iterator[RenderableType]:
    """How likely the user is to stay away, and why."""
    yield Text.assemble("\n", ("What is ahead", "bold underline"))
    yield Text.assemble(
        "\n",
        (chance(outlook.p_inactive), "bold"),
        f" likely to do nothing for {span(outlook.horizon_ms)}, by the model {plain(outlook.model)}"
        f" of {plain(outlook.model_version)}. Against the average user:",
    )
    for label, sign in (("raises", 1), ("lowers", -1)):
        found = [each for each in outlook.reasons if each.contribution * sign > 0]
        if found:
            words = "; ".join(f"{plain(each.topic)} ({each.contribution:+.2f})" for each in found)
            yield Padding(Text.assemble((f"{label} ", "dim"), words), (0, 0, 0, 2))


def _hidden(tag: Valueless) -> str:
    was = "" if tag.ended is None else f" (was {value(tag.ended)}, and its time to live is over)"
    return plain(tag.name) + was


def _head(told: Explanation) -> Text:
    return Text.assemble((f"User {plain(told.user_id)}", "bold"), f", as of {_when(told.as_of)} ({plain(told.where)})")


def _kind(tag: Tag) -> str:
    if tag.by_hand:
        return "hand"
    return tag.rule.kind.basis if tag.rule else "other"


def _when(ts: Millis) -> str:
    return f"{minute(ts)} UTC"


def _who(profile: Profile, as_of: Millis) -> Iterator[str]:
    """Who this is, in a few sentences."""
    if profile.erased_at is not None:
        yield f"Erased on request on {_when(profile.erased_at)}: nothing from before is known."
    if profile.first_activity is None or profile.last_activity is None:
        yield "No activity is known."
        return
    last = ago(max(as_of - profile.last_activity, 0) // DAY_MS, DAY_MS)
    yield f"Came first on {_when(profile.first_activity)}, and last on {_when(profile.last_activity)}, {last}."
    yield f"{_bought(profile)} {counted(profile.clicks, 'click')}, {counted(profile.carts, 'cart event')}."
    yield from (_life(life) for life in profile.lifecycles if life.value is not None)


def _bought(profile: Profile) -> str:
    if not profile.orders:
        return "No orders."
    returned = f" ({counted(profile.returns, 'return')})" if profile.returns else ""
    greatest = f", the greatest {money(profile.max_order)}" if profile.orders > 1 else ""
    return f"{counted(profile.orders, 'order')}{returned} for {money(profile.spend)}{greatest}."


def _life(life: Lifecycle) -> str:
    """A lifecycle: since when, and what comes next."""
    since = "" if life.since is None else f" since {_when(life.since)}"
    then = "silent" if life.value == "active" else "lost"
    ahead = "" if life.changes_at is None else f"; {then} on {_when(life.changes_at)} if nothing happens"
    return f"{scope(life.name).title}: {life.value}{since}{ahead}."


def _title(tag: Tag) -> Text:
    """The tag, its value, and since when."""
    title = Text.assemble(
        (plain(tag.name), "bold"), ": ", (value(tag.value), "bold green" if tag.value is not None else "dim")
    )
    if tag.since is not None:
        title.append(f", since {_when(tag.since)}" + (f", {tag.because}" if tag.because else ""))
    return title


def _block(tag: Tag, shown: dict[tuple[str, ...], str]) -> Padding:
    """What is said of a tag, in two columns."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=_LABEL, style="dim")
    grid.add_column(overflow="fold")
    for label, text in (*_said(tag), *_events(tag, shown), *_ahead(tag)):
        grid.add_row(label, text)
    return Padding(grid, (0, 0, 0, 2))


def _said(tag: Tag) -> Iterator[_Row]:
    for note in tag.notes:
        yield "note", Text(note, style="yellow")
    if tag.rule is not None:
        if tag.rule.doc:
            yield "means", Text(tag.rule.doc)
        yield "rule", Text(f"version {tag.rule.version}: {'; '.join(tag.rule.text)}", style="dim")
    if tag.saw and not tag.by_hand:
        yield "saw", Text("; ".join(number.words for number in tag.saw))


def _events(tag: Tag, shown: dict[tuple[str, ...], str]) -> Iterator[_Row]:
    """The events behind a tag; those that were shown already are not shown again."""
    if not tag.events:
        return
    lines = tuple(map(_line, tag.events))
    more = f"and {tag.more_events:,} more" if tag.more_events else ""
    if lines in shown:
        yield "events", Text(f"the {counted(len(lines), 'event')} shown for {shown[lines]} {more}".rstrip())
        return
    shown[lines] = plain(tag.name)
    yield from _labelled("events", [*lines, *filter(None, [more])])


def _line(event: Event) -> str:
    return f"{minute(event.at)}  {event.words}"


def _labelled(label: str, lines: Iterable[str]) -> Iterator[_Row]:
    for number, line in enumerate(lines):
        yield "" if number else label, Text(line)


def _ahead(tag: Tag) -> Iterator[_Row]:
    """What time alone will do."""
    if tag.ends_at is not None:
        yield "until", Text(_when(tag.ends_at))
    if tag.looks_again_at is not None and not tag.by_hand:
        yield "again", Text(f"looked at again on {_when(tag.looks_again_at)}, if nothing happens")
