{{/* Image of the controller and the steps; a digest wins over a tag. */}}
{{- define "arc.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end -}}

{{/* Labels that select the controller's pods. */}}
{{- define "arc.selector" -}}
app.kubernetes.io/name: arc
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{/* Labels of everything that is not a pod. */}}
{{- define "arc.labels" -}}
app.kubernetes.io/name: arc
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{/* Namespaces whose Secrets the controller sees: what it is told and what it is allowed are the same. */}}
{{- define "arc.secretNamespaces" -}}
{{- if .Values.rbac.allNamespaces -}}*{{- else -}}{{ join "," .Values.tenants }}{{- end -}}
{{- end -}}

{{/* User name of the controller, as admission sees it. */}}
{{- define "arc.username" -}}
system:serviceaccount:{{ .Release.Namespace }}:arc-controller
{{- end -}}

{{/* What the controller may do where it may act. */}}
{{- define "arc.tenantRules" -}}
# Which Secrets exist, and in which version. RBAC cannot say that, it can only grant list and watch; ARC asks for
# metadata alone, and may not get one by name.
- apiGroups: [""]
  resources: [secrets]
  verbs: [list, watch]
# The last lines of the log of what failed.
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
# One by name: whether a workflow that should be there and is not was deleted.
- apiGroups: [argoproj.io]
  resources: [workflows]
  verbs: [get, create, patch, delete]
- apiGroups: [argoproj.io]
  resources: [cronworkflows]
  verbs: [create, patch]
{{- end -}}
