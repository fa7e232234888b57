"""YAML as Go reads and writes it, because Go reads what MOP writes, and wrote what MOP reads."""

from __future__ import annotations

from mop.goyaml.dump import dump
from mop.goyaml.dump_v3 import dump_v3
from mop.goyaml.error import YamlError
from mop.goyaml.load import load_all, load_all_v2

__all__ = ["YamlError", "dump", "dump_v3", "load_all", "load_all_v2"]
