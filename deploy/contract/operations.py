"""Who may call an operation, what is validated, and how it is integrated."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from deploy.contract.document import Contract, Operation, join, without_extensions
from deploy.contract.finding import Problem

INTEGRATION: Final = "x-amazon-apigateway-integration"
_AUTH: Final = "x-amazon-apigateway-auth"
_VALIDATOR: Final = "x-amazon-apigateway-request-validator"
_SIGV4: Final = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "x-amazon-apigateway-authtype": "awsSigv4",
}
# Developer Guide, "x-amazon-apigateway-integration object"; the last two are in botocore's model.
_INTEGRATION_KEYS: Final = (
    "cacheKeyParameters",
    "cacheNamespace",
    "connectionId",
    "connectionType",
    "contentHandling",
    "credentials",
    "httpMethod",
    "passthroughBehavior",
    "requestParameters",
    "requestTemplates",
    "responses",
    "timeoutInMillis",
    "tlsConfig",
    "type",
    "uri",
    "integrationTarget",
    "responseTransferMode",
)
_RESPONSE_KEYS: Final = ("contentHandling", "responseParameters", "responseTemplates", "statusCode")
# Developer Guide, "Working with API Gateway extensions to OpenAPI".
_EXTENSIONS: Final = tuple(
    f"x-amazon-apigateway-{name}"
    for name in (
        "any-method",
        "api-key-source",
        "auth",
        "authorizer",
        "authtype",
        "binary-media-types",
        "documentation",
        "endpoint-access-mode",
        "endpoint-configuration",
        "gateway-responses",
        "importexport-version",
        "integration",
        "minimum-compression-size",
        "policy",
        "request-validator",
        "request-validators",
        "security-policy",
        "tag-value",
    )
)
# AWS documents 50 ms to 29 s without a quota increase; botocore, `Integration.timeoutInMillis`.
_TIMEOUT_MILLISECONDS: Final = range(50, 29_001)
# Services whose requests are bodies: actions of the JSON protocols, forms for queues, invocations.
# Source: botocore's service models, `http.method` of their operations.
_POSTED: Final = re.compile(r":(dynamodb|events|kinesis|states):action/|:(sqs|lambda):path/")
_FORM: Final = "'application/x-www-form-urlencoded'"
_REQUEST_TARGET: Final = re.compile(r"integration\.request\.(header|querystring|path)\.[^.\s]+")
_REQUEST_SOURCE: Final = re.compile(
    r"'[^']*'|context\.\S+|stageVariables\.\w+|method\.request\.body(\..+)?"
    r"|method\.request\.(header|querystring|path|multivalueheader|multivaluequerystring)\.\S+"
)
_RESPONSE_TARGET: Final = re.compile(r"method\.response\.header\.[^.\s]+")
_RESPONSE_SOURCE: Final = re.compile(
    r"'[^']*'|context\.\S+|stageVariables\.\w+|integration\.response\.body(\..+)?"
    r"|integration\.response\.(header|multivalueheader)\.\S+"
)


def security(contract: Contract) -> Iterator[Problem]:
    """Every operation demands Signature Version 4, by its own `security`."""
    schemes = contract.document.get("components", {}).get("securitySchemes", {})
    signed = {name for name, node in schemes.items() if _SIGV4.items() <= node.items()}
    remedy = f"Write `security: [{{{min(signed, default='sigv4')}: []}}]`"
    if not signed:
        yield Problem("/components", "no security scheme is awsSigv4", f"Add one with {_SIGV4}")
    for operation in contract.operations():
        alternatives = operation.node.get("security", [])
        if not alternatives:
            message = f"anybody may call {operation.name}: it has no `security` of its own"
            yield Problem(operation.pointer, message, remedy)
        for index, alternative in enumerate(alternatives):
            if not signed & alternative.keys():
                at = join(operation.pointer, "security", index)
                yield Problem(at, f"{operation.name} may be called without awsSigv4", remedy)
        if operation.node.get(_AUTH, {}).get("type", "AWS_IAM") != "AWS_IAM":
            at = join(operation.pointer, _AUTH)
            yield Problem(at, "this replaces what `security` says", "Remove it, or write AWS_IAM")


def validator(contract: Contract) -> Iterator[Problem]:
    """Every operation has a validator that is defined and checks what the operation takes."""
    validators = contract.document.get("x-amazon-apigateway-request-validators", {})
    shared = contract.document.get(_VALIDATOR)
    for operation in contract.operations():
        name = operation.node.get(_VALIDATOR, shared)
        at = join(operation.pointer, _VALIDATOR)
        if name is None:
            message = f"nothing validates {operation.name}"
            yield Problem(operation.pointer, message, f"Add `{_VALIDATOR}`")
        elif name not in validators:
            remedy = f"Define it in `{_VALIDATOR}s`{suggestion(name, validators)}"
            yield Problem(at, f"there is no validator `{name}`", remedy)
        else:
            yield from _validates(operation, validators[name], at)


def _validates(operation: Operation, settings: Mapping[str, Any], at: str) -> Iterator[Problem]:
    takes = {
        "validateRequestBody": "requestBody" in operation.node,
        "validateRequestParameters": bool(
            operation.shared_parameters or operation.node.get("parameters")
        ),
    }
    for key, taken in takes.items():
        if taken and settings.get(key) is not True:
            message = f"the validator leaves out what {operation.name} takes"
            yield Problem(at, message, f"Set `{key}: true` in it")


def passthrough(contract: Contract) -> Iterator[Problem]:
    """`passthroughBehavior` is never: else a content type without a template skips every check."""
    for operation in contract.operations():
        value = operation.node[INTEGRATION].get(
            "passthroughBehavior", "when_no_match (the default)"
        )
        if value != "never":
            message = f"with passthroughBehavior {value} clients may reach the backend unmapped"
            at = join(operation.pointer, INTEGRATION, "passthroughBehavior")
            yield Problem(at, message, "Write `passthroughBehavior: never`")


def integration_keys(contract: Contract) -> Iterator[Problem]:
    """
    API Gateway knows every key of an integration, and every extension; others have no effect.

    Nor has a mapping of the request that is no text: `true` without quotes, for one.
    """
    for operation in contract.operations():
        at = join(operation.pointer, INTEGRATION)
        node = operation.node[INTEGRATION]
        yield from _unknown(at, node, _INTEGRATION_KEYS)
        for key, value in node.get("requestParameters", {}).items():
            if not isinstance(value, str):
                message = f"the mapping to `{key}` is no text: the import leaves it out"
                yield Problem(join(at, "requestParameters", key), message, "Put it in quotes")
        for pattern, response in node.get("responses", {}).items():
            yield from _unknown(join(at, "responses", pattern), response, _RESPONSE_KEYS)
    for pointer, node in _extended(contract):
        own = {key: node[key] for key in node if key.startswith("x-amazon-apigateway-")}
        yield from _unknown(pointer, own, _EXTENSIONS)


def _extended(contract: Contract) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the objects that may have extensions of API Gateway."""
    yield "", contract.document
    for path, item in without_extensions(contract.document.get("paths", {})).items():
        yield join("/paths", path), item
    for operation in contract.operations():
        yield operation.pointer, operation.node
    schemes = contract.document.get("components", {}).get("securitySchemes", {})
    for name, scheme in schemes.items():
        yield join("/components/securitySchemes", name), scheme


