// A folder of lib/dashboards/ as ConfigMaps, one for each Grafana dashboard, by name:
//
//   mop.dashboards('platform')                                     // lib/dashboards/platform/*.json
//   mop.dashboards('platform', name='grafana', metadata={ … })      // grafana-<file>, with that metadata
//
// A dashboard is text here and never evaluated: as Jsonnet, dashboards would take most of an environment's time.
// One a ConfigMap, because a ConfigMap holds less than 1 MiB, and because a file's object is then the same whatever
// lies beside it. The label is the one that the Grafana chart's sidecar looks for.
local texts(folder) =
  local names = std.native('mopDashboards');
  local text = std.native('mopDashboard');
  local path = 'dashboards/' + folder;
  if names != null then
    { [file]: text(path, file, std.thisFile) for file in names(path, std.thisFile) }
  else
    // Plain tk, which cannot list folders; `inv fmt` writes this file.
    local index = import 'dashboards/index.libsonnet';
    assert std.objectHas(index, folder) :
           "lib/dashboards/index.libsonnet has no folder '%s'; it has: %s. `inv fmt` writes it."
           % [folder, std.join(', ', std.objectFields(index))];
    index[folder];

local fits(c) = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';

// `text` where it can name an object; else the nearest that can, with a digest that tells it from others.
local identifier(text) =
  local letters = std.stringChars(text);
  if std.all(std.map(fits, letters)) && !std.startsWith(text, '-') && !std.endsWith(text, '-') && std.length(text) <= 200 then text
  else
    local near = std.join('', [if fits(c) then c else '-' for c in std.stringChars(std.asciiLower(text))]);
    std.stripChars('%s-%s' % [std.substr(near, 0, 190), std.substr(std.md5(text), 0, 8)], '-');

function(folder, name=folder, metadata={ labels: { grafana_dashboard: '1' } })
  local files = texts(folder);
  {
    [called]: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata { name: called },
      // Named like the object, so that several ConfigMaps can share one folder of Grafana's.
      data: { [called + '.json']: text },
    }
    for file in std.objectFields(files)
    for called in [identifier('%s-%s' % [name, std.substr(file, 0, std.length(file) - std.length('.json'))])]
    for text in [files[file]]
  }
