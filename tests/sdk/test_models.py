from __future__ import annotations

import pickle
from typing import Annotated, ClassVar

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from tests.sdk.orders import Colour, NewOrder, Order
from users_sdk._models import Model, nulls


def test_members_that_the_document_does_not_list_are_kept() -> None:
    """Corner 35: a newer server's member can be read, and goes back as it came."""
    order = Order.model_validate_json('{"orderId": "1", "item": "x", "weight": 3}')
    assert order.model_extra == {"weight": 3}
    assert order.model_dump(by_alias=True) == {"orderId": "1", "item": "x", "weight": 3}


def test_models_are_made_by_attribute_and_by_wire_name() -> None:
    """Programs write snake_case, the wire has its own names."""
    assert NewOrder(item="x", gift_note="y") == NewOrder.model_validate(
        {"item": "x", "giftNote": "y"}
    )


def test_unset_is_not_null_and_not_the_default() -> None:
    """Only what was set is sent, null included."""
    assert NewOrder(item="x").model_dump(exclude_unset=True) == {"item": "x"}
    assert NewOrder(item="x", gift_note=None).model_dump(exclude_unset=True) == {
        "item": "x",
        "giftNote": None,
    }


def test_a_changed_instance_is_checked_again() -> None:
    """What was valid when it was made is not taken for valid when it is sent."""
    order = NewOrder(item="x")
    order.item = ""
    with pytest.raises(ValidationError, match="at least 1 character"):
        TypeAdapter(NewOrder).validate_python(order)


def test_checking_again_keeps_what_was_set() -> None:
    """Validation of an instance does not turn defaults into set members."""
    again = TypeAdapter(NewOrder).validate_python(NewOrder(item="x"))
    assert again.model_fields_set == {"item"}


@pytest.mark.parametrize("value", ["green", "", "RED", "snow\u2603"])
def test_an_enumeration_keeps_a_value_that_it_does_not_list(value: str) -> None:
    """Corner 35: a newer server's value is kept as text, in Python and in JSON."""
    order = NewOrder.model_validate({"item": "x", "colour": value})
    assert order.colour == value
    assert isinstance(order.colour, Colour)
    assert order.colour.value == order.colour.name == value
    assert NewOrder.model_validate_json(order.model_dump_json()) == order
    assert pickle.loads(pickle.dumps(order.colour)) == value
    assert hash(order.colour) == hash(value)


def test_an_enumeration_lists_only_what_the_document_lists() -> None:
    """An unlisted value that was seen is no member afterwards."""
    Colour("green")
    assert list(Colour) == [Colour.RED, Colour.BLUE]
    assert Colour("red") is Colour.RED


def test_an_enumeration_refuses_what_is_no_text() -> None:
    """Open means other texts, not other types."""
    with pytest.raises(ValidationError):
        NewOrder.model_validate({"item": "x", "colour": 7})


class Contact(Model):
    """A model with a member that is never `null`, and one that may be."""

    _never_null: ClassVar[frozenset[str]] = frozenset({"phone"})

    phone: str | None = None
    fax: str | None = None
    others: list[Contact] | None = None


class Person(Contact):
    """A model that inherits the rule."""

    _never_null: ClassVar[frozenset[str]] = frozenset({"name"})

    name: Annotated[str | None, Field(alias="fullName")] = None


def test_none_is_found_where_it_must_not_be_sent() -> None:
    """By names on the wire, in nested members too; unset members and real `null` are none."""
    assert list(nulls(Person(fax=None))) == []
    person = Person(phone=None, others=[Contact(phone="1"), Contact(phone=None)])
    person.name = None
    assert sorted(nulls(person)) == [("fullName",), ("others", "1", "phone"), ("phone",)]
    assert list(nulls({"a": [Contact(phone=None)], "b": None})) == [("a", "0", "phone")]
