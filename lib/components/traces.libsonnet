// Traces: Tempo as one process on its own volume. Programs send it OTLP (4317 gRPC, 4318 HTTP); what it counts of
// their spans (service graph, span metrics) goes to Mimir.
// https://grafana.com/docs/tempo/v2.10.x/configuration/
local k = import '../k8s.libsonnet';

function(config) {
  local traces = self,
  local app = k.app(config, 'traces', 'tempo'),
  local ports = {
    [k.metricsPort]: 3200,
    grpc: 9095,
    'otlp-grpc': 4317,
    'otlp-http': 4318,
  },

  settings:: {
    multitenancy_enabled: false,
    stream_over_http_enabled: true,  // Grafana shows search results as they come
    server: {
      http_listen_port: ports[k.metricsPort],
      grpc_listen_port: ports.grpc,
      log_level: 'info',
    },
    distributor: {
      receivers: {
        otlp: {
          protocols: {
            // Without an address they would listen on localhost alone.
            grpc: { endpoint: '0.0.0.0:%d' % ports['otlp-grpc'] },
            http: { endpoint: '0.0.0.0:%d' % ports['otlp-http'] },
          },
        },
      },
    },
    compactor: { compaction: { block_retention: config.hours('traces') } },
    metrics_generator: {
      registry: { external_labels: { cluster: config.cluster } },
      storage: {
        path: '/var/tempo/generator/wal',
        remote_write: [{ url: config.urls.mimir + '/api/v1/push', send_exemplars: true }],
      },
      traces_storage: { path: '/var/tempo/generator/traces' },
    },
    overrides: {
      defaults: {
        // local-blocks answers TraceQL metrics queries, of Grafana's Traces Drilldown.
        metrics_generator: { processors: ['service-graphs', 'span-metrics', 'local-blocks'] },
      },
    },
    storage: {
      trace: {
        backend: 'local',
        wal: { path: '/var/tempo/wal' },
        'local': { path: '/var/tempo/blocks' },
      },
    },
    usage_report: { reporting_enabled: false },
  },

  container::
    app.container(
      'tempo',
      args=['-config.file=/etc/tempo/tempo.yaml', '-target=all'],
      ports=ports,
      resources={ requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
    ) + k.probes(ready='/ready', alive='/api/status/buildinfo'),

  configMap: app.configMap({ 'tempo.yaml': k.yaml(traces.settings) }),
  statefulSet:
    app.statefulSet(traces.container, traces.configMap, user=10001)
    + k.claim(config.storage.traces, '/var/tempo'),
  service: app.service(ports),
  headless: app.headless(ports),
}
