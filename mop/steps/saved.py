"""Saved plans: what `diff --save` showed, for `apply --plan` to do exactly that, or to refuse.

A plan holds the rendered objects, what the server said of each, and no secret value. Objects with secrets in them are
kept as `mop.masking` shows them: `apply --plan` takes them from a new render, which must look the same under the same
key; or they are kept whole, encrypted with MOP_PLAN_KEY.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mop import __version__
from mop.errors import Stale, UsageError
from mop.files import PRIVATE_FILE, sha256, write_atomic
from mop.manifest import Manifest, ObjectRef, ref
from mop.masking import KEY_VARIABLE, Fingerprint, mask_manifest
from mop.model import Environment
from mop.problem import Problem
from mop.results import Origin
from mop.rollout.plan import Plan, Planned

FORMAT = 1
_KEY_FILE = "plan.key"
#: scrypt: 2**15 rounds of 1 KiB blocks, which take a tenth of a second.
_ROUNDS = 2**15


@dataclass(frozen=True, slots=True)
class Kept:
    """One component of a plan. `hidden`: its objects with secrets, encrypted; "" where they are rendered anew."""

    component: str
    manifests: list[Manifest] = field(repr=False)
    answers: dict[str, dict[str, str]]
    hidden: str = ""
    origin: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One environment of a plan. `elsewhere`: what components outside it rendered; None: not known."""

    environment: str
    target: str
    components: list[str]
    prune: bool
    everything: bool
    adopt: bool
    elsewhere: list[list[str]] | None
    plans: list[Kept]

    @property
    def refs(self) -> list[ObjectRef] | None:
        """`elsewhere` as references."""
        return None if self.elsewhere is None else [ObjectRef(*each) for each in self.elsewhere]

    @property
    def origins(self) -> dict[str, Origin]:
        """What each component was rendered from when the plan was made."""
        return {each.component: Origin(**each.origin) for each in self.plans if each.origin}

    @property
    def rendered_anew(self) -> bool:
        """Whether secrets have to come from a new render."""
        return any(not kept.hidden and _hides(manifest) for kept in self.plans for manifest in kept.manifests)


def fingerprint(folder: Path) -> Fingerprint:
    """The key by which a plan's secrets are compared: MOP_PLAN_KEY, else one that this checkout keeps (0600)."""
    if os.environ.get(KEY_VARIABLE):
        return Fingerprint()
    file = folder / _KEY_FILE
    if not file.exists():
        write_atomic(file, secrets.token_hex(32), mode=PRIVATE_FILE)
    return Fingerprint(file.read_bytes())


def part(
    environment: Environment,
    components: Sequence[str],
    plans: Sequence[Plan],
    *,
    options: Mapping[str, bool],
    elsewhere: Sequence[ObjectRef] | None,
    origins: Mapping[str, Origin],
    fingerprint: Fingerprint,
) -> Part:
    """What is kept of the plans of one environment. `options`: prune, everything, adopt."""
    refs = (
        None if elsewhere is None else [[it.api_version, it.kind, it.namespace, it.name] for it in elsewhere]
    )
    kept = [_kept(plan, origins.get(plan.component), fingerprint) for plan in plans]
    return Part(
        environment.name, str(environment.target), list(components), **options, elsewhere=refs, plans=kept
    )


def write(file: Path, parts: Sequence[Part]) -> None:
    """Write a plan, for its owner alone."""
    document = {"mop": __version__, "format": FORMAT, "parts": [asdict(each) for each in parts]}
    write_atomic(file, json.dumps(document, separators=(",", ":")), mode=PRIVATE_FILE)


def read(file: Path) -> list[Part]:
    """A plan that `write` wrote. Raises UsageError if it is none, or another version's."""
    try:
        document = json.loads(file.read_bytes())
        if document["format"] != FORMAT or document["mop"] != __version__:
            raise UsageError(
                f"{file} was saved by MOP {document['mop']}, this is {__version__}", hint="save the plan anew"
            )
        return [
            Part(**{**each, "plans": [Kept(**kept) for kept in each["plans"]]}) for each in document["parts"]
        ]
    except OSError as error:
        raise UsageError(f"--plan: {file} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(
            f"--plan: expected a plan, found something else in {file}", hint="`inv diff --save` writes one"
        ) from None


def manifests(
    saved: Part, fresh: Mapping[str, Sequence[Manifest]], fingerprint: Fingerprint
) -> dict[str, list[Manifest]]:
    """The objects of the plan whole again, secrets from what was encrypted or from the `fresh` render.

    Raises UsageError naming each object whose secrets are not those of the plan.
    """
    problems: list[Problem] = []
    found: dict[str, list[Manifest]] = {}
    for kept in saved.plans:
        if kept.component not in saved.components:
            continue
        known = [*fresh.get(kept.component, ()), *_opened(kept.hidden)]
        whole = {ref(manifest).identity: manifest for manifest in known}
        found[kept.component] = []
        for masked in kept.manifests:
            manifest = masked
            if _hides(masked):
                manifest = whole.get(ref(masked).identity, {})
                if not manifest or mask_manifest(manifest, fingerprint) != masked:
                    problems.append(_other_secret(saved, kept, masked))
                    continue
            found[kept.component].append(manifest)
    if problems:
        raise UsageError(
            f"the plan of {saved.environment} cannot be carried out: its secrets are not what is rendered now",
            hint="save the plan anew, or save and apply it with one MOP_PLAN_KEY",
            problems=problems,
        )
    return found


