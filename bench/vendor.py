"""What vendoring costs: four charts of 300 files from a repository on loopback whose index has 30 MB.

    .venv/bin/python -m bench.vendor --runs 5

Each row is a whole process: the first run with nothing, a run with nothing to do, one with the cache and without
charts/, and `--check`, which reads every byte. `requests`: how many the server saw. `ratio`: CPU, to an empty Python's.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.servers.charts import HelmRepository, chart_files, pack
from tests.servers.web import Site, site

PYTHON = [sys.executable, "-P", "-m", "mop"]
CHARTS = ("grafana", "loki", "mimir", "tempo")
NOTES = "        - kind: changed\n          description: a line as the annotations of a large repository have them\n"


def repository(server: Site, versions: int) -> HelmRepository:
    """The four charts, and 60 others that only lengthen the index."""
    helm = HelmRepository(server)
    for name in CHARTS:
        files = chart_files(name, "1.0.0")
        files |= {
            f"templates/part-{n}.yaml": f"# {name} {n}\n" + "{{ .Values.x }}\n" * 60 for n in range(300)
        }
        helm.add(name, "1.0.0", archive=pack(files, name))
    index = server.answers[helm.index_path].body.decode()  # type: ignore[union-attr]
    entry = "  - version: {version}.0.0\n    urls: [x.tgz]\n    annotations:\n      changes: |\n" + NOTES * 6
    others = "".join(
        f"  other-{number:02}:\n" + "".join(entry.format(version=v) for v in range(versions))
        for number in range(60)
    )
    server.answers[helm.index_path] = index.replace("entries:\n", f"entries:\n{others}").encode()
    return helm


def empty() -> float:
    """CPU seconds of a Python that does nothing."""
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", "pass"], os.environ)
    used = os.wait4(child, 0)[2]
    return used.ru_utime + used.ru_stime


def run(root: Path, *arguments: str) -> tuple[float, float]:
    """Wall and CPU seconds of one process."""
    started = time.perf_counter()
    quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
    environment = {**os.environ, "MOP_CACHE_DIR": str(root.parent / "cache"), "CI": ""}
    os.chdir(root)
    child = os.posix_spawn(PYTHON[0], [*PYTHON, *arguments], environment, file_actions=quiet)
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit(f"mop {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - started, used.ru_utime + used.ru_stime


def row(name: str, measured: list[tuple[float, float]], requests: int) -> None:
    """Print medians."""
    wall, cpu = (statistics.median(values) for values in zip(*measured, strict=True))
    ratio = cpu / statistics.median(empty() for _ in range(5))
    print(f"{name:<28}{1000 * wall:>8.0f}{1000 * cpu:>8.0f}{ratio:>8.1f}{requests / len(measured):>10.0f}")


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--versions", type=int, default=830, help="of each of the 60 other charts")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="mop-bench-") as temporary, site() as server:
        helm = repository(server, chosen.versions)
        root = Path(temporary) / "platform"
        root.mkdir()
        charts = "".join(f"  {name}: {{chart: shop/{name}, version: ^1.0}}\n" for name in CHARTS)
        (root / "mop.yaml").write_text(
            f'version: 1\nplatform: shop\nkubernetes: "1.34"\nrepositories: {{shop: {{url: "{helm.url}"}}}}\n'
            f"charts:\n{charts}components: {{web: {{}}}}\nenvironments: {{dev: {{target: embedded}}}}\n"
        )
        size = len(server.answers[helm.index_path]) / 2**20  # type: ignore[arg-type]
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, index {size:.0f} MiB, milliseconds")
        print(f"{'':<28}{'wall':>8}{'CPU':>8}{'ratio':>8}{'requests':>10}")

        def measure(name: str, gone: tuple[str, ...], *arguments: str) -> None:
            measured = []
            server.requests.clear()
            for _ in range(chosen.runs):
                for path in gone:
                    shutil.rmtree(root / path, ignore_errors=True)
                    (root / path).unlink(missing_ok=True)
                measured.append(run(root, *arguments))
            row(name, measured, len(server.requests))

        measure("first", ("charts", "mop.lock", ".mop", "../cache"), "vendor")
        time.sleep(2.1)  # files that were just written are read again: their dates say little yet
        run(root, "vendor")
        measure("nothing to do", (), "vendor")
        measure("from the cache", ("charts",), "vendor")
        measure("--check", (), "vendor", "--check")


if __name__ == "__main__":
    main()
