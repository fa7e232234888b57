"""Jsonnet as `tk` evaluates it: go-jsonnet, Tanka's import paths and natives, every input recorded."""

from __future__ import annotations

import functools
import json
import logging
import os
import re
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

from mop.engines import jsonnet_capi, jsonnet_natives
from mop.engines.jsonnet_dashboards import Dashboards
from mop.engines.jsonnet_helm import Rendering
from mop.engines.jsonnet_imports import Importer, Record, clean, project_root, search_path
from mop.engines.jsonnet_natives import Native
from mop.engines.jsonnet_source import INTERNAL, NATIVES, prepare, undo
from mop.engines.protocols import Charts, Evaluated, Evaluation
from mop.errors import EvaluationError, MopError
from mop.files import Digests

_log = logging.getLogger("mop.jsonnet")

#: What our own snippet is called in the engine's stack.
_SNIPPET = "<mop>"
_ENVIRONMENT = "tanka.dev/environment"
_TK = f'{{\n  env: std.extVar("{_ENVIRONMENT}"),\n}}\n'
_NO_ENVIRONMENT = (
    "error \"Using tk.env and std.extVar('tanka.dev/environment') is only supported for static environments."
    ' Directly access this data using standard Jsonnet instead."'
)
#: go-jsonnet's own stack ends the process before this many frames are in use; measured, see docs/adr/0002.
MAX_STACK = 5000
#: What MOP's own code around main.jsonnet and around natives may use, so that whatever fits tk's stack fits here.
_OWN_FRAMES = 16
#: Part of the version: raise it when an evaluation may give another result or other inputs than before.
_REVISION = 2
_COMPONENT_FIELD = re.compile(r'^(\tField ")\.', re.MULTILINE)
#: A file that does not parse is, to the engine, a failure of the code that imports it.
_SYNTAX = re.compile(r"^RUNTIME ERROR: (?=\S[^\n]*?:(?:\d+:\d+|\(\d+:\d+\)-\(\d+:\d+\)))")
_NATIVE_FAILED = re.compile(r"failed to execute native callback, code: 0")


_COMPONENTS = """
  if mop_std.type(value) == 'object' then
    { fields: mop_std.objectFields(value) }
    + { ['.' + c]: value[c] for c in COMPONENTS if mop_std.objectHas(value, c) }
  else
    error 'main.jsonnet must give an object with one field for each component, but gives ' + {
      array: 'an array', boolean: 'a boolean', 'function': 'a function', 'null': 'null',
      number: 'a number', string: 'a string',
    }[mop_std.type(value)]
"""
#: Tanka evaluates the environment that is asked for and no other (pkg/tanka/evaluators.go).
_INLINE = """
  local environments(value) =
    if mop_std.isObject(value) then
      if mop_std.objectHas(value, 'apiVersion') && mop_std.objectHas(value, 'kind') then
        if value.kind == 'Environment' && mop_std.startsWith(value.apiVersion, 'tanka.dev/') then [value] else []
      else mop_std.flattenArrays([environments(value[key]) for key in mop_std.objectFields(value)])
    else if mop_std.isArray(value) then mop_std.flattenArrays([environments(item) for item in value])
    else [];
  local all = environments(value);
  local named = [e for e in all if e.metadata.name == NAME];
  if mop_std.length(all) == 0 then value
  else if mop_std.length(all) == 1 then all[0]
  else if mop_std.length(named) == 1 then named[0]
  else error 'main.jsonnet holds several Tanka environments, and %d of them are called %s; there are: %s' % [
    mop_std.length(named), NAME, mop_std.join(', ', mop_std.sort([e.metadata.name for e in all])),
  ]
"""


class GoJsonnet:
    """The `Jsonnet` protocol on go-jsonnet; one virtual machine an evaluation. Thread-safe."""

    def __init__(self, charts: Charts, digests: Digests) -> None:
        self._charts = charts
        self._digests = digests

    @functools.cached_property
    def version(self) -> str:
        """Engine, bindings, and what Jsonnet calls through them."""
        try:
            wheel = installed("gojsonnet")
        except PackageNotFoundError:
            wheel = "unpackaged"
        return f"gojsonnet {wheel} r{_REVISION}, {self._charts.version}"

    def evaluate(self, evaluation: Evaluation) -> Evaluated:
        """With `components`, main.jsonnet must give an object, or be a function that does.

        With `components` None the whole value is one output. If no `environment` is given (there is no spec.json)
        and the value holds inline Tanka environments, at any depth, it is the only one, or the one called `name`,
        still with its metadata and spec; the others are not evaluated.
        """
        return _Run(evaluation, self._charts, self._digests).result()


