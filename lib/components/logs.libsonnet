// Logs: Loki as one process on its own volume, and the collector that sends it the pods' logs.
// https://grafana.com/docs/loki/latest/configure/
local collector = import '../collector.libsonnet';
local k = import '../k8s.libsonnet';

function(config) {
  local logs = self,
  local app = k.app(config, 'logs', 'loki'),
  local ports = { [k.metricsPort]: 3100, grpc: 9095 },

  settings:: {
    auth_enabled: false,  // one tenant, `fake`
    server: {
      http_listen_port: ports[k.metricsPort],
      grpc_listen_port: ports.grpc,
      log_level: 'info',
    },
    common: {
      path_prefix: '/var/loki',
      replication_factor: 1,
      // One process finds itself: no ring to gossip, and queries that never leave the pod.
      instance_addr: '127.0.0.1',
      ring: { kvstore: { store: 'inmemory' } },
      storage: {
        filesystem: { chunks_directory: '/var/loki/chunks', rules_directory: '/var/loki/rules' },
      },
    },
    schema_config: {
      configs: [{
        from: '2024-04-01',
        store: 'tsdb',
        object_store: 'filesystem',
        schema: 'v13',
        index: { prefix: 'index_', period: '24h' },
      }],
    },
    compactor: {
      working_directory: '/var/loki/compactor',
      retention_enabled: true,
      delete_request_store: 'filesystem',
    },
    limits_config: {
      retention_period: config.hours('logs'),
      // A collector that starts anew sends all that its pods still have; what is kept is taken.
      reject_old_samples_max_age: config.hours('logs'),
    },
    pattern_ingester: { enabled: true },  // patterns in Grafana's Logs Drilldown
    analytics: { reporting_enabled: false },
  },

  container::
    app.container(
      'loki',
      args=['-config.file=/etc/loki/loki.yaml', '-target=all'],
      ports=ports,
      resources={ requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
    ) + k.probes(ready='/ready', alive='/loki/api/v1/status/buildinfo'),

  configMap: app.configMap({ 'loki.yaml': k.yaml(logs.settings) }),
  statefulSet:
    app.statefulSet(logs.container, logs.configMap, user=10001)
    + k.claim(config.storage.logs, '/var/loki'),
  service: app.service(ports),
  headless: app.headless(ports),

  // Through the API server, so that no pod mounts the nodes' file systems.
  // https://grafana.com/docs/alloy/latest/reference/components/loki/loki.source.kubernetes/
  collector: collector(
    config,
    'logs',
    access=[{ apiGroups: [''], resources: ['pods/log'], verbs: ['get'] }],
    // `service_name` is what Grafana's log views group by.
    pipeline=|||
      discovery.relabel "logs" {
        targets = discovery.relabel.pods.output

        rule {
          source_labels = ["__meta_kubernetes_pod_label_app_kubernetes_io_name"]
          target_label  = "service_name"
        }
      }

      loki.source.kubernetes "pods" {
        targets    = discovery.relabel.logs.output
        forward_to = [loki.write.loki.receiver]
      }

      loki.write "loki" {
        endpoint {
          url = "%(url)s/loki/api/v1/push"
        }

        external_labels = {
          cluster = "%(cluster)s",
        }
      }
    ||| % { url: config.urls.loki, cluster: config.cluster },
  ),
}
