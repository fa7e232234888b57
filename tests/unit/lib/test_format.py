"""Jsonnet is formatted as `tk fmt` does, with the formatter that the engine's wheel carries."""

from __future__ import annotations

import ctypes

import _gojsonnet
import pytest

from tests.unit.lib.rendering import ROOT

FILES = sorted([*(ROOT / "lib").rglob("*.libsonnet"), *(ROOT / "environments").rglob("*.jsonnet")])


def formatted(name: str, text: bytes) -> bytes:
    library = ctypes.CDLL(_gojsonnet.__file__)
    library.jsonnet_make.restype = ctypes.c_void_p
    library.jsonnet_destroy.argtypes = [ctypes.c_void_p]
    library.jsonnet_realloc.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    library.jsonnet_fmt_snippet.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.POINTER(ctypes.c_int),
    ]
    library.jsonnet_fmt_snippet.restype = ctypes.c_void_p
    machine, error = library.jsonnet_make(), ctypes.c_int()
    result = library.jsonnet_fmt_snippet(machine, name.encode(), text, ctypes.byref(error))
    answer = ctypes.string_at(result)
    library.jsonnet_realloc(machine, result, 0)
    library.jsonnet_destroy(machine)
    assert not error.value, answer.decode()
    return answer


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_is_formatted(file):
    assert formatted(file.name, file.read_bytes()) == file.read_bytes()
