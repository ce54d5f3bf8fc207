"""Import of a document."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.api_import import import_api
from deploy.local.definition import ApiImportError

Document = dict[str, Any]

DOCUMENT: Document = {
    "openapi": "3.0.1",
    "info": {"title": "Things API"},
    "paths": {
        "/things/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "get": {
                "responses": {"200": {"$ref": "#/components/responses/Ok"}},
                "x-amazon-apigateway-integration": {
                    "type": "http",
                    "httpMethod": "GET",
                    "uri": "http://127.0.0.1:9/{id}",
                    "requestParameters": {"integration.request.path.id": "method.request.path.id"},
                    "responses": {
                        "default": {
                            "statusCode": "200",
                            "responseParameters": {"method.response.header.X-A": "'1'"},
                            "responseTemplates": {"application/json": "{}"},
                        }
                    },
                },
            },
        }
    },
    "components": {
        "parameters": {"Id": {"name": "id", "in": "path", "required": True}},
        "responses": {"Ok": {"headers": {"X-A": {"$ref": "#/components/headers/A"}}}},
        "headers": {"A": {"schema": {"type": "string"}}},
    },
}
GET = "/paths/~1things~1{id}/get"
INTEGRATION = f"{GET}/x-amazon-apigateway-integration"


def operation(document: Document) -> Document:
    """Return the operation of the document."""
    get: Document = document["paths"]["/things/{id}"]["get"]
    return get


def integration(document: Document) -> Document:
    """Return the integration of the operation."""
    found: Document = operation(document)["x-amazon-apigateway-integration"]
    return found


def test_references_are_followed() -> None:
    """Parameters, responses and headers may be references into the document."""
    [method] = import_api(DOCUMENT).methods
    assert method.statuses == {200}
    assert method.resource_path == "/things/{id}"
    assert method.integration.timeout == 29.0


def test_ids_are_the_same_over_restarts() -> None:
    """API and resource IDs depend on the document alone."""
    first, second = import_api(DOCUMENT), import_api(copy.deepcopy(DOCUMENT))
    assert first.id == second.id
    assert len(first.id) == 10
    assert first.methods[0].resource_id == second.methods[0].resource_id


@pytest.mark.parametrize(
    ("change", "pointer", "reason"),
    [
        (lambda d: d.update(openapi="3.1.0"), "/openapi", "3.0"),
        (
            lambda d: d["paths"].update({"/a{b}": d["paths"]["/things/{id}"]}),
            "/paths/~1a{b}",
            "whole part",
        ),
        (
            lambda d: d["paths"].update({"/{a+}/b": d["paths"]["/things/{id}"]}),
            "/paths/~1{a+}~1b",
            "stands last",
        ),
        (
            lambda d: d["paths"].update({"/things/{other}": d["paths"]["/things/{id}"]}),
            "/paths/~1things~1{other}",
            "variable path part",
        ),
        (lambda d: operation(d).pop("x-amazon-apigateway-integration"), GET, "No integration"),
        (
            lambda d: operation(d).update({"x-amazon-apigateway-request-validator": "none"}),
            f"{GET}/x-amazon-apigateway-request-validator",
            "Invalid Request Validator",
        ),
        (
            lambda d: operation(d).update(security=[{"nobody": []}]),
            f"{GET}/security/0",
            "no security scheme 'nobody'",
        ),
        (
            lambda d: integration(d).update(httpMethod="FETCH"),
            f"{INTEGRATION}/httpMethod",
            "Invalid HTTP method 'FETCH'",
        ),
        (lambda d: integration(d).update(type="carrier"), f"{INTEGRATION}/type", "Invalid integr"),
        (
            lambda d: integration(d).update(passthroughBehavior="maybe"),
            f"{INTEGRATION}/passthroughBehavior",
            "never, when_no_match",
        ),
        (
            lambda d: integration(d).update(contentHandling="FOLD"),
            f"{INTEGRATION}/contentHandling",
            "CONVERT_TO_BINARY, CONVERT_TO_TEXT",
        ),
        (
            lambda d: integration(d).update(timeoutInMillis=49),
            f"{INTEGRATION}/timeoutInMillis",
            "between 50 ms and 29000 ms",
        ),
        (
            lambda d: integration(d).update(requestTemplates={"application/json": "#if(\n"}),
            f"{INTEGRATION}/requestTemplates/application~1json",
            "line",
        ),
        (
            lambda d: integration(d)["responses"].update({"4(": {"statusCode": "200"}}),
            f"{INTEGRATION}/responses/4(",
            "Invalid selection pattern",
        ),
        (
            lambda d: integration(d)["responses"]["default"].update(statusCode="OK"),
            f"{INTEGRATION}/responses/default/statusCode",
            "Invalid status code",
        ),
        (
            lambda d: integration(d).update(
                requestParameters={"integration.request.path.id": "method.request.path.no"}
            ),
            f"{INTEGRATION}/requestParameters/integration.request.path.id",
            "Declare the parameter",
        ),
        (
            lambda d: integration(d).update(requestParameters={"header.X": "'1'"}),
            f"{INTEGRATION}/requestParameters/header.X",
            "Invalid mapping expression",
        ),
        (
            lambda d: integration(d).update(
                requestParameters={"integration.request.header.X": "unquoted"}
            ),
            f"{INTEGRATION}/requestParameters/integration.request.header.X",
            "single quotes",
        ),
        (
            lambda d: integration(d)["responses"]["default"].update(
                responseParameters={"method.response.header.X-B": "'1'"}
            ),
            f"{INTEGRATION}/responses/default/responseParameters/method.response.header.X-B",
            "Declare the header",
        ),
        (
            lambda d: operation(d)["responses"].update({"200": {"$ref": "#/nowhere"}}),
            f"{GET}/responses/200",
            "points to nothing",
        ),
    ],
)
def test_what_aws_refuses_is_refused(
    change: Callable[[Document], Any], pointer: str, reason: str
) -> None:
    """A document that AWS refuses is refused with the place and the reason."""
    document = copy.deepcopy(DOCUMENT)
    change(document)
    with pytest.raises(ApiImportError) as raised:
        import_api(document)
    found = next(p for p in raised.value.problems if p.pointer == pointer)
    assert reason in found.reason


def test_all_problems_are_listed() -> None:
    """Operations are imported one by one, so that one error does not hide another."""
    document = copy.deepcopy(DOCUMENT)
    document["paths"]["/a"] = {"get": {}, "post": {}}
    with pytest.raises(ApiImportError) as raised:
        import_api(document)
    assert [p.pointer for p in raised.value.problems] == ["/paths/~1a/get", "/paths/~1a/post"]


def test_bad_model_is_refused() -> None:
    """A model that is no JSON Schema stops the import."""
    document = copy.deepcopy(DOCUMENT)
    document["x-amazon-apigateway-request-validators"] = {"b": {"validateRequestBody": True}}
    operation(document)["x-amazon-apigateway-request-validator"] = "b"
    schema = {"type": "object", "properties": {"a": {"pattern": "("}}}
    operation(document)["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    with pytest.raises(ApiImportError, match="Invalid model specified"):
        import_api(document)


def test_statuses_may_be_numbers() -> None:
    """YAML's `200:` and `statusCode: 200` are as good as texts."""
    document = copy.deepcopy(DOCUMENT)
    operation(document)["responses"] = {200: DOCUMENT["components"]["responses"]["Ok"]}
    integration(document)["responses"]["default"]["statusCode"] = 200
    [method] = import_api(document).methods
    assert method.statuses == {200}
    assert method.integration.default is not None
    assert [header.name for header in method.integration.default.headers] == ["X-A"]


def test_mappings_that_are_no_texts_are_left_out() -> None:
    """AWS warns of them and imports the rest."""
    document = copy.deepcopy(DOCUMENT)
    integration(document)["requestParameters"]["integration.request.header.X"] = True
    [method] = import_api(document).methods
    assert [mapping.name for mapping in method.integration.parameters] == ["id"]


def test_authorizer_named_as_an_api_key_is_no_api_key() -> None:
    """A scheme with an authorizer is refused, whatever header it names."""
    document = copy.deepcopy(DOCUMENT)
    scheme = {"type": "apiKey", "in": "header", "name": "x-api-key"}
    authorizer = {"x-amazon-apigateway-authorizer": {"type": "request"}}
    document["components"]["securitySchemes"] = {"lambda": {**scheme, **authorizer}}
    document["security"] = [{"lambda": []}]
    with pytest.raises(ApiImportError, match="security scheme 'lambda'"):
        import_api(document)
