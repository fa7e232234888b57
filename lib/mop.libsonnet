// What an environment's main.jsonnet starts from:
//
//   local mop = import 'mop.libsonnet';
//   mop.environment('staging') {
//     _config+:: { retention+: { logs: 30 } },                    // the central configuration, for this environment
//     loki+: { statefulSet+: { spec+: { replicas: 2 } } },         // deep merge over what a component made
//   }
//
// MOP serves mop.yaml with this environment alone in it, so that another environment's edit rebuilds nothing here;
// plain tk reads the file itself. Nothing below may look at any environment but the one that was asked for.
local components = import 'components.libsonnet';
local config = import 'config.libsonnet';
local platform = std.parseYaml(importstr '../mop.yaml');

local orEmpty(value) = if value == null then {} else value;

local declaration(name) =
  local environments = orEmpty(std.get(platform, 'environments'));
  assert std.objectHas(environments, name) :
         "mop.yaml has no environment '%s', which a main.jsonnet asks for; it has: %s. Mend the name in mop.environment('%s'), or declare it."
         % [name, std.join(', ', std.objectFields(environments)), name];
  orEmpty(environments[name]);

// The whole of `components` where an environment names none, as MOP itself reads it.
local selected(environment) =
  std.get(environment, 'components', std.objectFields(orEmpty(std.get(platform, 'components'))));

local component(name) =
  assert std.objectHasAll(components, name) :
         "component '%s' of mop.yaml has no Jsonnet: give it a line in lib/components.libsonnet, such as\n  %s: import 'components/%s.libsonnet',\nwhich has: %s."
         % [name, name, name, std.join(', ', std.objectFieldsAll(components))];
  components[name];

{
  platform:: platform,

  // Grafana dashboards from files: `mop.dashboards('platform')` makes ConfigMaps of lib/dashboards/platform/*.json.
  dashboards:: import 'dashboards.libsonnet',

  // One visible field for each component of the environment, each made from `_config` as main.jsonnet leaves it.
  environment(name)::
    local declared = declaration(name);
    { _config:: config(platform, name, declared) } +
    { [each]: component(each)(self._config) for each in selected(declared) },
}
