"""A place in an OpenAPI document: its value, its JSON pointer, and how to go on from there."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

_Built = TypeVar("_Built")


class ImportProblem(NamedTuple):
    """
    One thing that API Gateway refuses.

    Args:
        pointer: JSON pointer into the document (RFC 6901).
        reason: What is wrong and how to mend it.
        text_line: For a place inside a text, its line there, from 1; else 0.
    """

    pointer: str
    reason: str
    text_line: int = 0

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.reason}"


class ApiImportError(ValueError):
    """
    The document cannot be imported.

    Args:
        problems: All that was found, in document order.
    """

    def __init__(self, *problems: ImportProblem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Refusals:
    """
    Collects what is refused, so that one import reports all of it.

    Attributes:
        problems: What has been collected so far.
    """

    def __init__(self) -> None:
        self.problems: list[ImportProblem] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Keep the refusal that ends the block."""
        try:
            yield
        except ApiImportError as error:
            self.problems.extend(error.problems)

    def each(
        self, members: Iterable[tuple[str, "Node"]], build: Callable[..., _Built]
    ) -> list[_Built]:
        """Return what `build` makes of every name and node that it does not refuse."""
        built = []
        for name, node in members:
            with self.collected():
                built.append(build(name, node))
        return built

    def raise_any(self) -> None:
        """Raise what was collected, each problem once; nothing if there is none."""
        if self.problems:
            raise ApiImportError(*dict.fromkeys(self.problems))


@dataclass(frozen=True, slots=True)
class Node:
    """
    A value in a document, with local references followed.

    Args:
        document: The whole document.
        pointer: JSON pointer of the value; of what a reference points to, after following it.
        value: The value.
    """

    document: Mapping[str, object]
    pointer: str
    value: object

    @classmethod
    def root(cls, document: Mapping[str, object]) -> "Node":
        """Return the node of the whole document."""
        return cls(document, "", document)

    def child(self, key: str) -> "Node":
        """Return a member, with value `None` where there is none."""
        return self._at(key, self.mapping().get(key))

    def items(self) -> Iterator[tuple[str, "Node"]]:
        """Yield the members of an object, in order."""
        for key, value in self.mapping().items():
            yield str(key), self._at(str(key), value)

    def elements(self) -> Iterator["Node"]:
        """Yield the elements of a list; of nothing, none."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self.refusal("must be a list")
        for index, value in enumerate(self.value):
            yield self._at(str(index), value)

    def mapping(self) -> Mapping[str, object]:
        """Return the value as an object; nothing counts as an empty one."""
        if self.value is None:
            return {}
        if not isinstance(self.value, Mapping):
            raise self.refusal("must be an object")
        return self.value

    def text(self) -> str:
        """Return the value as a string."""
        if not isinstance(self.value, str):
            raise self.refusal("must be a string")
        return self.value

    def refusal(self, reason: str, text_line: int = 0) -> ApiImportError:
        """Return the error that refuses the document because of this value."""
        return ApiImportError(ImportProblem(self.pointer, reason, text_line))

    def _at(self, key: str, value: object) -> "Node":
        escaped = key.replace("~", "~0").replace("/", "~1")
        return Node(self.document, f"{self.pointer}/{escaped}", value)._followed()

    def _followed(self) -> "Node":
        node, seen = self, {self.pointer}
        while isinstance(node.value, Mapping) and isinstance(node.value.get("$ref"), str):
            node = self._referenced(str(node.value["$ref"]))
            if node.pointer in seen:
                raise self.refusal("$ref leads back to itself")
            seen.add(node.pointer)
        return node

    def _referenced(self, reference: str) -> "Node":
        if not reference.startswith("#/"):
            raise self.refusal(
                f"$ref {reference!r}: only references into the same document are allowed"
            )
        value: object = self.document
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(value, Mapping) or key not in value:
                raise self.refusal(f"$ref {reference!r} points to nothing")
            value = value[key]
        return Node(self.document, reference[1:], value)
