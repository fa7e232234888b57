"""Jsonnet's formatter, with the style of `tk fmt` and `jsonnetfmt`: the defaults of go-jsonnet."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_void_p

from mop.engines import jsonnet_capi
from mop.errors import EvaluationError


def formatted(name: str, text: str) -> str:
    """`text` as the formatter writes it; `name` stands in errors. Raises EvaluationError if it does not parse."""
    if "\0" in text:
        raise EvaluationError(f"{name}: a NUL character; is it a text file?")
    library = jsonnet_capi.library()
    function = library.jsonnet_fmt_snippet
    function.restype, function.argtypes = c_void_p, [c_void_p, c_char_p, c_char_p, POINTER(c_int)]
    failed = c_int(0)
    machine = library.jsonnet_make()
    try:
        address = function(
            machine, name.encode(errors="surrogateescape"), text.encode(), ctypes.byref(failed)
        )
        try:
            result = ctypes.string_at(address).decode()
        finally:
            library.jsonnet_realloc(machine, address, 0)
    finally:
        library.jsonnet_destroy(machine)
    if failed.value:
        raise EvaluationError(result.strip())
    return result
