// The dashboards in the folders beside this file. Written by `inv fmt`; `inv lint` holds it to them.
// Plain tk reads it, for Jsonnet cannot list a folder; MOP reads the folders themselves.
{
  platform: {
    'platform-health.json': importstr 'platform/platform-health.json',
  },
}
