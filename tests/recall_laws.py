"""The laws of recall: nobody is spoken to who must not be, nothing is said twice, and every change is answered."""

from collections import Counter, defaultdict
from typing import Any

from tests.oracle import Wire, instant
from tests.recall_oracle import REACH, User, chance, is_quiet, span, zone_of
from tests.recall_recount import applied
from tests.recall_storms import World, parsed

Key = tuple[str, str, str]


def campaigns(world: World) -> dict[str, Wire]:
    return {each["name"]: each for each in parsed(world.file)["campaign"] if each.get("enabled", True)}


def recall(world: World) -> Wire:
    common: Wire = User("", parsed(world.file)).recall
    return common


def sent(world: World) -> list[Wire]:
    return [each for each in world.triggers if not each["rev"]]


def words(own: list[tuple[int, Wire]], at: int, name: str, key: str = "") -> list[Any]:
    """What may have been the newest word on one thing: of what was known for sure, or newer ones that came late."""
    said = [
        ((instant(event), event["event_id"]), bound <= at, value)
        for bound, event in own
        if instant(event) <= at and (value := _word(event, name, key)) is not None
    ]
    sure = max((each for each in said if each[1]), key=lambda each: each[0], default=((0, ""), True, None))
    return [sure[2], *(value for when, is_sure, value in said if not is_sure and when >= sure[0])]


def _word(event: Wire, name: str, key: str) -> Any:
    if event["type"] == "message" and event["kind"] == "unsubscribed" and name == "consent":
        return False if event.get("recall_channel", key) == key else None
    said = event.get(name)
    return said.get(key) if key and said else said


def check_triggers(world: World) -> None:
    events = defaultdict(list)
    for bound, event in applied(world.arrived):
        events[event["user_id"]].append((bound, event))
    for trigger in sent(world):
        campaign, at, user = campaigns(world)[trigger["campaign"]], trigger["at"], trigger["user_id"]
        channel = trigger["recall_channel"]
        assert channel in [each["channel"] for each in campaign["channels"]]
        if channel in REACH:
            assert True in words(events[user], at, "consent", channel)
            assert any(channel in (each or ()) for each in words(events[user], at, "reachable"))
        assert at < trigger["expires_at"]
        assert chance("hold_out", campaign["name"], user) >= campaign.get("hold_out", 0)
        assert chance("control", "", user) >= recall(world).get("control", 0)
        assert campaign.get("mode", "on") == "on"
        if "mute_before" in campaign:
            due = trigger["expires_at"] - span(campaign.get("expiry", "3d"))
            assert due >= campaign["mute_before"].timestamp() * 1000
        hours = str(campaign.get("quiet_hours", recall(world)["quiet_hours"]))
        zones = words(events[user], at, "attributes", "timezone")
        default = zone_of(recall(world)["timezone"])
        assert hours == "none" or not all(is_quiet(hours, at, zone_of(zone) or default) for zone in zones)


def failed(world: World) -> set[str]:
    return {each["trigger_id"] for each in world.events() if each["type"] == "message" and each["kind"] == "failed"}


def check_caps(world: World) -> None:
    """Of those that were sent or held out, and not reported failed at any time."""
    counted = [each for each in world.decisions if each["outcome"] in ("triggered", "held_out")]
    wrong = failed(world)
    counted = [each for each in counted if each["id"] not in wrong]
    by_user = defaultdict(list)
    for each in counted:
        by_user[each["user_id"]].append(each)
    for own in by_user.values():
        for each in own:
            cap, campaign = recall(world)["cap"], campaigns(world)[each["campaign"]]
            _check_cap(cap, each["at"], own)
            if "cap" in campaign:
                _check_cap(campaign["cap"], each["at"], [of for of in own if of["campaign"] == each["campaign"]])
        slots = Counter((each["at"], campaigns(world)[each["campaign"]].get("slot", "recall")) for each in own)
        assert max(slots.values(), default=0) <= 1


def _check_cap(cap: Wire, at: int, own: list[Wire]) -> None:
    assert sum(at - span(cap["per"]) < each["at"] <= at for each in own) <= cap["max"]


def check_causes(world: World) -> None:
    """Each change that starts a campaign has one final decision, or none yet; another only after a failure."""
    wrong = failed(world)
    for key, own in finals(world).items():
        assert all(each["id"] in wrong for each in own[:-1] if each["outcome"] == "triggered"), key
        assert sum(each["outcome"] != "triggered" for each in own) <= 1, key
    waits = {_key(each): each["until"] for each in world.decisions if each["outcome"] == "deferred"}
    until = world.watermark
    for key, (due, same) in unanswered(world).items():
        assert due >= until or any(waits.get((*key[:2], cause), 0) >= until for cause in same), key


def finals(world: World) -> dict[Key, list[Wire]]:
    """The decisions that put nothing off and take nothing back, by what they answer."""
    found: dict[Key, list[Wire]] = defaultdict(list)
    for each in world.decisions:
        if each["outcome"] != "deferred" and "cancels" not in each:
            found[_key(each)].append(each)
    return found


def _key(decision: Wire) -> Key:
    return decision["user_id"], decision["campaign"], decision["cause"]


def unanswered(world: World) -> dict[Key, tuple[int, list[str]]]:
    """What was started and has no final decision: when it is due, and the ids under which its change was said."""
    answered, same = finals(world), alike(world)
    return {
        key: (due, same[key[2]])
        for key, due in started(world).items()
        if not any((*key[:2], cause) in answered for cause in same[key[2]])
    }


def started(world: World) -> dict[Key, int]:
    """Who, which campaign, which change, and when it is due; but for what was withdrawn."""
    withdrawn = {each["corrects"] for each in world.changes if "corrects" in each}
    found = {}
    for change in world.changes:
        if change["id"] in withdrawn or "corrects" in change or change["to"] is None:
            continue
        for campaign in campaigns(world).values():
            if campaign["on"]["tag"] == change["tag"] and campaign["on"].get("to", change["to"]) == change["to"]:
                due = change["at"] + span(campaign["on"].get("after", "0d"))
                found[change["user_id"], campaign["name"], change["id"]] = due
    return found


def alike(world: World) -> dict[str, list[str]]:
    """By each change, it and those that said the same of the same time: withdrawn ones, that it says again."""
    said: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    found = {}
    for each in world.changes:
        if "corrects" not in each:
            same = said[tuple(repr(each[name]) for name in ("user_id", "tag", "to", "at"))]
            same.append(each["id"])
            found[each["id"]] = same
    return found


def check_ids(world: World) -> None:
    assert max(Counter((each["id"], each["rev"]) for each in world.triggers).values(), default=1) == 1
    assert max(Counter(each["id"] for each in world.decisions).values(), default=1) == 1
    decided = {each["id"]: each for each in world.decisions}
    for trigger in world.triggers:
        decision = decided[trigger["id"]]
        assert decision["outcome"] == "triggered"
        if trigger["rev"] == 0:
            for name in ("user_id", "campaign", "variant", "recall_channel", "at", "cause"):
                assert decision[name] == trigger[name]


def check_cancellations(world: World) -> None:
    """What is taken back was not yet expired; nothing is triggered anew for a change that was withdrawn."""
    expiries = {each["id"]: each["expires_at"] for each in sent(world)}
    for each in world.decisions:
        if each.get("cancels") in expiries:
            assert each["at"] < expiries[each["cancels"]]


def check_laws(world: World) -> None:
    """All of them."""
    check_triggers(world)
    check_caps(world)
    check_causes(world)
    check_ids(world)
    check_cancellations(world)
