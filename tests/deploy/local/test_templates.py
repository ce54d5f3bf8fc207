"""Mapping templates: the recorded answers of API Gateway, and the variables one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.templates import (
    MappingResult,
    PayloadError,
    Phase,
    escape_javascript,
    render_mapping,
)
from deploy.local.vtl import VtlRenderError
from tests.deploy.local.oracle import Case, check_template, recorded

CASES = [case for case in recorded() if case["kind"] == "template"]


def mapped(
    template: str,
    *,
    phase: Phase = "request",
    body: str = "",
    params: dict[str, dict[str, object]] | None = None,
    context: dict[str, object] | None = None,
    stage_variables: dict[str, str] | None = None,
) -> MappingResult:
    """Render with whatever is given and nothing else."""
    return render_mapping(
        template,
        phase=phase,
        body=body,
        params=params or {},
        context=context or {},
        stage_variables=stage_variables or {},
    )


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_recorded_answer(case: Case) -> None:
    """A template renders what API Gateway rendered."""
    check_template(case)


@pytest.mark.parametrize(
    ("template", "body", "output"),
    [
        ("$input.json('$.a')", '{"a": {"b": [1.10, "x"]}}', '{"b":[1.1,"x"]}'),
        ("$input.json('$')", "", "{}"),
        ("$input.json('$.none')", "{}", '""'),
        ("$input.path('$.a')", '{"a": {"b": [1, {"c": "d"}]}}', '{b=[1,{"c":"d"}]}'),
        ("$input.path('$.l').size() $input.path('$.l[1]')", '{"l": [1, 2]}', "2 2"),
        ("#foreach($x in $input.path('$.l[*].n'))$x;#end", '{"l":[{"n":1},{"n":2}]}', "1;2;"),
        ("$input.path('$.f')", '{"f": 1.10}', "1.1"),
        ("#set($x = $input.path('$.f') + 1)$x", '{"f": 1.5}', "2.5"),
        ("$input.body", "plain", "plain"),
    ],
)
def test_input(template: str, body: str, output: str) -> None:
    """$input reads the payload as text, as JSON text and as objects."""
    assert mapped(template, body=body).output == output


@pytest.mark.parametrize("call", ["json", "path"])
def test_payload_that_is_broken_json(call: str) -> None:
    """Only a path into a payload that is broken JSON fails, and it says so."""
    assert mapped("$input.body", body="{words").output == "{words"
    with pytest.raises(PayloadError, match="Invalid JSON in request body"):
        mapped(f"$input.{call}('$.a')", body="{words")


def test_payload_that_is_no_json_is_a_text() -> None:
    """Templates split form bodies; there is nothing within a text."""
    template = "#foreach($pair in $input.path('$').split('&'))[$pair]#end"
    assert mapped(template, body="a=1&b=%20").output == "[a=1][b=%20]"
    assert mapped("$input.json('$')", body="a=1&b").output == '"a=1&b"'
    assert mapped("<$input.path('$.a')>", body="a=1").output == "<>"


def test_params() -> None:
    """Parameters are found in path, query string, header, in this order."""
    params: dict[str, dict[str, object]] = {
        "path": {"a": "p"},
        "querystring": {"a": "q", "b": "q"},
        "header": {"b": "h", "c": "h"},
    }
    template = "$input.params('a')$input.params('b')$input.params('c') $input.params('d')."
    assert mapped(template, params=params).output == "pqh ."
    listed = mapped("#foreach($k in $input.params().keySet())$k #end", params=params).output
    assert sorted(listed.split()) == ["header", "path", "querystring"]


@pytest.mark.parametrize(
    ("call", "output"),
    [
        ("urlEncode('a b&c*~é')", "a+b%26c*%7E%C3%A9"),
        ("urlDecode('a+b%26%C3%A9')", "a b&é"),
        ("base64Encode('é')", "w6k="),
        ("base64Decode('w6k=')", "é"),
        ("parseJson('{\"a\":[1]}').a[0]", "1"),
        ("escapeJavaScript('a/\"é')", 'a\\/\\"\\u00E9'),
        ("toJson('x')", ""),
    ],
)
def test_util(call: str, output: str) -> None:
    """$util has the six documented functions and no other."""
    assert mapped(f"$util.{call}").output == output


@pytest.mark.parametrize("call", ["urlDecode('%zz')", "base64Decode('a')", "parseJson('{')"])
def test_util_refuses(call: str) -> None:
    """Input that cannot be decoded fails the render."""
    with pytest.raises(VtlRenderError):
        mapped(f"$util.{call}")


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_and_repaired_text_is_json(text: str) -> None:
    r"""EscapeJavaScript with \' repaired always yields the JSON string of the text."""
    assert escape_javascript(text).isascii()
    template = '"$util.escapeJavaScript($input.params(\'t\')).replaceAll("\\\\\'","\'")"'
    output = mapped(template, params={"path": {"t": text}}).output
    # Java's escape leaves DEL as it is, which JSON allows.
    assert json.loads(output) == text


