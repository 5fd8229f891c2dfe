{{- /* What the schema can't say, because it is about several values. Nothing is rendered. */ -}}
{{- define "cirahub-operator.checks" -}}
{{- $values := .Values }}
{{- if and (include "cirahub-operator.sqlite" .) (gt (int $values.replicaCount) 1) }}
{{- fail (printf "replicaCount is %d, and the store is SQLite, a file that one pod can use: set database.existingSecret.name or database.url, or replicaCount to 1" (int $values.replicaCount)) }}
{{- end }}
{{- $database := $values.database }}
{{- if and (or $database.existingSecret.name $database.url) $values.persistence.existingClaim }}
{{- fail (printf "persistence.existingClaim and database.%s are two stores: leave one of them out" (ternary "url" "existingSecret.name" (not (empty $database.url)))) }}
{{- end }}
{{- if and $database.existingSecret.name $database.url }}
{{- fail "database.existingSecret.name and database.url are two databases: leave one of them out" }}
{{- end }}
{{- if and $database.passwordSecret.name (not $database.url) }}
{{- fail "database.passwordSecret.name is for database.url, which is blank: a URL in a Secret has its password in it" }}
{{- end }}
{{- if contains "login=entra" $database.url }}
{{- if $database.passwordSecret.name }}
{{- fail "database.url has login=entra, and database.passwordSecret.name is another way to log in: leave one of them out" }}
{{- end }}
{{- if not $values.workloadIdentity.enabled }}
{{- fail "database.url has login=entra, and the operator has no identity to log in as: set workloadIdentity.enabled" }}
{{- end }}
{{- if and $values.workloadIdentity.projectToken (not (and $values.workloadIdentity.clientID $values.workloadIdentity.tenantID)) }}
{{- fail "database.url has login=entra: set workloadIdentity.clientID and workloadIdentity.tenantID, which no webhook adds" }}
{{- end }}
{{- end }}
{{- if and $values.jobs.enabled (include "cirahub-operator.sqlite" .) }}
{{- fail "jobs.enabled is for workers in other pods, and the store is SQLite, a file that one pod can use: set database.existingSecret.name or database.url, or leave jobs out" }}
{{- end }}
{{- if and $values.encryptionKey.existingSecret.name $values.encryptionKey.volume }}
{{- fail "encryptionKey.existingSecret.name and encryptionKey.volume are two keys: leave one of them out" }}
{{- end }}
{{- $notifications := $values.notifications }}
{{- if and (not $notifications.url) (or $notifications.ingress.enabled $notifications.tls.existingSecret) }}
{{- fail "notifications.url is blank, and there is nothing for notifications.ingress or notifications.tls to lead to: set it" }}
{{- end }}
{{- if and $notifications.url (ne $notifications.service.type "ClusterIP") (not $notifications.tls.existingSecret) }}
{{- fail (printf "notifications.service.type is %s, which services reach without an Ingress, and they want HTTPS: set notifications.tls.existingSecret" $notifications.service.type) }}
{{- end }}
{{- if and $values.ownIdentity (not $values.workloadIdentity.enabled) }}
{{- fail "ownIdentity lets Connections sign in as the operator, which has no identity: set workloadIdentity.enabled" }}
{{- end }}
{{- if and $values.workloadIdentity.enabled (not $values.workloadIdentity.projectToken) (not $values.workloadIdentity.clientID) }}
{{- fail "workloadIdentity.clientID is blank: the webhook of Azure Workload Identity needs it" }}
{{- end }}
{{- range $field, $entries := dict "ownIdentity" $values.ownIdentity "rbac.signIn" $values.rbac.signIn }}
{{- range $entries }}
{{- if and $values.namespaces (not (has .namespace $values.namespaces)) }}
{{- fail (printf "%s names the namespace %s, which is not served: add it to namespaces" $field .namespace) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $field := list "commonLabels" "podLabels" }}
{{- range $label, $_ := index $values $field }}
{{- if or (hasPrefix "app.kubernetes.io/" $label) (hasPrefix "helm.sh/" $label) (eq "azure.workload.identity/use" $label) }}
{{- fail (printf "%s: %s is for the chart to set" $field $label) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
