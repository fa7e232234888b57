"""The commands, for `inv` (through tasks.py) and for `mop`: flags in, one call, report out. One file a group."""

from __future__ import annotations

from invoke.collection import Collection

from mop.commands import (
    cluster,
    delivery,
    editing,
    founding,
    house,
    questions,
    rendering,
    revisions,
    vendoring,
)

namespace = Collection()
for _task in (
    founding.init,
    vendoring.vendor,
    questions.affected,
    questions.compare,
    questions.graph,
    rendering.export,
    rendering.render,
    rendering.show,
    rendering.validate,
    delivery.diff,
    delivery.apply,
    delivery.deploy,
    delivery.status,
    revisions.delete,
    revisions.drift,
    revisions.history,
    revisions.rollback,
    house.ci,
    house.clean,
    house.doctor,
    house.fmt,
    house.lint,
    house.lock,
    house.test,
):
    namespace.add_task(_task)
namespace.add_collection(Collection.from_module(cluster))
_hooks = Collection("hooks")
_hooks.add_task(revisions.hooks_test, name="test")
namespace.add_collection(_hooks)
for _group in editing.collections():
    namespace.add_collection(_group)


def main() -> None:
    """The program `mop`: the same commands where there is no tasks.py."""
    import sys

    from invoke.program import Program

    from mop import __version__

    Program(name="mop", binary="mop", namespace=namespace, version=__version__).run(
        ["mop", *editing.help_first(sys.argv[1:])]
    )


def inv() -> None:
    """The program `inv` as `./inv` runs it: invoke's own, so that tasks.py may have commands of its own."""
    import sys

    from invoke.main import program

    program.run(["inv", *editing.help_first(sys.argv[1:])])
