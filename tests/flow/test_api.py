"""The API of two real workers: what producers send by HTTP is what everybody is told, whichever worker is asked."""

import csv
import io
import json
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types
from kafka import KafkaProducer

from app.api.openapi import document
from app.api.routes import ROUTES
from app.clock import now
from schemas.partitioner import partition_of
from schemas.times import DAY_MS
from tests.flow.system import PATIENCE_S, System, Wire
from tests.schemas.test_decode import BAD_CASES, GOOD_CASES, wire

PARTITIONS: Final = 3
BUYER: Final = "a/b ?&#%2F+用户"
FORMULA: Final = "=HYPERLINK(1)"
HOSTILE: Final = "<script>alert(1)</script>"
RULES: Final = """
manual = ["vip"]

[[campaign]]
name = "welcome"
on = { tag = "vip", to = "gold" }
channels = [{ channel = "email", cost = 0.01 }]
hold_out = 0.0
quiet_hours = "none"

[recall]
control = 0.0
"""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Shop(System):
    """A system that is asked by HTTP."""

    def ask(self, number: int, path: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.ports[number], timeout=60)
        try:
            content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            usual = {"Content-Type": "application/json"} if content is not None else {}
            connection.request(method, path, content, {**usual, **headers})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): each for name, each in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def told(self, path: str, **query: Any) -> Any:
        """What both workers say, which is the same, and as it is described."""
        full = f"{path}?{urlencode(query, doseq=True)}" if query else path
        first, second = (self.ask(number, full) for number in (0, 1))
        assert (first.status, second.status) == (200, 200), (first, second, self.logs())
        assert first.body == second.body
        conforms(path, first.json)
        return first.json

    def post(self, *events: Wire, number: int = 0) -> list[Wire]:
        answer = self.ask(number, "/api/events", "POST", list(events))
        assert answer.status == 202, answer
        found: list[Wire] = answer.json["events"]
        return found

    def put(self, topic: str, payload: bytes, partition: int) -> None:
        producer = KafkaProducer(bootstrap_servers=self.settings.kafka, enable_idempotence=False, acks="all")
        producer.send(self.settings.topic_prefix + topic, payload, partition=partition)
        producer.close()

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not is_so():
            self._check(deadline)
            time.sleep(0.2)

    def knows(self, *users: str) -> bool:
        return all(self.ask(number, of(user)).status == 200 for user in users for number in (0, 1))


def conforms(path: str, found: Any, status: str = "200") -> None:
    """Whether an answer is as the document describes it."""
    described = document(ROUTES)
    template = "/api/users/{user_id}" if path.startswith("/api/users/") else path
    schema = described["paths"][template]["get"]["responses"][status]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": described["components"]}).validate(found)


def of(user: str) -> str:
    return f"/api/users/{quote(user, safe='')}"


def event(type_: str, user: str, name: str, **fields: Any) -> Wire:
    return {"type": type_, "event_id": f"{user[:40]}-{name}", "user_id": user, "ts": now(), **fields}


def lives(user: str) -> list[Wire]:
    """A user who registered, looked, bought twice and was made a VIP."""
    return [
        event("profile", user, "r", kind="registered", attributes={"region": "north", "note": FORMULA},
              reachable=["email"], consent={"email": True}),
        *(event("click", user, f"c{number}", item_id="i", category="shoes") for number in range(3)),
        event("order", user, "o1", order_id=f"{user[:40]}-1", total=99.5, ts=now() - DAY_MS),
        event("order", user, "o2", order_id=f"{user[:40]}-2", total=0.5),
        event("tag", user, "t", tag="vip", value="gold"),
    ]  # fmt: skip


USERS: Final = [BUYER, FORMULA, HOSTILE, *(f"user-{number}" for number in range(20))]


