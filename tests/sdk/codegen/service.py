"""
A service on a loopback port that behaves as a document's examples say.

It reads the document by itself, so that it shares no mistake with the generator: a request must
carry the examples of its parameters and of its body, and the answer is the example of the answer;
several `examples` come one after the other.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import yaml

METHODS = ("get", "put", "post", "patch", "delete")
_FILE = "application/octet-stream"
_DELIMITERS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
_Loader = type("_Loader", (yaml.SafeLoader,), {})
_Loader.yaml_implicit_resolvers = {  # type: ignore[attr-defined]
    first: [entry for entry in entries if not entry[0].endswith(":timestamp")]
    for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(document: Path) -> Any:
    """A document's value; dates stay texts."""
    return yaml.load(document.read_text("utf-8"), Loader=_Loader)


class Example:
    """One operation of a document, by its examples."""

    def __init__(self, root: Any, path: str, method: str) -> None:
        self._root = root
        item, node = root["paths"][path], root["paths"][path][method]
        self.path, self.method = path, method.upper()
        parameters = [self.follow(it) for it in (*item.get("parameters", ()), *_parameters(node))]
        self.parameters = [it for it in parameters if it["name"] != "Accept"]
        security = node.get("security", root.get("security", []))
        self.authenticated = any(security)
        self.responses = {
            str(status): self.follow(answer) for status, answer in node["responses"].items()
        }
        self.body = self._content(self.follow(node.get("requestBody", {})))
        self.has_body = "requestBody" in node
        self.identity = node.get("operationId") or f"{self.method} {path}"

    def follow(self, node: Any) -> Any:
        """What is behind a reference."""
        while "$ref" in node:
            value: Any = self._root
            for token in node["$ref"].split("/")[1:]:
                value = value[token]
            node = value
        return node

    def _content(self, node: Any) -> tuple[str, list[Any]]:
        for kind, media in node.get("content", {}).items():
            values = [example["value"] for example in media.get("examples", {}).values()]
            return kind, values or [media.get("example")]
        return "", []

    def arguments(self) -> dict[str, Any]:
        """The examples of its parameters, by wire name."""
        return {it["name"]: _example(it) for it in self.parameters}

    def answer(self, status: str, count: int) -> tuple[dict[str, str], str, Any]:
        """Header fields, media type and body of an answer."""
        response = self.responses[status]
        fields = {
            name: quote(self.follow(header)["example"], safe=" ?/-")
            for name, header in response.get("headers", {}).items()
        }
        kind, values = self._content(response)
        return fields, kind, values[min(count, len(values) - 1)] if values else None

    def faults(self, raw_path: str, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
        """In what a request is not as the examples say."""
        path, _, query = raw_path.partition("?")
        names = re.findall(r"\{([^}]*)\}", self.path)
        for name, text in zip(names, self._match(path) or (), strict=True):
            parameter = next(it for it in self.parameters if it["name"] == name)
            if unquote(text) != _path_text(parameter):
                yield f"path {name}: {text}"
        pairs = parse_qsl(query, keep_blank_values=True)
        for parameter in self.parameters:
            place, name = parameter["in"], parameter["name"]
            if place == "query":
                wanted = _query_pairs(parameter)
                if parameter.get("required") or any(pair[0] in dict(wanted) for pair in pairs):
                    for pair in wanted:
                        if pair not in pairs:
                            yield f"query {pair} is not in {pairs}"
                    pairs = [pair for pair in pairs if pair not in wanted]
            elif place == "header":
                given = headers.get(name)
                if given is None and not parameter.get("required"):
                    continue
                if given != _header_text(parameter):
                    yield f"header {name}: {given}"
            elif (
                place == "cookie"
                and headers.get("Cookie") != f"{name}={quote(_example(parameter))}"
            ):
                yield f"cookie {headers.get('Cookie')}"
        if pairs:
            yield f"unknown query {pairs}"
        if bool(headers.get("Authorization")) != self.authenticated:
            yield f"authorization {headers.get('Authorization')}"
        yield from self._body_faults(headers, body)

    def _match(self, path: str) -> tuple[str, ...] | None:
        pattern = re.sub(r"\\\{.*?\\\}", "([^/]*)", re.escape(self.path))
        match = re.fullmatch(pattern, path)
        return match.groups() if match else None

    def matches(self, method: str, raw_path: str) -> bool:
        """Whether a request is for this operation."""
        return method == self.method and self._match(raw_path.partition("?")[0]) is not None

    def _body_faults(self, headers: Mapping[str, str], body: bytes) -> Iterator[str]:
        kind, examples = self.body
        if not self.has_body:
            if body:
                yield f"a body: {body!r}"
            return
        given = headers.get("Content-Type", "")
        if kind.startswith("multipart/"):
            wanted = sorted(_wanted_parts(examples[0]), key=lambda part: part[1] == _FILE)
            if parts_of(given, body) != wanted:
                yield f"parts {body!r}"
            return
        if given != kind:
            yield f"content type {given}"
        if written(kind, examples[0]) != (json_of(body) if "json" in kind else body):
            yield f"body {body!r}"


def _parameters(node: Any) -> Any:
    return node.get("parameters", ())


def json_of(body: bytes) -> Any:
    """A body's JSON, or the body."""
    try:
        return json.loads(body)
    except ValueError:
        return body


def parts_of(content_type: str, body: bytes) -> list[tuple[str, str | None, bytes]]:
    """Name, media type and content of each part of a `multipart/form-data` body."""
    head = b"MIME-Version: 1.0\r\nContent-Type: " + content_type.encode("ascii") + b"\r\n\r\n"
    whole = BytesParser(policy=HTTP).parsebytes(head + body)
    return [
        (
            str(part.get_param("name", header="Content-Disposition")).replace("%22", '"'),
            part.get("Content-Type"),
            bytes(part.get_payload(decode=True)),
        )
        for part in whole.iter_parts()
    ]


def _wanted_parts(example: Any) -> Iterator[tuple[str, str | None, bytes]]:
    """The parts of an example: a text that starts with a control character is a file."""
    for name, value in example.items():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                text = json.dumps(part, separators=(",", ":"))
                yield name, "application/json", text.encode()
            elif isinstance(part, str) and part[:1] < " ":
                yield name, _FILE, part.encode("latin-1")
            else:
                yield name, None, _text(part).encode()


def written(kind: str, value: Any) -> Any:
    """An example as it is compared: JSON as a value, anything else as bytes."""
    if "json" in kind:
        return value
    if kind == "application/x-www-form-urlencoded":
        pairs = [(k, x) for k, v in value.items() for x in (v if isinstance(v, list) else [v])]
        return "&".join(f"{k}={quote(_text(v), safe='')}" for k, v in pairs).encode()
    return value.encode() if kind.startswith("text/") else value.encode("latin-1")


def _example(parameter: Any) -> Any:
    for media in parameter.get("content", {}).values():
        return media["example"]
    return parameter["example"]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _path_text(parameter: Any) -> str:
    value, style = _example(parameter), parameter.get("style", "simple")
    explode = parameter.get("explode", False)
    if isinstance(value, dict):
        joint = "=" if explode else ","
        parts = [f"{name}{joint}{member}" for name, member in value.items()]
    else:
        parts = [_text(it) for it in value] if isinstance(value, list) else [_text(value)]
    if style == "matrix":
        return "".join(f";{parameter['name']}={part}" for part in parts)
    return ("." if style == "label" else "") + ",".join(map(str, parts))


def _query_pairs(parameter: Any) -> list[tuple[str, str]]:
    name, value = parameter["name"], _example(parameter)
    style = parameter.get("style", "form")
    if "content" in parameter:
        return [(name, json.dumps(value, ensure_ascii=True, separators=(",", ":")))]
    if isinstance(value, dict):
        deep = style == "deepObject"
        return [(f"{name}[{k}]" if deep else k, _text(v)) for k, v in value.items()]
    if isinstance(value, list):
        if parameter.get("explode", style == "form"):
            return [(name, _text(item)) for item in value]
        return [(name, _DELIMITERS[style].join(map(_text, value)))]
    return [(name, _text(value))]


def _header_text(parameter: Any) -> str:
    value = _example(parameter)
    if isinstance(value, dict):
        return ",".join(f"{k}={_text(v)}" for k, v in value.items())
    return ",".join(map(_text, value)) if isinstance(value, list) else _text(value)


class Service:
    """
    The service of a document.

    Attributes:
        url: Its address. Below `/=STATUS` every answer has that status.
        faults: What was wrong with the requests.
        examples: Its operations.
    """

    def __init__(self, document: Path) -> None:
        root = read_yaml(document)
        self.examples = [
            Example(root, path, method)
            for path, item in root["paths"].items()
            for method in METHODS
            if method in item
        ]
        self.url = ""
        self.faults: list[str] = []
        self.counts: dict[str, int] = {}

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, header fields and body for a request."""
        forced = re.match(r"/=(\w+)", path)
        path = path[forced.end() :] if forced else path
        example = next((it for it in self.examples if it.matches(method, path)), None)
        if example is None:
            self.faults.append(f"{method} {path}: no such operation")
            return 501, {}, b""
        self.faults += [
            f"{example.identity}: {fault}" for fault in example.faults(path, headers, body)
        ]
        status = forced[1] if forced else next(iter(example.responses))
        count = self.counts.get(example.identity, 0)
        self.counts[example.identity] = count + 1
        fields, kind, value = example.answer(status, count)
        content = b"" if not kind else written(kind, value)
        if "json" in kind:
            content = json.dumps(content).encode()
        if kind:
            fields["Content-Type"] = kind
        return number(status), fields, content


def number(status: str) -> int:
    """A status that a declared one stands for."""
    return 599 if status == "default" else int(status.replace("4XX", "418").replace("XX", "00"))


@contextmanager
def serve(document: Path) -> Iterator[Service]:
    """Run the service of a document."""
    service = Service(document)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are two writes: without this, the second waits for the client's delayed ACK.
        disable_nagle_algorithm = True

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fields = dict(self.headers.items())
            status, headers, content = service.answer(self.command, self.path, fields, body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = respond  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
