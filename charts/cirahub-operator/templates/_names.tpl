{{- define "cirahub-operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- /* At most 52 characters, so that a Service with a suffix still has a name of 63. */ -}}
{{- define "cirahub-operator.fullname" -}}
{{- $name := include "cirahub-operator.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- .Values.fullnameOverride | default $full | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "cirahub-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "cirahub-operator.podLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* Without the chart's version: a chart that changes nothing of a pod restarts none. */ -}}
{{- define "cirahub-operator.podLabels" -}}
{{ include "cirahub-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: cirahub
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* A Deployment's selector can't be changed: nothing else may ever get in here. */ -}}
{{- define "cirahub-operator.selector" -}}
app.kubernetes.io/name: {{ include "cirahub-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "cirahub-operator.account" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "cirahub-operator.fullname" .) }}
{{- else }}
{{- required "serviceAccount.name: name the ServiceAccount that is there, or set serviceAccount.create" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "cirahub-operator.image" -}}
{{- $image := .Values.image }}
{{- $tag := $image.tag | default .Chart.AppVersion }}
{{- if and $image.digest (not $image.tag) }}
{{- printf "%s@%s" $image.repository $image.digest }}
{{- else if $image.digest }}
{{- printf "%s:%s@%s" $image.repository $tag $image.digest }}
{{- else }}
{{- printf "%s:%s" $image.repository $tag }}
{{- end }}
{{- end }}

{{- define "cirahub-operator.keySecret" -}}
{{- .Values.encryptionKey.existingSecret.name | default (printf "%s-key" (include "cirahub-operator.fullname" .)) }}
{{- end }}

{{- /* Not blank: the store is a file of ours. */ -}}
{{- define "cirahub-operator.sqlite" -}}
{{- if not (or .Values.database.existingSecret.name .Values.database.url) }}true{{ end }}
{{- end }}

{{- /* Of the database, where the values have it; the password is in a file of its own. */ -}}
{{- define "cirahub-operator.databaseURL" -}}
{{- $database := .Values.database }}
{{- $database.url }}
{{- if $database.passwordSecret.name }}
{{- ternary "&" "?" (contains "?" $database.url) }}password_file=/etc/cirahub/database/{{ $database.passwordSecret.key }}
{{- end }}
{{- end }}

{{- define "cirahub-operator.claim" -}}
{{- .Values.persistence.existingClaim | default (printf "%s-store" (include "cirahub-operator.fullname" .)) }}
{{- end }}

{{- /* The binding of a role to the operator. Takes root, kind, name and, but for a ClusterRole,
namespace. */ -}}
{{- define "cirahub-operator.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "cirahub-operator.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "cirahub-operator.account" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}
