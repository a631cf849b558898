"""The parameters of a request, read into a struct: what it does not know, or does not take, is a problem."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.inspect import ListType, Metadata, StructType, type_info
from multidict import MultiMapping

from agents.rules.mistake import nearest
from app.api.problem import ProblemError

Form = TypeVar("Form", bound=Struct)


def read_query(query: MultiMapping[str], form: type[Form]) -> Form:
    """The parameters as a struct; those of its fields that are lists may be repeated.

    Raises ProblemError.
    """
    lists = dict(_fields(form))
    for name in query:
        if name not in lists:
            raise _bad(f"there is no parameter {name!r} here{_instead(name, lists)}")
        if not lists[name] and len(query.getall(name)) > 1:
            raise _bad(f"`{name}` is given more than once")
    given: dict[str, Any] = {name: query.getall(name) if lists[name] else query[name] for name in query}
    try:
        return msgspec.convert(given, form, strict=False)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        raise _bad(f"`{where.partition('[')[0].rstrip('`')}`: {what}") from None


def _fields(form: type[Struct]) -> Iterator[tuple[str, bool]]:
    """Each parameter, and whether it may be repeated."""
    info = type_info(form)
    if isinstance(info, StructType):
        for each in info.fields:
            kind = each.type.type if isinstance(each.type, Metadata) else each.type
            yield each.encode_name, isinstance(kind, ListType)


def _instead(name: str, known: dict[str, bool]) -> str:
    near = nearest(name, known)
    if near:
        return f"; did you mean {near}?"
    return f": there are {', '.join(known)}" if known else ", nor any other"


def _bad(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, detail)
