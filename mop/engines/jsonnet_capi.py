"""libjsonnet's C API (libjsonnet.h) through ctypes, from the shared object inside the `gojsonnet` wheel.

The wheel's own Python functions leak every native's return value and lose the text of natives' errors; the
C functions beneath them do neither. ctypes releases the GIL while the engine runs. Never fork once it is
loaded: the Go runtime hangs in the child.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_double, c_int, c_size_t, c_uint, c_void_p

from mop.errors import ToolError

#: (folder of the importing file, what it asks for) → (path found at, content); raises to refuse.
Importer = Callable[[bytes, bytes], tuple[bytes, bytes]]
#: (name, arguments as JSON text) → result as JSON text; raises to fail.
Native = Callable[[bytes, bytes], bytes]

_IMPORT = ctypes.CFUNCTYPE(
    c_int, c_void_p, c_char_p, c_char_p, POINTER(c_void_p), POINTER(c_void_p), POINTER(c_size_t)
)
_TRACE = ctypes.CFUNCTYPE(c_int, c_void_p, c_size_t, POINTER(c_int))
_NATIVE = ctypes.CFUNCTYPE(c_void_p, c_void_p, POINTER(c_void_p), POINTER(c_int))
_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "jsonnet_version": (c_char_p, []),
    "jsonnet_make": (c_void_p, []),
    "jsonnet_destroy": (None, [c_void_p]),
    "jsonnet_realloc": (c_void_p, [c_void_p, c_void_p, c_size_t]),
    "jsonnet_max_stack": (None, [c_void_p, c_uint]),
    "jsonnet_ext_var": (None, [c_void_p, c_char_p, c_char_p]),
    "jsonnet_ext_code": (None, [c_void_p, c_char_p, c_char_p]),
    "jsonnet_tla_var": (None, [c_void_p, c_char_p, c_char_p]),
    "jsonnet_tla_code": (None, [c_void_p, c_char_p, c_char_p]),
    "jsonnet_import_callback": (None, [c_void_p, _IMPORT, c_void_p]),
    "jsonnet_native_callback": (None, [c_void_p, c_char_p, _NATIVE, c_void_p, POINTER(c_char_p)]),
    "jsonnet_set_trace_out_callback": (None, [c_void_p, _TRACE]),
    "jsonnet_json_extract_string": (c_void_p, [c_void_p, c_void_p]),
    "jsonnet_json_make_string": (c_void_p, [c_void_p, c_char_p]),
    "jsonnet_json_extract_number": (c_int, [c_void_p, c_void_p, POINTER(c_double)]),
    "jsonnet_evaluate_snippet": (c_void_p, [c_void_p, c_char_p, c_char_p, POINTER(c_int)]),
    "jsonnet_evaluate_snippet_multi": (c_void_p, [c_void_p, c_char_p, c_char_p, POINTER(c_int)]),
}


@functools.cache
def library() -> ctypes.CDLL:
    """The engine, loaded once a process. Raises ToolError if the wheel is not there or cannot be loaded."""
    spec = importlib.util.find_spec("_gojsonnet")
    if spec is None or spec.origin is None:
        raise ToolError("the Jsonnet engine is missing", hint="pip install gojsonnet")
    try:
        loaded = ctypes.CDLL(spec.origin)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise ToolError(
            f"the Jsonnet engine cannot be loaded: {error}", hint="pip install gojsonnet"
        ) from error
    return loaded


def version() -> str:
    """The engine's own name and version: `v0.22.0 (go-jsonnet)`."""
    text: bytes = library().jsonnet_version()
    return text.decode()


class Failure(Exception):
    """The engine's message; `cause` is what an importer or native raised, if that ended the evaluation."""

    def __init__(self, message: str, cause: BaseException | None) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause


