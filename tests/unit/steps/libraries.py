"""A platform, real git repositories on loopback, and what `vendor` does with them: for tests of libraries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mop import config, lockfile
from mop.cache import Cache
from mop.engines.libraries import GitLibraries
from mop.files import Digests
from mop.lockfile import Lock
from mop.model import Platform
from mop.outputs import Outputs
from mop.steps import vendor_libraries
from mop.steps.vendor import Options
from tests.servers.git_http import Repositories

FREE = Options(locked=False)


@dataclass
class Tools:
    """A toolbox with nothing but libraries."""

    engine: GitLibraries

    def libraries(self) -> GitLibraries:
        return self.engine

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"vendoring libraries needs no {name}")


@dataclass
class Shop:
    """A platform folder whose libraries come from `git`. `asks` is `libraries` of its mop.yaml."""

    root: Path
    git: Repositories
    asks: dict[str, str] = field(default_factory=dict)

    def source(self, name: str, version: str = "main") -> str:
        """How mop.yaml names a library of the server: `acme/tools/folder`."""
        return f"{self.git.url}/{name}@{version}"

    def place(self, name: str) -> Path:
        """Where it lies."""
        return self.root / "vendor" / "127.0.0.1" / name

    def platform(self) -> Platform:
        """Write mop.yaml and read it."""
        self.root.mkdir(exist_ok=True)
        lines = ["version: 1", "platform: shop", 'kubernetes: "1.34"', "libraries:"]
        lines += [f"  {name}: {source}" for name, source in self.asks.items()]
        lines += ["components: {web: {}}", "environments: {dev: {target: embedded}}"]
        (self.root / "mop.yaml").write_text("\n".join(lines) + "\n")
        return config.load(self.root / "mop.yaml")

    def vendor(self, options: Options = FREE, engine: GitLibraries | None = None) -> dict[str, Any]:
        """Vendor all of them, one after the other, with a cache of this platform; the outcomes by name."""
        platform = self.platform()
        tools: Any = Tools(engine or self.engine())
        return {
            name: vendor_libraries.vendor(platform, name, self.outputs(), tools, options)
            for name in platform.libraries
        }

    def engine(self) -> GitLibraries:
        """As a new process has it."""
        return GitLibraries(Cache(self.root.parent / "cache"))

    def outputs(self) -> Outputs:
        """As a new process has them."""
        return Outputs(self.root, Digests(self.root))

    def current(self) -> bool:
        """Whether there is nothing to do."""
        platform = self.platform()
        return all(vendor_libraries.current(platform, name, self.outputs()) for name in platform.libraries)

    def lock(self) -> Lock:
        """What mop.lock says."""
        return lockfile.load(self.root / "mop.lock")

    def tree(self) -> dict[str, str]:
        """vendor/: every file's text and every link's destination."""
        vendor = self.root / "vendor"
        return {
            path.relative_to(vendor).as_posix(): (
                f"-> {path.readlink()}" if path.is_symlink() else path.read_text()
            )
            for path in sorted(vendor.rglob("*"))
            if path.is_symlink() or path.is_file()
        }


def asking(*dependencies: Mapping[str, Any] | str, legacy: bool = True) -> str:
    """A jsonnetfile.json that asks for `URL/owner/repository[/folder]@version`, or for what a mapping says."""
    listed = []
    for each in dependencies:
        if isinstance(each, str):
            name, _, version = each.rpartition("@")
            scheme, _, rest = name.partition("://")
            host, owner, repository, *folder = rest.split("/")
            remote = f"{scheme}://{host}/{owner}/{repository}.git"
            listed.append(
                {"source": {"git": {"remote": remote, "subdir": "/".join(folder)}}, "version": version}
            )
        else:
            listed.append(dict(each))
    return json.dumps({"version": 1, "dependencies": listed, "legacyImports": legacy})