OVERRIDES = """
#set($context.requestOverride.header.X-One = "1")
#set($context.requestOverride.path["two"] = $input.body)
$!context.requestOverride.querystring.put("three", "3")
#set($context["requestOverride"].querystring["four"] = "4")
#set($context.responseOverride.status = 444)
#set($context.responseOverride.header.tag = "t")
#set($context.responseOverride.extra = "kept")
"""


def test_overrides() -> None:
    """Overrides can be written as property, by bracket and with put()."""
    result = mapped(OVERRIDES, body="2")
    assert result.request_override == {
        "header": {"X-One": "1"},
        "path": {"two": "2"},
        "querystring": {"three": "3", "four": "4"},
    }
    assert result.response_override == {"status": 444, "header": {"tag": "t"}, "extra": "kept"}


def test_overrides_reach_the_response_template() -> None:
    """What the request template set is readable in the response template and may be set anew."""
    request = mapped(OVERRIDES, body="2")
    context: dict[str, object] = {
        "requestOverride": request.request_override,
        "responseOverride": request.response_override,
    }
    template = "$context.requestOverride.path.two $context.responseOverride.status"
    response = mapped(template, phase="response", context=context)
    assert response.output == "2 444"
    assert response.response_override == request.response_override
    again = mapped("#set($context.responseOverride.status = 201)", context=context)
    assert again.response_override["status"] == 201
    assert request.response_override["status"] == 444


@pytest.mark.parametrize(
    "target", ["responseOverride.status", "responseOverride.header.a", "requestOverride.path['x']"]
)
def test_overriding_twice_fails(target: str) -> None:
    """The same override set twice in one template is an error."""
    with pytest.raises(VtlRenderError, match="overridden twice"):
        mapped(f"#set($context.{target} = 1)#set($context.{target} = 2)")


def test_foreach_ends_after_a_thousand_rounds() -> None:
    """AWS's limit on the rounds of a loop holds."""
    assert mapped("#foreach($i in [1..1500])x#end").output == "x" * 1000


def test_context_iterates_in_the_recorded_order() -> None:
    """The keys stand as in AWS's HashMap, whatever the order in which they are given."""
    recorded = (
        "resourceId resourcePath httpMethod extendedRequestId requestTime path accountId protocol "
        "requestOverride stage domainPrefix requestTimeEpoch requestId identity domainName "
        "deploymentId responseOverride apiId"
    )
    keys: list[str] = recorded.split()
    for order in (sorted(keys), sorted(keys, reverse=True)):
        context: dict[str, object] = dict.fromkeys(order, "x")
        template = "#foreach($key in $context.keySet())$key #end"
        assert mapped(template, context=context).output.split() == keys


def test_maps_of_the_context_print_as_nothing() -> None:
    """A map in `$context` is the empty string, and yet a map (recorded)."""
    context: dict[str, object] = {"identity": {"user": None, "caller": "c"}}
    template = (
        "[$context.identity][$context.get('requestOverride')][$context.responseOverride.header]"
        "[$context.identity.caller][$context.identity.size()]#if($context.identity)yes#end"
    )
    assert mapped(template, context=context).output == "[][][][c][2]yes"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"phase": "answer"}, "phase is 'answer'; it must be 'request' or 'response'"),
        ({"body": b"{}"}, "body is a str, not bytes"),
        ({"params": None}, "params is a mapping, not NoneType"),
        ({"context": []}, "context is a mapping, not list"),
        ({"stage_variables": "v"}, "stage_variables is a mapping, not str"),
        ({"template": b"x"}, "a template is a str, not bytes"),
    ],
)
def test_wrong_arguments(changed: dict[str, Any], message: str) -> None:
    """An argument that cannot be is named before anything is rendered."""
    arguments: dict[str, Any] = {"template": "x", "phase": "request", "body": "", "params": {}}
    with pytest.raises((TypeError, ValueError), match=f"^{message}$"):
        render_mapping(**{**arguments, "context": {}, "stage_variables": {}, **changed})
