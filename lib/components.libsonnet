// Each component of mop.yaml and the file that makes it: a function of the configuration (lib/config.libsonnet).
// Jsonnet has no computed imports, so a new component needs its line here.
{
  dashboards: import 'components/dashboards.libsonnet',
  logs: import 'components/logs.libsonnet',
  metrics: import 'components/metrics.libsonnet',
  traces: import 'components/traces.libsonnet',
}
