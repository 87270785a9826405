{{/* An image by its digest, or by its tag where no digest is given. */}}
{{- define "copr-operator.reference" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ required "an image needs a tag or a digest" .tag }}
{{- end -}}
{{- end -}}

{{/* Not empty where security context constraints are installed. */}}
{{- define "copr-operator.openshift" -}}
{{- if eq (toString .Values.openshift) "auto" -}}
{{- if .Capabilities.APIVersions.Has "security.openshift.io/v1" -}}
true
{{- end -}}
{{- else if .Values.openshift -}}
true
{{- end -}}
{{- end -}}
