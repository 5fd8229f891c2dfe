{{- define "cirahub-operator.egress" -}}
# Names.
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
# Microsoft 365, Key Vault, Exchange Servers, and the API server: an address of it is not known
# here. Which of the cluster's own addresses Connections may lead to, the operator judges.
- ports:
    - {port: 443, protocol: TCP}
    {{- range .Values.networkPolicy.apiServerPorts }}
    {{- if ne (int .) 443 }}
    - {port: {{ int . }}, protocol: TCP}
    {{- end }}
    {{- end }}
{{- with .Values.networkPolicy.extraEgress }}
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end }}
