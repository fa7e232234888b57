"""The labels and annotations that MOP itself gives a meaning to."""

DOMAIN = "mop.raibid-labs.dev"
ENVIRONMENT = f"{DOMAIN}/environment"
COMPONENT = f"{DOMAIN}/component"
#: "false" on an object: never pruned.
PRUNE = f"{DOMAIN}/prune"
