"""The models' code: shapes in, Python out, by datamodel-code-generator with our templates."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from codegen._directions import Directed
from codegen._document import Json, Node
from codegen._schemas import (
    COMPONENTS,
    EXTRAS,
    LIMITS,
    TAGS,
    Shape,
    field_names,
    is_object,
    references,
)

_TEMPLATES: Final = Path(__file__).parent / "templates" / "models"
# `email` would need a dependency, and `uri` would change what was received ("http://a" ->
# "http://a/").
_TYPE_MAPPINGS: Final = (
    "string+email=string",
    "string+hostname=string",
    "string+ipv4=string",
    "string+ipv6=string",
    "string+password=string",
    "string+uri=string",
)
_BYTES: Final = {"byte": "Base64", "binary": "Binary"}
_MARK: Final = "shape: "
# A member that makes the model generator put the lenient form first. The template leaves it out.
_FIRST: Final = "x-lenient-form-first"


class ModelError(Exception):
    """The model generator did not make the classes that it was asked for: a defect of this tool."""


def render_models(directed: Directed, package: str) -> str:
    """
    Render the models' classes, without a header.

    Args:
        directed: What to render.
        package: The package that the code goes to.

    Raises:
        ModelError: A class is missing.
    """
    if not directed.shapes:
        return ""  # which the model generator would refuse
    from datamodel_code_generator import generate
    from datamodel_code_generator.enums import DataModelType, InputFileType
    from datamodel_code_generator.format import Formatter

    code = generate(
        json.dumps(_openapi(directed, package)),
        input_file_type=InputFileType.OpenAPI,
        output_model_type=DataModelType.PydanticV2BaseModel,
        preset="practical-py311-20261027",
        formatters=[Formatter.BUILTIN],
        base_class=f"{package}._models.Model",
        custom_template_dir=_TEMPLATES,
        additional_imports=[
            f"{package}._models.OpenEnum",
            f"{package}._models.Tagged",
            "typing.TYPE_CHECKING",
            "typing.Annotated",
            "typing.ClassVar",
            "typing.Union",
            *([f"{package}._generated.received.Received"] if directed.lenient else []),
        ],
        aliases=field_names(directed.shapes),
        extra_template_data=_template_data(directed),
        allow_population_by_field_name=False,
        collapse_root_models=False,
        use_type_alias=True,
        type_mappings=list(_TYPE_MAPPINGS),
        use_object_type=True,
        use_frozen_field=False,
        enum_field_as_literal=None,
        use_single_value_enum_as_const=False,  # which would close it
        capitalise_enum_members=True,
        disable_timestamp=True,
        custom_class_name_generator=str,
    )
    if not isinstance(code, str):
        raise ModelError("the models did not come as one module")
    code = _settled(code, directed, package)
    _check(code, directed)
    return code


def _openapi(directed: Directed, package: str) -> Node:
    schemas: Node = {
        name: _with_bytes(shape.schema, package) for name, shape in directed.shapes.items()
    }
    for name, lenient in directed.lenient.items():
        if is_object(schemas[name]):
            first = {_FIRST: {"$ref": f"{COMPONENTS}/{lenient}"}}
            schemas[name]["properties"] = schemas[name].get("properties", {}) | first
    info = {"title": "", "version": ""}
    return {"openapi": "3.0.3", "info": info, "paths": {}, "components": {"schemas": schemas}}


def _with_bytes(schema: Json, package: str) -> Any:
    """The schema with our types of bytes: the model generator's refuse what is no UTF-8."""
    if isinstance(schema, list):
        return [_with_bytes(item, package) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kind = _BYTES.get(str(schema.get("format"))) if schema.get("type") == "string" else None
    if kind is not None:
        # Limits count the characters of the text on the wire.
        rest = {key: value for key, value in schema.items() if key not in LIMITS}
        return {**rest, "customTypePath": f"{package}._models.{kind}"}
    return {key: _with_bytes(value, package) for key, value in schema.items()}


def _template_data(directed: Directed) -> defaultdict[str, dict[str, object]]:
    """What the class template is told: which class is lenient, and of which."""
    data: defaultdict[str, dict[str, object]] = defaultdict(dict)
    for name, shape in directed.shapes.items():
        # Makes shapes differ that hold the same, which the model generator would merge into one.
        data[name] = {"comment": f"{_MARK}{name}"}
        if name in directed.sent and (never := _never_null(shape.schema, directed.shapes)):
            data[name] |= {"never_null": never}
        if EXTRAS in shape.schema:
            data[name] |= {"extras": next(references(shape.schema[EXTRAS]))}
    for name, lenient in directed.lenient.items():
        if is_object(directed.shapes[name].schema):
            data[name] |= {"lenient_form": lenient, "first": _FIRST}
            data[lenient] |= {"is_lenient": True}
    return data


def _never_null(schema: Node, shapes: Mapping[str, Shape]) -> frozenset[str]:
    """Names of the object's members that may be left out and may not be `null`."""
    parts = [schema, *(part for part in schema.get("allOf", ()) if "$ref" not in part)]
    required = {name for part in parts for name in part.get("required", ())}
    return frozenset(
        name
        for part in parts
        for name, member in part.get("properties", {}).items()
        if name not in required and not _may_be_null(member, shapes)
    )


def _may_be_null(schema: Node, shapes: Mapping[str, Shape]) -> bool:
    """Whether a schema takes `null`, as one does that names no type (OpenAPI 3.0.3, 4.7.24.1)."""
    if "$ref" in schema:
        return _may_be_null(shapes[schema["$ref"].rpartition("/")[2]].schema, shapes)
    return bool(schema.get("nullable")) or not isinstance(schema.get("type"), str)


def _settled(code: str, directed: Directed, package: str) -> str:
    """The code without the model generator's own header, and with relative imports."""
    code = code[code.index("from __future__") :]
    code = _tagged(code, directed.shapes)
    code = re.sub(rf"  # {_MARK}\w+$", "", code, flags=re.M)
    code = code.replace(f"from {package}._generated.", "from .")
    code = code.replace(f"from {package}.", "from ..")
    for name, lenient in directed.lenient.items():
        if is_object(directed.shapes[name].schema):
            # A lenient form's class is private; its name alone stands for the public class.
            code = re.sub(rf"^{lenient}(?=\.model_rebuild\(\))", f"_{lenient}", code, flags=re.M)
            code = re.sub(rf"^(class \w+\(){lenient}(?=\):)", rf"\g<1>_{lenient}", code, flags=re.M)
    return code


def _tagged(code: str, shapes: Mapping[str, Shape]) -> str:
    """The code with unions that are told apart by a member, and open to what is newer."""
    for node in ast.parse(code).body:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
            continue
        name = ast.unparse(node.targets[0])
        tags = shapes[name].schema.get(TAGS)
        before = ast.get_source_segment(code, node)
        if tags and before:
            union = ast.unparse(node.value.args[1])
            tagged = f"Tagged({tags['property']!r}, {tags['tags']!r})"
            members = union if "closed" in tags else f"{union}, Model"
            after = f"{name} = TypeAliasType({name!r}, Annotated[Union[{members}], {tagged}])"
            code = code.replace(before, after)
    return code


def _check(code: str, directed: Directed) -> None:
    names: set[str] = set()
    for node in ast.parse(code).body:
        if isinstance(node, ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(target.id for target in targets if isinstance(target, ast.Name))
    missing = sorted(directed.shapes.keys() - names)
    if missing:
        raise ModelError(f"the model generator left out {', '.join(missing)}")
