"""One campaign, from its table to what the core decides by."""

from typing import Final, TypeVar

from msgspec import UNSET, UnsetType

from agents.recall.campaign import Audience, Campaign, Channel, On, Quiet, Variant
from agents.recall.drafts import CampaignDraft, KnownTags
from agents.recall.reader import Reader
from agents.rules import expression
from agents.rules.mistake import ExpressionError, KeyPath, Mistake, nearest, shown
from agents.sameness import same
from schemas.campaigns import LONGEST_AFTER, LONGEST_EXPIRY, LONGEST_WINDOW, OnTable
from schemas.changes import TagName
from schemas.times import Millis

Given = TypeVar("Given")

_PARAMETERS: Final = ("v", "current")


class CampaignMaker:
    """Compiles one campaign, and gathers what is wrong with it."""

    def __init__(self, draft: CampaignDraft, tags: KnownTags) -> None:
        self.table, self.path = draft
        self.tags = tags
        self.reader = Reader()

    def make(self, quiet: Quiet | None, mute_before: Millis) -> Campaign:
        """The campaign, with those of [recall] where it states none. It is not to be used where there are mistakes."""
        table = self.table
        audience, tags_read = self._audience()
        self._check_choice()
        if table.quiet_hours is not UNSET:
            quiet = self.reader.quiet(table.quiet_hours, self._at("quiet_hours"))
        if table.mute_before is not UNSET:
            mute_before = self.reader.instant(table.mute_before, self._at("mute_before"))
        return Campaign(
            name=table.name,
            channels=self._channels(),
            version=table.version,
            doc=table.doc,
            on=self._on(table.on),
            audience=audience,
            tags_read=tags_read,
            learned=table.choose == "learned",
            value=self.reader.money(table.value, self._at("value")),
            falls_back=table.fallback,
            variants=self._variants(),
            offer=_given(table.offer),
            expiry_ms=self.reader.span(table.expiry, self._at("expiry"), LONGEST_EXPIRY),
            priority=table.priority,
            slot=table.slot,
            hold_out=table.hold_out,
            budget=None if table.budget is UNSET else self.reader.money(table.budget, self._at("budget")),
            cap=self.reader.cap(table.cap, self._at("cap")),
            quiet=quiet,
            mode=table.mode,
            is_test=table.test,
            mute_before=mute_before,
        )

    def _at(self, *keys: str | int) -> KeyPath:
        return (*self.path, *keys)

    def _audience(self) -> tuple["Audience | None", frozenset[TagName]]:
        if self.table.audience is UNSET:
            return None, frozenset()
        try:
            found = expression.condition(self.table.audience, self.tags.scope)
        except ExpressionError as error:
            self.reader.mistakes.append(Mistake(self._at("audience"), error.text, error.near, error.column))
            return None, frozenset()
        made = expression.function(found.code.node, self.table.name, self.tags.scope, _PARAMETERS)
        return made, found.tags

    def _on(self, on: OnTable | UnsetType) -> On | None:
        if on is UNSET:
            return None
        if self.path:
            self._check_tag(on)
        after_ms = self.reader.span(on.after, self._at("on", "after"), LONGEST_AFTER)
        return On(on.tag, None if on.to is UNSET else on.to, after_ms)

    def _check_tag(self, on: OnTable) -> None:
        """A built-in campaign may wait for what a rule of the file does not give any more; one of the file may not."""
        if on.tag not in self.tags.scope.tags:
            text = f"no rule gives a tag {on.tag!r}, and `manual` does not list it"
            self.reader.wrong(self._at("on", "tag"), text, nearest(on.tag, self.tags.scope.tags))
        elif on.tag in self.tags.switched_off:
            self.reader.wrong(self._at("on", "tag"), f"the rule of the tag {on.tag!r} is switched off")
        values = self.tags.values.get(on.tag)
        if on.to is UNSET or values is None or any(same(on.to, value) for value in values):
            return
        told = ", ".join(map(shown, values))
        texts = [value for value in values if isinstance(value, str)]
        near = nearest(on.to, texts) if isinstance(on.to, str) else None
        self.reader.wrong(self._at("on", "to"), f"{on.tag!r} can be {told}, never {shown(on.to)}", near)

    def _channels(self) -> tuple[Channel, ...]:
        if self.table.channels is UNSET:
            self.reader.wrong(self.path, "a campaign needs `channels`", at_key=True)
            return ()
        made: list[Channel] = []
        for place, table in enumerate(self.table.channels):
            at = self._at("channels", place)
            if table.channel in [each.name for each in made]:
                self.reader.wrong((*at, "channel"), f"there is a channel {table.channel!r} already")
            cost = self.reader.money(table.cost, (*at, "cost"))
            if table.cost > (_given(self.table.budget) or table.cost):
                self.reader.wrong((*at, "cost"), "`cost` is more than the `budget` of a day: nobody would get this")
            window_ms = self.reader.span(table.window, (*at, "window"), LONGEST_WINDOW)
            made.append(Channel(table.channel, cost, _given(table.offer), window_ms))
        return tuple(made)

    def _check_choice(self) -> None:
        """Keys that mean something with several channels only, or with channels that cost something."""
        table, channels = self.table, _given(self.table.channels) or []
        if len(channels) == 1 and table.choose == "learned":
            self.reader.wrong(self._at("choose"), "there is nothing to choose: the campaign has one channel")
        if len(channels) == 1 and table.fallback:
            self.reader.wrong(self._at("fallback"), "`fallback` means nothing with one channel", at_key=True)
        if channels and table.budget is not UNSET and not any(channel.cost for channel in channels):
            self.reader.wrong(self._at("budget"), "`budget` means nothing where no channel has a `cost`", at_key=True)

    def _variants(self) -> tuple[Variant, ...]:
        names = [variant.name for variant in self.table.variants]
        for place, name in enumerate(names):
            if name in names[:place]:
                self.reader.wrong(self._at("variants", place, "name"), f"there is a variant {name!r} already")
        return tuple(Variant(each.name, each.weight, _given(each.offer)) for each in self.table.variants)


def _given(value: Given | UnsetType) -> Given | None:
    return None if value is UNSET else value
