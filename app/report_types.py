"""The kinds of figures that reports are made of."""

from typing import Annotated, TypeAlias

from msgspec import Meta

Count: TypeAlias = Annotated[int, Meta(ge=0)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Positive: TypeAlias = Annotated[float, Meta(ge=0)]
Span: TypeAlias = Annotated[str, Meta(description="a length of time, such as 30d or 90m")]
