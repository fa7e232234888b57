// Metrics: Mimir as one process on its own volume, and the collector that scrapes the pods which ask for it.
// https://grafana.com/docs/mimir/v2.17.x/configure/configuration-parameters/
local collector = import '../collector.libsonnet';
local k = import '../k8s.libsonnet';

function(config) {
  local metrics = self,
  local app = k.app(config, 'metrics', 'mimir'),
  local ports = { [k.metricsPort]: 8080, grpc: 9095 },
  // One process finds itself: no ring to gossip.
  local ring = { instance_addr: '127.0.0.1', kvstore: { store: 'inmemory' } },

  settings:: {
    target: 'all',
    multitenancy_enabled: false,  // one tenant, `anonymous`
    server: {
      http_listen_port: ports[k.metricsPort],
      grpc_listen_port: ports.grpc,
      log_level: 'info',
    },
    // Each folder apart from the others: Mimir refuses to start when one holds another.
    activity_tracker: { filepath: '/var/mimir/activity.log' },
    blocks_storage: {
      backend: 'filesystem',
      filesystem: { dir: '/var/mimir/blocks' },
      tsdb: { dir: '/var/mimir/tsdb' },
      bucket_store: { sync_dir: '/var/mimir/tsdb-sync' },
    },
    compactor: { data_dir: '/var/mimir/compactor', sharding_ring: ring },
    distributor: { ring: ring },
    ingester: { ring: ring { replication_factor: 1 } },
    store_gateway: { sharding_ring: ring { replication_factor: 1 } },
    ruler: { rule_path: '/var/mimir/ruler', ring: ring },
    ruler_storage: { backend: 'local', 'local': { directory: '/etc/mimir-rules' } },
    limits: {
      compactor_blocks_retention_period: config.hours('metrics'),
      max_global_exemplars_per_user: 100000,  // 0 by default, which would drop the links from metrics to traces
      out_of_order_time_window: '5m',  // the collector and Tempo both retry
    },
    usage_stats: { enabled: false },
  },

  // Prometheus rules, by file: recorded and alerted on by Mimir's ruler, listed under Alerting in Grafana.
  // No alertmanager runs here, so nobody is notified.
  rules:: {
    'platform.yaml': {
      groups: [{
        name: 'platform',
        rules: [
          {
            alert: 'PlatformTargetDown',
            expr: 'up{namespace="%s"} == 0' % config.namespace,
            'for': '5m',
            labels: { severity: 'critical' },
            annotations: { summary: '{{ $labels.pod }} of {{ $labels.job }} answers no scrape.' },
          },
          {
            alert: 'PlatformRestarts',
            expr: 'changes(process_start_time_seconds{namespace="%s"}[30m]) > 3' % config.namespace,
            labels: { severity: 'warning' },
            annotations: { summary: '{{ $labels.pod }} of {{ $labels.job }} keeps restarting.' },
          },
          {
            alert: 'PlatformRequestErrors',
            expr: |||
              sum by (job, route) (rate({__name__=~"(loki|cortex|tempo)_request_duration_seconds_count", status_code=~"5.."}[5m]))
                /
              sum by (job, route) (rate({__name__=~"(loki|cortex|tempo)_request_duration_seconds_count"}[5m]))
                > 0.05
            |||,
            'for': '15m',
            labels: { severity: 'warning' },
            annotations: { summary: '{{ $labels.job }} fails more than 5 % of its {{ $labels.route }} requests.' },
          },
        ],
      }],
    },
  },

  container::
    app.container(
      'mimir',
      args=['-config.file=/etc/mimir/mimir.yaml'],
      ports=ports,
      resources={ requests: { cpu: '200m', memory: '512Mi' }, limits: { memory: '2Gi' } },
    ) + k.probes(ready='/ready', alive='/api/v1/status/buildinfo') + {
      // Mimir's own traces go to Tempo, as Grafana's do. Not Loki's, whose 3.7 fails to set its tracer up and says so
      // as an error at every start, nor Tempo's, whose every span would make another.
      env: [{ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: config.urls.otlp.http }],
    },

  configMap: app.configMap({ 'mimir.yaml': k.yaml(metrics.settings) }),
  // The ruler reads these again by itself, so they are not part of the pods' checksum.
  rulesConfigMap: app.configMap(
    { [file]: k.yaml(metrics.rules[file]) for file in std.objectFields(metrics.rules) },
    suffix='-rules',
  ),
  statefulSet:
    app.statefulSet(metrics.container, metrics.configMap, user=10001)
    + k.claim(config.storage.metrics, '/var/mimir')
    + k.mount(
      'rules',
      '/etc/mimir-rules/anonymous',  // a folder for each tenant
      { configMap: { name: metrics.rulesConfigMap.metadata.name } }
    ),
  service: app.service(ports),
  headless: app.headless(ports),

  // Pods are scraped when they say so: annotations prometheus.io/scrape, /port (one that the pod declares), /path.
  collector: collector(
    config,
    'metrics',
    pipeline=|||
      discovery.relabel "metrics" {
        targets = discovery.relabel.pods.output

        rule {
          source_labels = ["__meta_kubernetes_pod_annotation_prometheus_io_scrape"]
          regex         = "true"
          action        = "keep"
        }

        rule {
          source_labels = ["__meta_kubernetes_pod_container_port_number"]
          target_label  = "__meta_kubernetes_pod_annotation_prometheus_io_port"
          action        = "keepequal"
        }

        rule {
          source_labels = ["__meta_kubernetes_pod_annotation_prometheus_io_path"]
          regex         = "(.+)"
          target_label  = "__metrics_path__"
        }

        rule {
          source_labels = ["__meta_kubernetes_pod_name", "__meta_kubernetes_pod_container_port_number"]
          separator     = ":"
          target_label  = "instance"
        }
      }

      prometheus.scrape "pods" {
        targets         = discovery.relabel.metrics.output
        forward_to      = [prometheus.remote_write.mimir.receiver]
        scrape_interval = "%(interval)s"
      }

      prometheus.remote_write "mimir" {
        endpoint {
          url = "%(url)s/api/v1/push"
        }

        external_labels = {
          cluster = "%(cluster)s",
        }
      }
    ||| % { interval: config.collect.interval, url: config.urls.mimir, cluster: config.cluster },
  ),
}
