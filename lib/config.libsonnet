// The one place for what is configured; an environment changes it through `_config+::` in its main.jsonnet.
// What mop.yaml already says (names, namespaces) is taken from there and said nowhere else.
function(platform, environment, declared) {
  local config = self,

  platform: platform.platform,
  environment: environment,
  namespace: std.get(declared, 'namespace', platform.platform),

  // The `cluster` label of every metric, log line and span: what tells clusters apart once they share a store.
  cluster: '%s-%s' % [self.platform, self.environment],

  // A mirror is this one line; every image is pinned to a release.
  registry: 'docker.io',
  images: {
    alloy: 'grafana/alloy:v1.18.1',
    grafana: 'grafana/grafana:13.2.0',
    loki: 'grafana/loki:3.7.6',
    mimir: 'grafana/mimir:2.17.10',  // 2.x: a single process without Kafka, as the mimir-distributed 5.x chart of staging
    tempo: 'grafana/tempo:2.10.8',  // 2.x: 3.0 writes through Kafka
  },
  image(name):: '%s/%s' % [self.registry, self.images[name]],

  // Days. Whole ones, because Loki deletes by daily index tables.
  retention: { logs: 7, metrics: 15, traces: 2 },
  hours(signal):: '%dh' % (24 * self.retention[signal]),

  // Size of each store's volume, of the cluster's default storage class. A claim cannot shrink later.
  storage: { logs: '5Gi', metrics: '5Gi', traces: '5Gi', dashboards: '1Gi' },

  // Namespaces whose pods' logs and metrics are collected. The platform's own alone: whoever opens Grafana sees
  // what is collected, so another namespace is a decision. Each must exist: it gets a Role.
  collect: { namespaces: [config.namespace], interval: '30s' },

  // Where the stores keep their data in environments of many replicas; `local` keeps it on its volumes.
  s3: { endpoint: null, region: null, bucketPrefix: config.cluster, forcePathStyle: false },

  // Where components find each other, whoever runs there.
  urls: {
    loki: 'http://loki.%s.svc:3100' % config.namespace,
    mimir: 'http://mimir.%s.svc:8080' % config.namespace,
    tempo: 'http://tempo.%s.svc:3200' % config.namespace,
    otlp: { grpc: 'tempo.%s.svc:4317' % config.namespace, http: 'http://tempo.%s.svc:4318' % config.namespace },
  },

  assert std.all([
    std.isNumber(days) && days >= 1 && days == std.floor(days)
    for days in std.objectValues(self.retention)
  ]) : '_config.retention counts whole days, 1 or more, by signal; found %s' % std.toString(self.retention),
}
