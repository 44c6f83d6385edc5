{{- /* SPDX-License-Identifier: LGPL-2.1-or-later */ -}}

{{- define "capauditd.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "capauditd.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "capauditd.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "capauditd.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "capauditd.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* Where metrics and health are served. */ -}}
{{- define "capauditd.metrics" -}}
{{- if .Values.metrics.enabled -}}
{{- .Values.metrics.address }}:{{ .Values.metrics.port }}
{{- else -}}
off
{{- end -}}
{{- end -}}

{{- /* Of the pods: those for Prometheus, which podAnnotations may replace. */ -}}
{{- define "capauditd.annotations" -}}
{{- $annotations := dict -}}
{{- if and .Values.metrics.enabled .Values.metrics.annotations -}}
{{- $annotations = dict "prometheus.io/scrape" "true" "prometheus.io/port" (toString .Values.metrics.port) "prometheus.io/path" "/metrics" -}}
{{- end -}}
{{- with merge (deepCopy .Values.podAnnotations) $annotations }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{- /* What its engine takes while it starts: a list of names, separated by commas. */ -}}
{{- define "capauditd.capabilities" -}}
{{- if ne .Values.engine "procfs" }}BPF, PERFMON{{ end -}}
{{- end -}}

{{- /* The seccomp profile as constraints name it. */ -}}
{{- define "capauditd.seccompName" -}}
{{- if eq .Values.seccompProfile.type "Localhost" -}}
localhost/{{ required "seccompProfile.localhostProfile is needed" .Values.seccompProfile.localhostProfile }}
{{- else -}}
{{- ternary "unconfined" "runtime/default" (eq .Values.seccompProfile.type "Unconfined") -}}
{{- end -}}
{{- end -}}

{{- define "capauditd.labels" -}}
app.kubernetes.io/name: {{ include "capauditd.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "capauditd.image" -}}
{{- $repository := required "image.repository is needed" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- /* Fails where a folder is, holds or stands above a socket of a runtime or of the kubelet. uid 0 needs no
       capability to connect to one, and a read-only mount is no obstacle. */ -}}
{{- define "capauditd.checkFolder" -}}
{{- $folder := .folder -}}
{{- $value := .value -}}
{{- if or (not (hasPrefix "/" $folder)) (contains "/.." $folder) (contains "//" $folder) (contains "/./" $folder) (hasSuffix "/." $folder) -}}
{{- fail (printf "%s: %q is no plain absolute path" $value $folder) -}}
{{- end -}}
{{- /* /var/run is a link to /run. */ -}}
{{- $path := printf "%s/" (trimSuffix "/" (regexReplaceAll "^/var/run(/|$)" $folder "/run$1")) -}}
{{- range $socket := list
      "/run/containerd/containerd.sock" "/run/containerd/s/" "/run/containerd/debug.sock" "/run/containerd/fifo/"
      "/run/k3s/containerd/containerd.sock" "/run/k0s/containerd.sock" "/run/k0s/containerd/containerd.sock"
      "/var/snap/microk8s/common/run/containerd.sock" "/run/docker.sock" "/run/docker/containerd/containerd.sock"
      "/run/docker/plugins/" "/run/dockershim.sock" "/run/cri-dockerd.sock" "/run/crio/crio.sock"
      "/run/podman/podman.sock" "/run/containers/storage/overlay-containers/" "/run/nri/nri.sock"
      "/run/systemd/private" "/run/dbus/system_bus_socket"
      "/var/lib/kubelet/device-plugins/kubelet.sock" "/var/lib/kubelet/pod-resources/kubelet.sock"
      "/var/lib/kubelet/plugins/" "/var/lib/kubelet/plugins_registry/" -}}
{{- if or (hasPrefix $path $socket) (hasPrefix (trimSuffix "/" $socket) $path) -}}
{{- fail (printf "%s: %s would bring %s within reach" $value $folder $socket) -}}
{{- end -}}
{{- end -}}
{{- end -}}
