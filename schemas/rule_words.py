"""What stands behind the keys of a file of rules: each kind with the words that say what fits."""

from typing import TYPE_CHECKING, Annotated, TypeAlias

from msgspec import Meta

Expression = Annotated[str, Meta(description="an expression, in quotation marks")]
Span = Annotated[
    str,
    Meta(pattern=r"^[1-9][0-9]{0,8} *(ms|s|m|h|d)(?![\s\S])", description='a length of time, such as "90d" or "12h"'),
]
Share = Annotated[float, Meta(ge=0, le=1, description="a share from 0 to 1")]
Count = Annotated[int, Meta(ge=1, le=1_000_000_000, description="a whole number from 1")]
Flag = Annotated[bool, Meta(description="true or false")]
Words = Annotated[str, Meta(max_length=1_000, description="a text of at most 1,000 characters")]
Priority = Annotated[int, Meta(ge=-1_000_000, le=1_000_000, description="a whole number")]

_VALUE = "a text of at most 256 characters, a number, true or false"
if TYPE_CHECKING:
    TagValue: TypeAlias = str | int | float | bool
else:
    TagValue = Annotated[
        Annotated[str, Meta(max_length=256)] | Annotated[int, Meta(ge=-(2**53), le=2**53)] | float | bool,
        Meta(description=_VALUE),
    ]
