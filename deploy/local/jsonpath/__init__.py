"""
JSONPath as Jayway's JsonPath evaluates it with its default provider, and JSON as it prints.

A path without wildcard, slice, union, filter or deep scan is *definite*: it finds one value or
nothing. Any other path is *indefinite*: it finds a list, perhaps an empty one.

    $  .name  ['name']  ['a','b']  .*  [*]  [0]  [-1]  [0,2]  [1:3]  ..name  [?(@.a == 1)]  .size()

Source: the README of Jayway JsonPath (operators, functions, filters, what is returned when) and
what json-path 2.10.0 with json-smart answers, observed on 2026-11-23.
"""

from __future__ import annotations

from ._document import MISSING, JsonArray, dump
from ._evaluation import find
from ._reading import BrokenJsonError, parse
from ._syntax import JsonPathError

__all__ = [
    "MISSING",
    "BrokenJsonError",
    "JsonArray",
    "JsonPathError",
    "dump",
    "find",
    "parse",
]
