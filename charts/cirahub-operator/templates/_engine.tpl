{{- /* What a container that opens the store needs: the operator's, and a worker's. */ -}}
{{- define "cirahub-operator.projected" -}}
{{- if and .Values.workloadIdentity.enabled .Values.workloadIdentity.projectToken }}true{{ end }}
{{- end }}

{{- define "cirahub-operator.env" -}}
{{- $values := .Values -}}
{{- $env := list }}
{{- if not (include "cirahub-operator.sqlite" .) }}
{{- if $values.database.url }}
{{- $env = append $env (dict "name" "CIRAHUB_DATABASE" "value" (include "cirahub-operator.databaseURL" .)) }}
{{- else }}
{{- $secret := dict "name" $values.database.existingSecret.name "key" $values.database.existingSecret.key }}
{{- $env = append $env (dict "name" "CIRAHUB_DATABASE" "valueFrom" (dict "secretKeyRef" $secret)) }}
{{- end }}
{{- end }}
{{- if include "cirahub-operator.projected" . }}
{{- $env = append $env (dict "name" "AZURE_FEDERATED_TOKEN_FILE" "value" "/var/run/secrets/azure/tokens/azure-identity-token") }}
{{- with $values.workloadIdentity.clientID }}
{{- $env = append $env (dict "name" "AZURE_CLIENT_ID" "value" .) }}
{{- end }}
{{- with $values.workloadIdentity.tenantID }}
{{- $env = append $env (dict "name" "AZURE_TENANT_ID" "value" .) }}
{{- end }}
{{- end }}
{{- with concat $env $values.extraEnv }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- define "cirahub-operator.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: key
  mountPath: /etc/cirahub/key
  readOnly: true
{{- if .Values.database.passwordSecret.name }}
- name: database-password
  mountPath: /etc/cirahub/database
  readOnly: true
{{- end }}
{{- if or .Values.endpoints.origins .Values.endpoints.ca }}
- name: endpoints
  mountPath: /etc/cirahub/endpoints
  readOnly: true
{{- end }}
{{- if include "cirahub-operator.projected" . }}
- name: azure-identity-token
  mountPath: /var/run/secrets/azure/tokens
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "cirahub-operator.volumes" -}}
- name: tmp
  emptyDir: {}
- name: key
  {{- if .Values.encryptionKey.volume }}
  {{- toYaml .Values.encryptionKey.volume | nindent 2 }}
  {{- else }}
  secret:
    secretName: {{ include "cirahub-operator.keySecret" . }}
    defaultMode: 0440
    items:
      - key: {{ .Values.encryptionKey.existingSecret.key }}
        path: {{ .Values.encryptionKey.existingSecret.key }}
  {{- end }}
{{- with .Values.database.passwordSecret }}
{{- if .name }}
- name: database-password
  secret:
    secretName: {{ .name }}
    defaultMode: 0440
    items:
      - key: {{ .key }}
        path: {{ .key }}
{{- end }}
{{- end }}
{{- if or .Values.endpoints.origins .Values.endpoints.ca }}
- name: endpoints
  configMap:
    name: {{ include "cirahub-operator.fullname" . }}-endpoints
{{- end }}
{{- if include "cirahub-operator.projected" . }}
- name: azure-identity-token
  projected:
    sources:
      - serviceAccountToken:
          path: azure-identity-token
          audience: api://AzureADTokenExchange
          expirationSeconds: 3600
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* By which nothing takes a worker's pod for the operator's: no Service, no disruption budget. */ -}}
{{- define "cirahub-operator.workerSelector" -}}
app.kubernetes.io/name: {{ include "cirahub-operator.name" . | trunc 56 | trimSuffix "-" }}-worker
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* The pod template of workers; the operator adds to it what differs from Job to Job. */ -}}
{{- define "cirahub-operator.worker" -}}
{{- $values := .Values -}}
metadata:
  labels:
    {{- include "cirahub-operator.workerSelector" . | nindent 4 }}
    app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
    app.kubernetes.io/component: worker
    app.kubernetes.io/part-of: cirahub
    {{- if and $values.workloadIdentity.enabled (not $values.workloadIdentity.projectToken) }}
    azure.workload.identity/use: "true"
    {{- end }}
    {{- with $values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: worker
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "cirahub-operator.account" . }}
  automountServiceAccountToken: true
  enableServiceLinks: false
  restartPolicy: Never
  terminationGracePeriodSeconds: {{ $values.terminationGracePeriodSeconds }}
  {{- with $values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    {{- toYaml $values.podSecurityContext | nindent 4 }}
  containers:
    - name: worker
      image: {{ include "cirahub-operator.image" . }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      command: [cirahub, worker]
      args:
        - "--key-file=/etc/cirahub/key/{{ $values.encryptionKey.existingSecret.key }}"
        {{- if or $values.endpoints.origins $values.endpoints.ca }}
        - --endpoints=/etc/cirahub/endpoints/endpoints.json
        {{- end }}
        - "--log-format={{ $values.log.format }}"
        {{- if $values.log.debug }}
        - --debug
        {{- end }}
      {{- with include "cirahub-operator.env" . }}
      env:
        {{- . | nindent 8 }}
      {{- end }}
      {{- with $values.jobs.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- toYaml $values.securityContext | nindent 8 }}
      volumeMounts:
        {{- include "cirahub-operator.mounts" . | nindent 8 }}
  volumes:
    {{- include "cirahub-operator.volumes" . | nindent 4 }}
  {{- with $values.jobs.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.jobs.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
