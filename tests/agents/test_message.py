"""What messaging systems report: counted by kind; `unsubscribed` withdraws consent."""

import pytest

from schemas.events import AnyEvent, Profile
from tests.agents.drive import Story, day, message, profile


def agreed(story: Story) -> dict[str, object]:
    return {channel: register.value for channel, register in story.row().consent.items()}


def consent(at: int, **channels: bool) -> Profile:
    return profile(at, kind="consent", consent=channels)


def test_reports_are_counted_by_kind() -> None:
    story = Story()
    story.apply(*[message(day(0), f"{n}", kind=kind) for n, kind in enumerate(("sent", "opened", "sent"))])
    assert story.row().messages == {"sent": 2, "opened": 1}
    assert story.row().consent == {}


def test_who_unsubscribes_from_one_channel_keeps_the_others() -> None:
    story = Story()
    story.apply(consent(day(0), sms=True, email=True))
    story.apply(message(day(1), kind="unsubscribed", recall_channel="sms"))
    assert agreed(story) == {"sms": False, "email": True}


def test_who_unsubscribes_from_no_channel_unsubscribes_from_all() -> None:
    story = Story()
    story.apply(consent(day(0), sms=True), message(day(1), kind="unsubscribed"))
    assert agreed(story) == dict.fromkeys(("sms", "email", "push", "wechat", "phone"), False)


# day        0            1                2
#            sms: yes     unsubscribed     sms: yes again
@pytest.mark.parametrize(("consent_day", "wanted"), [(2, True), (0, False)])
@pytest.mark.parametrize("turned", [False, True])
def test_the_newest_of_consent_and_unsubscribed_wins_whatever_arrives_last(
    consent_day: int,
    wanted: bool,
    turned: bool,
) -> None:
    words: list[AnyEvent] = [
        consent(day(consent_day), sms=True),
        message(day(1), kind="unsubscribed", recall_channel="sms"),
    ]
    story = Story()
    story.apply(*(words[::-1] if turned else words), now=day(2))
    assert agreed(story) == {"sms": wanted}


@pytest.mark.parametrize("kind", ["sent", "delivered", "opened", "clicked", "failed"])
def test_no_other_report_touches_consent(kind: str) -> None:
    story = Story()
    story.apply(consent(day(0), sms=True), message(day(1), kind=kind, recall_channel="sms"))
    assert agreed(story) == {"sms": True}
