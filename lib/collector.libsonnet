// An Alloy that finds the pods of the collected namespaces and hands them to a pipeline.
// One for a signal: a component brings its own collection, and a store that is down holds up nothing but its own.
// https://grafana.com/docs/alloy/latest/reference/components/discovery/discovery.relabel/
local k = import 'k8s.libsonnet';

// Names follow the Prometheus mixins (`job` is namespace/name), so that their dashboards and rules fit.
local discovery = |||
  logging {
    level = "warn"
  }

  discovery.kubernetes "pods" {
    role = "pod"

    namespaces {
      names = %(namespaces)s
    }
  }

  discovery.relabel "pods" {
    targets = discovery.kubernetes.pods.targets

    rule {
      source_labels = ["__meta_kubernetes_pod_phase"]
      regex         = "Succeeded|Failed"
      action        = "drop"
    }

    rule {
      source_labels = ["__meta_kubernetes_namespace"]
      target_label  = "namespace"
    }

    rule {
      source_labels = ["__meta_kubernetes_pod_name"]
      target_label  = "pod"
    }

    rule {
      source_labels = ["__meta_kubernetes_pod_container_name"]
      target_label  = "container"
    }

    rule {
      source_labels = ["__meta_kubernetes_namespace", "__meta_kubernetes_pod_label_app_kubernetes_io_name"]
      separator     = "/"
      target_label  = "job"
    }
  }
|||;

// `signal`: the component that it belongs to. `pipeline`: Alloy's language, from `discovery.relabel.pods.output` on.
// `access`: what it may do in each collected namespace besides finding pods.
function(config, signal, pipeline, access=[]) {
  local collector = self,
  local app = k.app(config, signal, signal + '-collector'),
  local ports = { [k.metricsPort]: 12345 },
  local permits = app.access(
    config.collect.namespaces,
    [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }] + access
  ),

  alloy:: std.join('\n', [
    discovery % { namespaces: std.manifestJsonMinified(config.collect.namespaces) },
    pipeline,
  ]),

  container::
    app.container(
      'alloy',
      args=[
        'run',
        '/etc/%s-collector/config.alloy' % signal,
        '--server.http.listen-addr=0.0.0.0:%d' % ports[k.metricsPort],
        '--storage.path=/var/lib/alloy',
        '--disable-reporting',
      ],
      ports=ports,
      resources={ requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    ) + k.probes(ready='/-/ready', alive='/-/ready'),  // not /-/healthy: a pipeline that fails is no reason to restart

  configMap: app.configMap({ 'config.alloy': collector.alloy }),
  // What it has read and not yet sent is lost with the pod; what it has not read is still where it was.
  deployment:
    app.deployment(collector.container, collector.configMap, user=473)
    + k.mount('data', '/var/lib/alloy', { emptyDir: {} })
    + permits.workload
    // Two at a time would send everything twice.
    + { spec+: { strategy: { type: 'Recreate' } } },
  access: permits,
}
