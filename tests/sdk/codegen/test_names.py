"""Names of generated code."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen import _names
from deploy.local import runtime


@pytest.mark.parametrize(
    ("operation_id", "name"),
    [
        ("printLabel", "print_label"),
        ("get-asset", "get_asset"),
        ("a.b", "a_b"),
        ("HTTPServerURL", "http_server_url"),
        ("import", "import_"),
        ("list", "list_"),
        ("close", "close_"),
        ("createV2Order", "create_v2_order"),
    ],
)
def test_method_is_snake_case_of_the_operation_id(operation_id: str, name: str) -> None:
    """A method is called like its `operationId`, unless Python or the client needs the name."""
    assert _names.method_name(operation_id, "get", "/") == name


def test_method_without_operation_id_is_method_and_path() -> None:
    """Without an `operationId`, method and path make the name, braces dropped."""
    for operation_id in (None, "", "---"):
        assert _names.method_name(operation_id, "get", "/a/{b-c}/d") == "get_a_b_c_d"


@pytest.mark.parametrize(
    ("wire_name", "name"),
    [
        ("self", "self_"),
        ("timeout", "timeout_"),
        ("body", "body_"),
        ("class", "class_"),
        ("X-Request-ID", "x_request_id"),
        ("Idempotency-Key", "idempotency_key"),
        ("filter[state]", "filter_state"),
        ("client", "client"),
    ],
)
def test_parameter_is_snake_case_of_the_wire_name(wire_name: str, name: str) -> None:
    """A parameter that would hide a method's own gets a trailing underscore."""
    assert _names.parameter_name(wire_name) == name


@pytest.mark.parametrize(
    ("wire_name", "name"),
    [
        ("schema", "schema_"),
        ("json", "json_"),
        ("copy", "copy_"),
        ("model_config", "model_config_"),
        ("str", "str_"),
        ("_id", "id"),
        ("1st", "field_1st"),
        ("postalCode", "postal_code"),
        ("name", "name"),
        ("date", "date"),
    ],
)
def test_field_is_snake_case_of_the_wire_name(wire_name: str, name: str) -> None:
    """A field that would hide what pydantic needs gets a trailing underscore."""
    assert _names.field_name(wire_name) == name


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("new-user",), "NewUser"),
        (("userStatus",), "UserStatus"),
        (("URL",), "URL"),
        (("Invoice", "address"), "InvoiceAddress"),
        (("Model",), "Model_"),
        (("Union",), "Union_"),
        (("received",), "Received_"),
        (("ClassVar",), "ClassVar_"),
        (("tagged",), "Tagged_"),
        (("2fa",), "Model2fa"),
    ],
)
def test_class_is_pascal_case_of_parent_and_property(parts: tuple[str, ...], name: str) -> None:
    """A class is called like its component, an inline one like its parent and its property."""
    assert _names.class_name(*parts) == name


@pytest.mark.parametrize(
    ("title", "client", "variable"),
    [
        ("Users API", "UsersClient", "USERS_API_URL"),
        ("API of the mint", "OfTheMintClient", "API_OF_THE_MINT_URL"),
        ("Shipments", "ShipmentsClient", "SHIPMENTS_URL"),
        ("9 Lives API", "Model9LivesClient", "_9_LIVES_API_URL"),
        ("Äpfel 梨", "Äpfel梨Client", "APFEL_URL"),
        ("API", "Client", "API_URL"),
        ("***", "Client", "URL"),
        ("Base", "BaseClient_", "BASE_URL"),
        ("Async Base", "AsyncBaseClient_", "ASYNC_BASE_URL"),
    ],
)
def test_client_is_the_title_without_api(title: str, client: str, variable: str) -> None:
    """The title names the client and the variable that holds its address, as the runtime does."""
    assert (_names.client_name(title), _names.url_variable(title)) == (client, variable)
    assert runtime.url_variable({"info": {"title": title}}) == variable


def test_enumeration_members_are_distinct() -> None:
    """Values that differ only in what a name cannot hold still get members of their own."""
    assert _names.member_names(["in-transit", "in transit", "3d", "", "count"]) == [
        "IN_TRANSIT",
        "IN_TRANSIT_",
        "VALUE_3D",
        "VALUE_",
        "COUNT",
    ]


@given(st.text())
def test_every_text_makes_an_identifier(text: str) -> None:
    """Whatever a document calls its things, the names are Python's, and no keywords."""
    names = [
        _names.method_name(text, "get", "/"),
        _names.parameter_name(text),
        _names.field_name(text),
        _names.class_name(text),
        *_names.member_names([text]),
    ]
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name in names)


@pytest.mark.parametrize("name", ["items", "options", "progress", "many", "idempotency_key"])
def test_a_shared_parameter_hides_no_option_of_a_batch(name: str) -> None:
    """What is a batch's own keeps its name."""
    assert _names.shared_name(name) == f"{name}_"
    assert _names.shared_name("shipment_id") == "shipment_id"


@pytest.mark.parametrize(
    ("name", "many"),
    [
        ("create_user", "create_users"),
        ("create_box", "create_boxes"),
        ("a", "a_many"),
        ("model", "model_many"),
        ("with_option", "with_option_many"),
        ("print_page", "print_page_many_"),
        ("create_entry", "create_entries"),
        ("create_key", "create_keys"),
        ("create_address", "create_address_many"),
        ("set_status", "set_status_many"),
        ("create_users", "create_users_many"),
        ("print_label", "print_label_many"),
    ],
)
def test_the_method_for_many_is_the_plural_of_the_last_word(name: str, many: str) -> None:
    """Or `_many`, where it ends in s, or Python, the client or another method has the name."""
    taken = {"print_labels", "print_pages", "print_page_many"}
    assert _names.many_name(name, taken) == many
