"""The embedded control plane: a real Kubernetes API server on loopback, with simulated nodes and pods.

plane.py         ControlPlane: start, stop, status
starting.py      files, ports, processes, waiting          furnishing.py, simulation.py  nodes, StorageClass
binaries.py      found, or built from the pinned modules    building.py, toolchain.py     go build, which Go
members.py       the command line of each member            credentials.py                certificates, tokens
processes.py, record.py      processes that outlive the command
companion.py     our own background process: egress.py (the way out), volumes.py, the size of the logs
"""

from mop.controlplane.facts import Endpoint, Member, Status
from mop.controlplane.plane import ControlPlane

__all__ = ["ControlPlane", "Endpoint", "Member", "Status"]
