"""Campaigns in files of rules: mistakes with line, column and what to do; and what comes of files that are right."""

from datetime import UTC, datetime
from typing import Final

import pytest

from agents.recall.campaign import Campaign, Cap, Channel, On, Quiet, Variant
from agents.rules.rulebook import NO_RULES
from app.rules_file import Problem, RulesFileError, builtin_rules, load_rules, read_rules
from schemas.times import DAY_MS, HOUR_MS

PUSH: Final = 'channels = [{ channel = "push" }]'
TWO: Final = 'channels = [{ channel = "push" }, { channel = "sms", cost = 0.05 }]'
CHANNELS: Final = "sms, email, push, wechat, phone, gift, coupon, event"
NAME: Final = "must be a name of 1 to 64 characters with neither a slash nor a space"
SPAN: Final = 'must be a length of time, such as "90d" or "12h"'
HOURS: Final = 'must be hours of the day, such as "21:00-09:00", or "none"'
INSTANT: Final = "must be a time with an offset, such as 2026-01-31T12:00:00Z, from 1970 to 2100"


def problems(content: str) -> list[Problem]:
    with pytest.raises(RulesFileError) as caught:
        read_rules(content.encode())
    return caught.value.problems


def campaign(*lines: str, channels: str = PUSH) -> str:
    """A file with one campaign, whose keys begin in line 4."""
    return "\n".join(["[[campaign]]", 'name = "a"', channels, *lines, ""])


def recall(line: str) -> str:
    return f"[recall]\n{line}\n"


