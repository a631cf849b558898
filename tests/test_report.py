"""report.json comes back as it was; report.html tells the numbers, escapes what comes from data, and loads nothing."""

import json
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from app import charts
from app.population import LIFECYCLES, Population
from app.report import (
    ByDay,
    Counts,
    History,
    Lifecycle,
    LifecycleLimits,
    Limits,
    Report,
    Tag,
    rows_to_show,
    write_html,
    write_json,
)
from app.tag_moves import TagMoves, key_of
from app.wording import DEAD_LETTERS
from schemas.changes import LIFECYCLE, PURCHASE, TagChange
from schemas.dead_letter import DeadReason
from schemas.events import Scalar
from schemas.times import DAY_MS

START_MS = 20_089 * DAY_MS  # 2025-01-01
UNTIL_MS = START_MS + 90 * DAY_MS - 1
HOSTILE = "<img src=x onerror=alert(1)>'\" & co.jsonl"
LIMITS = Limits(
    lifecycles={tag: LifecycleLimits.of(30 * DAY_MS, 60 * DAY_MS) for tag in LIFECYCLES},
    allowed_lateness="7d",
    max_ahead="1095d",
)


def population() -> Population:
    """1,234 users of one click each: silent after 30 days, lost after 60; three of them also order, one is erased."""
    people = Population()
    for n in range(1_234):
        say(people, f"u{n}", LIFECYCLE, (None, "active", 0), ("active", "silent", 30), ("silent", "lost", 60))
        say(people, f"u{n}", PURCHASE, (None, "unactivated", 0))
    for user in ("u0", "u1", "u2"):
        say(people, user, PURCHASE, ("unactivated", "active", 80))
    say(people, "u0", LIFECYCLE, ("lost", None, 85))
    return people


def say(people: Population, user: str, tag: str, *moves: tuple[str | None, str | None, int]) -> None:
    for before, after, day in moves:
        at = START_MS + day * DAY_MS
        people.add(
            TagChange(
                id=f"{user}/{tag}/{at}/0",
                user_id=user,
                tag=tag,
                from_=before,
                to=after,
                at=at,
                cause="x",
                rule_version=1,
            )
        )


def full_report() -> Report:
    people = population()
    return Report(
        version="1.2.3",
        history=History(
            files=["clicks.jsonl", HOSTILE],
            format="jsonl",
            records=56_789,
            events={"order": 3, "click": 54_321},
            ticks=17,
            skipped={"</script><b>no_user": 1_180},
            after_until=312,
            first_ts=START_MS,
            last_ts=UNTIL_MS - 1,
            until=UNTIL_MS,
        ),
        limits=LIMITS,
        counts=Counts(applied=53_210, duplicates=871, late=2_210, too_late=38, erased=32),
        dead_letters={"too_far_ahead": 3, "invalid_json": 4_141},
        users=1_240,
        lifecycles={tag: Lifecycle.of(people, tag, UNTIL_MS) for tag in LIFECYCLES},
    )


def empty_report() -> Report:
    nothing = Population()
    return Report(
        version="1.2.3",
        history=History(
            files=[],
            format="jsonl",
            records=0,
            events={},
            ticks=0,
            skipped={},
            after_until=0,
            first_ts=None,
            last_ts=None,
            until=None,
        ),
        limits=LIMITS,
        counts=Counts(applied=0, duplicates=0, late=0, too_late=0, erased=0),
        dead_letters={},
        users=0,
        lifecycles={tag: Lifecycle.of(nothing, tag, 0) for tag in LIFECYCLES},
    )


def tag(*steps: tuple[Scalar, Scalar, int], doc: str = "") -> Tag:
    """A tag as 100 users each make these steps: from, to, and the day."""
    moves = TagMoves()
    for before, after, day in steps:
        moves.move(START_MS + day * DAY_MS, key_of(before), key_of(after), 100)
    return Tag.of(moves, doc, UNTIL_MS)


