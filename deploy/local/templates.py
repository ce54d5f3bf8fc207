"""
Mapping templates: API Gateway's variables over the Velocity engine.

`$input`, `$context`, `$util` and `$stageVariables` as AWS's developer guide lists them ("API
Gateway mapping template and access logging variable reference", "Use a mapping template to override
an API's request and response parameters and status codes"). What goes beyond it is observed:

1. An empty payload is the text `{}`, for `$input.body` and for paths into it (recorded).
2. A path that finds nothing, or a JSON null, is an invalid reference, that is the empty string; as
   JSON text it is `""` (recorded for `$input.path`, by analogy for `$input.json`).
3. `$context`, `$context.identity` and the maps of `$input.params()` iterate as java.util.HashMap
   does, and a map in `$context` prints as the empty string (recorded).
4. A payload is read when a template asks for a path into it, and what is no JSON at all is then a
   string: the Serverless Framework's templates split form bodies so. Broken JSON fails the render,
   and a request with it is answered 400, "Invalid JSON in request body" (LocalStack's note of a
   manual test of parameter mappings; by analogy for templates).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar, Literal, get_args
from urllib.parse import quote_plus, unquote_to_bytes

from .jsonpath import MISSING, BrokenJsonError, dump, find, parse
from .surrogates import well_formed
from .vtl import ABSENT, HashMap, PrintedMap, Template, VtlObject, VtlRenderError

__all__ = ["MAX_FOREACH", "MappingResult", "PayloadError", "escape_javascript", "render_mapping"]

MAX_FOREACH = 1_000
"""Rounds of one `#foreach`; source: "Amazon API Gateway quotas and important notes"."""

Phase = Literal["request", "response"]

_PHASES: tuple[Phase, ...] = get_args(Phase)
_PLACES = ("path", "querystring", "header")


class PayloadError(VtlRenderError):
    """A template reads into a payload that is broken JSON; a request is answered 400."""


@dataclass(frozen=True, slots=True)
class MappingResult:
    """
    What a mapping template yields.

    Attributes:
        output: The rendered text.
        request_override: `header`, `path`, `querystring`, each a dict of what the template set, and
            any other key it set; pass it on in the context of the response template.
        response_override: `header`, a dict, and `status` where it is set, and any other key; those
            of the request template included when its context carried them.
    """

    output: str
    request_override: dict[str, object]
    response_override: dict[str, object]


def render_mapping(
    template: str | Template,
    *,
    phase: Phase,
    body: str,
    params: Mapping[str, Mapping[str, object]],
    context: Mapping[str, object],
    stage_variables: Mapping[str, str],
) -> MappingResult:
    """
    Render a mapping template.

    Args:
        template: Its text, or the compiled template.
        phase: `request` for the body of the method request, `response` for that of the backend.
        body: The payload.
        params: Keys `path`, `querystring`, `header`; each maps names to values.
        context: `$context`; may carry `requestOverride` and `responseOverride` of the request
            template. It is not changed.
        stage_variables: `$stageVariables`.

    Returns:
        The text and the overrides.

    Raises:
        PayloadError: The template reads into a payload that is broken JSON.
        VtlError: The template cannot be parsed or rendered, or overrides something twice.
        TypeError: An argument is of another type, or the template comes to a value of a type that
            has no counterpart in Java.
        ValueError: There is no such phase.
    """
    _check(phase, body, {"params": params, "context": context, "stage_variables": stage_variables})
    compiled = template if isinstance(template, Template) else _compiled(template)
    request = _Override(context.get("requestOverride"), ("header", "path", "querystring"))
    response = _Override(context.get("responseOverride"), ("header",))
    variables: dict[str, object] = {
        "input": _Input(body, params, phase),
        "util": _Util(),
        "context": _Context(context, request, response),
        "stageVariables": _map(stage_variables),
    }
    output = well_formed(compiled.render(variables, max_foreach=MAX_FOREACH))
    return MappingResult(output, request.result(), response.result())


def _check(phase: Phase, body: str, mappings: Mapping[str, object]) -> None:
    if phase not in _PHASES:
        raise ValueError(f"phase is {phase!r}; it must be 'request' or 'response'")
    if not isinstance(body, str):
        raise TypeError(f"body is a str, not {type(body).__name__}")
    for name, value in mappings.items():
        if not isinstance(value, Mapping):
            raise TypeError(f"{name} is a mapping, not {type(value).__name__}")


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    return Template(text)


def _map(value: object, kind: type[HashMap] = HashMap) -> object:
    """Turn mappings into HashMaps, all the way down."""
    # Nearly all values are texts or null, and the look-up of an abstract type is not cheap.
    if value is None or type(value) is str:
        return value
    if isinstance(value, Mapping):
        return kind({str(key): _map(item, kind) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return [_map(item, kind) for item in value]
    return value


class _Input(VtlObject):
    """`$input`."""

    def __init__(self, body: str, params: Mapping[str, Mapping[str, object]], phase: Phase) -> None:
        self._body = body or "{}"
        self._phase = phase
        self._document: object = MISSING
        self._given = params

    def vtl_get(self, name: str) -> object:
        return self._body if name == "body" else ABSENT

    def vtl_call(self, name: str, arguments: list[object]) -> object:
        if name == "params" and not arguments:
            return self._params
        if len(arguments) != 1 or not isinstance(arguments[0], str):
            return ABSENT
        if name == "params":
            return self._param(arguments[0])
        if name == "path":
            found = self._find(arguments[0])
            return None if found is MISSING else found
        if name == "json":
            found = self._find(arguments[0])
            return '""' if found is MISSING or found is None else dump(found)
        return ABSENT

    def vtl_string(self) -> str:
        return "$input"

    @cached_property
    def _params(self) -> HashMap:
        """The map of all parameters, made when a template asks for it: many have none of it."""
        names = dict.fromkeys((*_PLACES, *self._given))
        return HashMap({name: _map(self._given.get(name) or {}) for name in names})

    def _param(self, name: str) -> object:
        for place in _PLACES:
            values = self._params.get(place)
            if isinstance(values, Mapping) and values.get(name) is not None:
                return values[name]
        return None

    def _find(self, path: str) -> object:
        if self._document is MISSING:
            try:
                self._document = parse(self._body)
            except BrokenJsonError as error:
                raise PayloadError(f"Invalid JSON in {self._phase} body") from error
        return find(self._document, path)


class _Claims(VtlObject):
    """
    `$context.authorizer.claims`: its members are there, it itself is null.

    Source: AWS's mapping template reference, on `$context.authorizer.claims.property`.
    """

    def __init__(self, claims: Mapping[str, object]) -> None:
        self._claims = claims

    def vtl_get(self, name: str) -> object:
        return self._claims.get(name, ABSENT)

    def vtl_index(self, key: object) -> object:
        return self._claims.get(str(key), ABSENT)

    def vtl_call(self, name: str, arguments: list[object]) -> object:
        if name == "get" and len(arguments) == 1:
            return self.vtl_index(arguments[0])
        return ABSENT

    def vtl_string(self) -> str:
        return ""


class _Member(PrintedMap):
    """A map in `$context`."""

    __slots__ = ()

    def vtl_text(self) -> str:
        return ""


class _Values(_Member):
    """The names that one part of an override sets; each may be set once."""

    __slots__ = ("_changed",)

    def __init__(self, entries: Mapping[str, object]) -> None:
        self._changed: set[object] = set()
        super().__init__(entries)
        self._changed.clear()

    def __setitem__(self, key: object, value: object) -> None:
        # Source: "a parameter may be overridden only once ... 5XX responses", the guide on
        # overriding; what the request template set may be set anew in the response template.
        if key in self._changed:
            raise VtlRenderError(f"{key} is overridden twice", text=str(key))
        self._changed.add(key)
        super().__setitem__(key, value)


class _Override(_Values):
    """`$context.requestOverride` or `$context.responseOverride`."""

    __slots__ = ()

    def __init__(self, before: object, parts: tuple[str, ...]) -> None:
        given = before if isinstance(before, Mapping) else {}
        entries = {str(key): _map(value) for key, value in given.items() if key not in parts}
        for part in parts:
            values = given.get(part)
            entries[part] = _Values(values if isinstance(values, Mapping) else {})
        super().__init__(entries)

    def result(self) -> dict[str, object]:
        """Return what is set, as plain dicts."""
        return {str(key): _plain(value) for key, value in dict.items(self)}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        # In the order in which they were set: that of a HashMap costs, and is for templates.
        return {well_formed(str(key)): _plain(item) for key, item in dict.items(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return well_formed(value) if isinstance(value, str) else value


# They share buckets with accountId, identity, deploymentId and requestTimeEpoch, and stand before
# them (recorded).
_OLDER = ("path", "requestId", "domainName", "domainPrefix")


class _Context(HashMap):
    """`$context`: a map to read, whose two overrides can be written."""

    __slots__ = ()

    def __init__(
        self, context: Mapping[str, object], request: _Override, response: _Override
    ) -> None:
        overrides: dict[str, object] = {"requestOverride": request, "responseOverride": response}
        # An override keeps the place that it has in the context: of the keys in one bucket of a
        # HashMap the older one is first.
        entries = {
            key: overrides[key] if key in overrides else _map(value, _Member)
            for key, value in (dict.fromkeys(_OLDER) | dict(context)).items()
            if key in context
        } | overrides
        identity = entries.get("identity")
        if isinstance(identity, HashMap) and "principalOrgId" in identity:
            # It shares a bucket with sourceIp and stands behind it (recorded).
            identity["principalOrgId"] = identity.pop("principalOrgId")
        authorizer = entries.get("authorizer")
        if isinstance(authorizer, HashMap) and isinstance(authorizer.get("claims"), Mapping):
            authorizer["claims"] = _Claims(authorizer["claims"])  # type: ignore[arg-type]
        super().__init__(entries)


class _Escapes(dict[int, str]):
    """Escapes by code point; further ones are made when they are met."""

    def __missing__(self, code: int) -> str:
        if code > 0xFFFF:
            high, low = divmod(code - 0x10000, 0x400)
            return f"\\u{0xD800 + high:04X}\\u{0xDC00 + low:04X}"
        self[code] = escaped = chr(code) if 32 <= code <= 127 else f"\\u{code:04X}"
        return escaped


_ESCAPES = _Escapes(
    {
        ord("\b"): "\\b",
        ord("\n"): "\\n",
        ord("\t"): "\\t",
        ord("\f"): "\\f",
        ord("\r"): "\\r",
        ord("'"): "\\'",
        ord('"'): '\\"',
        ord("\\"): "\\\\",
        ord("/"): "\\/",
    }
)


def escape_javascript(text: str) -> str:
    r"""
    Escape a text as `$util.escapeJavaScript` does.

    Args:
        text: Any text.

    Returns:
        The text with quotes, `'`, `/`, backslashes and control characters escaped, and everything
        beyond ASCII as upper-case `\uXXXX` of its UTF-16 units. `\'` is not JSON: append
        `.replaceAll("\\'", "'")` in a template.

    Source: commons-lang 2.6, StringEscapeUtils.escapeJavaScript.
    """
    if text.isascii() and text.isalnum():
        return text
    return text.translate(_ESCAPES)


def _url_encode(text: str) -> str:
    # java.net.URLEncoder keeps `*` and escapes `~`; it turns lone surrogates into `?`.
    return quote_plus(well_formed(text), safe="*").replace("~", "%7E")


def _url_decode(text: str) -> str:
    at = text.find("%")
    while at >= 0:
        if len(text) < at + 3 or not all(char in _HEX for char in text[at + 1 : at + 3]):
            raise VtlRenderError(
                "IllegalArgumentException: URLDecoder: incomplete escape", text=text
            )
        at = text.find("%", at + 1)
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", "replace")


_HEX = "0123456789abcdefABCDEF"


def _base64_encode(text: str) -> str:
    return base64.b64encode(well_formed(text).encode()).decode("ascii")


def _base64_decode(text: str) -> str:
    standard = text.translate(str.maketrans("-_", "+/", "\r\n =\t"))
    try:
        data = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except binascii.Error as error:
        raise VtlRenderError(f"base64Decode: {error}", text=text) from None
    return data.decode("utf-8", "replace")


def _parse_json(text: str) -> object:
    try:
        return parse(text)
    except BrokenJsonError as error:
        raise VtlRenderError(f"parseJson: {error}", text=text) from None


class _Util(VtlObject):
    """`$util`; of a null it makes a null."""

    vtl_methods: ClassVar = {
        name: (("S", lambda util, text, make=make: None if text is None else make(text)),)
        for name, make in (
            ("escapeJavaScript", escape_javascript),
            ("parseJson", _parse_json),
            ("urlEncode", _url_encode),
            ("urlDecode", _url_decode),
            ("base64Encode", _base64_encode),
            ("base64Decode", _base64_decode),
        )
    }

    def vtl_string(self) -> str:
        return "$util"