MISTAKES: Final[dict[str, tuple[str, int, int, str, str | None]]] = {
    "a misspelt table": ("[[campain]]\nx = 1\n", 1, 1, "there is no table 'campain' here", "campaign"),
    "a table instead of a list": (
        "[campaign]\nx = 1\n",
        1,
        1,
        "`campaign` must be at most 100 tables [[campaign]], not a table",
        None,
    ),
    "an unknown key": (campaign("hold_ot = 0.1"), 4, 1, "there is no key 'hold_ot' here", "hold_out"),
    "an unknown key of a channel": (
        campaign(channels='channels = [{ channel = "push", cst = 1 }]'),
        3,
        33,
        "there is no key 'cst' here",
        "cost",
    ),
    "no name": ("version = 1\n[[campaign]]\n" + PUSH, 2, 1, "`name` is missing here", None),
    "a bad name": ('[[campaign]]\nname = "a/b"\n' + PUSH, 2, 8, f"`name` {NAME}, not 'a/b'", None),
    "a name twice": (campaign() + campaign(), 5, 8, "there is a campaign 'a' already in this file", None),
    "no channels": ('[[campaign]]\nname = "a"\n', 1, 1, "a campaign needs `channels`", None),
    "an empty list of channels": (
        campaign(channels="channels = []"),
        3,
        12,
        "`channels` must be a list of 1 to 8 channels, not an empty list",
        None,
    ),
    "channels that are learnt": (
        campaign(channels='channels = "learned"'),
        3,
        12,
        "`channels` must be a list of 1 to 8 channels, not 'learned'",
        None,
    ),
    "a channel without its name": (
        campaign(channels="channels = [{ cost = 1 }]"),
        3,
        13,
        "`channel` is missing here",
        None,
    ),
    "an unknown channel": (
        campaign(channels='channels = [{ channel = "emial" }]'),
        3,
        25,
        f"`channel` must be one of {CHANNELS}, not 'emial'",
        "email",
    ),
    "a channel twice": (
        campaign(channels='channels = [{ channel = "sms" }, { channel = "sms" }]'),
        3,
        46,
        "there is a channel 'sms' already",
        None,
    ),
    "a negative cost": (
        campaign(channels='channels = [{ channel = "sms", cost = -1 }]'),
        3,
        39,
        "`cost` must be money from 0 to 1,000,000, with two places at most, not -1",
        None,
    ),
    "a cost with three places": (
        campaign(channels='channels = [{ channel = "sms", cost = 0.045 }]'),
        3,
        39,
        "`cost` has two places at most, and 0.045 has more",
        None,
    ),
    "a cost above the budget": (
        campaign("budget = 4.5", channels='channels = [{ channel = "gift", cost = 5 }]'),
        3,
        40,
        "`cost` is more than the `budget` of a day: nobody would get this",
        None,
    ),
    "a window too long": (
        campaign(channels='channels = [{ channel = "sms", window = "31d" }]'),
        3,
        41,
        "`window` must be at most 30d, not '31d'",
        None,
    ),
    "an empty offer": (campaign('offer = ""'), 4, 9, "`offer` must be a text of 1 to 1,000 characters, not ''", None),
    "no tag": (campaign('on = { to = "silent" }'), 4, 1, "`tag` is missing here", None),
    "an unknown tag": (
        campaign('on = { tag = "lifecycel" }'),
        4,
        14,
        "no rule gives a tag 'lifecycel', and `manual` does not list it",
        "lifecycle",
    ),
    "a tag that is switched off": (
        campaign('on = { tag = "tier" }') + '[[tag]]\nname = "tier"\nenabled = false\n',
        4,
        14,
        "the rule of the tag 'tier' is switched off",
        None,
    ),
    "a state that a lifecycle has not": (
        campaign('on = { tag = "lifecycle", to = "silence" }'),
        4,
        32,
        "'lifecycle' can be 'active', 'silent', 'lost', never 'silence'",
        "silent",
    ),
    "a band that a score has not": (
        campaign('on = { tag = "churn.risk", to = "hihg" }'),
        4,
        33,
        "'churn.risk' can be 'low', 'mid', 'high', never 'hihg'",
        "high",
    ),
    "a value that a rule of the file does not give": (
        '[[tag]]\nname = "b"\nvalues = [{ value = 1, when = "true" }]\nelse = "other"\n'
        + campaign('on = { tag = "b", to = "othr" }'),
        8,
        24,
        "'b' can be 1, 'other', never 'othr'",
        "other",
    ),
    "a truth value as a text": (
        campaign('on = { tag = "cart.abandoned", to = "true" }'),
        4,
        37,
        "'cart.abandoned' can be true, never 'true'",
        None,
    ),
    "a truth value as a number": (
        campaign('on = { tag = "cart.abandoned", to = 1 }'),
        4,
        37,
        "'cart.abandoned' can be true, never 1",
        None,
    ),
    "a wait too long": (
        campaign('on = { tag = "lifecycle", after = "91d" }'),
        4,
        35,
        "`after` must be at most 90d, not '91d'",
        None,
    ),
    "a wait that is no span": (
        campaign('on = { tag = "lifecycle", after = "00d" }'),
        4,
        35,
        '`after` must be a length of time, such as "3d" or "12h", or "0d", not \'00d\'',
        None,
    ),
    "an audience with an unknown function": (
        campaign("audience = 'ordres(30d) > 3'"),
        4,
        13,
        "there is no function `ordres`",
        "orders",
    ),
    "an audience with an unknown tag": (
        campaign('audience = \'tag("tir") == "vip"\''),
        4,
        17,
        'no rule gives a tag "tir", and `manual` does not list it',
        "tier",
    ),
    "an audience that is no text": (
        campaign("audience = true"),
        4,
        12,
        "`audience` must be an expression, in quotation marks, not true",
        None,
    ),
    "an unknown way to choose": (
        campaign('choose = "learnt"', channels=TWO),
        4,
        10,
        "`choose` must be one of in_order, learned, not 'learnt'",
        "learned",
    ),
    "a choice of one": (
        campaign('choose = "learned"'),
        4,
        10,
        "there is nothing to choose: the campaign has one channel",
        None,
    ),
    "a fallback to nothing": (campaign("fallback = true"), 4, 1, "`fallback` means nothing with one channel", None),
    "a variant twice": (
        campaign('variants = [{ name = "b" }, { name = "b" }]'),
        4,
        38,
        "there is a variant 'b' already",
        None,
    ),
    "a weight of nothing": (
        campaign('variants = [{ name = "b", weight = 0 }]'),
        4,
        36,
        "`weight` must be a whole number from 1 to 1,000,000, not 0",
        None,
    ),
    "a variant without a name": (campaign("variants = [{ weight = 1 }]"), 4, 13, "`name` is missing here", None),
    "an expiry too long": (campaign('expiry = "91d"'), 4, 10, "`expiry` must be at most 90d, not '91d'", None),
    "an expiry of nothing": (campaign('expiry = "0d"'), 4, 10, f"`expiry` {SPAN}, not '0d'", None),
    "a priority that is not whole": (
        campaign("priority = 1.5"),
        4,
        12,
        "`priority` must be a whole number, not 1.5",
        None,
    ),
    "a slot with a space": (campaign('slot = "a b"'), 4, 8, f"`slot` {NAME}, not 'a b'", None),
    "a share above all": (campaign("hold_out = 10"), 4, 12, "`hold_out` must be a share from 0 to 1, not 10", None),
    "a recall that is worth less than nothing": (
        campaign("value = -0.5"),
        4,
        9,
        "`value` must be money from 0 to 1,000,000, with two places at most, not -0.5",
        None,
    ),
    "a value with three places": (
        campaign("value = 0.125"),
        4,
        9,
        "`value` has two places at most, and 0.125 has more",
        None,
    ),
    "a budget of nothing": (
        campaign("budget = 0", channels=TWO),
        4,
        10,
        "`budget` must be money above 0, with two places at most, not 0",
        None,
    ),
    "a budget with three places": (
        campaign("budget = 1.001", channels=TWO),
        4,
        10,
        "`budget` has two places at most, and 1.001 has more",
        None,
    ),
    "a budget without costs": (
        campaign("budget = 10"),
        4,
        1,
        "`budget` means nothing where no channel has a `cost`",
        None,
    ),
    "a cap of more than is remembered": (
        campaign('cap = { max = 21, per = "7d" }'),
        4,
        15,
        "`max` must be a whole number from 1 to 20, not 21",
        None,
    ),
    "a cap of nothing": (
        campaign('cap = { max = 0, per = "7d" }'),
        4,
        15,
        "`max` must be a whole number from 1 to 20, not 0",
        None,
    ),
    "a cap for longer than is remembered": (
        campaign('cap = { max = 1, per = "61d" }'),
        4,
        24,
        "`per` must be at most 60d, not '61d'",
        None,
    ),
    "a cap without its length": (campaign("cap = { max = 1 }"), 4, 1, "`per` is missing here", None),
    "quiet hours of 25 o'clock": (
        campaign('quiet_hours = "21:00-25:00"'),
        4,
        15,
        f"`quiet_hours` {HOURS}, not '21:00-25:00'",
        None,
    ),
    "quiet hours from nine to nine": (
        campaign('quiet_hours = "09:00-09:00"'),
        4,
        15,
        '`quiet_hours` begin and end at the same minute: write "none" if there are none',
        None,
    ),
    "an unknown mode": (
        campaign('mode = "pause"'),
        4,
        8,
        "`mode` must be one of on, shadow, paused, not 'pause'",
        "paused",
    ),
    "a test that is a text": (campaign('test = "yes"'), 4, 8, "`test` must be true or false, not 'yes'", None),
    "a time without an offset": (
        campaign("mute_before = 2026-11-01T00:00:00"),
        4,
        15,
        f"`mute_before` {INSTANT}, not 2026-11-01 00:00:00",
        None,
    ),
    "a time that is a day": (
        campaign("mute_before = 2026-11-01"),
        4,
        15,
        f"`mute_before` {INSTANT}, not 2026-11-01",
        None,
    ),
    "a time that is no time": (
        campaign('mute_before = "2026-02-31T00:00:00Z"'),
        4,
        15,
        f"`mute_before` {INSTANT}, not '2026-02-31T00:00:00Z'",
        None,
    ),
    "a time long ago": (
        campaign("mute_before = 1966-11-01T00:00:00Z"),
        4,
        15,
        "`mute_before` must lie between 1970 and 2100, not in 1966",
        None,
    ),
    "an unknown key of all": (recall('timzone = "UTC"'), 2, 1, "there is no key 'timzone' here", "timezone"),
    "a control group of more than all": (
        recall("control = 1.5"),
        2,
        11,
        "`control` must be a share from 0 to 1, not 1.5",
        None,
    ),
    "a cap of all for too long": (
        recall('cap = { max = 1, per = "1441h" }'),
        2,
        24,
        "`per` must be at most 60d, not '1441h'",
        None,
    ),
    "quiet hours of all that are none": (
        recall('quiet_hours = "09:00-09:00"') + campaign(),
        2,
        15,
        '`quiet_hours` begin and end at the same minute: write "none" if there are none',
        None,
    ),
    "an unknown time zone": (
        recall('timezone = "Europe/Berlim"'),
        2,
        12,
        "there is no time zone 'Europe/Berlim': write a name such as Europe/Berlin, or an offset such as +05:30",
        "Europe/Berlin",
    ),
    "a time zone that is a path": (
        recall('timezone = "../../x"'),
        2,
        12,
        "there is no time zone '../../x': write a name such as Europe/Berlin, or an offset such as +05:30",
        None,
    ),
    "a profile that is no list": (
        recall('profile = "tier"'),
        2,
        11,
        "`profile` must be a list of at most 32 names of attributes or tags, not 'tier'",
        None,
    ),
    "a time of all that is too late": (
        recall("mute_before = 2100-01-01T00:00:00Z") + campaign(),
        2,
        15,
        "`mute_before` must lie between 1970 and 2100, not in 2100",
        None,
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place(mistake: str) -> None:
    content, line, column, text, near = MISTAKES[mistake]
    (problem,) = problems(content)
    assert (problem.line, problem.column, problem.text, problem.near) == (line, column, text, near)


def test_all_mistakes_of_a_file_are_told_at_once_in_their_order() -> None:
    """All campaigns above in one file, but for those that only stand alone, under names of their own."""
    together = {name: each for name, each in MISTAKES.items() if each[0].startswith('[[campaign]]\nname = "a"')}
    del together["a name twice"], together["a tag that is switched off"]
    assert len(together) >= 40
    whole = "".join(
        content.replace('name = "a"', f'name = "a{place}"', 1) for place, (content, *_) in enumerate(together.values())
    )
    found = problems(whole)
    assert sorted(problem.text for problem in found) == sorted(text for *_, text, _ in together.values())
    places = [(problem.line, problem.column) for problem in found]
    assert places == sorted(places)


def test_a_mistake_in_a_tag_does_not_hide_one_in_a_campaign_nor_make_one() -> None:
    broken = '[[tag]]\nname = "b"\nwhen = "ordres() > 1"\n'
    found = problems(broken + campaign('on = { tag = "b" }', 'expiry = "91d"'))
    assert [(problem.line, problem.key) for problem in found] == [(3, "tag[1].when"), (8, "campaign[1].expiry")]


def test_a_tag_whose_name_is_wrong_may_be_named_all_the_same() -> None:
    found = problems('[[tag]]\nname = "b c"\nwhen = "true"\n' + campaign('on = { tag = "b c" }'))
    assert [problem.key for problem in found] == ["tag[1].name"]


def test_there_are_at_most_a_hundred_campaigns() -> None:
    (problem,) = problems("".join(f'[[campaign]]\nname = "{number}"\n{PUSH}\n' for number in range(101)))
    assert problem.text == "`campaign` must be at most 100 tables [[campaign]], not a list"


def test_a_key_that_is_wrong_is_not_also_missing() -> None:
    assert [each.text for each in problems(campaign(channels="chanels = []"))] == ["there is no key 'chanels' here"]


def only(content: str) -> Campaign:
    """The campaign `a` of a file that is right."""
    return read_rules(content.encode()).campaigns.by_name["a"]


def test_what_a_campaign_may_leave_out() -> None:
    assert only(campaign()) == Campaign("a", (Channel("push", 0, None, DAY_MS),), quiet=Quiet(21 * 60, 9 * 60))


def test_all_that_a_campaign_can_say() -> None:
    content = campaign(
        'doc = "x"',
        "version = 3",
        'on = { tag = "lifecycle", to = "lost", after = "0d" }',
        'audience = \'tag("tier") == "vip"\'',
        'choose = "learned"',
        "value = 2.5",
        "fallback = true",
        'variants = [{ name = "b", weight = 2, offer = "ob" }, { name = "c" }]',
        'offer = "oa"',
        'expiry = "36h"',
        "priority = -5",
        'slot = "service"',
        "hold_out = 1",
        "budget = 12.34",
        'cap = { max = 20, per = "60d" }',
        'quiet_hours = "00:00-06:30"',
        'mode = "shadow"',
        "test = true",
        "mute_before = 1970-01-02T01:00:00+01:00",
        channels='channels = [{ channel = "sms", cost = 0.29, offer = "os", window = "30d" }, { channel = "gift" }]',
    )
    made = only(content)
    assert made.audience is not None
    assert made._replace(audience=None) == Campaign(
        name="a",
        channels=(Channel("sms", 29, "os", 30 * DAY_MS), Channel("gift", 0, None, DAY_MS)),
        version=3,
        doc="x",
        on=On("lifecycle", "lost", 0),
        tags_read=frozenset({"tier"}),
        learned=True,
        value=250,
        falls_back=True,
        variants=(Variant("b", 2, "ob"), Variant("c", 1, None)),
        offer="oa",
        expiry_ms=36 * HOUR_MS,
        priority=-5,
        slot="service",
        hold_out=1.0,
        budget=1234,
        cap=Cap(20, 60 * DAY_MS),
        quiet=Quiet(0, 390),
        mode="shadow",
        is_test=True,
        mute_before=DAY_MS,
    )


def test_a_campaign_has_the_hours_and_the_start_of_all_unless_it_states_its_own() -> None:
    every = '[recall]\nquiet_hours = "22:00-08:00"\nmute_before = "1970-01-02T00:00:00Z"\n'
    assert only(every + campaign())[-4:] == (Quiet(22 * 60, 8 * 60), "on", False, DAY_MS)
    own = every + campaign('quiet_hours = "none"', "mute_before = 1970-01-01T01:00:00Z")
    assert only(own)[-4:] == (None, "on", False, HOUR_MS)


def test_what_holds_over_all_campaigns() -> None:
    content = """
[recall]
control = 0.05
cap = { max = 2, per = "48h" }
timezone = "+05:30"
profile = ["age"]
"""
    campaigns = read_rules(content.encode()).campaigns
    assert (campaigns.cap, campaigns.control, campaigns.timezone, campaigns.profile) == (
        Cap(2, 2 * DAY_MS),
        0.05,
        "+05:30",
        ("age",),
    )
    builtin = load_rules().campaigns
    assert (builtin.cap, builtin.control, builtin.timezone) == (Cap(3, 7 * DAY_MS), 0.0, "UTC")


def test_a_tag_that_is_also_set_by_hand_may_come_to_any_value() -> None:
    content = 'manual = ["tier"]\n' + campaign('on = { tag = "tier", to = "gold" }')
    assert only(content).on == On("tier", "gold", 0)


def test_a_tag_of_which_the_values_are_not_known_may_come_to_any_value() -> None:
    assert only(campaign('on = { tag = "prefers.brand", to = "Acme" }')).on == On("prefers.brand", "Acme", 0)


def test_a_file_adds_to_the_built_in_campaigns_replaces_and_switches_off() -> None:
    content = (
        f'[[campaign]]\nname = "lost"\n{PUSH}\npriority = 99\n[[campaign]]\nname = "silent"\nenabled = false\n'
        + campaign()
    )
    campaigns = read_rules(content.encode()).campaigns
    builtin = {each.name for each in builtin_rules().campaign}
    assert campaigns.by_name.keys() == (builtin | {"a"}) - {"silent"}
    assert campaigns.all[0] == campaigns.by_name["lost"]
    assert campaigns.by_name["lost"].on is None


def test_campaigns_stand_by_their_priority_and_then_by_their_name() -> None:
    names = [each.name for each in load_rules().campaigns.all]
    assert names == ["cart_abandoned", "churn_high", "repurchase", "unactivated", "silent", "lost", "win_back"]
    assert [each.name for each in load_rules().campaigns.on["lifecycle"]] == ["silent", "lost", "win_back"]


def test_a_tag_that_is_switched_off_does_not_break_the_built_in_campaign_that_waits_for_it() -> None:
    content = (
        b'[[tag]]\nname = "unactivated"\nenabled = false\n[[tag]]\nname = "churn.risk"\nwhen = "p_inactive > 0.9"\n'
    )
    assert {"unactivated", "churn_high"} <= read_rules(content).campaigns.by_name.keys()


def test_without_rules_there_are_no_campaigns() -> None:
    assert NO_RULES.campaigns.all == ()
    assert not NO_RULES.campaigns.on


def test_other_campaigns_change_their_own_fingerprint_and_not_the_mark_of_the_rules() -> None:
    one, other = (read_rules(campaign(f"priority = {number}").encode()) for number in (1, 2))
    assert one.campaigns.fingerprint != other.campaigns.fingerprint
    assert (
        (one.mark, one.fingerprint) == (other.mark, other.fingerprint) == (load_rules().mark, load_rules().fingerprint)
    )


@pytest.mark.parametrize(
    ("content", "is_same"),
    [
        ("", True),
        (campaign(), False),
        ('[[campaign]]\nname = "lost"\nenabled = false\n', False),
        ('[recall]\ntimezone = "Asia/Tokyo"\n', False),
        ('[recall]\ncontrol = 0.0\n[[campaign]]\nname = "b"\nenabled = false\n', True),
        ('[[tag]]\nname = "b"\nwhen = "true"\n', True),
    ],
)
def test_the_fingerprint_is_of_what_the_campaigns_mean(content: str, is_same: bool) -> None:
    found = read_rules(content.encode()).campaigns.fingerprint
    assert (found == load_rules().campaigns.fingerprint) == is_same


def test_neither_the_order_nor_the_words_for_people_make_a_difference_to_the_fingerprint() -> None:
    a, b = campaign('doc = "x"'), campaign().replace('"a"', '"b"')
    one, other = (read_rules(content.encode()).campaigns for content in (a + b, b + a.replace('"x"', '"y"')))
    assert one.fingerprint == other.fingerprint


def test_the_instant_may_be_written_as_a_text_too() -> None:
    expected = round(datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1000)
    for written in ("2026-11-01T00:00:00Z", '"2026-11-01T00:00:00Z"', "2026-11-01 02:00:00.000+02:00"):
        assert only(campaign(f"mute_before = {written}")).mute_before == expected