def _unknown(pointer: str, node: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[Problem]:
    for key in node:
        if key not in known:
            remedy = f"Remove it{suggestion(key, known)}"
            yield Problem(join(pointer, key), f"API Gateway does not know `{key}`", remedy)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return what to add to a remedy if a name is nearly one that is known; else nothing."""
    by_case = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(name.casefold(), by_case, n=1)
    return f", or write `{by_case[near[0]]}`" if near else ""


def integration(contract: Contract) -> Iterator[Problem]:
    """An integration calls an AWS service, with a role, a time limit and a content type."""
    for operation in contract.operations():
        node = operation.node[INTEGRATION]
        at = join(operation.pointer, INTEGRATION)
        if node["type"] == "aws":
            for key in ("credentials", "httpMethod", "uri", "requestTemplates"):
                if not node.get(key):
                    yield Problem(at, f"a call of an AWS service needs `{key}`", f"Add `{key}`")
        timeout = node.get("timeoutInMillis", 29_000)
        if not isinstance(timeout, int) or timeout not in _TIMEOUT_MILLISECONDS:
            message = f"timeoutInMillis {timeout} is not from 50 to 29000"
            yield Problem(join(at, "timeoutInMillis"), message, "Write one that is")
    yield from called_in_vain(contract)


def called_in_vain(contract: Contract) -> Iterator[Problem]:
    """A service is called by the method and with the content type by which it reads a request."""
    for operation in contract.operations():
        node = operation.node[INTEGRATION]
        at = join(operation.pointer, INTEGRATION)
        if node.get("httpMethod", "POST") != "POST" and _POSTED.search(node.get("uri", "")):
            message = f"the service is called by POST, and {node['httpMethod']} sends it no request"
            yield Problem(join(at, "httpMethod"), message, "Write `httpMethod: POST`")
        if ":sqs:path/" in node.get("uri", "") and not sends_form(node):
            message = "SQS reads the body as a form only if it is called one"
            remedy = f'Map integration.request.header.Content-Type: "{_FORM}"'
            yield Problem(join(at, "requestParameters"), message, remedy)


def sends_form(node: Mapping[str, Any]) -> bool:
    """Return whether the templates of an integration make a form rather than JSON."""
    parameters = node.get("requestParameters", {}).items()
    return any(
        target.casefold() == "integration.request.header.content-type" and source == _FORM
        for target, source in parameters
    )


def parameter_mapping(contract: Contract) -> Iterator[Problem]:
    """Mapped parameters have targets and sources that API Gateway knows."""
    for operation in contract.operations():
        at = join(operation.pointer, INTEGRATION)
        node = operation.node[INTEGRATION]
        given = node.get("requestParameters", {}).items()
        mappings = {target: source for target, source in given if isinstance(source, str)}
        pointer = join(at, "requestParameters")
        yield from _mapping(pointer, mappings, _REQUEST_TARGET, _REQUEST_SOURCE)
        for pattern, response in node.get("responses", {}).items():
            mappings = response.get("responseParameters", {})
            pointer = join(at, "responses", pattern, "responseParameters")
            yield from _mapping(pointer, mappings, _RESPONSE_TARGET, _RESPONSE_SOURCE)


def _mapping(
    pointer: str, mappings: Mapping[str, str], targets: re.Pattern[str], sources: re.Pattern[str]
) -> Iterator[Problem]:
    for target, source in mappings.items():
        at = join(pointer, target)
        if not targets.fullmatch(target):
            yield Problem(at, f"`{target}` is no target", f"Write one like {_readable(targets)}")
        if not sources.fullmatch(source):
            remedy = "Write a literal in single quotes, or a source from the Developer Guide"
            yield Problem(at, f"`{source}` is no source", remedy)


def _readable(pattern: re.Pattern[str]) -> str:
    return pattern.pattern.replace("\\", "").replace("[^.s]+", "NAME")
