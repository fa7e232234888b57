import '../../../../lib/helm.libsonnet'
