"""What a user of the SDK would notice of a change of the document, and which release that makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from codegen import _names
from codegen._directions import Directed, flattened
from codegen._document import Node
from codegen._ir import Api, Chain, Operation, Parameter, States
from codegen._schemas import annotation, limits_of


class Release(IntEnum):
    """The release that a change asks for (Semantic Versioning 2.0.0)."""

    PATCH = 1
    MINOR = 2
    MAJOR = 3


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One thing that a user would notice."""

    release: Release
    what: str

    def __str__(self) -> str:
        return f"{self.release.name.lower()}: {self.what}"


def compare(before: tuple[Api, Directed], after: tuple[Api, Directed]) -> list[Change]:
    """
    Compare two readings of a document.

    Returns:
        The changes, the gravest first; texts that only docstrings hold are not compared.
    """
    changes = [*_clients(before[0], after[0]), *_shapes(before[1], after[1])]
    return sorted(changes, key=lambda change: (-change.release, change.what))


def _clients(old: Api, new: Api) -> Iterator[Change]:
    if old.client != new.client:
        yield Change(Release.MAJOR, f"client `{old.client}` is called `{new.client}`")
    before = {operation.name: operation for operation in old.operations}
    after = {operation.name: operation for operation in new.operations}
    renamed = _renamed(before, after)
    for was, now in renamed.items():
        yield Change(Release.MAJOR, f"method `{was}` is called `{now}`")
    same = {name: name for name in before if name in after} | renamed
    gone = {name: None for name in before if name not in same}
    yield from _presence("method", gone, dict.fromkeys(after.keys() - same.values()))
    for was, now in same.items():
        results = _result(old, was), _result(new, now)
        if results[0] != results[1]:
            what = f"method `{now}` returns `{results[1]}`, not `{results[0]}`"
            yield Change(Release.MAJOR, what)
        yield from _operation(before[was], after[now])
        chains = _chain_of(old, was), _chain_of(new, now)
        if chains[0] is not None and chains[1] is not None:
            yield from _chain(chains[0], chains[1])


def _renamed(before: Mapping[str, Operation], after: Mapping[str, Operation]) -> dict[str, str]:
    """The methods that have another name for the same request: method and path."""
    requests = {(it.method, it.path): name for name, it in after.items() if name not in before}
    return {
        name: requests[it.method, it.path]
        for name, it in before.items()
        if name not in after and (it.method, it.path) in requests
    }


def _chain(old: Chain, new: Chain) -> Iterator[Change]:
    """What changes for handles: what states mean, and whether older tokens can be resumed."""
    name = new.start.name
    kinds = [_kinds(chain.states) for chain in (old, new)]
    for state in kinds[0].keys() & kinds[1].keys():
        was, now = kinds[0][state], kinds[1][state]
        if was != now:
            what = f"state `{state}` of method `{name}` means {now}, not {was}"
            yield Change(Release.MAJOR, what)
    needed = [
        (chain.start.operation_id, {it.parameter for it in chain.status_arguments})
        for chain in (old, new)
    ]
    if needed[0] != needed[1]:
        what = f"tokens of `{name}` that an older release gave cannot be resumed"
        yield Change(Release.MAJOR, what)


def _kinds(states: States) -> dict[str, str]:
    return {
        **dict.fromkeys(states.pending, "pending"),
        **dict.fromkeys(states.succeeded, "succeeded"),
        **dict.fromkeys(states.failed, "failed"),
    }


def _presence(
    kind: str, before: Mapping[str, object], after: Mapping[str, object]
) -> Iterator[Change]:
    for name in before.keys() - after.keys():
        yield Change(Release.MAJOR, f"{kind} `{name}` is removed")
    for name in after.keys() - before.keys():
        yield Change(Release.MINOR, f"{kind} `{name}` is new")


def _chain_of(api: Api, name: str) -> Chain | None:
    return next((chain for chain in api.chains if chain.start.name == name), None)


def _result(api: Api, name: str) -> str:
    """What a method returns: the handle's result, if it gives one."""
    chain = _chain_of(api, name)
    if chain is not None:
        return f"Handle[{chain.result.type}]"
    return next(operation.returns for operation in api.operations if operation.name == name)


def _operation(old: Operation, new: Operation) -> Iterator[Change]:
    if new.deprecated and not old.deprecated:
        yield Change(Release.MINOR, f"method `{new.name}` is deprecated")
    if new.authenticated != old.authenticated:
        signed = "is signed" if new.authenticated else "is not signed any more"
        yield Change(Release.MAJOR, f"the request of method `{new.name}` {signed}")
    bodies = [None if it.body is None else (it.body.type, it.body.required) for it in (old, new)]
    if bodies[0] != bodies[1]:
        loosened = bodies[0] is not None and bodies[1] == (bodies[0][0], False)
        release = Release.MINOR if loosened or bodies[0] is None else Release.MAJOR
        if bodies[0] is None and bodies[1] is not None and bodies[1][1]:
            release = Release.MAJOR
        yield Change(release, f"method `{new.name}` takes {_body(new)}, not {_body(old)}")
    before = {parameter.name: parameter for parameter in old.parameters}
    after = {parameter.name: parameter for parameter in new.parameters}
    for name in before.keys() | after.keys():
        said = _parameter(before.get(name), after.get(name))
        if said is not None:
            yield Change(said[0], f"argument `{name}` of method `{new.name}` {said[1]}")
    yield from _errors(old, new)


