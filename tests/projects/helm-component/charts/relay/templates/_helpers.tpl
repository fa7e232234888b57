{{- define "relay.name" -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "relay.labels" -}}
{{ include "common.labels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}

{{/* A helper that needs three calls to fail, for the error's way. */}}
{{- define "relay.outer" -}}
{{ include "relay.inner" . }}
{{- end -}}
{{- define "relay.inner" -}}
{{ .Values.missing.deeply.nested }}
{{- end -}}
