"""YAML in, as Go reads it. PyYAML is imported with the first text: many a run reads none, and it takes its time."""

from __future__ import annotations

from typing import Any


def load_all(text: str | bytes) -> list[Any]:
    """One JSON value for each document, as gopkg.in/yaml.v3 and encoding/json give it (Tanka, helmTemplate).

    `yes` and `on` are strings, a timestamp becomes RFC 3339, a duplicate key and a key that is no string are
    errors, an empty document is None, an empty stream is []. A number without a fraction is an int. Raises
    YamlError.
    """
    from mop.goyaml.loader import Loader

    return Loader(text, v3=True).documents()


def load_all_v2(text: str | bytes) -> list[Any]:
    """One JSON value for each document, as sigs.k8s.io/yaml gives it (kubectl, Helm's values).

    `yes` and `on` are booleans, timestamps stay text, of duplicate keys the last counts, keys become strings.
    Raises YamlError.
    """
    from mop.goyaml.loader import Loader

    return Loader(text, v3=False).documents()
