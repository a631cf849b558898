"""The OpenAPI 3.1 document of the API, made of its table of routes.

`python -m app.api.openapi docs/contracts/openapi.json` writes it; a test compares it with what the table says now.
"""

import sys
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import msgspec

from app.api import problem
from app.api.problem import Problem
from app.api.route import JSON, NoQuery, Route

ALWAYS: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
"""What may go wrong with every request."""
_DESCRIPTION: Final = (
    "What a worker tells of users, tags, campaigns, models and itself, whichever partitions it owns, and what it takes"
    " from producers. Times are event time in ms since 1970 unless a field says otherwise; money is in minor units"
    " unless it does. Errors are problem documents (RFC 9457)."
)
_TEMPLATE: Final = "#/components/schemas/{name}"


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The document of a table of routes."""
    table = list(routes)
    types = [Problem, *_types(table)]
    refs, components = msgspec.json.schema_components(types, ref_template=_TEMPLATE)
    schemas = dict(zip(types, refs, strict=True))
    paths: dict[str, Any] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rekindle",
            "version": "1",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "any worker"}],
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "REKINDLE_WEB_TOKEN, where it is set"}
            },
        },
    }


def _types(routes: Iterable[Route]) -> Iterator[Any]:
    for route in routes:
        yield from (route.answer, *route.body.values(), *route.media.values())


def _operation(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": route.handle.__name__,
        "summary": route.summary,
        **({"description": route.detail} if route.detail else {}),
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": {str(route.status.value): _answer(route, schemas), **_problems(route, schemas)},
    }
    if route.body:
        content = {media: _media(kind, schemas) for media, kind in route.body.items()}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _answer(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    content = {media: _media(kind, schemas) for media, kind in {JSON: route.answer, **route.media}.items()}
    return {"description": route.status.phrase, "content": content}


def _media(kind: Any, schemas: dict[Any, Any]) -> dict[str, Any]:
    return {"schema": schemas[kind]}


def _problems(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    content = {problem.MEDIA_TYPE: {"schema": schemas[Problem]}}
    found = sorted({*ALWAYS, *route.problems})
    return {str(status.value): {"description": status.phrase, "content": content} for status in found}


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name, description in route.parts.items():
        yield {
            "name": name, "in": "path", "required": True, "description": description, "schema": {"type": "string"}
        }  # fmt: skip


def _query_parameters(route: Route) -> Iterator[dict[str, Any]]:
    if route.query is NoQuery:
        return
    form = msgspec.json.schema(route.query)["$defs"][route.query.__name__]
    for name, schema in form["properties"].items():
        description = schema.pop("description", None)
        yield {
            "name": name,
            "in": "query",
            **({"required": True} if name in form["required"] else {}),
            **({"description": description} if description else {}),
            "schema": schema,
        }


def encoded(routes: Iterable[Route]) -> bytes:
    """The document as the bytes of its file."""
    return msgspec.json.format(msgspec.json.encode(document(routes)), indent=2) + b"\n"


if __name__ == "__main__":
    from app.api.routes import ROUTES

    Path(sys.argv[1]).write_bytes(encoded(ROUTES))
