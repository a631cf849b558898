"""What a person sees of a comparison in the terminal: who gains or loses which tag, and what campaigns would do."""

from collections.abc import Iterable, Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.ledger import money
from app.printable import printable
from app.rules_diff.campaign_data import CampaignDiff, Way
from app.rules_diff.data import Book, Diff, TagDiff
from app.rules_diff.wording import decision_of, way_of
from app.wording import counted, day, value


def show(diff: Diff) -> None:
    """Print who would gain or lose which tag, and when that begins; and what campaigns would do otherwise."""
    console = Console(highlight=False)
    console.print(_heading(diff), markup=False, soft_wrap=True)
    different = {name: tag for name, tag in diff.tags.items() if tag.differs}
    if different:
        console.print(_tags(different), _values(different), sep="\n")
    firing = {name: campaign for name, campaign in diff.campaigns.items() if campaign.differs}
    if firing:
        console.print(_triggers(diff, firing), _decisions(diff, firing), sep="\n")
    for line in _remarks(diff, bool(different), bool(firing)):
        console.print(line, markup=False, soft_wrap=True)


def _heading(diff: Diff) -> str:
    history = diff.history
    events = f"{counted(sum(history.events.values()), 'event')} of {counted(diff.users, 'user')}"
    if history.first_ts is not None and history.until is not None:
        events += f", {day(history.first_ts)} to {day(history.until)}"
    return f"old: {_book(diff.old)}; new: {_book(diff.new)}; {events}"


def _book(book: Book) -> str:
    counts = f"{counted(book.rules, 'rule')}, {counted(book.campaigns, 'campaign')}"
    return f"{printable(book.name)} (version {book.version}, {counts})"


def _tags(tags: dict[str, TagDiff]) -> Table:
    """A line for each tag: users with any value, and the first day that differs."""
    table = _table("users by tag", "old", "new", "both", "gained", "lost", "moved", "differs from")
    for name, tag in tags.items():
        counts = (tag.old, tag.new, tag.both, tag.gained, tag.lost, tag.moved)
        table.add_row(Text(printable(name)), *map(_count, counts), str(tag.first_day or "within a day"))
    return table


def _values(tags: dict[str, TagDiff]) -> Table:
    """A line for each value of each tag: users, and how often it is said that one has it."""
    table = _table("users by value", "old", "new", "both", "gained", "lost", "said: old", "new")
    for name, tag in tags.items():
        table.add_row(Text(printable(name), "bold"))
        for each in tag.values:
            counts = (each.old, each.new, each.both, each.gained, each.lost, each.old_changes, each.new_changes)
            table.add_row(Text(f"  {printable(value(each.value))}"), *map(_count, counts))
    return table


def _triggers(diff: Diff, campaigns: dict[str, CampaignDiff]) -> Table:
    """A line for each campaign: how many messages, and to how many users."""
    table = _table("triggers", "old", "new", "both", "only old", "only new", "users: old", "new")
    table.title, table.title_justify = f"campaigns, {diff.days[0]} to {diff.days[-1]}", "left"
    for name, each in campaigns.items():
        counts = (each.old, each.new, each.both, each.only_old, each.only_new, each.old_users, each.new_users)
        table.add_row(Text(printable(name)), *map(_count, counts))
    return table


def _decisions(diff: Diff, campaigns: dict[str, CampaignDiff]) -> Table:
    """For each campaign, its triggers by channel and variant, and what else was decided, with the reasons."""
    table = _table("decisions", "old", "new", "cost: old", "new")
    for name, each in campaigns.items():
        table.add_row(Text(printable(name), "bold"))
        for way in each.ways:
            table.add_row(Text(f"  {printable(way_of(way))}"), *_sums([way]))
        for other in each.others:
            table.add_row(f"  {decision_of(other)}", _count(other.old), _count(other.new))
    table.add_section()
    table.add_row(f"triggered by all {counted(len(diff.campaigns), 'campaign')}", *_sums(diff.campaigns.values()))
    return table


def _sums(triggers: Iterable[CampaignDiff | Way]) -> tuple[str, str, str, str]:
    found = list(triggers)
    old, new = sum(each.old for each in found), sum(each.new for each in found)
    old_cost, new_cost = sum(each.old_cost for each in found), sum(each.new_cost for each in found)
    return _count(old), _count(new), _money(old_cost), _money(new_cost)


def _table(*names: str) -> Table:
    table = Table(*names, box=SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    table.columns[0].overflow = "fold"
    return table


def _count(count: int) -> str:
    return f"{count:,}" if count else ""


def _alike(name: str, campaign: CampaignDiff) -> str:
    """The name of a campaign whose decisions are the same, and if it never fires why."""
    why = [f"{decision_of(each)} {_count(each.new)}" for each in campaign.others]
    return f"{printable(name)} ({'; '.join(why) or 'nothing to decide'})" if not campaign.new else printable(name)


def _money(minor: int) -> str:
    return money(minor) if minor else ""


def _remarks(diff: Diff, differs: bool, fires: bool) -> Iterator[str]:  # noqa: FBT001  remarks on whether
    if not differs:
        yield "nobody would gain or lose a tag: for the users of this history the rules come to the same"
    if alike := [printable(name) for name, tag in diff.tags.items() if not tag.differs]:
        yield f"other rules, but the same for every user: {', '.join(alike)}"
    if diff.campaigns and not fires:
        yield "campaigns would do the same"
    if alike := [_alike(*each) for each in diff.campaigns.items() if each[1].is_changed and not each[1].differs]:
        yield f"other campaigns, but the same decisions: {', '.join(alike)}"
    campaigns = len(diff.same_campaigns) + sum(not each.is_changed for each in diff.campaigns.values())
    yield f"the same in both: {counted(len(diff.same), 'rule')}, {counted(campaigns, 'campaign')}"
