local helm = (import 'helm.libsonnet').new(std.thisFile);

{
  relay:
    helm.template('relay', '../../charts/relay', {
      values: { replicas: 2, tags: { extras: true }, greeting: 'Hello from {{ .Release.Name }}' },
      apiVersions: ['monitoring.coreos.com/v1'],
    })
    // What the chart has no value for.
    + {
      deployment_relay+: {
        spec+: {
          template+: {
            spec+: {
              priorityClassName: 'system-cluster-critical',
              containers: [each { env+: [{ name: 'ZONE', value: 'a' }] } for each in super.containers],
            },
          },
        },
      },
    },
}