@pytest.fixture(scope="module")
def shop(embedded_kafka: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Two workers that know these users."""
    folder = tmp_path_factory.mktemp("api")
    rules = folder / "rules.toml"
    rules.write_text(RULES)
    with Shop(
        folder, kafka=embedded_kafka, redis=redis_url, partitions=str(PARTITIONS), delivery="at_least_once",
        rules=str(rules),
    ) as shop:  # fmt: skip
        shop.start(0)
        shop.start(1)
        shop.wait_until_ready()
        shop.wait_until(lambda: owners(shop) == 2)
        for number, user in enumerate(USERS):
            shop.post(*lives(user), number=number % 2)
        shop.wait_until(lambda: shop.knows(*USERS))
        shop.wait_until(lambda: shop.ask(0, of(USERS[-1])).json["profile"]["orders"] == 2)
        shop.wait_until(lambda: shop.ask(0, "/api/users?tag=vip:gold").json["count"] == len(USERS))
        yield shop


def owners(shop: Shop) -> int:
    known = shop.ask(0, "/api/partitions").json["partitions"]
    return len({each["owner"] for each in known}) if len(known) == PARTITIONS else 0


def test_a_user_is_told_whole_by_whichever_worker(shop: Shop) -> None:
    first, second = (shop.ask(number, of(BUYER)).json for number in (0, 1))
    conforms(of(BUYER), first)
    moving = {"as_of", "tags", "windows"}  # time goes on between the two
    assert {name: first[name] for name in first.keys() - moving} == {
        name: second[name] for name in second.keys() - moving
    }
    assert (first["user_id"], first["partition"]) == (BUYER, partition_of(BUYER.encode(), PARTITIONS))
    assert (first["profile"]["orders"], first["profile"]["spend"], first["profile"]["clicks"]) == (2, 100.0, 3)
    tags = {tag["name"]: tag for tag in first["tags"]}
    assert (tags["vip"]["value"], tags["vip"]["by_hand"], tags["vip"]["because"]) == ("gold", True, "by hand")
    assert tags["new_user"]["rule"]["text"]
    assert {(each["days"], each["hours"]): each["orders"] for each in first["windows"]}[30, 0] == 2
    assert first["preferences"]["category"][0]["value"] == "shoes"
    assert first["attributes"]["region"]["value"] == "north"
    assert (first["consent"]["email"]["value"], first["reachable"]["value"]) == (True, ["email"])
    assert first["registered_at"] is not None
    kinds = [each["kind"] for each in first["said"]]
    assert "change" in kinds
    assert [each["tag"] for each in first["said"] if each["kind"] == "change" and each["to"] == "gold"] == ["vip"]


def test_what_was_sent_to_a_user_is_told(shop: Shop) -> None:
    shop.wait_until(lambda: bool(shop.ask(1, of("user-1")).json["recalls"]))
    found = shop.ask(1, of("user-1")).json
    (recall,) = [each for each in found["recalls"] if each["campaign"] == "welcome"]
    assert (recall["channel"], recall["held_out"]) == ("email", False)
    decisions = [each for each in found["said"] if each["kind"] == "decision" and each["campaign"] == "welcome"]
    assert decisions[0]["outcome"] == "triggered"
    assert decisions[0]["id"] == recall["id"]


def test_nobody_is_told_of_whom_nothing_is_known(shop: Shop) -> None:
    for user in ("nobody", "user-1 ", "a/b", "\x00", "用", "..", "a" * 5_000):
        answer = shop.ask(0, of(user) if user != ".." else "/api/users/%2E%2E")
        assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json"), user


def test_whoever_is_erased_is_gone_from_everywhere(shop: Shop) -> None:
    shop.post(*lives("leaving"))
    shop.wait_until(lambda: shop.knows("leaving") and bool(shop.ask(0, of("leaving")).json["said"]))
    shop.post(event("profile", "leaving", "e", kind="erased"))
    shop.wait_until(lambda: shop.ask(0, of("leaving")).status == 404)
    for path in ("/api/users?limit=1000", "/api/users?tag=vip&limit=1000", "/api/users?format=jsonl", "/api/summary"):
        shop.wait_until(lambda path=path: b"leaving" not in shop.ask(1, path).body)  # type: ignore[misc]  # a default


def test_audiences_by_tags_are_paged_counted_and_cut(shop: Shop) -> None:
    everybody = shop.told("/api/users", limit=1_000)
    assert set(USERS) <= set(everybody["users"])
    gold = shop.told("/api/users", tag=["vip:gold", "lifecycle:active"], limit=1_000)
    assert (sorted(gold["users"]), gold["count"], gold["next"], gold["whole"]) == (
        sorted(USERS), len(USERS), None, True
    )  # fmt: skip
    assert shop.told("/api/users", tag="vip", **{"not": "vip:gold"})["users"] == []
    assert shop.told("/api/users", tag="vip:silver")["count"] == 0
    found: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = shop.told("/api/users", tag="vip:gold", limit=7, **after)
        assert page["count"] == len(USERS)
        found += page["users"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == gold["users"]


@pytest.mark.parametrize(
    "query", ["tag=", "tag=:x", "after=nonsense", "after=%5B1%5D", "tag=vip:", f"tag=vip:{'x' * 65}", "format=xml",
              "format=csv&field=nmae", "format=csv&tag=vip:", "nott=vip"],
)  # fmt: skip
def test_a_question_that_is_none_is_a_problem(shop: Shop, query: str) -> None:
    answer = shop.ask(0, f"/api/users?{query}")
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")


def test_an_export_has_everybody_and_no_formula(shop: Shop) -> None:
    query = (
        "tag=vip:gold&format=csv&field=user_id&field=tag.vip&field=attribute.note&field=orders&field=spend&field=tags"
    )
    answer = shop.ask(0, f"/api/users?{query}")
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="users.csv"' in answer.headers["content-disposition"]
    head, *lines = csv.reader(io.StringIO(answer.body.decode(), newline=""))
    assert head == ["user_id", "tag.vip", "attribute.note", "orders", "spend", "tags"]
    assert sorted(line[0] for line in lines) == sorted(["'" + FORMULA, *(each for each in USERS if each != FORMULA)])
    assert {tuple(line[1:5]) for line in lines} == {("gold", "'" + FORMULA, "2", "100.0")}
    assert json.loads(lines[0][5])["vip"] == "gold"


@pytest.mark.parametrize("accept", [{"Accept": "application/x-ndjson"}, {}])
def test_an_export_as_json_lines_is_exact(shop: Shop, accept: dict[str, str]) -> None:
    path = "/api/users?tag=vip:gold" if accept else "/api/users?tag=vip:gold&format=jsonl"
    answer = shop.ask(1, path, **accept)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    users = [json.loads(line) for line in answer.body.splitlines()]
    assert sorted(each["user_id"] for each in users) == sorted(USERS)
    assert all(each["tags"]["lifecycle"] == "active" for each in users)


def test_an_export_as_json_is_one_array(shop: Shop) -> None:
    found = shop.ask(0, "/api/users?tag=vip&format=json&field=user_id").json
    assert sorted(each["user_id"] for each in found) == sorted(USERS)
    assert shop.ask(0, "/api/users?tag=vip:silver&format=json").json == []


def test_tags_tell_what_they_mean_and_how_many_have_them(shop: Shop) -> None:
    found = {tag["name"]: tag for tag in shop.told("/api/tags")["tags"]}
    assert (found["vip"]["users"], found["vip"]["values"]) == (len(USERS), {"gold": len(USERS)})
    assert found["lifecycle"]["values"]["active"] >= len(USERS)
    assert found["rfm.segment"]["doc"]
    assert found["new_user"]["values"]["true"] >= len(USERS)
    assert found["churn.risk"]["users"] == 0


def test_partitions_tell_who_runs_them_and_how_far_they_are(shop: Shop) -> None:
    found = shop.ask(0, "/api/partitions").json
    conforms("/api/partitions", found)
    assert ([each["partition"] for each in found["partitions"]], found["unknown"]) == (list(range(PARTITIONS)), [])
    assert len({each["owner"] for each in found["partitions"]}) == 2
    for each in found["partitions"]:
        assert each["phase"] == "running"
        assert each["generation"] >= 1
        assert each["epoch"] > 0
        assert 0 <= each["epoch_age_ms"] < 600_000
        assert abs(each["as_of"] - now()) < 60_000
        assert each["owner"].rpartition(":")[2] in {str(port) for port in shop.ports.values()}
    orders = sum(each["offsets"]["events.order"] for each in found["partitions"])
    assert orders >= 2 * len(USERS)


def test_what_cannot_be_used_is_told_and_sent_again_once(shop: Shop) -> None:
    lost = event("click", "lost", "c", item_id="i")
    here = partition_of(b"lost", PARTITIONS)
    began = now()
    shop.put("events.click", json.dumps(lost).encode(), (here + 1) % PARTITIONS)
    shop.put("events.click", b'{"type": "click"', 0)
    shop.wait_until(lambda: shop.ask(0, f"/api/dead-letters?since={began - 60_000}").json["count"] == 2)
    letters = shop.told("/api/dead-letters", since="1h")
    assert letters["reasons"] == {"wrong_partition": 1, "invalid_json": 1}
    assert letters["states"] == {"waiting": 2}
    assert not any("payload" in each or "event" in each for each in letters["letters"])
    shown = {each["reason"]: each for each in shop.told("/api/dead-letters", payload="true")["letters"]}
    assert shown["wrong_partition"]["event"] == lost
    assert shown["invalid_json"]["payload"] == "eyJ0eXBlIjogImNsaWNrIg=="
    assert shop.told("/api/dead-letters", reason="invalid_json", topic="events.click", limit=1)["count"] == 1
    assert shop.told("/api/dead-letters", topic="events.tag")["letters"] == []

    def redrive(query: str = "") -> Any:
        answer = shop.ask(1, f"/api/dead-letters/redrive{query}", "POST")
        assert answer.status == 200, (answer, shop.logs())
        return answer.json

    nothing = {"sent": 0, "already": 0, "beyond": 0}
    assert redrive("?dry_run=true") == {**nothing, "ready": {"events.click": 1}, "left": {"invalid_json": 1}}
    assert redrive("?reason=invalid_json") == {**nothing, "ready": {}, "left": {"invalid_json": 1}}
    assert redrive("?limit=5") == {**nothing, "sent": 1, "ready": {"events.click": 1}, "left": {"invalid_json": 1}}
    assert redrive() == {**nothing, "ready": {}, "left": {"invalid_json": 1}}
    shop.wait_until(lambda: shop.knows("lost"))
    assert shop.told("/api/dead-letters")["states"] == {"waiting": 1, "redriven": 1}


def test_campaigns_ledger_and_population_are_those_of_all_workers(shop: Shop) -> None:
    shop.wait_until(lambda: shop.ask(0, "/api/ledger?campaign=welcome").json["rows"][0]["triggered"] >= len(USERS))
    (row,) = shop.told("/api/ledger", campaign="welcome", by="channel")["rows"]
    assert (row["part"], row["eligible"], row["held_out"]) == ("email", row["triggered"], 0)
    (campaign,) = [each for each in shop.told("/api/campaigns")["campaigns"] if each["name"] == "welcome"]
    assert (campaign["on"], campaign["channels"]) == ('vip to "gold"', ["email"])
    population = shop.ask(0, "/api/population").json
    conforms("/api/population", population)
    assert population["users"]["lifecycle"]["active"] >= len(USERS)


def test_without_models_there_are_none(shop: Shop) -> None:
    assert shop.told("/api/models") == {
        "version": None, "champion": "none", "horizon_ms": None, "members": [], "calibration": None, "drift": []
    }  # fmt: skip


def test_what_is_taken_is_read_by_the_workers_and_never_a_dead_letter(shop: Shop) -> None:
    before, letters = read_so_far(shop), shop.ask(0, "/api/summary").json["counters"]["dead_letters"]
    cases = [wire(*case) for case in GOOD_CASES] + [wire(*case[:3]) for case in BAD_CASES]
    accepted = sum(shop.ask(number % 2, "/api/events", "POST", case).status == 202 for number, case in enumerate(cases))
    assert accepted >= len(GOOD_CASES) / 2
    shop.wait_until(lambda: read_so_far(shop) >= before + accepted)
    assert read_so_far(shop) == before + accepted
    assert shop.ask(1, "/api/summary").json["counters"]["dead_letters"] == letters


def read_so_far(shop: Shop) -> int:
    """How many records all partitions have read, and written what they have made of them."""
    known = shop.ask(0, "/api/partitions").json["partitions"]
    return sum(sum(each["offsets"].values()) for each in known)


def test_a_post_that_comes_twice_counts_once(shop: Shop) -> None:
    again = event("order", "twice", "o", order_id="twice", total=5)
    shop.post(again)
    shop.post(again, number=1)
    shop.post(event("click", "twice", "end", item_id="i"))
    shop.wait_until(lambda: shop.knows("twice") and shop.ask(0, of("twice")).json["profile"]["clicks"] == 1)
    assert shop.ask(0, of("twice")).json["profile"]["orders"] == 1
