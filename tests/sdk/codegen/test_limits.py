from __future__ import annotations

from collections.abc import Callable

import pytest

from codegen._ir import Api

SCHEMA = "{type: integer, minimum: 1, default: 5}"


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ("{type: string}", "str"),
        ("{type: string, maxLength: 255}", "Annotated[str, Field(max_length=255)]"),
        ("{type: string, format: uuid, maxLength: 36}", "Annotated[str, Field(max_length=36)]"),
        ("{type: string, pattern: '^a+$'}", "Annotated[str, Field(pattern='^a+$')]"),
        ("{type: string, enum: [a, b], maxLength: 1}", None),
        (
            "{type: integer, minimum: 1, maximum: 9, exclusiveMaximum: true}",
            "Annotated[int, Field(ge=1, lt=9)]",
        ),
        ("{type: number, multipleOf: 0.5}", "Annotated[float, Field(multiple_of=0.5)]"),
        ("{type: boolean}", None),
        ("{type: array, items: {type: string}}", None),
        (
            "{type: array, maxItems: 2, items: {type: string}}",
            "Annotated[list[object], Field(max_length=2)]",
        ),
        (
            "{type: array, items: {type: string, minLength: 1, nullable: true}}",
            "list[Annotated[str, Field(min_length=1)] | None]",
        ),
        (
            "{type: object, maxProperties: 2}",
            "Annotated[dict[str, object], Field(max_length=2)]",
        ),
        (
            "{type: object, properties: {a: {type: string, maxLength: 1}}}",
            "models.AddDocumentTimeout",
        ),
        ("{oneOf: [{type: string, maxLength: 1}, {type: integer}]}", None),
    ],
)
def test_limits_are_an_annotated_type(
    read_edited: Callable[..., Api], schema: str, kind: str | None
) -> None:
    """Of what goes over the wire, where a UUID is a text; where there is no limit there is none."""
    api = read_edited((SCHEMA, schema))
    assert api.operations[0].parameters[0].limited_type == kind


def test_an_expression_that_pydantic_has_not_is_left_to_the_server(
    read_edited: Callable[..., Api],
) -> None:
    """Its expressions do not look ahead; the other limits hold."""
    api = read_edited((SCHEMA, "{type: string, maxLength: 9, pattern: '^(?!x)'}"))
    assert api.operations[0].parameters[0].limited_type == "Annotated[str, Field(max_length=9)]"
