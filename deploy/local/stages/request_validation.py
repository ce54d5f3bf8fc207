"""Request validation: required parameters, then the body against its model."""

from deploy.local.api import ParameterLocation
from deploy.local.exchange import GatewayError, Parameters, RoutedRequest

JSON = "application/json"


def validate(routed: RoutedRequest) -> None:
    """
    Check what the method's validator asks for; a method without one asks for nothing.

    Parameters are checked for presence only, headers by their very names ("Amazon API Gateway
    important notes": in a case-sensitive way), and before the body. A body whose media type has no
    model is not checked.

    Raises:
        GatewayError: A parameter is missing or blank, or the body does not fit its model.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
    """
    missing = [
        name
        for location, name in routed.method.required_parameters
        if not _value(routed.parameters, location, name).strip()
    ]
    if missing:
        raise GatewayError(
            "BAD_REQUEST_PARAMETERS",
            f"Missing required request parameters: [{', '.join(missing)}]",
            "BadRequestException",
        )
    model = routed.method.models.get(content_type(routed))
    problems = model.problems(routed.text) if model else None
    if problems:
        raise GatewayError(
            "BAD_REQUEST_BODY",
            "Invalid request body",
            "BadRequestException",
            validation_error=problems,
        )


def content_type(routed: RoutedRequest) -> str:
    """Return the media type of the request, lower case; JSON where it says nothing."""
    value = routed.parameters.header_value("Content-Type")
    return media_type(value) if value else JSON


def media_type(value: str) -> str:
    """Return the first media type of a header value, lower case, without parameters."""
    return value.partition(",")[0].partition(";")[0].strip().lower()


def _value(parameters: Parameters, location: ParameterLocation, name: str) -> str:
    values = {
        "path": parameters.path,
        "querystring": parameters.querystring,
        "header": parameters.header,
    }
    return values[location].get(name, "")
