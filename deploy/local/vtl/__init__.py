"""
Velocity 1.7, the language of API Gateway's mapping templates, in pure Python.

    >>> render("Hello $name#if($loud)!#end", {"name": "Ada", "loud": True})
    'Hello Ada!'

Two modes: `velocity` is the stock language; `apigateway` is Velocity as API Gateway sets it up: an
invalid reference is the empty string, and there are neither inline macros nor `#evaluate`.

`parse` gives the syntax tree of a template to those who check templates; its nodes are in `tree`.
"""

from __future__ import annotations

from ._java import double_string, text_of
from ._keys import HashMap, PrintedMap
from ._parser import parse
from ._regex import compile_regex
from ._template import Template, render
from ._values import ABSENT, BigInteger, Character, Float, JavaArray, Long, PrintedList, VtlObject
from .errors import VtlError, VtlParseError, VtlRenderError

__all__ = [
    "ABSENT",
    "BigInteger",
    "Character",
    "Float",
    "HashMap",
    "JavaArray",
    "Long",
    "PrintedList",
    "PrintedMap",
    "Template",
    "VtlError",
    "VtlObject",
    "VtlParseError",
    "VtlRenderError",
    "compile_regex",
    "double_string",
    "parse",
    "render",
    "text_of",
]
