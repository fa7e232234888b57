// The Kubernetes objects that single-binary components share, with the hardening that all of them want.
// Only what they have in common: the rest is said where it is used, by deep merge.
local podSecurity(user) = {
  runAsNonRoot: true,
  runAsUser: user,
  runAsGroup: user,
  fsGroup: user,
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
};

local containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

local mounted(volume, path) = {
  spec+: { template+: { spec+: { containers: [
    each { volumeMounts+: [{ name: volume, mountPath: path }] }
    for each in super.containers
  ] } } },
};

// What every program of the platform writes its own metrics to; the collectors look for it.
local metricsPort = 'http-metrics';

{
  metricsPort:: metricsPort,

  yaml(value):: std.manifestYamlDoc(value, quote_keys=false) + '\n',

  // A pod serves while `ready` answers, and is started anew when `alive` has not answered for a minute. They differ
  // where a program is not ready for good reasons, such as replaying its log.
  probes(ready, alive):: {
    readinessProbe: { httpGet: { path: ready, port: metricsPort }, timeoutSeconds: 5 },
    livenessProbe: {
      httpGet: { path: alive, port: metricsPort },
      initialDelaySeconds: 30,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
  },

  // A workload with one more volume, mounted in its container.
  mount(volume, path, source):: mounted(volume, path) {
    spec+: { template+: { spec+: { volumes+: [{ name: volume } + source] } } },
  },

  // A volume of its own for the pod of a StatefulSet. No class is named: the cluster's default one gives it.
  claim(size, path):: mounted('data', path) {
    spec+: {
      volumeClaimTemplates+: [{
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } } },
      }],
    },
  },

  // The objects of one program, all named after it. `component` is the one of mop.yaml that it belongs to.
  app(config, component, name):: {
    local app = self,
    local selector = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/part-of': config.platform },
    local labels = selector { 'app.kubernetes.io/component': component },

    // MOP would add the namespace; it stands here so that plain tk, which needs a spec.json for it, puts it right too.
    object(apiVersion, kind, suffix=''):: {
      apiVersion: apiVersion,
      kind: kind,
      metadata: { name: name + suffix, namespace: config.namespace, labels: labels },
    },

    // `files`: text by file name.
    configMap(files, suffix=''):: app.object('v1', 'ConfigMap', suffix) { data: files },

    // `ports`: number by name.
    service(ports):: app.object('v1', 'Service') {
      spec: {
        selector: selector,
        ports: [
          { name: port, port: ports[port], targetPort: port, protocol: 'TCP' }
          for port in std.objectFields(ports)
        ],
      },
    },

    // Gives the pods of the StatefulSet their names.
    headless(ports):: app.service(ports) {
      metadata+: { name: name + '-headless' },
      spec+: { clusterIP: 'None' },
    },

    // A container whose ConfigMap is at /etc/<name>. /tmp is the one place it may write to besides its volumes.
    container(image, args, ports, resources):: {
      name: name,
      image: config.image(image),
      args: args,
      ports: [{ name: port, containerPort: ports[port], protocol: 'TCP' } for port in std.objectFields(ports)],
      resources: resources,
      securityContext: containerSecurity,
      volumeMounts: [{ name: 'config', mountPath: '/etc/' + name }, { name: 'tmp', mountPath: '/tmp' }],
    },

    // `user`: the number that the image's own user has. `paths`: where a key of the ConfigMap lies below /etc/<name>,
    // as far as not all of them lie there under their own names. A changed ConfigMap changes the checksum and so rolls the
    // pods: none of the programs watches its file.
    local workload(kind, container, configMap, user, paths={}) = app.object('apps/v1', kind) {
      spec: {
        replicas: 1,
        selector: { matchLabels: selector },
        template: {
          metadata: {
            labels: labels,
            annotations: {
              'checksum/config': std.md5(std.manifestJsonMinified(configMap.data)),
              'prometheus.io/scrape': 'true',
              'prometheus.io/port': std.toString([
                port.containerPort
                for port in container.ports
                if port.name == metricsPort
              ][0]),
            },
          },
          spec: {
            automountServiceAccountToken: false,
            enableServiceLinks: false,  // variables such as LOKI_PORT would be taken for configuration
            securityContext: podSecurity(user),
            containers: [container],
            volumes: [
              {
                name: 'config',
                configMap: {
                  name: configMap.metadata.name,
                  [if paths != {} then 'items']: [{ key: key, path: paths[key] } for key in std.objectFields(paths)],
                },
              },
              { name: 'tmp', emptyDir: {} },
            ],
          },
        },
      },
    },

    deployment(container, configMap, user):: workload('Deployment', container, configMap, user),

    statefulSet(container, configMap, user, paths={}):: workload('StatefulSet', container, configMap, user, paths) {
      spec+: {
        serviceName: name + '-headless',
        // Long enough to flush what is in memory.
        template+: { spec+: { terminationGracePeriodSeconds: 120 } },
      },
    },

    // Lets the pods call the API server: `rules`, in each of `namespaces` and nowhere else.
    access(namespaces, rules):: {
      local called = '%s-%s' % [config.platform, name],
      serviceAccount: app.object('v1', 'ServiceAccount'),
      roles: {
        [namespace]: {
          local here = { metadata+: { name: called, namespace: namespace } },
          role: app.object('rbac.authorization.k8s.io/v1', 'Role') + here + { rules: rules },
          binding: app.object('rbac.authorization.k8s.io/v1', 'RoleBinding') + here + {
            roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: called },
            subjects: [{ kind: 'ServiceAccount', name: name, namespace: config.namespace }],
          },
        }
        for namespace in namespaces
      },
      workload:: { spec+: { template+: { spec+: {
        serviceAccountName: name,
        automountServiceAccountToken: true,
      } } } },
    },
  },
}
