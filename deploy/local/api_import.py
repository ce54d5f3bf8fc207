"""
Import of a REST API: from the OpenAPI document to what the stages work with.

All that depends on the document alone is done here, once: references are followed, templates
parsed, selection patterns and parameter mappings compiled. What API Gateway refuses is refused, all
of it at once, with JSON pointers.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from deploy.local.api import Api, Method, ParameterLocation, Resource
from deploy.local.content_handling import BinaryMediaTypes
from deploy.local.definition import Node, Refusals
from deploy.local.integration_import import import_integration
from deploy.local.models import Model, import_model

BasePath: TypeAlias = Literal["ignore", "prepend", "split"]
_Parameters: TypeAlias = dict[tuple[ParameterLocation, str], bool]

_HTTP_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_ANY = "x-amazon-apigateway-any-method"
_VALIDATOR = "x-amazon-apigateway-request-validator"
_SEGMENT = re.compile(r"[\w.,:-]+|\{[\w.:-]+\+?\}", re.ASCII)
_OPENAPI_LOCATIONS: Mapping[str, ParameterLocation] = {
    "path": "path",
    "query": "querystring",
    "header": "header",
}


def import_api(document: Mapping[str, object], *, base_path: BasePath = "ignore") -> Api:
    """
    Import an OpenAPI 3.0 document.

    Args:
        document: The deployable copy: placeholders filled.
        base_path: What to do with the path of the first server, as the import option `basepath`.

    Raises:
        ApiImportError: API Gateway would refuse the document; every problem is listed.
    """
    document_node = Node.root(document)
    refusals = Refusals()
    with refusals.collected():
        _check_version(document_node.child("openapi"))
    prefix = ""
    with refusals.collected():
        prefix = _path_prefix(document_node, base_path)
    root, methods = Resource("/"), []
    for path, item in document_node.child("paths").items():
        with refusals.collected():
            methods += _import_path(root, prefix + path, item, refusals)
    refusals.raise_any()
    title = str(document_node.child("info").child("title").value)
    return Api(_identifier(title, 10), root, tuple(methods))


def _check_version(node: Node) -> None:
    if not isinstance(node.value, str) or not node.value.startswith("3.0"):
        raise node.refusal("Only OpenAPI 3.0.x is supported: write openapi: 3.0.1")


def _import_path(root: Resource, path: str, item: Node, refusals: Refusals) -> list[Method]:
    """Add the methods of a path to the tree; without a resource they are only looked into."""
    resource, methods = Resource(path), []
    with refusals.collected():
        resource = _resource(root, path, item)
    for http_method, operation in _operations(item):
        with refusals.collected():
            method = _import_method(http_method, resource.path, operation, item)
            resource.methods[http_method] = method
            methods.append(method)
    return methods


def _operations(item: Node) -> Sequence[tuple[str, Node]]:
    operations = [(m.upper(), item.child(m)) for m in item.mapping() if m in _HTTP_METHODS]
    if _ANY in item.mapping():
        operations.append(("ANY", item.child(_ANY)))
    return operations


def _path_prefix(document: Node, base_path: BasePath) -> str:
    server = next(document.child("servers").elements(), None)
    if server is None or base_path == "ignore":
        return ""
    url = server.child("url").text()
    for name, variable in server.child("variables").items():
        url = url.replace(f"{{{name}}}", str(variable.child("default").value))
    parts = [part for part in urlsplit(url).path.split("/") if part]
    return "".join(f"/{part}" for part in (parts[1:] if base_path == "split" else parts))


def _identifier(text: str, length: int) -> str:
    digest = int.from_bytes(hashlib.sha256(text.encode()).digest())
    letters = []
    for _ in range(length):
        digest, index = divmod(digest, 36)
        letters.append("abcdefghijklmnopqrstuvwxyz0123456789"[index])
    return "".join(letters)


def _resource(root: Resource, path: str, node: Node) -> Resource:
    """Return the resource at a path, made with its parents where they are not there yet."""
    if not path.startswith("/"):
        raise node.refusal("a path starts with /")
    resource = root
    parts = [part for part in path.split("/") if part]
    for index, part in enumerate(parts):
        if not _SEGMENT.fullmatch(part):
            raise node.refusal(
                f"Resource's path part {part!r} only allows a-zA-Z0-9._-,: or one parameter in "
                "braces, which takes the whole part"
            )
        if part.endswith("+}") and index != len(parts) - 1:
            raise node.refusal(f"a greedy parameter such as {part} stands last")
        resource = _child(resource, part, node)
    return resource


def _child(parent: Resource, part: str, node: Node) -> Resource:
    path = f"{parent.path.rstrip('/')}/{part}"
    if not part.startswith("{"):
        return parent.literals.setdefault(part, Resource(path))
    greedy = part.endswith("+}")
    name = part[1:-2] if greedy else part[1:-1]
    existing = parent.greedy if greedy else parent.parameter
    if existing is None:
        existing = (name, Resource(path))
        if greedy:
            parent.greedy = existing
        else:
            parent.parameter = existing
    elif existing[0] != name:
        raise node.refusal(
            f"A sibling ({{{existing[0]}}}) of this resource already has a variable path part: "
            "give both the same name"
        )
    return existing[1]


def _import_method(http_method: str, path: str, operation: Node, item: Node) -> Method:
    refusals = Refusals()
    parameters: _Parameters = {}
    validates_body = validates_parameters = True
    with refusals.collected():
        validates_body, validates_parameters = _validator(operation)
    with refusals.collected():
        parameters = _parameters(operation, item)
    with refusals.collected():
        responses = operation.child("responses").mapping()
    with refusals.collected():
        iam, api_key_required = _authorization(operation)
    with refusals.collected():
        models = _models(operation, refusals) if validates_body else {}
    with refusals.collected():
        integration = import_integration(operation, frozenset(parameters))
    with refusals.collected():
        binary_media_types = _binary_media_types(Node.root(operation.document))
    refusals.raise_any()
    return Method(
        http_method=http_method,
        resource_id=_identifier(path, 6),
        resource_path=path,
        iam=iam,
        api_key_required=api_key_required,
        required_parameters=tuple(
            sorted(
                (location, name)
                for (location, name), required in parameters.items()
                if required and validates_parameters
            )
        ),
        models=models,
        statuses=frozenset(int(key) for key in responses if str(key).isdigit()),
        integration=integration,
        binary_media_types=binary_media_types,
    )


def _validator(operation: Node) -> tuple[bool, bool]:
    """Return whether bodies and whether parameters are validated."""
    root = Node.root(operation.document)
    chosen = operation.child(_VALIDATOR)
    if chosen.value is None:
        chosen = root.child(_VALIDATOR)
    if chosen.value is None:
        return False, False
    validators = root.child("x-amazon-apigateway-request-validators")
    if chosen.text() not in validators.mapping():
        raise chosen.refusal(
            f"Invalid Request Validator name {chosen.value!r}: "
            "define it in x-amazon-apigateway-request-validators"
        )
    validator = validators.child(chosen.text()).mapping()
    return bool(validator.get("validateRequestBody")), bool(
        validator.get("validateRequestParameters")
    )


def _parameters(operation: Node, item: Node) -> _Parameters:
    """Return what API Gateway keeps of parameters: location, name, and whether required."""
    parameters: _Parameters = {}
    for node in (*item.child("parameters").elements(), *operation.child("parameters").elements()):
        location = _OPENAPI_LOCATIONS.get(str(node.child("in").value))
        if location is not None:
            key = (location, node.child("name").text())
            parameters[key] = node.child("required").value is True
    return parameters


def _models(operation: Node, refusals: Refusals) -> dict[str, Model]:
    content = operation.child("requestBody").child("content")
    schemas = [(name.lower(), media.child("schema")) for name, media in content.items()]
    defined = [(name, schema) for name, schema in schemas if schema.value is not None]
    return dict(refusals.each(defined, lambda name, schema: (name, import_model(schema))))


def _binary_media_types(root: Node) -> BinaryMediaTypes:
    declared = root.child("x-amazon-apigateway-binary-media-types").elements()
    return BinaryMediaTypes(frozenset(node.text().lower() for node in declared))


def _authorization(operation: Node) -> tuple[bool, bool]:
    """Return whether IAM authorizes, and whether an API key is required."""
    auth = operation.child("x-amazon-apigateway-auth")
    iam = str(auth.child("type").value).upper() == "AWS_IAM"
    api_key = False
    schemes = Node.root(operation.document).child("components").child("securitySchemes")
    own = "security" in operation.mapping()
    # That the root's applies is recorded, though AWS's "important notes" say that it is ignored.
    security = (operation if own else Node.root(operation.document)).child("security")
    for requirement in security.elements():
        for name in requirement.mapping():
            scheme = schemes.child(name)
            if scheme.value is None:
                raise requirement.refusal(
                    f"no security scheme {name!r} in components.securitySchemes"
                )
            authorizer = scheme.child("x-amazon-apigateway-authorizer").value is not None
            if scheme.child("x-amazon-apigateway-authtype").value == "awsSigv4":
                iam = True
            elif not authorizer and str(scheme.child("name").value).lower() == "x-api-key":
                api_key = True
            else:
                raise requirement.refusal(
                    f"security scheme {name!r}: of authorizers, the local gateway has IAM "
                    "(x-amazon-apigateway-authtype: awsSigv4) and API keys (name: x-api-key) only"
                )
    return iam, api_key
