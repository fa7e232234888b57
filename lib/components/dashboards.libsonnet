// Dashboards: Grafana with the three stores wired to each other, and dashboards from files.
// https://grafana.com/docs/grafana/latest/administration/provisioning/
local dashboards = import '../dashboards.libsonnet';
local k = import '../k8s.libsonnet';

function(config) {
  local grafana = self,
  local app = k.app(config, 'dashboards', 'grafana'),
  local ports = { [k.metricsPort]: 3000 },

  // grafana.ini. Nobody logs in, so there is no password to keep: whoever reaches the Service may look at and edit
  // everything but data sources and users. That is for one person's machine; no Ingress leads here.
  settings:: {
    analytics: { reporting_enabled: false, check_for_updates: false, check_for_plugin_updates: false, feedback_links_enabled: false },
    auth: { disable_login_form: true },
    'auth.anonymous': { enabled: true, org_role: 'Editor' },  // a Viewer could not open Explore
    'auth.basic': { enabled: false },
    log: { mode: 'console', level: 'warn' },
    news: { news_feed_enabled: false },
    paths: {
      data: '/var/lib/grafana',
      logs: '/var/lib/grafana/log',
      plugins: '/var/lib/grafana/plugins',
      provisioning: '/etc/grafana/provisioning',
    },
    plugins: { preinstall_disabled: true },  // they would be downloaded at every start
    security: { disable_initial_admin_creation: true },
    server: { http_port: ports[k.metricsPort] },
    unified_storage: { index_path: '/var/lib/grafana/search' },
    'tracing.opentelemetry.otlp': { address: config.urls.otlp.grpc, propagation: 'w3c' },
    users: { default_theme: 'system' },
  },

  datasources:: [
    {
      name: 'Mimir',
      uid: 'mimir',
      type: 'prometheus',
      url: config.urls.mimir + '/prometheus',
      isDefault: true,
      jsonData: {
        httpMethod: 'POST',
        prometheusType: 'Mimir',
        timeInterval: config.collect.interval,
        // `traceID` is what Grafana's programs and Tempo write, `trace_id` what OpenTelemetry's do.
        exemplarTraceIdDestinations: [
          { name: label, datasourceUid: 'tempo' }
          for label in ['traceID', 'trace_id']
        ],
      },
    },
    {
      name: 'Loki',
      uid: 'loki',
      type: 'loki',
      url: config.urls.loki,
      jsonData: {
        derivedFields: [{
          name: 'trace',
          matcherType: 'regex',
          matcherRegex: @'[tT]race_?[iI][dD]"?[=:]\s*"?([0-9a-f]{16,32})',
          // Twice the dollar: Grafana expands variables of the environment in these files.
          url: '$${__value.raw}',
          urlDisplayLabel: 'Trace',
          datasourceUid: 'tempo',
        }],
      },
    },
    {
      name: 'Tempo',
      uid: 'tempo',
      type: 'tempo',
      url: config.urls.tempo,
      jsonData: {
        nodeGraph: { enabled: true },
        serviceMap: { datasourceUid: 'mimir' },
        streamingEnabled: { search: true, metrics: true },
        tracesToLogsV2: {
          datasourceUid: 'loki',
          spanStartTimeShift: '-5m',
          spanEndTimeShift: '5m',
          // By the trace's identifier alone: what a program calls itself in its spans and what its pod's labels call
          // it need not be the same.
          customQuery: true,
          query: '{cluster="%s"} |= "$${__trace.traceId}"' % config.cluster,
        },
        tracesToMetrics: {
          datasourceUid: 'mimir',
          tags: [{ key: 'service.name', value: 'service' }],
          spanStartTimeShift: '-15m',
          spanEndTimeShift: '15m',
          queries: [
            { name: 'Spans a second', query: 'sum(rate(traces_spanmetrics_calls_total{$$__tags}[5m]))' },
          ],
        },
      },
    },
  ],

  // ConfigMaps by name; Grafana reads them again by itself. More of them: `dashboards+: mop.dashboards('shop')`.
  dashboards: dashboards('platform', name='grafana', metadata=app.object('v1', 'ConfigMap').metadata),

  container::
    app.container(
      'grafana',
      args=[],
      ports=ports,
      resources={ requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
    ) + k.probes(ready='/api/health', alive='/api/health'),

  configMap: app.configMap({
    'grafana.ini': std.manifestIni({ sections: grafana.settings }),
    'datasources.yaml': k.yaml({
      apiVersion: 1,
      prune: true,  // a data source that is no longer here goes
      datasources: [{ access: 'proxy' } + each for each in grafana.datasources],
    }),
    'dashboards.yaml': k.yaml({
      apiVersion: 1,
      providers: [{
        name: 'platform',
        folder: 'Platform',
        type: 'file',
        allowUiUpdates: false,
        options: { path: '/etc/grafana-dashboards' },
      }],
    }),
  }),

  statefulSet:
    app.statefulSet(grafana.container, grafana.configMap, user=472, paths={
      'grafana.ini': 'grafana.ini',
      'datasources.yaml': 'provisioning/datasources/platform.yaml',
      'dashboards.yaml': 'provisioning/dashboards/platform.yaml',
    })
    + k.claim(config.storage.dashboards, '/var/lib/grafana')
    + k.mount('dashboards', '/etc/grafana-dashboards', {
      projected: {
        sources: [
          { configMap: { name: each.metadata.name } }
          for each in std.objectValues(grafana.dashboards)
        ],
      },
    }),
  service: app.service(ports),
  headless: app.headless(ports),
}
