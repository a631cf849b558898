"""The live page tells the numbers without a script, escapes what comes from data, and loads nothing from elsewhere."""

import json
import re
from collections.abc import Callable
from typing import Final

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from app.ledger_rows import LedgerRow
from app.live import view
from app.live.status import NEWEST, Summary
from app.live.view import Page, sign_in_page
from schemas.changes import TagChange
from schemas.events import Scalar
from tables.ledger import Entry

NOON: Final = 1_704_110_400_000  # 2024-01-01T12:00:00Z
HOSTILE: Final = "</script><img src=x onerror=alert(1)>'\" & co"
EMPTY: Final = Summary.of([], [], store=True)


def change(
    user_id: str = "u1",
    *,
    tag: str = "lifecycle",
    from_: Scalar = None,
    to: Scalar = "active",
    cause: str = "click:c1",
    corrects: str | None = None,
) -> TagChange:
    return TagChange(
        id=f"{user_id}/{tag}/{NOON}/1",
        user_id=user_id,
        tag=tag,
        from_=from_,
        to=to,
        at=NOON,
        cause=cause,
        rule_version=1,
        corrects=UNSET if corrects is None else corrects,
    )


def page(summary: Summary, title: str = "") -> str:
    return view.page(summary, title).html


def busy(*newest: TagChange) -> Summary:
    return Summary(
        events=12_345,
        watermark=NOON,
        lag=678,
        users={"lifecycle": {"active": 1_500, "silent": 400, "lost": 100}, "lifecycle.purchase": {"unactivated": 9}},
        counters={"applied": 12_345},
        partitions={"running": 3, "restoring": 1},
        store=True,
        newest=newest,
    )


def section(html: str, tag: str) -> dict[str, list[str]]:
    """State -> the texts of its row, of one lifecycle."""
    part = html.split(f'<div data-tag="{tag}"')[1].split("</table>", maxsplit=1)[0]
    rows = re.findall(r'<tr data-state="(\w+)">(.*?)</tr>', part, re.DOTALL)
    return {state: re.findall(r'<td class="n">(.*?)</td>', cells) for state, cells in rows}


def changes(html: str) -> list[str]:
    """The text of each change."""
    body = html.split('id="changes"')[1].split("<tbody>")[1].split("</tbody>", maxsplit=1)[0]
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in body.split("</tr>")[:-1]]


def is_hidden(html: str, name: str) -> bool:
    found = re.search(rf'<[a-z]+ [^>]*id="{name}"[^>]*>', html)
    assert found is not None
    return " hidden" in found[0]


def test_numbers_and_states_are_there_without_a_script() -> None:
    html = page(busy(change()))
    text = html.split("<script")[0]
    assert all(each in text for each in ("12,345", "678", "2024-01-01 12:00:00 UTC", "1 restoring, 3 running"))
    assert section(html, "lifecycle")["active"] == ["1,500", "75%"]
    assert section(html, "lifecycle")["lost"] == ["100", "5%"]
    assert section(html, "lifecycle.purchase")["unactivated"] == ["9", "100%"]
    assert '<i class="is-silent" data-bar="silent"></i>' in html
    assert '[data-tag="lifecycle"] [data-bar="silent"] { flex-grow: 400; }' in html
    assert is_hidden(html, "nobody")
    assert not is_hidden(html, "users")


def test_a_change_says_who_moved_from_where_to_where_and_why() -> None:
    said = changes(
        page(busy(change(), change(from_="silent", to="lost", cause="timer"), change(from_="lost", to=None)))
    )
    assert said[0] == "2024-01-01 12:00:00 UTC u1 All activity New Active click"
    assert said[1].endswith("Silent Lost time passed")
    assert said[2].endswith("Lost Erased click")


def test_what_is_simulated_or_generated_is_labelled() -> None:
    said = changes(page(busy(change(cause="cart:simulated-1-cart"), change(cause="order:generated-1"))))
    assert said[0].endswith("cart, simulated")
    assert said[1].endswith("order, generated")


def test_a_withdrawal_and_a_tag_set_by_hand_are_told_as_such() -> None:
    said = changes(
        page(busy(change(corrects="u1/lifecycle/1/1"), change(tag="vip", from_=None, to=True, cause="tag:t")))
    )
    assert said[0].endswith("click, takes back a wrong change")
    assert said[1].endswith("u1 vip none true tag")


