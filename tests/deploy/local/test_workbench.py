"""`python -m deploy.local render` as its users run it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs

import pytest

from deploy.local.__main__ import main
from deploy.local.engine import ROOT

CREATE = ROOT / "examples" / "events" / "create-user.json"
READ = ROOT / "examples" / "events" / "get-user.json"
CONTRACT = str(ROOT / "openapi.yaml")


def rendered(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; its exit code, output and errors."""
    code = main(["render", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def parts(output: str) -> tuple[list[str], str, list[str]]:
    """Split what is printed into head, body and references."""
    head, body, references = output.strip().split("\n\n")
    return head.splitlines(), body, references.splitlines()[1:]


def test_a_request_is_printed_with_where_it_goes(capsys: pytest.CaptureFixture[str]) -> None:
    """Method and URL, headers, body, and each reference with its line and value."""
    code, output, _ = rendered(
        capsys, CONTRACT, "--operation", "createUser", "--event", str(CREATE)
    )
    head, body, references = parts(output)
    assert code == 0
    assert head[0] == "POST https://sqs.us-east-1.amazonaws.com/000000000000/users"
    assert "Content-Type: application/x-www-form-urlencoded" in head
    form = parse_qs(body, strict_parsing=True)
    event = json.loads(CREATE.read_text("utf-8"))
    assert json.loads(form["MessageBody"][0]) == event["body"]
    (value,) = [line for line in references if "$util.urlEncode($context.identity" in line]
    place, _, printed = value.split()
    file, _, line = place.rpartition(":")
    source = Path(file).read_text("utf-8").splitlines()[int(line) - 1]
    assert "$context.identity.accountId" in source
    assert printed == "123456789012"


def test_a_response_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Status, headers and body that the client gets for the backend's answer."""
    arguments = (CONTRACT, "--operation", "createUser", "--event", str(CREATE), "--response")
    code, output, _ = rendered(capsys, *arguments, "--stage", "v2")
    head, body, references = parts(output)
    assert code == 0
    assert head[0] == "HTTP 202"
    assert "Retry-After-Ms: 250" in head
    assert "Location: /v2/status/0f8fad5b-d9cb-469f-a165-70867728950e" in head
    assert json.loads(body) == {"messageId": "0f8fad5b-d9cb-469f-a165-70867728950e"}
    assert any("$id =" in line for line in references)


def test_a_loop_shows_every_round(capsys: pytest.CaptureFixture[str]) -> None:
    """A reference that is evaluated twice has two values, after that of the list."""
    _, output, _ = rendered(
        capsys, CONTRACT, "--operation", "GET /users/{userId}", "--event", str(READ), "--response"
    )
    assert [line.split()[-1] for line in parts(output)[2] if ".tags." in line] == [
        '[{"S":"mathematics"},{"S":"engines"}]',
        '"mathematics"',
        '"engines"',
    ]


def test_options_fill_placeholders_and_stage_variables(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """As they do for the server."""
    event = tmp_path / "event.json"
    params = {"path": {"messageId": "0f8fad5b-d9cb-469f-a165-70867728950e"}}
    event.write_text(json.dumps({"params": params, "response": {"body": {"Items": []}}}))
    arguments = (CONTRACT, "--operation", "getStatus", "--event", str(event))
    _, output, _ = rendered(capsys, *arguments, "--set", "TableName=people")
    assert '"TableName":"people"' in output
    _, output, _ = rendered(capsys, *arguments, "--response", "--stage-variable", "retryAfterMs=7")
    assert "Retry-After-Ms: 7" in output


TWO = """\
openapi: 3.0.1
info: {title: t}
paths:
  /a/{p+}:
    x-amazon-apigateway-any-method:
      responses: {'200': {}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses:
          default:
            statusCode: '200'
            responseTemplates:
              a/b: |
                first
                $util.base64Decode("%%%")
    get:
      responses: {'200': {}}
      x-amazon-apigateway-integration: {type: http, httpMethod: GET, uri: '${Backend}/'}
"""


def test_a_failing_render_has_its_line_in_the_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A method that stands for all of them is called ANY; others' placeholders may be given."""
    (tmp_path / "api.yaml").write_text(TWO, "utf-8")
    (tmp_path / "event.json").write_text("{}")
    code, _, errors = rendered(
        capsys,
        *(str(tmp_path / "api.yaml"), "--operation", "ANY /a/{p+}", "--response"),
        *("--event", str(tmp_path / "event.json"), "--set", "Backend=http://b.test"),
    )
    place = f"error: {tmp_path / 'api.yaml'}:16: "
    assert (code, errors.startswith(place)) == (1, True), errors
    assert errors.endswith("at line 2, column 1\n")


@pytest.mark.parametrize(
    ("operation", "event", "complaint"),
    [
        ("createUsr", "{}", "there is no operation 'createUsr'; there are: createUser, getStatus"),
        ("createUser", "{", "event.json: not JSON: "),
        ("createUser", "[]", "event.json: the event must be an object"),
        ("createUser", '{"boddy": 1}', "event.json: the event has 'boddy'; it can have body, "),
        ("createUser", '{"params": {"path": {"a": 1}}}', "params.path.a must be a text"),
        ("createUser", '{"response": {"status": "x"}}', "response.status must be a number"),
        (
            "createUser",
            '{"params": {"header": {"Content-Type": "text/plain"}}}',
            "createUser answers UNSUPPORTED_MEDIA_TYPE: Unsupported Media Type",
        ),
    ],
)
def test_what_is_wrong_is_one_line(
    operation: str, event: str, complaint: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Exit code 1, what is wrong, and where."""
    path = tmp_path / "event.json"
    path.write_text(event)
    code, output, errors = rendered(
        capsys, CONTRACT, "--operation", operation, "--event", str(path)
    )
    (line,) = errors.splitlines()
    assert (code, output) == (1, "")
    assert line.startswith("error: ")
    assert complaint in line


def test_a_template_that_is_no_vtl_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """File, line, operation, line and column of the template; for others it is a warning."""
    path = tmp_path / "openapi.yaml"
    text = (ROOT / "openapi.yaml").read_text("utf-8")
    path.write_text(text.replace("#set($key = '')", "#set($key = )"), "utf-8")
    line = 1 + text.splitlines().index("            #set($key = '')")
    code, _, errors = rendered(
        capsys, str(path), "--operation", "createUser", "--event", str(CREATE)
    )
    assert code == 1
    place = f"error: {path}:{line}: createUser: "
    assert errors.startswith(f"{place}the mapping template does not parse")
    assert "at line 1, column " in errors
    code, output, errors = rendered(
        capsys, str(path), "--operation", "getUser", "--event", str(READ)
    )
    assert code == 0
    assert output.startswith("POST https://dynamodb.")
    (warning,) = errors.splitlines()
    assert warning.startswith(f"warning: {path}:{line}: createUser: the mapping template does not")


BROKEN_ELSEWHERE = TWO.replace(
    "    get:\n      responses: {'200': {}}", "    get:\n      responses: []"
)


@pytest.mark.parametrize("broken", [BROKEN_ELSEWHERE, TWO + "components: {schemas: []}\n"])
def test_what_is_wrong_elsewhere_is_a_warning(
    broken: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Another operation, or a part that all could use, keeps no operation from being rendered."""
    (tmp_path / "api.yaml").write_text(broken, "utf-8")
    (tmp_path / "event.json").write_text("{}")
    arguments = (str(tmp_path / "api.yaml"), "--event", str(tmp_path / "event.json"), "--operation")
    code, output, errors = rendered(capsys, *arguments, "ANY /a/{p+}")
    assert (code, '{"statusCode": 200}' in output) == (0, True)
    (warning,) = errors.splitlines()
    assert warning.startswith(f"warning: {tmp_path / 'api.yaml'}:")


@pytest.mark.parametrize(
    ("operation", "complaint"),
    [("GET /a/{p+}", "/get/responses: "), ("GET /b", "there is no operation 'GET /b'")],
)
def test_what_is_wrong_with_the_operation_is_an_error(
    operation: str, complaint: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Nothing is rendered of an operation that cannot be imported, or is not there."""
    (tmp_path / "api.yaml").write_text(BROKEN_ELSEWHERE, "utf-8")
    (tmp_path / "event.json").write_text("{}")
    code, output, errors = rendered(
        capsys,
        *(str(tmp_path / "api.yaml"), "--operation", operation),
        *("--event", str(tmp_path / "event.json"), "--set", "Backend=http://b.test"),
    )
    assert (code, output) == (1, "")
    assert complaint in errors
    assert all(line.startswith("error: ") for line in errors.splitlines())


def command(*arguments: str) -> Sequence[str]:
    """Return the command line."""
    return [sys.executable, "-m", "deploy.local", "render", *arguments]


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_a_terminal_gets_colours_unless_asked_not_to(no_color: str, coloured: bool) -> None:
    """NO_COLOR is heeded; a pipe gets none either, as the other tests show."""
    master, slave = pty.openpty()
    try:
        subprocess.run(
            command(CONTRACT, "--operation", "getUser", "--event", str(READ)),
            stdout=slave,
            env={**os.environ, "NO_COLOR": no_color},
            cwd=ROOT,
            check=True,
        )
        assert (b"\x1b[" in os.read(master, 65_536)) is coloured
    finally:
        os.close(master)
        os.close(slave)


def test_watching_renders_again_on_each_save(tmp_path: Path) -> None:
    """Until Ctrl-C, whatever is saved, mistakes included."""
    event = tmp_path / "event.json"
    event.write_text(READ.read_text("utf-8"), "utf-8")
    arguments = (CONTRACT, "--operation", "getUser", "--event", str(event), "--watch")
    with subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        read_until(process.stdout, '"TableName"')
        event.write_text("{", "utf-8")
        read_until(process.stdout, "not JSON")
        event.write_text("{}", "utf-8")
        read_until(process.stdout, "malformed")
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(20) == 0
        finally:
            process.kill()


def read_until(stream: IO[str], text: str) -> None:
    """Read lines until one has a text."""
    deadline = time.monotonic() + 20
    for line in stream:
        if text in line:
            return
        assert time.monotonic() < deadline
    pytest.fail(f"it ended without {text!r}")
