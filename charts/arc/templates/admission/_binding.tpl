{{/* The binding of a policy; takes a list of the root and the policy's name. */}}
{{- define "arc.binding" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ $name }}
  labels:
    {{- include "arc.labels" $root | nindent 4 }}
spec:
  policyName: {{ $name }}
  validationActions: {{ toJson $root.Values.admission.actions }}
{{- end -}}
