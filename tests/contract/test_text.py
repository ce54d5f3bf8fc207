"""Any text that a client may send comes back as it was sent."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from users_sdk import Address, NewUser, UsersClient

FRAGMENTS = st.sampled_from(
    [
        '"',
        "'",
        "\\",
        "&",
        "=",
        "%",
        "+",
        "%26",
        "\n",
        "\r\n",
        "\t",
        "\u0000",
        "\u2028",
        "\uffff",
        "é",
        "🚀",
        "👩‍👩‍👧",
        "&DelaySeconds=900",
        "&MessageAttribute.1.Name=role",
        '","admin":true,"x":"',
        '"}},"z":{"b":{"c":"',
        "$input.body",
        "$util.urlEncode('x')",
        "#set($x = 1)",
        "#if(true)",
        "#end",
        "${x}",
        "$!{x}",
        "##",
        "#*",
        "*#",
        "#[[",
        "]]#",
        "${TableName}",
        "<b>",
        "\\u0041",
        "{{}}",
        "null",
        " ",
    ]
)


def text(*, maximum: int) -> st.SearchStrategy[str]:
    """Text of 1 to `maximum` characters: any Unicode, mixed with what breaks templates."""
    anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    pieces = st.lists(FRAGMENTS | anything, min_size=1, max_size=6).map("".join)
    return pieces.map(lambda value: value[:maximum]).filter(bool)


names = text(maximum=200).map(lambda value: f"{value[:199]}x")
addresses = st.builds(
    Address,
    street=text(maximum=200),
    city=text(maximum=100),
    region=text(maximum=100),
    postal_code=text(maximum=20),
    country=st.just("CH"),
)
new_users = st.builds(
    NewUser,
    name=names,
    email=st.just("ada@example.com"),
    address=addresses,
    tags=st.lists(text(maximum=64), max_size=5),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(new_user=new_users)
def test_text_comes_back_character_for_character(client: UsersClient, new_user: NewUser) -> None:
    """Quotes, form and JSON syntax, template source and any Unicode survive the whole chain."""
    created = client.create_user_and_wait(new_user, timeout=30)
    found = client.get_user(user_id=created.user_id)
    sent = new_user.model_dump(exclude_unset=True)
    assert found.model_dump(exclude_unset=True, exclude={"user_id", "created_at"}) == sent
