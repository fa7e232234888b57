"""Rules of a rollout: order, phases, readiness. Without I/O where they can be."""
