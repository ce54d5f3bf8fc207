"""The taint rule: what clients and backends control is not printed as it is."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.contract import Contract, load
from deploy.contract.operations import INTEGRATION
from deploy.contract.taint import taint

ROOT = Path(__file__).parents[2]


def sources(template: str, *, form: bool = False, response: bool = False) -> set[str]:
    """Return what is reported for one template, put in the place of a real one."""
    contract = load(ROOT / "openapi.yaml")
    path, method = ("/users", "post") if form else ("/users/{userId}", "get")
    integration = contract.document["paths"][path][method][INTEGRATION]
    holder = integration["responses"][r"2\d{2}"] if response else integration
    holder["responseTemplates" if response else "requestTemplates"]["application/json"] = template
    return {problem.message.split(" is ")[0] for problem in taint(contract)}


UNSAFE = {
    "the body": ("$input.body", "$input.body"),
    "a formal, quiet reference": ("$!{input.body}", "$input.body"),
    "a parameter": ("$input.params('x')", "$input.params"),
    "a map of parameters": ("$input.params().header.get('x')", "$input.params"),
    "a parsed body": ("$input.path('$.a').b[0]", "$input.path"),
    "the input by another name": ("#set($i = $input)$i.body", "$input"),
    "the path": ("$context.path", "$context.path"),
    "a request ID, which clients may send": ("$context.requestId", "$context.requestId"),
    "a user agent": ("$context.identity.userAgent", "$context.identity.userAgent"),
    "context by index": ("$context['path']", "$context."),
    "a variable": ("#set($a = $input.body)#set($b = $a)$b", "$input.body"),
    "one branch": ("#set($a = 'x')#if($c)#set($a = $input.body)#end$a", "$input.body"),
    "a loop": ("#foreach($a in $input.path('$.a'))$a.b#end", "$input.path"),
    "a loop's second turn": (
        "#set($a = '')#foreach($i in [1, 2])$a#set($a = $input.body)#end",
        "$input.body",
    ),
    "a string": ('#set($a = "x $input.body")$a', "$input.body"),
    "a list": ("#set($a = [$input.body])$a", "$input.body"),
    "a map": ('#set($a = {"k": $input.body})$a.k', "$input.body"),
    "an element added": ("#set($a = [])#set($b = $a.add($input.body))$a", "$input.body"),
    "an element added in a condition": (
        "#set($a = [])#if(!$a.add($input.body))#end$a",
        "$input.body",
    ),
    "an argument": ("#set($a = 'x')$a.concat($input.body)", "$input.body"),
    "a block": ("#define($a)$b#end#set($b = $input.body)$a", "$input.body"),
    "a variable that was a block": ("#define($a)x#end#set($a = $input.body)$a", "$input.body"),
    "the input by index": ("$input['body']", "$input."),
    "the arguments of a macro": ("#macro_call($input.body)", "$input.body"),
    "a string that is changed": ("$input.body.trim()", "$input.body"),
    "a decoded value": ("$util.urlDecode($util.urlEncode($input.body))", "$input.body"),
    "a parsed value": ("$util.parseJson($input.body).a", "$input.body"),
    "an encoding that is undone": (
        "$util.escapeJavaScript($input.body).replaceAll('\\\\', '')",
        "$input.body",
    ),
    "a chosen JSON path": ("$input.json(\"$.$input.params('x')\")", "$input.params"),
}

SAFE = {
    "text": "plain $5 ${TableName} #notADirective",
    "an escaped value": '"$util.escapeJavaScript($input.body)"',
    "an escaped value, repaired": '$util.escapeJavaScript($input.body).replaceAll("\\\\\'","\'")',
    "JSON text": "$input.json('$.a')",
    "base64": "$util.base64Encode($input.body)",
    "URL encoding": "$util.urlEncode($input.params('x'))",
    "an encoded variable": "#set($a = $util.escapeJavaScript($input.body))$a",
    "an encoded string": '#set($a = $util.escapeJavaScript("x $input.body"))"$a"',
    "a size": "$input.path('$.a').size() $input.body.length()",
    "a comparison": "#set($a = $input.body == 'x')$a",
    "a condition": "#if($input.params('x') == 'y')y#end",
    "what API Gateway chooses": "$context.extendedRequestId $context.identity.accountId",
    "a stage variable": "$stageVariables.retryAfterMs",
    "a variable set anew": "#set($a = $input.body)#set($a = 'x')$a",
    "the counter of a loop": "#foreach($a in $input.path('$.a'))$foreach.index#end",
    "a header": "#set($context.responseOverride.header.Location = $context.path)",
    "a block that calls itself": "#define($a)$a#end$a",
}


@pytest.mark.parametrize("response", [False, True], ids=["request", "response"])
@pytest.mark.parametrize(("template", "source"), UNSAFE.values(), ids=UNSAFE)
def test_a_raw_value_is_found_by_any_way(template: str, source: str, response: bool) -> None:
    """However a value gets to where it is printed, its source is named."""
    assert sources(template, response=response) == {source}


@pytest.mark.parametrize("template", SAFE.values(), ids=SAFE)
def test_an_encoded_value_passes(template: str) -> None:
    """What is encoded for JSON, measured or compared is not reported."""
    assert sources(template) == set()


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("$util.escapeJavaScript($input.body)", "$input.body"),
        ("$util.base64Encode($input.body)", "$input.body"),
        ("$input.json('$')", "$input.json"),
    ],
)
def test_in_a_form_only_url_encoding_counts(value: str, source: str) -> None:
    """An encoding for JSON leaves `&`, `+` or `=`, which are a form's own."""
    assert sources(f"a={value}", form=True) == {source}
    assert sources(f"a=$util.urlEncode({value})", form=True) == set()


def test_a_finding_names_the_line_of_the_template(tmp_path: Path) -> None:
    """The line is that of the print, also where the value came in earlier."""
    text = (ROOT / "openapi.yaml").read_text(encoding="utf-8")
    file = tmp_path / "openapi.yaml"
    changed = text.replace("=$util.urlEncode($key)##", "=$key##")
    file.write_text(changed, encoding="utf-8")
    contract = load(file)
    (problem,) = taint(contract)
    assert problem.text_line is not None
    line = contract.text_line(problem.pointer, problem.text_line)
    assert "StringValue=$key##" in changed.splitlines()[line - 1]


@settings(max_examples=30, deadline=None)
@given(
    names=st.lists(st.sampled_from("abcd"), min_size=1, max_size=8),
    encoder=st.sampled_from(["", "escapeJavaScript", "urlEncode", "base64Encode"]),
)
def test_a_chain_of_variables_keeps_what_is_known(names: list[str], encoder: str) -> None:
    """Over any chain of assignments a value stays as safe, or unsafe, as it was."""
    value = f"$util.{encoder}($input.body)" if encoder else "$input.body"
    chain = [value, *(f"${name}" for name in names)]
    template = "".join(
        f"#set(${name} = {before})" for name, before in zip(names, chain, strict=False)
    )
    assert sources(f"{template}${names[-1]}") == (set() if encoder else {"$input.body"})


def test_the_contract_prints_nothing_raw() -> None:
    """Our own templates encode all that clients and backends control."""
    contract: Contract = load(ROOT / "openapi.yaml")
    assert list(taint(contract)) == []