def tagged_report() -> Report:
    """Segments, a hostile tag, one of many values, and one that nobody has."""
    tags = {
        "rfm.segment": tag((None, "champion", 0), (None, "loyal", 10), ("champion", "loyal", 40), doc="Of segments."),
        HOSTILE: tag((None, HOSTILE, 5), doc=HOSTILE),
        "max_order": tag(*((None, n, n) for n in range(20))),
        "new_user": tag((None, True, 0), (True, None, 30)),
        "score": tag((None, 10, 0), (None, 9, 1)),
    }
    return msgspec.structs.replace(full_report(), tags=tags)


class Page(HTMLParser):
    """What a browser would see: text, elements with their attributes, scripts by type, style."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.style = ""
        self.feed(html)
        self.close()
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append((dict(attrs).get("type"), ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = kind, text + data
        elif self.cdata_elem == "style":
            self.style += data
        else:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(report: Report, folder: Path) -> Page:
    write_html(report, folder / "report.html")
    return Page((folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(full_report(), tmp_path_factory.mktemp("full"))


@pytest.fixture(scope="module")
def empty_page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(empty_report(), tmp_path_factory.mktemp("empty"))


@pytest.mark.parametrize("report", [full_report(), empty_report(), tagged_report()], ids=["full", "empty", "tagged"])
def test_report_json_comes_back_as_it_was(report: Report, tmp_path: Path) -> None:
    write_json(report, tmp_path / "report.json")
    assert msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=Report) == report


def test_equal_reports_are_equal_bytes_whatever_was_counted_first(tmp_path: Path) -> None:
    one = full_report()
    events = dict(reversed(one.history.events.items()))
    dead: dict[DeadReason, int] = dict(reversed(one.dead_letters.items()))
    other = msgspec.structs.replace(one, dead_letters=dead, history=msgspec.structs.replace(one.history, events=events))
    for name, report in (("one", one), ("other", other)):
        write_json(report, tmp_path / f"{name}.json")
        write_html(report, tmp_path / f"{name}.html")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "other.json").read_bytes()
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "other.html").read_bytes()


def test_report_json_speaks_the_words_of_the_wire(tmp_path: Path) -> None:
    write_json(full_report(), tmp_path / "report.json")
    lifecycle = json.loads((tmp_path / "report.json").read_bytes())["lifecycles"]["lifecycle"]
    assert lifecycle["states"] == {"unactivated": 0, "active": 0, "silent": 0, "lost": 1_233}
    assert lifecycle["flows"][0] == {"from": None, "to": "active", "count": 1_234}
    assert lifecycle["by_day"]["days"][:2] == ["2025-01-01", "2025-01-02"]
    assert lifecycle["by_day"]["lost"][-1] == 1_233


@pytest.mark.parametrize("path", ["/data/clicks.jsonl", "data/clicks.jsonl"])
def test_a_folder_does_not_get_into_a_report(path: str) -> None:
    with pytest.raises(ValueError, match="without their folders"):
        msgspec.structs.replace(empty_report().history, files=[path])


@pytest.mark.parametrize(
    "told",
    [
        "54,324 events of 1,240 users , from 2025-01-01 to 2025-03-31",
        "Lost 1,233 100%",
        "Unactivated 1,231 >99%",
        "Active 3 <1% last order within 30 days",
        "7 more users are in no state",
        "2025-01-31 0 1,234 0",
        "Active Silent 1,234 fell silent",
        "Lost Erased 1 were erased on request",
        "Unactivated Active 3 ordered for the first time",
        "Duplicates 871",
        "Late 2,210 Out of order by up to 7 days",
        "Too late 38",
        "Of erased users 32",
        "After the end 312",
        f"invalid_json 4,141 {DEAD_LETTERS['invalid_json']}",
        "Records 56,789",
        "Ticks 17",
        "Events are believed ahead of time up to 1,095 days",
        "Orders: lost after 60 days",
        "Last event 2025-03-31 23:59:59.998 UTC",
        "Made by Rekindle 1.2.3",
    ],
)
def test_the_page_tells(told: str, page: Page) -> None:
    assert told in page.text


def test_the_plots_hold_every_day_and_every_flow(page: Page) -> None:
    figures = [json.loads(text) for kind, text in page.scripts if kind == "application/json"]
    days, flows = figures[0]["data"], figures[1]["data"][0]
    assert [trace["meta"] for trace in days] == ["active", "silent", "lost"]
    assert [sum(trace["y"]) for trace in days] == [1_234 * 30, 1_234 * 30, 1_234 * 30 - 5]
    left, right = flows["node"]["label"][:4], flows["node"]["label"][4:]
    assert left == ["New 1,234", "Active 1,234", "Silent 1,234", "Lost 1"]
    assert right == ["Active 1,234", "Silent 1,234", "Lost 1,234", "Erased 1"]
    assert list(zip(flows["link"]["source"], flows["link"]["target"], flows["link"]["value"], strict=True)) == [
        (0, 4, 1_234),
        (1, 5, 1_234),
        (2, 6, 1_234),
        (3, 7, 1),
    ]


def test_a_history_of_a_few_days_has_bars(tmp_path: Path) -> None:
    lifecycles = {LIFECYCLE: Lifecycle.of(population(), LIFECYCLE, START_MS)}
    short = page_of(msgspec.structs.replace(full_report(), lifecycles=lifecycles), tmp_path)
    assert {trace["type"] for trace in json.loads(short.scripts[0][1])["data"]} == {"bar"}


def test_a_table_has_every_day_of_a_month_or_else_the_month_ends() -> None:
    def shown(count: int) -> list[str]:
        days = [date.fromordinal(date(2025, 1, 31).toordinal() + place) for place in range(count)]
        zeros = [0] * count
        by_day = ByDay(days=days, unactivated=zeros, active=zeros, silent=zeros, lost=zeros)
        return [day.isoformat() for day, _ in rows_to_show(by_day)]

    assert len(shown(31)) == 31
    assert shown(32) == ["2025-01-31", "2025-02-28", "2025-03-03"]
    assert shown(0) == []


def test_what_comes_from_data_is_text_and_never_markup(page: Page) -> None:
    assert HOSTILE in page.text
    assert "</script><b>no_user" in page.text
    assert not page.all("img")
    assert not page.all("b")


def test_the_page_loads_nothing(page: Page) -> None:
    links = [value for _, attributes in page.elements for name, value in attributes.items() if name in {"src", "href"}]
    assert {link for link in links if not (link or "").startswith("#")} == {"data:,"}
    assert not re.search(r"url\(|@import|https?:", page.style)
    policies = [meta["content"] or "" for meta in page.all("meta") if "http-equiv" in meta]
    assert policies
    assert "default-src 'none'" in policies[0]
    assert "http" not in policies[0]


def test_plotly_is_in_the_page_once(page: Page) -> None:
    assert [text[:40].count("plotly.js v") for kind, text in page.scripts if kind is None] == [1, 0]


def test_a_reader_who_sees_no_plots_is_told_the_same(page: Page) -> None:
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("table")) == len(page.all("caption"))
    plots = [div for div in page.all("div") if div.get("class") == "plot"]
    assert len(plots) == 4
    assert all(plot["role"] == "img" and plot["aria-label"] for plot in plots)
    assert len({element["id"] for _, element in page.elements if "id" in element}) == sum(
        "id" in element for _, element in page.elements
    )


def test_the_links_within_the_page_lead_somewhere(page: Page, empty_page: Page) -> None:
    for each in (page, empty_page):
        ids = {element["id"] for _, element in each.elements if "id" in element}
        assert {(link["href"] or "#")[1:] for link in each.all("a")} <= ids


def test_an_empty_history_is_said_kindly(empty_page: Page) -> None:
    assert "No events were read, so there is nothing to tell yet." in empty_page.text
    assert "There is no order in this history" in empty_page.text
    assert "None. Every record could be understood." in empty_page.text
    assert "0 files" in empty_page.text
    assert not [kind for kind, _ in empty_page.scripts if kind == "application/json"]


def test_every_reason_for_a_dead_letter_is_explained() -> None:
    assert set(DEAD_LETTERS) == set(get_args(DeadReason))


def test_few_users_are_counted_in_whole_ones() -> None:
    def step(users: int) -> object:
        zero = [0]
        by_day = ByDay(days=[date(2011, 1, 1)], unactivated=zero, active=[users], silent=zero, lost=zero)
        return charts.states_over_time(by_day)["layout"]["yaxis"].get("dtick")

    assert step(5) == 1
    assert step(6) is None


@pytest.fixture(scope="module")
def tagged_page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return page_of(tagged_report(), tmp_path_factory.mktemp("tagged"))


def test_report_json_has_the_users_of_every_tag_by_value_and_by_day() -> None:
    tags = tagged_report().tags
    segments = tags["rfm.segment"]
    assert (segments.users, segments.changes, len(segments.days)) == (200, 300, 90)
    assert [(each.value, each.users) for each in segments.values] == [("loyal", 200), ("champion", 0)]
    assert [[each.by_day[day] for day in (0, 9, 10, 39, 40, 89)] for each in segments.values] == [
        [0, 0, 100, 100, 200, 200],
        [100, 100, 100, 100, 0, 0],
    ]
    (any_order,) = tags["max_order"].values
    assert (any_order.value, any_order.users, any_order.by_day[:3]) == (None, 2_000, [100, 200, 300])
    assert [each.value for each in tags["score"].values] == [9, 10]


def test_the_page_shows_segments_over_time_and_any_other_tag_by_choice(tagged_page: Page) -> None:
    figures = [json.loads(text) for kind, text in tagged_page.scripts if kind == "application/json"]
    assert [trace["name"] for trace in figures[4]["data"]] == ["loyal", "champion"]
    assert figures[4]["data"][0]["x0"] == "2025-01-01"
    assert sum(figures[4]["data"][1]["y"]) == 100 * 40
    options = {option["value"] for option in tagged_page.all("option")}
    ids = {element["id"] for _, element in tagged_page.elements if "id" in element}
    (choice,) = tagged_page.all("select")
    assert len(options) == 4
    assert options | {choice["data-plot"]} <= ids
    assert [trace["name"] for trace in figures[6]["data"]] == ["any value"]


@pytest.mark.parametrize(
    "told",
    [
        "rfm.segment 200 loyal: 200, champion: 0 Of segments.",
        "max_order 2,000 score 200 9: 100, 10: 100",
        f"{HOSTILE} 100 {HOSTILE}: 100 {HOSTILE}",
        "No user has new_user .",
    ],
)
def test_the_page_tells_the_users_of_every_tag(told: str, tagged_page: Page) -> None:
    assert told in tagged_page.text


def test_names_and_values_of_tags_are_text_and_never_markup(tagged_page: Page) -> None:
    assert not tagged_page.all("img")
    assert any(option["data-label"] and HOSTILE in option["data-label"] for option in tagged_page.all("option"))


def test_the_links_of_a_page_with_tags_lead_somewhere(tagged_page: Page) -> None:
    ids = [element["id"] for _, element in tagged_page.elements if "id" in element]
    assert len(ids) == len(set(ids))
    assert "#segments" in {link["href"] for link in tagged_page.all("a")}
    assert {(link["href"] or "#")[1:] for link in tagged_page.all("a")} <= set(ids)


def test_a_page_without_tags_has_no_segments(page: Page) -> None:
    assert "Segments" not in page.text
    assert not page.all("select")


@pytest.mark.parametrize(("days", "step", "first", "points"), [(90, 1, 0, 90), (90, 4, 1, 23), (1, 7, 0, 1)])
def test_of_long_histories_some_days_are_shown_and_always_the_last(
    days: int, step: int, first: int, points: int
) -> None:
    dates = [date.fromordinal(date(2025, 1, 1).toordinal() + place) for place in range(days)]
    shown = charts.days_of(dates, range(days), step)
    assert (shown["x0"], shown["dx"]) == (dates[first].isoformat(), step * DAY_MS)
    assert (len(shown["y"]), shown["y"][-1]) == (points, days - 1)


def test_the_numbers_of_a_page_stay_few() -> None:
    assert charts.steps_for(charts.MAX_NUMBERS) == 1
    assert charts.steps_for(charts.MAX_NUMBERS + 1) == 2
    assert charts.steps_for(20 * charts.MAX_NUMBERS) == 20
