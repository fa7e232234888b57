// One person's platform: four programs of one process each, on the cluster's default volumes.
local mop = import 'mop.libsonnet';

mop.environment('local')
