"""
The methods of java.lang.Object and java.lang.Class.

Of a class nothing is offered but its names: what else reflection gives, API Gateway does not.

Source: the API documentation of the classes, Java 17.
"""

from __future__ import annotations

from ._equality import equals, hash_code
from ._java import text_of
from ._signatures import Table
from ._values import ABSENT, VtlObject, class_name
from .errors import VtlRenderError

__all__ = ["OBJECT_METHODS", "JavaClass"]

_ELEMENTS = {"B": "byte", "C": "char", "I": "int", "J": "long", "D": "double"}


class JavaClass(VtlObject):
    """
    What `getClass()` gives.

    Args:
        name: The full name, `[Ljava.lang.String;` for an array.
    """

    vtl_class = "java.lang.Class"

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def element(self) -> str:
        """The name of an array's element class; empty for any other class."""
        inner = self.name.removeprefix("[")
        if inner == self.name:
            return ""
        return _ELEMENTS.get(inner) or inner[1:-1]

    @property
    def simple_name(self) -> str:
        """The name without package and outer class."""
        if self.element:
            return f"{self.element.rpartition('.')[2]}[]"
        return self.name.rpartition(".")[2].rpartition("$")[2].lstrip("0123456789")

    @property
    def canonical_name(self) -> str | None:
        """The name as one writes it in a program; None for an anonymous class."""
        if self.element:
            return f"{self.element}[]"
        return self.name.replace("$", ".") if self.simple_name else None

    @property
    def package(self) -> str:
        """The name of the package."""
        return "java.lang" if self.element else self.name.rpartition(".")[0]

    def vtl_get(self, name: str) -> object:
        """
        Offer the names.

        Args:
            name: The property.

        Returns:
            Its value.
        """
        for getter in (f"get{name}", f"get{name[0].upper()}{name[1:]}", f"is{name.capitalize()}"):
            if getter in self.vtl_methods:
                return self.vtl_methods[getter][0][1](self)
        return ABSENT

    def vtl_string(self) -> str:
        """Print as Java does."""
        return f"class {self.name}"

    def vtl_equals(self, other: object) -> bool:
        """Compare the names."""
        return isinstance(other, JavaClass) and self.name == other.name

    def vtl_hash(self) -> int:
        """Return the same for the same class."""
        return hash_code(self.name)


JavaClass.vtl_methods = {
    "getName": (("", lambda kind: kind.name),),
    "getTypeName": (("", lambda kind: f"{kind.element}[]" if kind.element else kind.name),),
    "getSimpleName": (("", lambda kind: kind.simple_name),),
    "getCanonicalName": (("", lambda kind: kind.canonical_name),),
    "getPackageName": (("", lambda kind: kind.package),),
    "isArray": (("", lambda kind: bool(kind.element)),),
    "isInterface": (("", lambda kind: False),),
    "isPrimitive": (("", lambda kind: False),),
    "isEnum": (("", lambda kind: False),),
}


def _not_owner(*_: object) -> object:
    raise VtlRenderError("IllegalMonitorStateException: current thread is not owner")


OBJECT_METHODS: Table = {
    "getClass": (("", lambda value: JavaClass(class_name(value))),),
    "equals": (("O", equals),),
    "hashCode": (("", hash_code),),
    "toString": (("", text_of),),
    "notify": (("", _not_owner),),
    "notifyAll": (("", _not_owner),),
    "wait": (("", _not_owner), ("l", _not_owner), ("li", _not_owner)),
}
