"""The OpenAPI document: what the table of routes says, valid by the specification's own schema, and what is served."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.api.api import Api
from app.api.openapi import document, encoded
from app.api.routes import DOCUMENT, ROUTES
from tests.api.served import sources
from tests.contracts.test_documents import OPENAPI, PUBLISHED


def published() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PUBLISHED / OPENAPI).read_bytes())
    return found


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in published()["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        yield from (each for value in part.values() for each in references(value))
    elif isinstance(part, list):
        yield from (each for value in part for each in references(value))


def test_the_published_document_is_that_of_the_table() -> None:
    is_current = (PUBLISHED / OPENAPI).read_bytes() == encoded(ROUTES)
    assert is_current, f"docs/contracts/{OPENAPI} is not what the table of routes says: run `make contracts`"


def test_it_is_valid_by_the_specification() -> None:
    wrong = [f"{error.json_path}: {error.message}" for error in OpenAPIV31SpecValidator(published()).iter_errors()]
    assert not wrong


def test_that_validator_finds_what_is_wrong() -> None:
    broken = published()
    del broken["paths"]["/api/partitions"]["get"]["responses"]["200"]["description"]
    assert list(OpenAPIV31SpecValidator(broken).iter_errors())


def test_every_schema_of_it_is_valid_json_schema() -> None:
    for name, schema in published()["components"]["schemas"].items():
        assert re.fullmatch(r"[a-zA-Z0-9._-]+", name)
        Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere_and_every_schema_is_referred_to() -> None:
    schemas = published()["components"]["schemas"]
    found = {each.removeprefix("#/components/schemas/") for each in references(published())}
    assert found == schemas.keys()


def test_the_parameters_of_a_path_are_described_and_operations_have_names_of_their_own() -> None:
    for path, _, operation in operations():
        described = [each["name"] for each in operation["parameters"] if each["in"] == "path"]
        assert sorted(described) == sorted(re.findall(r"\{(\w+)\}", path))
        names = [each["name"] for each in operation["parameters"]]
        assert len(names) == len(set(names))
    names = [operation["operationId"] for *_, operation in operations()]
    assert len(names) == len(set(names))


def test_what_is_served_is_what_is_described() -> None:
    app = web.Application()
    Api(sources()).add_to(app)
    served = {
        (route.resource.canonical, route.method)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert served == {(path, method) for path, method, _ in operations()}


@pytest.mark.parametrize(("path", "method", "operation"), [pytest.param(*each, id=each[0]) for each in operations()])
def test_every_operation_says_what_it_gives_and_how_it_fails(path: str, method: str, operation: dict[str, Any]) -> None:
    statuses = {status: answer["content"] for status, answer in operation["responses"].items()}
    assert {"400", "401", "403"} < statuses.keys()
    for status, content in statuses.items():
        assert ("application/problem+json" in content) == (int(status) >= 400), (path, method, status)
    assert operation["summary"]
    if method == "POST" and path == "/api/events":
        assert operation["requestBody"]["content"].keys() == {
            "application/json", "application/x-ndjson", "application/jsonl"
        }  # fmt: skip


def test_the_document_itself_is_one_of_the_paths() -> None:
    assert DOCUMENT in document(ROUTES)["paths"]
