// Helm charts as Jsonnet objects, by the native function helmTemplate; the interface is that of tanka-util's helm.
//
//   local helm = (import 'helm.libsonnet').new(std.thisFile);
//   helm.template('loki', '../../charts/loki', { values: { ... } })      // the chart, seen from the calling file
//
// gives an object with one field for each object of the chart: `deployment_loki`, `config_map_loki`, … A deep merge
// changes what the chart has no value for. The third argument also takes namespace, apiVersions, kubeVersion,
// includeCrds (true), skipTests, noHooks and nameFormat.

local labelled(value, labels) =
  if std.isArray(value) then [labelled(each, labels) for each in value]
  else if !std.isObject(value) then value
  else if std.objectHas(value, 'apiVersion') && std.objectHas(value, 'kind')
  then value { metadata+: { labels+: labels } }
  else std.mapWithKey(function(_, each) labelled(each, labels), value);

{
  // Charts say `managed-by: Helm`, which is not so once they are rendered here.
  defaultLabels:: { 'app.kubernetes.io/managed-by': 'mop' },

  calledFrom:: error "helm.libsonnet: start with (import 'helm.libsonnet').new(std.thisFile), so that charts are found from there",

  new(calledFrom):: self { calledFrom:: calledFrom },

  template(name, chart, conf={})::
    labelled(std.native('helmTemplate')(name, chart, conf { calledFrom: $.calledFrom }), self.defaultLabels),
}