class Vm:
    """One Jsonnet virtual machine; a context manager. Use it from one thread at a time.

    What `importer` and `native` raise never crosses into the engine: it ends the evaluation and is kept as
    the cause of its Failure.
    """

    def __init__(
        self, max_stack: int, importer: Importer, native: Native, trace: Callable[[str], object]
    ) -> None:
        self._library = library()
        self._vm: int | None = self._library.jsonnet_make()
        self._importer = importer
        self._native = native
        self._trace = trace
        self._raised: BaseException | None = None
        # ctypes frees a callback with its last reference, and the engine would then call into nothing.
        self._callbacks = (_IMPORT(self._on_import), _NATIVE(self._on_native), _TRACE(self._on_trace))
        parameters = (c_char_p * 3)(b"name", b"arguments", None)
        self._library.jsonnet_max_stack(self._vm, max_stack)
        self._library.jsonnet_import_callback(self._vm, self._callbacks[0], None)
        self._library.jsonnet_native_callback(self._vm, b"mop", self._callbacks[1], None, parameters)
        self._library.jsonnet_set_trace_out_callback(self._vm, self._callbacks[2])

    def __enter__(self) -> Vm:
        return self

    def __exit__(self, *_: object) -> None:
        vm, self._vm = self._vm, None
        self._library.jsonnet_destroy(vm)

    def external(self, name: str, value: str, *, code: bool) -> None:
        """Bind `std.extVar(name)`."""
        bind = self._library.jsonnet_ext_code if code else self._library.jsonnet_ext_var
        bind(self._vm, _text(name), _text(value))

    def argument(self, name: str, value: str, *, code: bool) -> None:
        """Bind a top-level argument."""
        bind = self._library.jsonnet_tla_code if code else self._library.jsonnet_tla_var
        bind(self._vm, _text(name), _text(value))

    def evaluate(self, name: str, code: str) -> str:
        """The JSON text of the value of `code`; raises Failure."""
        return self._take(self._run(self._library.jsonnet_evaluate_snippet, name, code)).decode()

    def evaluate_multi(self, name: str, code: str) -> dict[str, str]:
        """The JSON text of each field of the object that `code` evaluates to; raises Failure."""
        address = self._run(self._library.jsonnet_evaluate_snippet_multi, name, code)
        try:
            parts: list[str] = []
            at = address
            # name NUL text NUL name NUL text NUL NUL; no name is empty.
            while part := ctypes.string_at(at):
                parts.append(part.decode())
                at += len(part) + 1
        finally:
            self._library.jsonnet_realloc(self._vm, address, 0)
        return dict(zip(parts[::2], parts[1::2], strict=True))

    def _run(self, function: Callable[..., int], name: str, code: str) -> int:
        failed = c_int(0)
        self._raised = None
        address = function(self._vm, _text(name), _text(code), ctypes.byref(failed))
        if failed.value:
            raise Failure(self._take(address).decode(errors="replace"), self._raised)
        return address

    def _take(self, address: int) -> bytes:
        """The text at `address`, which the engine allocated and this frees."""
        try:
            return ctypes.string_at(address)
        finally:
            self._library.jsonnet_realloc(self._vm, address, 0)

    def _give(self, data: bytes, *, ended: bool = False) -> int | None:
        """A copy of `data` that the engine frees; `ended` by a NUL."""
        size = len(data) + ended
        address: int | None = self._library.jsonnet_realloc(self._vm, None, size)
        if address is not None:
            ctypes.memmove(address, data + b"\0" if ended else data, size)
        return address

    def _on_import(
        self, _ctx: object, base: bytes, asked: bytes, found: object, content: object, size: object
    ) -> int:
        try:
            path, data = self._importer(base, asked)
            found[0], content[0], size[0] = self._give(path, ended=True), self._give(data), len(data)  # type: ignore[index]
        except BaseException as error:  # noqa: BLE001 - nothing may cross into the engine; raised again by the caller
            self._raised = error
            content[0] = self._give(_message(error), ended=True)  # type: ignore[index]
            return 1
        return 0

    def _on_native(self, _ctx: object, arguments: list[int], success: list[int]) -> int:
        try:
            name, given = (self._string(arguments[index]) for index in (0, 1))
            result = self._native(name, given)
            success[0] = 1
        except BaseException as error:  # noqa: BLE001 - as above
            self._raised = error
            result, success[0] = b"", 0
        address: int = self._library.jsonnet_json_make_string(self._vm, result)
        return address

    def _on_trace(self, text: int, size: int, success: list[int]) -> int:
        try:
            self._trace(ctypes.string_at(text, size).decode(errors="replace"))
        except BaseException as error:  # noqa: BLE001 - as above
            self._raised = error
            success[0] = 0
            return 0
        success[0] = 1
        return size

    def _string(self, value: int) -> bytes:
        address = self._library.jsonnet_json_extract_string(self._vm, value)
        if not address:
            raise TypeError("expected a string")
        return self._take(address)


def _message(error: BaseException) -> bytes:
    return str(error).replace("\0", "�").encode(errors="replace")


def _text(value: str) -> bytes:
    """`value` for C, which ends a text at NUL."""
    if "\0" in value:
        raise Failure(f"a NUL character in {value[:40]!r}", None)
    return value.encode(errors="surrogateescape")
