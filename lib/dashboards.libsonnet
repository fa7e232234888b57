// The dashboards that Grafana is given, by file name. A file is text here and never evaluated: as Jsonnet, dashboards
// would take most of an environment's time. Jsonnet cannot list a folder, so a new file needs its line.
{
  'platform-health.json': importstr 'dashboards/platform-health.json',
}
