"""What campaigns decide, worked out once more from docs/recall.md: by hand, an instant at a time, without a row.

It shares no code with the product. Given are one user's events in the order of their time, the tag changes that were
said of them, and the file of campaigns as TOML reads it. Nothing may come late (a change is only taken back where two
events have the same ms), and no campaign may have a budget.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from xxhash import xxh3_64_intdigest

from tests.oracle import Wire, instant, is_erasure, is_purchase

UNITS_MS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
REACH: Final = ("sms", "email", "push", "wechat", "phone")
STEPS: Final = ("lifecycle", "lifecycle.purchase", "vip")
"""Tags that move with the event itself; those of rules move once all events of the instant are known."""


class Told(NamedTuple):
    """One decision."""

    campaign: str
    cause: str
    at: int
    outcome: str
    reasons: tuple[str, ...] = ()
    variant: str | None = None
    channel: str | None = None
    until: int | None = None
    offer: str | None = None
    expires_at: int | None = None


@dataclass
class Waiting:
    at: int
    campaign: Wire
    cause: str
    first: int
    failed: str = ""

    @property
    def expires_at(self) -> int:
        return self.first + span(self.campaign.get("expiry", "3d"))


@dataclass
class Shot:
    at: int
    waiting: Waiting
    channel: str
    variant: str | None
    is_held: bool
    has_failed: bool = False


@dataclass
class Known:
    """What is known of the user: each word with its time and event id, and the orders."""

    consent: dict[str, tuple[int, str, Any]] = field(default_factory=dict)
    attributes: dict[str, tuple[int, str, Any]] = field(default_factory=dict)
    reachable: tuple[int, str, Any] = (0, "", ())
    orders: dict[str, set[str]] = field(default_factory=dict)


def span(text: str) -> int:
    return int(text[:-1]) * UNITS_MS[text[-1]]


def chance(purpose: str, name: str, user: str) -> float:
    return float(xxh3_64_intdigest(f"{purpose}\0{name}\0{user}".encode()) / 2**64)


class User:
    """One user's campaigns; `told` is what was decided."""

    def __init__(self, user: str, file: Wire) -> None:
        self.user = user
        self.recall = {"quiet_hours": "21:00-09:00", "timezone": "UTC"} | file["recall"]
        self.campaigns = [each for each in file["campaign"] if each.get("enabled", True)]
        self.told: list[Told] = []
        self._forget()
        self.erased_at = -1

    def _forget(self) -> None:
        self.known, self.waiting, self.shots = Known(), list[Waiting](), list[Shot]()
        self.tags: dict[str, Any] = {}

    def live(self, events: Sequence[Wire], changes: Sequence[Wire], until: int) -> list[Told]:
        events, changes = list(events), list(changes)
        while True:
            times = [*(instant(each) for each in events[:1]), *(each["at"] for each in changes)]
            at = min([*times, *(each.at for each in self.waiting)], default=until)
            if at >= until:
                return self.told
            now = [each for each in events if instant(each) == at]
            moved = [each for each in changes if each["at"] == at]
            events = events[len(now) :]
            changes = [each for each in changes if each["at"] != at]
            self._come_to(at, now, moved)

    def _come_to(self, at: int, events: Sequence[Wire], changes: list[Wire]) -> None:
        for event in events:
            if at > self.erased_at:
                self._hear_event(event, at)
            cause = f"{event['type']}:{event['event_id']}"
            for change in [each for each in changes if each["cause"] == cause and each["tag"] in STEPS]:
                changes.remove(change)
                self._hear_change(change)
        for change in changes:
            self._hear_change(change)
        due = [each for each in self.waiting if each.at == at]
        self.waiting = [each for each in self.waiting if each.at != at]
        for waiting in sorted(due, key=lambda each: (-each.campaign.get("priority", 0), each.campaign["name"])):
            self._decide(waiting)

    def _hear_event(self, event: Wire, at: int) -> None:
        word = at, event["event_id"]
        if is_erasure(event):
            self._erase(at)
            return
        for channel, agreed in (event.get("consent") or {}).items():
            self._put(self.known.consent, channel, (*word, agreed))
        for name, value in (event.get("attributes") or {}).items():
            self._put(self.known.attributes, name, (*word, value))
        if event.get("reachable") is not None and word >= self.known.reachable[:2]:
            self.known.reachable = (*word, event["reachable"])
        if event["type"] == "order":
            self.known.orders.setdefault(event["order_id"], set()).add(
                "bought" if is_purchase(event) else event["status"]
            )
        if event["type"] == "message":
            self._report(event, word)

    @staticmethod
    def _put(words: dict[str, tuple[int, str, Any]], name: str, word: tuple[int, str, Any]) -> None:
        if name not in words or word[:2] >= words[name][:2]:
            words[name] = word

    def _report(self, event: Wire, word: tuple[int, str]) -> None:
        if event["kind"] == "unsubscribed":
            named = event.get("recall_channel")
            for channel in [named] if named else REACH:
                self._put(self.known.consent, channel, (*word, False))
        if event["kind"] != "failed":
            return
        for shot in self.shots:
            begin = f"{self.user}/{shot.waiting.campaign['name']}/{shot.at}/"
            if event["trigger_id"].startswith(begin) and not shot.is_held and not shot.has_failed:
                shot.has_failed = True
                if shot.waiting.campaign.get("fallback"):
                    again = replace(shot.waiting, at=word[0], failed=shot.channel)
                    if any(each.campaign is again.campaign for each in self.waiting):
                        self._tell(again, "suppressed", "superseded")
                    else:
                        self.waiting.append(again)

    def _erase(self, at: int) -> None:
        for waiting in self.waiting:
            self._tell(waiting, "cancelled", "erased")
        for shot in self.shots:
            if at < shot.waiting.expires_at:
                waiting = replace(shot.waiting, at=max(at, shot.at))
                self._tell(waiting, "cancelled", "erased", variant=shot.variant, channel=shot.channel)
        self._forget()
        self.erased_at = at

    def _hear_change(self, change: Wire) -> None:
        tag, to = change["tag"], change["to"]
        self.tags[tag] = to
        if "corrects" in change:
            for wrong in [each for each in self.waiting if each.cause == change["corrects"]]:
                self.waiting.remove(wrong)
                self._tell(wrong, "cancelled", "corrected")
            return
        for campaign in self.campaigns:
            on = campaign.get("on")
            if on is None or on["tag"] != tag or to is None or ("to" in on and on["to"] != to):
                continue
            for older in [each for each in self.waiting if each.campaign is campaign]:
                self.waiting.remove(older)
                self._tell(older, "suppressed", "superseded")
            at = change["at"] + span(on.get("after", "0d"))
            self.waiting.append(Waiting(at, campaign, change["id"], at))

    def _tell(self, waiting: Waiting, outcome: str, *reasons: str, **more: Any) -> None:
        self.told.append(Told(waiting.campaign["name"], waiting.cause, waiting.at, outcome, reasons, **more))

    def _decide(self, waiting: Waiting) -> None:
        if reason := self._is_wrong(waiting):
            self._tell(waiting, "suppressed", reason)
            return
        open_channels, reasons = self._channels(waiting)
        if not open_channels:
            self._tell(waiting, "suppressed", *reasons)
        elif reason := self._is_enough(waiting):
            self._tell(waiting, "suppressed", reason)
        elif until := self._quiet_until(waiting):
            if until >= waiting.expires_at:
                self._tell(waiting, "suppressed", "quiet_hours", "expired")
            else:
                self._tell(waiting, "deferred", "quiet_hours", until=until)
                self.waiting.append(replace(waiting, at=until))
        else:
            self._send(waiting, open_channels[0])

    def _is_wrong(self, waiting: Waiting) -> str:
        campaign, on = waiting.campaign, waiting.campaign["on"]
        value = self.tags.get(on["tag"])
        orders = sum("bought" in said and "cancelled" not in said for said in self.known.orders.values())
        if campaign.get("mode") == "paused":
            return "paused"
        if "mute_before" in campaign and waiting.first < campaign["mute_before"].timestamp() * 1000:
            return "muted"
        if value is None or value != on.get("to", value):
            return "outdated"
        if "audience" in campaign:
            assert campaign["audience"] == "orders() >= 1"
            if orders < 1:
                return "not_in_audience"
        return "expired" if waiting.at >= waiting.expires_at else ""

    def _channels(self, waiting: Waiting) -> tuple[list[Wire], list[str]]:
        channels: list[Wire] = waiting.campaign["channels"]
        names = [each["channel"] for each in channels]
        if waiting.failed:
            channels = channels[names.index(waiting.failed) + 1 :]
        found, why = [], []
        for channel in channels:
            name = channel["channel"]
            if name in REACH and self.known.consent.get(name, (0, "", None))[2] is not True:
                why.append("no_consent")
            elif name in REACH and name not in self.known.reachable[2]:
                why.append("unreachable")
            else:
                found.append(channel)
        return found, list(dict.fromkeys(why)) or ["failed"]

    def _is_enough(self, waiting: Waiting) -> str:
        campaign, counted = waiting.campaign, [shot for shot in self.shots if not shot.has_failed]
        for cap, shots in (
            (campaign.get("cap"), [shot for shot in counted if shot.waiting.campaign is campaign]),
            (self.recall["cap"], counted),
        ):
            if cap and sum(waiting.at - span(cap["per"]) < shot.at for shot in shots) >= cap["max"]:
                return "frequency_cap"
        slot = campaign.get("slot", "recall")
        same = [shot for shot in counted if shot.at == waiting.at]
        return "outranked" if any(shot.waiting.campaign.get("slot", "recall") == slot for shot in same) else ""

    def _quiet_until(self, waiting: Waiting) -> int | None:
        """Minute after minute, until the user's clock shows none of the quiet ones."""
        text = waiting.campaign.get("quiet_hours", self.recall["quiet_hours"])
        zone = zone_of(self.known.attributes.get("timezone", (0, "", None))[2]) or zone_of(self.recall["timezone"])
        if text == "none" or not is_quiet(text, waiting.at, zone):
            return None
        at = waiting.at // 60_000 * 60_000
        while is_quiet(text, at, zone):
            at += 60_000
        return at

    def _send(self, waiting: Waiting, channel: Wire) -> None:
        campaign, name = waiting.campaign, waiting.campaign["name"]
        variant = self._variant(campaign)
        more = {"variant": variant and variant["name"], "channel": channel["channel"]}
        is_controlled = chance("control", "", self.user) < self.recall.get("control", 0)
        if is_controlled or chance("hold_out", name, self.user) < campaign.get("hold_out", 0):
            self._tell(waiting, "held_out", *["control"] * is_controlled, **more)
        elif campaign.get("mode") == "shadow":
            self._tell(waiting, "shadow", **more)
            return
        else:
            offers = (each.get("offer") for each in (channel, variant or {}, campaign))
            offer = next((each for each in offers if each), None)
            self._tell(waiting, "triggered", **more, offer=offer, expires_at=waiting.expires_at)
        is_held = self.told[-1].outcome == "held_out"
        self.shots.append(Shot(waiting.at, waiting, channel["channel"], more["variant"], is_held))

    def _variant(self, campaign: Wire) -> Wire | None:
        variants: list[Wire] = campaign.get("variants", [])
        place = chance("variant", campaign["name"], self.user) * sum(each.get("weight", 1) for each in variants)
        for number, variant in enumerate(variants):
            if place < sum(each.get("weight", 1) for each in variants[: number + 1]):
                return variant
        return None


def zone_of(name: Any) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError, TypeError):
        return None


def is_quiet(hours: str, at: int, zone: tzinfo | None) -> bool:
    begin, end = (int(text[:2]) * 60 + int(text[3:]) for text in hours.split("-"))
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).astimezone(zone)
    minute = local.hour * 60 + local.minute
    return begin <= minute < end if begin <= end else minute >= begin or minute < end