def check_unmoved(saved: Part, plans: Sequence[Plan]) -> None:
    """Raises Stale that names every object of which the server says something else now than it did then."""
    then = {(kept.component, name): each for kept in saved.plans for name, each in kept.answers.items()}
    now = {(plan.component, name): each for plan in plans for name, each in _answers(plan).items()}
    problems = [
        Problem(
            _moved(then.get(key), now.get(key)),
            object=key[1],
            environment=saved.environment,
            component=key[0],
        )
        for key in sorted(then.keys() | now.keys())
        if _meaning(then.get(key)) != _meaning(now.get(key))
    ]
    if problems:
        raise Stale(
            f"{saved.environment} moved since the plan was saved, so nothing was applied",
            hint="look at a new diff, and save it",
            problems=problems,
        )


def _kept(plan: Plan, origin: Origin | None, fingerprint: Fingerprint) -> Kept:
    masked = [mask_manifest(manifest, fingerprint) for manifest in plan.rendered]
    hiding = [m for m, shown in zip(plan.rendered, masked, strict=True) if m != shown]
    facts = asdict(origin) if origin else {}
    return Kept(plan.component, masked, _answers(plan), _hidden(hiding), facts)


def _answers(plan: Plan) -> dict[str, dict[str, str]]:
    return {str(item.change.ref): _answer(item) for item in (*plan.items, *plan.doomed)}


def _answer(item: Planned) -> dict[str, str]:
    """What an object's plan comes to. Versions move with any status; what would be done tells what matters."""
    change = item.change
    uid = item.manifest["metadata"].get("uid", "") if change.action == "delete" else ""
    fields = [[each.action, each.path, each.old, each.new] for each in change.fields]
    conflicts = [[each.manager, each.path] for each in change.conflicts]
    told = json.dumps([item.write, uid, fields, conflicts, change.after, change.note], sort_keys=True)
    return {"action": change.action, "version": item.version, "digest": sha256(told)}


def _meaning(answer: Mapping[str, str] | None) -> tuple[str, str] | None:
    return (answer["action"], answer["digest"]) if answer else None


def _moved(then: Mapping[str, str] | None, now: Mapping[str, str] | None) -> str:
    words = {"add": "to be added", "update": "to be updated", "delete": "to be deleted", "keep": "unchanged"}
    was, new = (words[each["action"]] if each else "no part of it" for each in (then, now))
    if was == new and then and now:
        return f"is {new} in another way: its version was {then['version'] or '-'} and is {now['version'] or '-'}"
    return f"was {was}, and is {new} now"


def _other_secret(saved: Part, kept: Kept, masked: Manifest) -> Problem:
    return Problem(
        "its secret values differ from those of the plan, or it is rendered no more",
        object=str(ref(masked)),
        environment=saved.environment,
        component=kept.component,
    )


def _hides(manifest: Manifest) -> bool:
    """Whether the object, as it is kept, lacks a secret."""
    return "<sha:" in json.dumps(manifest)


def _hidden(manifests: Sequence[Manifest]) -> str:
    """`manifests` encrypted with MOP_PLAN_KEY: base64 of a salt, a point, a Fernet token; "" without a key."""
    if not os.environ.get(KEY_VARIABLE) or not manifests:
        return ""
    salt = secrets.token_bytes(16)
    token = _fernet(salt).encrypt(json.dumps(list(manifests)).encode())
    return f"{base64.urlsafe_b64encode(salt).decode()}.{token.decode()}"


def _opened(hidden: str) -> list[Manifest]:
    if not hidden:
        return []
    from cryptography.fernet import InvalidToken

    salt, _, token = hidden.partition(".")
    try:
        opened: list[Manifest] = json.loads(_fernet(base64.urlsafe_b64decode(salt)).decrypt(token.encode()))
    except InvalidToken:
        raise UsageError(
            "the plan was saved with another MOP_PLAN_KEY", hint="set MOP_PLAN_KEY as it was then"
        ) from None
    return opened


def _fernet(salt: bytes) -> Any:
    """MOP_PLAN_KEY may be words that a person chose, so it is stretched."""
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    key = os.environ.get(KEY_VARIABLE, "").encode()
    return Fernet(base64.urlsafe_b64encode(Scrypt(salt=salt, length=32, n=_ROUNDS, r=8, p=1).derive(key)))