class _Run:
    """One evaluation."""

    def __init__(self, evaluation: Evaluation, charts: Charts, digests: Digests) -> None:
        self.evaluation = evaluation
        self.record = Record(evaluation.root)
        self.rendering = Rendering(evaluation, charts, digests, self.record)
        self.dashboards = Dashboards(evaluation.root, self.record)
        natives = self._natives()
        self.natives = jsonnet_natives.dispatch(natives)
        entrypoint = Path(clean(str(evaluation.entrypoint)))
        project = project_root(evaluation.root, entrypoint, self.record)
        self.importer = Importer(
            self.record,
            search_path(project, entrypoint.parent),
            {str(path): text for path, text in evaluation.served.items()},
            {NATIVES: jsonnet_natives.library(natives), f"{INTERNAL}tk.libsonnet": _TK},
        )

    def _natives(self) -> dict[str, Native]:
        return {
            **jsonnet_natives.plain(),
            "helmTemplate": Native(("name", "chart", "opts"), self.rendering.helm_template),
            "kustomizeBuild": Native(("path", "opts"), self.rendering.kustomize_build),
            "mopDashboards": Native(("folder", "calledFrom"), self.dashboards.names),
            "mopDashboard": Native(("folder", "name", "calledFrom"), self.dashboards.text, text=True),
        }

    def result(self) -> Evaluated:
        wanted = self.evaluation.components
        try:
            stack = min(self.evaluation.max_stack, MAX_STACK) + _OWN_FRAMES
            with jsonnet_capi.Vm(stack, self.importer, self.natives, self._trace) as vm:
                self._bind(vm)
                if wanted is None:
                    fields: tuple[str, ...] = ()
                    outputs = {"": vm.evaluate(_SNIPPET, self._whole())}
                else:
                    texts = vm.evaluate_multi(_SNIPPET, self._by_component(wanted))
                    fields = tuple(json.loads(texts.pop("fields")))
                    outputs = {name[1:]: text for name, text in texts.items()}
        except jsonnet_capi.Failure as failure:
            raise self._error(failure) from None
        helm = self.rendering
        seen = (tuple(helm.random), tuple(helm.unused))
        return Evaluated(fields, outputs, self.record.inputs(), helm.renders, helm.hits, *seen)

    @property
    def _entry(self) -> str:
        return json.dumps(clean(str(self.evaluation.entrypoint)), ensure_ascii=False)

    def _bind(self, vm: jsonnet_capi.Vm) -> None:
        environment = (
            json.dumps(self.evaluation.environment) if self.evaluation.environment else _NO_ENVIRONMENT
        )
        vm.external(_ENVIRONMENT, environment, code=True)
        for name, argument in self.evaluation.ext.items():
            vm.external(name, _code(argument.text) if argument.code else argument.text, code=argument.code)
        for name, argument in self.evaluation.tla.items():
            vm.argument(name, _code(argument.text) if argument.code else argument.text, code=argument.code)

    def _whole(self) -> str:
        """Code for the value of main.jsonnet, or for the one inline environment of it that is meant."""
        if self.evaluation.environment:
            return self._applied("value")
        name = json.dumps(self.evaluation.name, ensure_ascii=False)
        return self._applied(_INLINE.replace("NAME", name))

    def _by_component(self, wanted: tuple[str, ...]) -> str:
        """Code for `{fields: […], ".<component>": …}`, of which the engine evaluates no other component."""
        components = json.dumps(wanted, ensure_ascii=False)
        return self._applied(_COMPONENTS.replace("COMPONENTS", components))

    def _applied(self, code: str) -> str:
        """Code for `code` over `value`, what main.jsonnet gives once it has its top-level arguments."""
        names = ", ".join(self.evaluation.tla)
        arguments = ", ".join(f"{name}={name}" for name in self.evaluation.tla)
        # The names are no one else's, for a top-level argument may be called anything.
        return f"""
local mop_std = std;
local mop_main = import {self._entry};
local mop_result(value) = {code};
if mop_std.type(mop_main) == 'function' then function({names}) mop_result(mop_main({arguments}))
else mop_result(mop_main)
"""

    def _trace(self, text: str) -> None:
        """`std.trace` in the user's Jsonnet; it goes where the program's log goes."""
        _log.warning("%s", self._shown(text))

    def _error(self, failure: jsonnet_capi.Failure) -> MopError:
        """The engine's message and stack, with the words of what failed inside it."""
        lines = self._shown(failure.message).splitlines()
        message = "\n".join(line.rstrip() for line in lines if _SNIPPET not in line and INTERNAL not in line)
        message = _COMPONENT_FIELD.sub(r"\1", message).replace("importer error: ", "", 1)
        message = _SYNTAX.sub("", message)
        cause = failure.cause
        if cause is None:
            return EvaluationError(message)
        if not isinstance(cause, MopError):
            raise cause
        words = cause.message
        if _NATIVE_FAILED.search(message):
            message = _NATIVE_FAILED.sub(lambda _: words, message, count=1)
        return type(cause)(message, hint=cause.hint, problems=cause.problems)

    def _shown(self, text: str) -> str:
        """The engine's `text` with positions and paths as the user knows them."""
        return undo(text, self.importer.edits).replace(os.path.join(self.evaluation.root, ""), "").strip()  # noqa: PTH118


def _code(text: str) -> str:
    return prepare(text.encode())[0].decode()
