"""
What stand-ins for SQS need that SQS does not.

API Gateway calls SQS by the query protocol with `Accept: application/json` and gets JSON. Emulators
ignore the header and answer XML; ministack also loses `MessageSystemAttribute.N`, and with it the
trace header, unless the message is sent by the AWS JSON 1.0 protocol (observed with 1.5.33,
2026-11-23). DynamoDB needs nothing.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl
from xml.etree import ElementTree

_FORM = "application/x-www-form-urlencoded"
_NESTED = {
    "MessageAttribute": "MessageAttributes",
    "MessageAttributes": "MessageAttributes",
    "MessageSystemAttribute": "MessageSystemAttributes",
    "MessageSystemAttributes": "MessageSystemAttributes",
}
_ATTRIBUTE = re.compile(
    r"(?P<list>Message(?:System)?Attributes?)\.(?P<index>\d+)\."
    r"(?P<member>Name|Value\.(?:DataType|StringValue|BinaryValue))"
)
_PLAIN = ("MessageBody", "DelaySeconds", "MessageGroupId", "MessageDeduplicationId")
# Members that SQS's JSON always has, with null where there is no value (observed by third parties).
_RESULT_MEMBERS = (
    "MD5OfMessageAttributes",
    "MD5OfMessageBody",
    "MD5OfMessageSystemAttributes",
    "MessageId",
    "SequenceNumber",
)


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """
    A call to an AWS service, not yet signed.

    Args:
        method: HTTP method.
        url: URL with path and query string, percent-encoded.
        headers: Header values by name.
        body: Payload.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """
    The answer of an AWS service.

    Args:
        status: HTTP status.
        headers: Names and values.
        body: Payload.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header by its lower-case name, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def json_protocol_call(call: ServiceCall) -> ServiceCall | None:
    """
    Return a `SendMessage` of the query protocol as a call of the AWS JSON 1.0 protocol.

    Args:
        call: The call as API Gateway makes it: a form posted to the queue's URL.

    Returns:
        The same message for the same queue; `None` if the call is something else, or wants XML.
    """
    if not _is(call.headers, "content-type", _FORM) or not wants_json(call.headers):
        return None
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    if form.get("Action") != "SendMessage":
        return None
    headers = {k: v for k, v in call.headers.items() if k.lower() not in ("content-type", "accept")}
    headers["Content-Type"] = "application/x-amz-json-1.0"
    headers["X-Amz-Target"] = "AmazonSQS.SendMessage"
    origin = "/".join(call.url.split("/", 3)[:3])
    message = {"QueueUrl": call.url.partition("?")[0], **_message(form)}
    body = json.dumps(message).encode()
    return replace(call, url=f"{origin}/", headers=headers, body=body)


def query_protocol_answer(answer: ServiceAnswer) -> ServiceAnswer:
    """Return an answer of the AWS JSON 1.0 protocol as the JSON of the query protocol."""
    try:
        document: Mapping[str, object] = json.loads(answer.body)
    except ValueError:
        return answer
    request_id = answer.header("x-amzn-requestid") or None
    if answer.status < 300:
        return _as_json(answer, _success("SendMessage", document, request_id))
    code, _, kind = answer.header("x-amzn-query-error").partition(";")
    if not code:
        code = str(document.get("__type", "")).rpartition("#")[2]
    message = document.get("message", document.get("Message", ""))
    return _as_json(answer, _failure(code, message, kind or "Sender", request_id))


def json_answer(answer: ServiceAnswer) -> ServiceAnswer:
    """Return an XML answer of the query protocol as JSON; any other answer as it is."""
    if not answer.body.lstrip().startswith(b"<"):
        return answer
    try:
        root = ElementTree.fromstring(answer.body)
    except ElementTree.ParseError:
        return answer
    document = _from_xml(root)
    if _local_name(root) == "ErrorResponse":
        error = _members(document, "Error")
        fields = (error.get("Code"), error.get("Message"), error.get("Type"))
        return _as_json(answer, _failure(*fields, _request_id(document)))
    action = _local_name(root).removesuffix("Response")
    result = _members(document, f"{action}Result")
    return _as_json(answer, _success(action, result, _request_id(document)))


def wants_json(headers: Mapping[str, str]) -> bool:
    """Tell whether a call to a service asks for JSON."""
    return _is(headers, "accept", "application/json")


def _is(headers: Mapping[str, str], name: str, media_type: str) -> bool:
    for key, value in headers.items():
        if key.lower() == name:
            return value.partition(";")[0].strip().lower() == media_type
    return False


def _message(form: Mapping[str, str]) -> dict[str, object]:
    message: dict[str, object] = {name: form[name] for name in _PLAIN if name in form}
    if str(message.get("DelaySeconds", "")).isdigit():
        message["DelaySeconds"] = int(form["DelaySeconds"])
    for name, attributes in _attributes(form).items():
        message[name] = attributes
    return message


def _attributes(form: Mapping[str, str]) -> dict[str, dict[str, dict[str, str]]]:
    """Return message attributes and message system attributes by name."""
    entries: dict[tuple[str, int], dict[str, str]] = {}
    for key, value in form.items():
        match = _ATTRIBUTE.fullmatch(key)
        if match:
            entry = entries.setdefault((_NESTED[match["list"]], int(match["index"])), {})
            entry[match["member"].removeprefix("Value.")] = value
    nested: dict[str, dict[str, dict[str, str]]] = {}
    for (group, _), entry in sorted(entries.items()):
        name = entry.pop("Name", "")
        nested.setdefault(group, {})[name] = entry
    return nested


def _success(action: str, result: Mapping[str, object], request_id: object) -> dict[str, object]:
    members = dict.fromkeys(_RESULT_MEMBERS if action == "SendMessage" else ()) | dict(result)
    return {
        f"{action}Response": {
            f"{action}Result": members,
            "ResponseMetadata": {"RequestId": request_id},
        }
    }


def _failure(code: object, message: object, kind: object, request_id: object) -> dict[str, object]:
    error = {"Code": code, "Message": message, "Type": kind}
    return {"Error": error, "RequestId": request_id}


def _as_json(answer: ServiceAnswer, document: object) -> ServiceAnswer:
    headers = [(k, v) for k, v in answer.headers if k.lower() not in _REPLACED]
    headers.append(("Content-Type", "application/json"))
    return ServiceAnswer(answer.status, headers, json.dumps(document).encode())


_REPLACED = ("content-type", "content-length")


def _members(document: object, name: str) -> Mapping[str, object]:
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, dict) else {}


def _request_id(document: object) -> object:
    metadata = _members(document, "ResponseMetadata")
    root = document if isinstance(document, dict) else {}
    return metadata.get("RequestId") or root.get("RequestId")


def _from_xml(element: ElementTree.Element) -> object:
    if len(element) == 0:
        return element.text
    return {_local_name(child): _from_xml(child) for child in element}


def _local_name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