def test_what_comes_from_data_is_escaped() -> None:
    html = page(busy(change(HOSTILE, tag=HOSTILE, from_=HOSTILE, to=HOSTILE, cause=f"{HOSTILE}:1")), HOSTILE)
    assert "<img" not in html
    assert html.count("</script>") == 2
    assert html.count("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&#39;&#34; &amp; co") >= 7


def test_the_script_makes_no_html_of_data_and_nothing_is_loaded_from_elsewhere() -> None:
    html = page(busy(change()))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", html)
    assert not re.search(r"https?://", html)


@pytest.mark.parametrize("make", [lambda: view.page(busy(change())), sign_in_page])
def test_only_the_script_and_the_style_that_a_page_came_with_are_allowed(make: Callable[[], Page]) -> None:
    (one, policy), other = make(), make()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    (nonce,) = set(re.findall(r"'nonce-([\w-]{22})'", policy))
    inline = [*re.findall(r"<script>|<script nonce[^>]*>", one), *re.findall(r"<style[^>]*>", one)]
    assert inline
    assert all(f'nonce="{nonce}"' in each for each in inline)
    assert " style=" not in one
    assert not re.search(r"<[^>]* on\w+=", one)
    assert nonce not in other.policy


def test_the_script_says_it_in_the_same_words() -> None:
    html = page(busy(change()))
    words = json.loads(html.split('<script type="application/json" id="words">')[1].split("</script>")[0])
    assert words["titles"] == {"lifecycle": "All activity", "lifecycle.purchase": "Orders"}
    assert words["labels"] == ["simulated", "generated"]
    assert words["most"] == NEWEST


def test_before_the_first_event_it_says_that_nothing_has_come() -> None:
    html = page(EMPTY)
    assert not is_hidden(html, "nobody")
    assert not is_hidden(html, "no-changes")
    assert is_hidden(html, "users")
    assert is_hidden(html, "changes")
    assert "none assigned yet" in html
    assert "not known yet" in html
    assert "1970" not in html


def test_without_redis_it_says_that_this_is_not_all() -> None:
    assert is_hidden(page(EMPTY), "no-store")
    html = page(replace(busy(change()), store=False))
    assert not is_hidden(html, "no-store")
    assert "Redis is not there" in html


def test_the_title_is_on_top_where_there_is_one() -> None:
    assert '<p class="lede">a year of orders</p>' in page(EMPTY, "a year of orders")
    assert 'class="lede"' not in page(EMPTY)


def test_so_many_changes_are_shown_and_no_more() -> None:
    assert len(changes(page(busy(*[change(f"u{n}") for n in range(100)])))) == NEWEST


def campaign(name: str = "silent") -> LedgerRow:
    entry = Entry(
        eligible=1_100, held_out=100, triggered=1_000, suppressed=9, sent=990, recalled=50, held_recalled=4,
        first=1_000, first_recalled=50, held_first=100, held_first_recalled=4, cost=12_345, revenue=67_890,
        reasons={"no_consent": 7, "budget": 2, "expired": 1},
    )  # fmt: skip
    return LedgerRow.of(entry, name)


def tables(html: str) -> list[list[str]]:
    """The texts of the cells of the first campaign, of each table of the ledger."""
    parts = re.findall(r'<table class="ledger".*?<tbody>(.*?)</tbody>', html, re.DOTALL)
    rows = [part.split("</tr>")[0] for part in parts]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in row] for row in cells]


def test_campaigns_tell_what_was_decided_and_what_came_of_it() -> None:
    html = page(replace(busy(), campaigns=[campaign()]))
    assert not is_hidden(html, "campaigns")
    assert tables(html) == [
        ["silent", "1,100", "100", "1,000", "0", "9", "no_consent 7, budget 2"],
        ["silent", "990", "0", "0", "0", "50", "5.0%", "+1.0 (-5.0 to +3.9)", "123.45", "0.12", "2.47", "678.90"],
    ]  # fmt: skip


def test_without_campaigns_nothing_is_said_of_them() -> None:
    assert is_hidden(page(busy()), "campaigns")


def test_the_name_of_a_campaign_is_text() -> None:
    html = page(replace(busy(), campaigns=[campaign(HOSTILE)]))
    assert "<img" not in html