def _errors(old: Operation, new: Operation) -> Iterator[Change]:
    """What `ApiError.problem` holds; a status that is no longer described may come all the same."""
    for status in {answer.status for it in (old, new) for answer in it.errors}:
        was, now = _problem(old, status), _problem(new, status)
        if was != now:
            what = f"the error {status} of method `{new.name}` holds `{now}`, not `{was}`"
            yield Change(Release.MINOR if was is None else Release.MAJOR, what)


def _problem(operation: Operation, status: str) -> str | None:
    """How an error of a status is read: as itself, as one of its class, or by default."""
    types = {answer.status: answer.type for answer in operation.errors}
    names = (status, f"{status[0]}XX", "default")
    return next((types[name] for name in names if name in types), None)


def _body(operation: Operation) -> str:
    if operation.body is None:
        return "no body"
    need = "required" if operation.body.required else "optional"
    return f"the {need} body `{operation.body.type}`"


def _parameter(old: Parameter | None, new: Parameter | None) -> tuple[Release, str] | None:
    if new is None:
        return Release.MAJOR, "is removed"
    if old is None:
        return (Release.MAJOR if new.required else Release.MINOR), (
            "is new and required" if new.required else "is new"
        )
    if old.type != new.type:
        return Release.MAJOR, f"is `{new.type}`, not `{old.type}`"
    if old.required != new.required:
        return (Release.MAJOR if new.required else Release.MINOR), (
            "is required" if new.required else "is no longer required"
        )
    release = _limits(old.limits, new.limits)
    return (release, "has other limits") if release else None


def _shapes(old: Directed, new: Directed) -> Iterator[Change]:
    before = {name: it for name, it in old.shapes.items() if name not in old.lenient.values()}
    after = {name: it for name, it in new.shapes.items() if name not in new.lenient.values()}
    yield from _presence("model", before, after)
    for name in before.keys() & after.keys():
        was = flattened(before[name].schema, old.shapes)
        now = flattened(after[name].schema, new.shapes)
        if annotation(was) != annotation(now) or ("properties" in was) != ("properties" in now):
            yield Change(Release.MAJOR, f"model `{name}` is of another type")
        values = [dict.fromkeys(it.get("enum", ())) for it in (was, now)]
        for change in _presence("value", values[0], values[1]):
            yield Change(change.release, f"{change.what} in `{name}`")
        sent, received = name in old.sent & new.sent, name in old.received & new.received
        yield from _fields(name, was, now, sent=sent, received=received)


def _fields(name: str, old: Node, new: Node, *, sent: bool, received: bool) -> Iterator[Change]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for member in before.keys() | after.keys():
        field = f"field `{_names.field_name(member)}` of `{name}`"
        required = [member in schema.get("required", ()) for schema in (old, new)]
        if member not in after:
            yield Change(Release.MAJOR, f"{field} is removed")
        elif member not in before:
            demanded = sent and required[1]
            said = "is new and required" if demanded else "is new"
            yield Change(Release.MAJOR if demanded else Release.MINOR, f"{field} {said}")
        elif annotation(before[member]) != annotation(after[member]):
            kinds = f"`{annotation(after[member])}`, not `{annotation(before[member])}`"
            yield Change(Release.MAJOR, f"{field} is {kinds}")
        elif required[0] != required[1]:
            grave = sent if required[1] else received
            said = "is required" if required[1] else "may be absent"
            yield Change(Release.MAJOR if grave else Release.MINOR, f"{field} {said}")
        elif sent and (release := _limits(limits_of(before[member]), limits_of(after[member]))):
            yield Change(release, f"{field} has other limits")


def _limits(old: Mapping[str, Any], new: Mapping[str, Any]) -> Release | None:
    """The release that other limits of what is sent ask for."""
    if old == new:
        return None
    strict = any(key not in old or _is_stricter(key, old[key], new[key]) for key in new)
    return Release.MAJOR if strict else Release.MINOR


def _is_stricter(keyword: str, old: Any, new: Any) -> bool:
    """Whether a limit lets less pass; of what is neither a least nor a most, any other one does."""
    if keyword.startswith("min"):
        return bool(new > old)
    return bool(new < old) if keyword.startswith("max") else bool(new != old)
