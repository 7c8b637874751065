{{/* A release may have dots in its name, a Service may not. */}}
{{- define "latchkey.fullname" -}}
{{- $release := replace "." "-" .Release.Name }}
{{- if contains "latchkey" $release }}{{ $release | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-latchkey" $release | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "latchkey.selector" -}}
app.kubernetes.io/name: latchkey
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "latchkey.labels" -}}
{{ include "latchkey.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "latchkey.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* Settings of the values, as text. The chart's own must not be among them: they fit its ports and mounts. Helm reads
every number of a file as a float64, whose text is 2e+06 from a million on. */}}
{{- define "latchkey.settings" -}}
{{- range $name, $value := .settings }}
{{- if has $name $.own }}{{ fail (printf "%s is set by the chart: see its values" $name) }}{{ end }}
- name: {{ $name }}
  value: {{ if and (kindIs "float64" $value) (eq (floor $value) $value) }}{{ $value | int64 | quote }}{{ else }}{{ $value | toString | quote }}{{ end }}
{{- end }}
{{- end }}

{{/* Secrets are mounted as files: an environment is shown by more tools, and inherited. Names of Secrets by the names of
their volumes; those without a Secret are left out. */}}
{{- define "latchkey.mounts" -}}
{{- range $name, $secret := . }}
{{- if $secret }}
- name: {{ $name }}
  mountPath: /run/secrets/{{ $name }}
  readOnly: true
{{- end }}
{{- end }}
{{- end }}

{{- define "latchkey.volumes" -}}
{{- range $name, $secret := . }}
{{- if $secret }}
- name: {{ $name }}
  secret:
    secretName: {{ $secret }}
    {{- /* The service refuses a key that every user may read; the group is that of fsGroup. */}}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- end }}

{{- define "latchkey.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "latchkey.selector" $ | nindent 8 }}
  {{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "latchkey.container" -}}
image: {{ include "latchkey.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
resources: {{ toYaml .values.resources | nindent 2 }}
lifecycle:
  preStop:
    exec: { command: [sleep, {{ .root.Values.preStopSeconds | toString | quote }}] }
{{- end }}
