#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The manifests, the chart with its presets, and the example policies: the same objects from both, known to
# Kubernetes, without privilege, away from every socket. There is no cluster here, and no helm where Debian
# is: tests/tools/helm-render renders (helm itself is asked as well where it is installed).

# shellcheck source-path=SCRIPTDIR source=../service/lib.sh
. "${0%/*}/../service/lib.sh"
need go jq
[[ -x $CAPAUDITD ]] || skip_all "$CAPAUDITD is not built"

workspace=$(mktemp -d "${TMPDIR:-/tmp}/capauditd-manifests.XXXXXX")
at_exit "rm -rf '$workspace'"

# What is built and fetched stays beside the program, for the next time.
built=${CAPAUDITD%/*}
plain=$top/config/kubernetes
chart=$top/packaging/helm/capauditd
render=$built/helm-render
modules=$built/manifest-schema
presets=$(cd "$chart" && printf '%s\n' values-*.yaml | sed 's/^values-//; s/\.yaml$//')

# Debian's libraries of Go stand in /usr/share/gocode.
with_go() {
	GOPATH=/usr/share/gocode GO111MODULE=off GOFLAGS='' GOCACHE=$(realpath "$built")/go-cache go "$@"
}
for library in github.com/Masterminds/sprig sigs.k8s.io/yaml; do
	with_go list "$library" >/dev/null 2>&1 || skip_all "the Go library $library is not installed"
done
with_go build -o "$render" ./tests/tools/helm-render || {
	echo '1..1'
	echo 'not ok 1 - tests/tools/helm-render builds'
	exit 1
}

# Objects of the chart, one a line, as sorted JSON. The first argument: a preset, or default.
rendered() {
	local preset=$1
	shift
	[[ $preset != default ]] && set -- -f "$chart/values-$preset.yaml" "$@"
	"$render" "$@" "$chart" >"$workspace/rendered.yaml" || return
	objects "$workspace/rendered.yaml"
}
objects() {
	"$render" -json "$@" | jq -cS . | LC_ALL=C sort
}
plain_files() {
	find "$plain" -name '*.yaml' ! -name kustomization.yaml
}
plain_objects() {
	local files
	mapfile -t files < <(plain_files)
	objects "${files[@]}"
}
# The plain manifests and each rendering, made once: their objects stand in $workspace/NAME. One that
# does not render is empty, and fails every test of it.
plain_objects >"$workspace/plain"
for preset in default $presets; do
	rendered "$preset" >"$workspace/$preset"
done
each_variant() {
	local name
	for name in plain default $presets; do
		[[ -s $workspace/$name ]] || fail "$name: no objects"
		"$@" "$name"
	done
}
# A jq condition that every object of one kind in a file must satisfy. (Its $variables are jq's.)
# shellcheck disable=SC2016
holds() {
	local file=$1 kind=$2 condition=$3
	jq -se --arg kind "$kind" "[.[] | select(.kind == \$kind)] | length > 0 and all(.[]; $condition)" \
		"$file" >/dev/null || fail "${file##*/}: not so of its $kind: $condition"
}

test_the_renderer_renders_as_helm_does() {
	with_go vet ./tests/tools/helm-render
	with_go test ./tests/tools/helm-render
}

test_by_default_the_chart_gives_the_plain_manifests() {
	[[ $(wc -l <"$workspace/plain") == 6 ]]
	diff "$workspace/plain" "$workspace/default"
}

test_the_kustomization_names_every_file() {
	diff <(plain_files | sed 's,.*/,,' | sort) \
		<("$render" -json "$plain/kustomization.yaml" | jq -r '.resources[]' | sort)
}

test_kustomize_builds_the_same_objects() {
	command -v kubectl >/dev/null || skip "kubectl is not installed"
	kubectl kustomize "$plain" >"$workspace/kustomized.yaml"
	diff "$workspace/plain" <(objects "$workspace/kustomized.yaml")
}

test_helm_itself_renders_the_same() {
	local preset
	command -v helm >/dev/null || skip "helm is not installed"
	for preset in default $presets; do
		set --
		[[ $preset != default ]] && set -- -f "$chart/values-$preset.yaml"
		helm template capauditd "$chart" --namespace default --kube-version v1.33.0 "$@" >"$workspace/helm.yaml"
		diff <(objects "$workspace/helm.yaml") "$workspace/$preset"
	done
}

test_every_preset_changes_what_it_is_for_and_nothing_else() {
	local preset expected
	for preset in $presets; do
		case $preset in
		openshift) expected='DaemonSet Namespace SecurityContextConstraints' ;;
		gke) expected=ResourceQuota ;;
		*) expected=DaemonSet ;;
		esac
		diff <(comm -13 "$workspace/default" "$workspace/$preset" | jq -r .kind | sort) \
			<(tr ' ' '\n' <<<"$expected") || fail "$preset"
	done
}

test_versions_agree() {
	local version
	version=$(sed -n 's/^VERSION := //p' "$top/Makefile")
	[[ -n $version ]]
	"$render" -json "$chart/Chart.yaml" | jq -e --arg v "$version" '.version == $v and .appVersion == $v'
	holds "$workspace/plain" DaemonSet \
		"all(.spec.template.spec.containers[]; .image | endswith(\":$version\"))"
}

# Kubernetes' schema, from the npm registry, installed beside the program.
need_modules() {
	local wanted=$top/tests/manifests/schema
	command -v node >/dev/null || skip "node is not installed: nothing is checked against Kubernetes' schema"
	if ! cmp -s "$wanted/package-lock.json" "$modules/installed.json"; then
		command -v npm >/dev/null || skip "npm is not installed: nothing is checked against Kubernetes' schema"
		rm -rf "$modules"
		mkdir -p "$modules"
		cp "$wanted/package.json" "$wanted/package-lock.json" "$modules"
		timeout 240 npm ci --prefix "$modules" --ignore-scripts --no-audit --no-fund --loglevel=error \
			--fetch-timeout=30000 --fetch-retries=1 >"$workspace/npm" 2>&1 || {
			cat "$workspace/npm"
			skip "the npm registry gives nothing: $(grep -m 1 -i 'npm err' "$workspace/npm")"
		}
		cp "$wanted/package-lock.json" "$modules/installed.json"
	fi
}
validate() {
	node "$top/tests/manifests/schema/validate.mjs" "$1" "$modules" "${@:2}"
}
known_to_kubernetes() {
	validate objects <"$workspace/$1"
}

test_every_object_is_valid_by_kubernetes_schema() {
	need_modules
	each_variant known_to_kubernetes
}

test_the_schema_refuses_what_kubernetes_does_not_have() {
	local edit
	need_modules
	for edit in '.spec.template.spec.hostPid = true' '.metadata.label = {}' '.kind = "DaemonSets"' \
		'.spec.template.spec.containers[0].image = 5' '.apiVersion = "apps/v9"' \
		'.spec.template.spec.containers[0].volumeMounts[0].readonly = true' 'del(.spec.selector)'; do
		jq -c "select(.kind == \"DaemonSet\") | $edit" "$workspace/plain" >"$workspace/edited"
		refused validate objects <"$workspace/edited"
	done
}

test_the_values_satisfy_their_schema_and_mistakes_do_not() {
	local preset bad
	need_modules
	for preset in $presets; do
		"$render" -values -f "$chart/values-$preset.yaml" "$chart" |
			validate values "$chart/values.schema.json"
	done
	"$render" -values "$chart" | validate values "$chart/values.schema.json"
	for bad in image.pullpolicy=Always image.pullPolicy=Sometimes bundles.folders=/run/x bundles.folders[0]=/ \
		metrics.port=0 metrics.address=localhost metrics.enable=true metrics.podMonitor.interval=soon networkPolicy.from[0]=x \
		engine=ebpf seccompProfile.type=Default resources.limits.cpu=many namespace.name=UPPER priorityClassname=x seLinuxOptions.typ=x policy=; do
		"$render" -values -set "$bad" "$chart" >"$workspace/values"
		refused validate values "$chart/values.schema.json" <"$workspace/values"
	done
}

# No privilege but what hostPID, the folders below and two capabilities are.
unprivileged() {
	local file=$workspace/$1 pod=.spec.template.spec
	holds "$file" DaemonSet "$pod.hostPID == true and ($pod | has(\"hostNetwork\") or has(\"hostIPC\") | not)"
	holds "$file" DaemonSet "$pod.securityContext.seccompProfile == { type: \"RuntimeDefault\" }"
	holds "$file" DaemonSet "($pod | has(\"initContainers\") or has(\"ephemeralContainers\") | not) and ($pod.containers | length) == 1"
	holds "$file" DaemonSet "$pod.containers[0].securityContext == { runAsUser: 0, runAsGroup: 0, privileged: false,
		allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: [\"ALL\"], add: [\"BPF\", \"PERFMON\"] } }"
	holds "$file" DaemonSet "$pod.containers[0] | has(\"lifecycle\") or has(\"command\") | not"
	holds "$file" DaemonSet "$pod.containers[0].ports == [{ name: \"metrics\", containerPort: 9477, protocol: \"TCP\" }]"
	holds "$file" DaemonSet "($pod.volumes | all(.[]; has(\"hostPath\") or has(\"configMap\") or has(\"emptyDir\")))"
	holds "$file" Namespace '.metadata.labels["pod-security.kubernetes.io/enforce"] == "privileged"'
}
test_the_container_asks_for_no_privilege_but_bpf_and_perfmon() {
	each_variant unprivileged
}

# shellcheck disable=SC2016
test_with_the_procfs_engine_it_asks_for_none_at_all() {
	local container='.spec.template.spec.containers[0]'
	rendered openshift -set engine=procfs >"$workspace/procfs"
	holds "$workspace/procfs" DaemonSet "$container.securityContext.capabilities == { drop: [\"ALL\"] }"
	holds "$workspace/procfs" DaemonSet "$container.args == [\"run\", \"--host-root=/host\", \"--metrics=0.0.0.0:9477\", \"--engine=procfs\"]"
	holds "$workspace/procfs" SecurityContextConstraints '.allowedCapabilities == []'
	judges_itself procfs '[]'
	rendered default -set engine=bpf >"$workspace/bpf"
	holds "$workspace/bpf" DaemonSet "$container.args[3] == \"--engine=bpf\" and
		$container.securityContext.capabilities.add == [\"BPF\", \"PERFMON\"]"
}

# Where a node's default profile lets nobody use bpf(2).
# shellcheck disable=SC2016
test_another_seccomp_profile_can_be_named() {
	rendered openshift -set seccompProfile.type=Localhost -set seccompProfile.localhostProfile=bpf.json \
		>"$workspace/localhost"
	holds "$workspace/localhost" DaemonSet '.spec.template.spec.securityContext.seccompProfile ==
		{ type: "Localhost", localhostProfile: "bpf.json" }'
	holds "$workspace/localhost" SecurityContextConstraints '.seccompProfiles == ["localhost/bpf.json"]'
	refused rendered default -set seccompProfile.type=Localhost 2>"$workspace/said"
	grep -q 'seccompProfile.localhostProfile is needed' "$workspace/said"
}

reads_pods_and_namespaces() {
	local file=$workspace/$1
	holds "$file" ClusterRole '.rules == [{ apiGroups: [""], resources: ["pods", "namespaces"], verbs: ["get", "list", "watch"] }]'
	holds "$file" ClusterRoleBinding '.roleRef.name == "capauditd" and .subjects ==
		[{ kind: "ServiceAccount", name: "capauditd", namespace: "capauditd" }]'
	# Each of a kind stands there once, and no other that could give rights.
	diff <(jq -r .kind "$file" | grep -vx -e SecurityContextConstraints -e ResourceQuota | sort) - <<-'END'
		ClusterRole
		ClusterRoleBinding
		ConfigMap
		DaemonSet
		Namespace
		ServiceAccount
	END
}
test_the_service_account_may_read_pods_and_namespaces_alone() {
	each_variant reads_pods_and_namespaces
	jq -se '.[] | select(.kind == "SecurityContextConstraints") |
		.users == ["system:serviceaccount:capauditd:capauditd"] and .groups == [] and
		.allowPrivilegedContainer == false and .allowPrivilegeEscalation == false and
		.allowHostNetwork == false and .allowedCapabilities == ["BPF", "PERFMON"] and
		.seccompProfiles == ["runtime/default"] and .requiredDropCapabilities == ["ALL"] and
		.readOnlyRootFilesystem == true and .runAsUser == { type: "MustRunAs", uid: 0 }' "$workspace/openshift"
}

# By the runtimes' and the kubelet's documentation; a trailing slash: a folder with sockets in it.
sockets='
/run/containerd/containerd.sock /run/containerd/containerd.sock.ttrpc /run/containerd/debug.sock /run/containerd/s/
/run/k3s/containerd/containerd.sock /run/k0s/containerd.sock /run/k0s/status.sock
/var/snap/microk8s/common/run/containerd.sock /run/docker.sock /run/docker/containerd/containerd.sock
/run/docker/plugins/ /run/docker/libnetwork/ /run/cri-dockerd.sock /run/dockershim.sock
/run/crio/crio.sock /run/crio/0123456789abcdef/attach /run/podman/podman.sock
/run/containers/storage/overlay-containers/ /run/host-containerd/containerd.sock
/run/nri/nri.sock /run/dbus/system_bus_socket /run/systemd/private /run/systemd/journal/socket
/var/lib/kubelet/device-plugins/ /var/lib/kubelet/pod-resources/ /var/lib/kubelet/plugins/
/var/lib/kubelet/plugins_registry/ /var/run/docker.sock /var/run/containerd/containerd.sock /run/udev/control
'
away_from_sockets() {
	local path socket
	while read -r path; do
		for socket in $sockets; do
			[[ $path/ == "$socket"* || ${socket%/}/ == "$path"/* ]] && fail "$1: $path has $socket"
		done
	done < <(jq -r 'select(.kind == "DaemonSet").spec.template.spec.volumes[].hostPath.path // empty' "$workspace/$1")
	# What this machine has of them.
	while read -r path; do
		[[ -d $path ]] || continue
		[[ -z $(find "$path" -type s -print -quit 2>/dev/null) ]] || fail "$1: a socket below $path on this machine"
	done < <(jq -r 'select(.kind == "DaemonSet").spec.template.spec.volumes[].hostPath.path // empty' "$workspace/$1")
}
test_no_mount_is_or_holds_or_stands_above_a_socket() {
	each_variant away_from_sockets
}

# What the presets of containerd bring in, where a container runs.
test_a_task_folder_of_a_real_containerd_holds_no_socket() {
	local live=$workspace/live
	local state=$live/state root=$live/root address=$live/socket
	local id folder pid
	[[ $(id -u) == 0 ]] || skip "starting a containerd takes root"
	for program in containerd ctr busybox; do
		command -v $program >/dev/null || skip "$program is not installed"
	done
	id=capauditd-$(random_hex 8)
	mkdir -p "$workspace/rootfs/bin" "$state" "$root"
	cp "$(command -v busybox)" "$workspace/rootfs/bin/busybox"
	printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' >"$workspace/containerd.toml"
	containerd --config "$workspace/containerd.toml" --state "$state" --root "$root" --address "$address" \
		>"$workspace/containerd.log" 2>&1 &
	pid=$!
	# Where nobody else's is in it.
	at_exit "rmdir $(hierarchies | sed 's,$,/k8s.io,' | xargs)"
	at_exit "kill '$pid'"
	at_exit "ctr --address '$address' --namespace k8s.io container delete '$id'"
	at_exit "ctr --address '$address' --namespace k8s.io task delete --force '$id'"
	wait_until 20 ctr --address "$address" version >/dev/null 2>&1
	ctr --address "$address" --namespace k8s.io run --detach --rootfs "$workspace/rootfs" "$id" \
		/bin/busybox sleep 600 >"$workspace/ctr.log" 2>&1 || {
		cat "$workspace/ctr.log"
		skip "containerd runs no container here: $(tail -n 1 "$workspace/ctr.log")"
	}
	folder=$state/io.containerd.runtime.v2.task/k8s.io
	[[ -f $folder/$id/config.json ]]
	[[ -z $(find "$folder" -xdev -type s -print -quit) ]]
	# The same search does find containerd's own.
	[[ -n $(find "$live" -xdev -type s -print -quit) ]]
}

# shellcheck disable=SC2016
reads_what_is_documented() {
	local file=$workspace/$1 bundles='[]'
	case $1 in
	containerd) bundles='["/run/containerd/io.containerd.runtime.v2.task/k8s.io"]' ;;
	k3s) bundles='["/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io"]' ;;
	k0s) bundles='["/run/k0s/containerd/io.containerd.runtime.v2.task/k8s.io"]' ;;
	microk8s) bundles='["/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/k8s.io"]' ;;
	crio) bundles='["/var/lib/containers/storage/overlay-containers"]' ;;
	esac
	holds "$file" DaemonSet "[.spec.template.spec.volumes[].hostPath.path // empty] ==
		[\"/sys/fs/cgroup\", \"/var/log/pods\", \"/var/log/containers\", \"/var/lib/capauditd\"] + $bundles"
	# Each where the program looks for it: below /host, read-only; its state and its socket's place alone may be written.
	holds "$file" DaemonSet '.spec.template.spec |
		(.volumes | map({ (.name): .hostPath.path }) | add) as $path |
		all(.containers[0].volumeMounts[];
			(.name == "state" and .mountPath == "/var/lib/capauditd" and (has("readOnly") | not)) or
			(.name == "run" and .mountPath == "/run" and (has("readOnly") | not)) or
			(.name == "policy" and .mountPath == "/etc/capauditd" and .readOnly) or
			(.mountPath == "/host" + $path[.name] and .readOnly and (has("mountPropagation") | not)))'
	holds "$file" DaemonSet '.spec.template.spec.containers[0].volumeMounts | length == (map(.name) | unique | length)'
	holds "$file" DaemonSet '[.spec.template.spec.volumes[].name] | sort == unique'
	holds "$file" DaemonSet '.spec.template.spec.containers[0].args == ["run", "--host-root=/host", "--metrics=0.0.0.0:9477"]'
	# What is open is remembered over restarts and upgrades, on the node; the socket is of this start alone.
	holds "$file" DaemonSet '.spec.template.spec.volumes | map(select(.name == "state"))[0].hostPath == {
		path: "/var/lib/capauditd", type: "DirectoryOrCreate" }'
	holds "$file" DaemonSet '.spec.template.spec.volumes | map(select(.name == "run"))[0].emptyDir == {
		medium: "Memory", sizeLimit: "1Mi" }'
}
test_the_folders_that_are_mounted_are_those_of_the_documents() {
	each_variant reads_what_is_documented
}

test_what_lies_below_a_read_only_mount_is_read_only_too_where_the_server_knows_how() {
	rendered default -kube-version v1.30.0 >"$workspace/new"
	rendered default -kube-version v1.29.9 >"$workspace/old"
	[[ $(grep -o '"recursiveReadOnly":"IfPossible"' "$workspace/new" | wc -l) == 1 ]]
	refused grep -q recursiveReadOnly "$workspace/old"
}

test_a_folder_with_a_socket_is_refused_by_the_chart() {
	local folder
	for folder in / /run /run/containerd /run/containerd/ /var/run/containerd /run/containerd/s /run/k3s /run/k3s/containerd \
		/run/k0s /var/snap/microk8s/common/run /run/crio /run/containers/storage/overlay-containers \
		/run/docker.sock /var /var/lib /var/lib/kubelet relative /run/../x /x/.. //run /run/./x; do
		refused rendered containerd -set "bundles.folders[0]=$folder" 2>"$workspace/said"
		grep -q 'bundles.folders: ' "$workspace/said" || fail "$folder: $(cat "$workspace/said")"
	done
	refused rendered default -set state.path=/run 2>"$workspace/said"
	grep -q 'state.path: ' "$workspace/said"
	rendered default -set bundles.folders[0]=/run/containerd/io.containerd.runtime.v2.task >/dev/null
}

# A pass answers nobody: a container that makes passes slow must not get the auditor restarted.
# shellcheck disable=SC2016
is_asked() {
	local file=$workspace/$1 container='.spec.template.spec.containers[0]'
	holds "$file" DaemonSet "$container.livenessProbe | .httpGet == { path: \"/healthz\", port: \"metrics\" } and
		.periodSeconds * .failureThreshold >= 300 and .timeoutSeconds >= 10"
	holds "$file" DaemonSet "$container.readinessProbe.httpGet == { path: \"/readyz\", port: \"metrics\" }"
	holds "$file" DaemonSet '.spec.template.metadata.annotations == { "prometheus.io/scrape": "true",
		"prometheus.io/port": "9477", "prometheus.io/path": "/metrics" }'
}
test_the_kubelet_and_prometheus_know_where_to_ask() {
	each_variant is_asked
}

# shellcheck disable=SC2016
test_another_address_and_port_are_used_throughout() {
	local container='.spec.template.spec.containers[0]'
	rendered default -set metrics.address='[::]' -set metrics.port=9000 -set podAnnotations.a=b >"$workspace/elsewhere"
	holds "$workspace/elsewhere" DaemonSet "$container.args[2] == \"--metrics=[::]:9000\" and
		$container.ports == [{ name: \"metrics\", containerPort: 9000, protocol: \"TCP\" }]"
	holds "$workspace/elsewhere" DaemonSet '.spec.template.metadata.annotations == { "prometheus.io/scrape": "true",
		"prometheus.io/port": "9000", "prometheus.io/path": "/metrics", a: "b" }'
}

# shellcheck disable=SC2016
test_without_metrics_nothing_listens_and_nobody_asks() {
	local container='.spec.template.spec.containers[0]'
	rendered default -set metrics.enabled=false >"$workspace/silent"
	holds "$workspace/silent" DaemonSet "$container | .args[2] == \"--metrics=off\" and
		(has(\"ports\") or has(\"livenessProbe\") or has(\"readinessProbe\") | not)"
	holds "$workspace/silent" DaemonSet '.spec.template.metadata | has("annotations") | not'
	refused rendered default -set metrics.enabled=false -set metrics.podMonitor.create=true 2>"$workspace/said"
	grep -q 'metrics are not enabled' "$workspace/said"
}

# shellcheck disable=SC2016
test_a_pod_monitor_names_the_job_that_the_alerts_ask_for() {
	rendered default -set metrics.podMonitor.create=true -set metrics.podMonitor.labels.release=prometheus \
		-set metrics.annotations=false >"$workspace/monitored"
	jq -se '(.[] | select(.kind == "DaemonSet")) as $set | .[] | select(.kind == "PodMonitor") |
		.spec.selector.matchLabels == $set.spec.selector.matchLabels and .metadata.labels.release == "prometheus" and
		.spec.namespaceSelector.matchNames == ["capauditd"] and .spec.podMetricsEndpoints[0].port == "metrics" and
		(.spec.podMetricsEndpoints[0].relabelings | any(.targetLabel == "job" and .replacement == "capauditd"))' \
		"$workspace/monitored"
	holds "$workspace/monitored" DaemonSet '.spec.template.metadata | has("annotations") | not'
	grep -q 'up{job="capauditd"}' "$top/config/prometheus/capauditd.rules.yaml"
}

# An ingress rule without peers would let everybody in.
# shellcheck disable=SC2016
test_a_network_policy_lets_in_those_that_are_named_and_nobody_else() {
	local peer='{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"monitoring"}}}'
	printf '%s\n' "{ networkPolicy: { create: true, from: [$peer] } }" >"$workspace/peers.yaml"
	rendered default -f "$workspace/peers.yaml" >"$workspace/fenced"
	rendered default -set networkPolicy.create=true >"$workspace/closed"
	jq -se --argjson peer "$peer" '(.[] | select(.kind == "DaemonSet")) as $set | .[] | select(.kind == "NetworkPolicy").spec |
		.podSelector == $set.spec.selector and .policyTypes == ["Ingress"] and
		.ingress == [{ from: [$peer], ports: [{ port: 9477, protocol: "TCP" }] }]' "$workspace/fenced"
	holds "$workspace/closed" NetworkPolicy '.spec.ingress == []'
	need_modules
	known_to_kubernetes fenced
	known_to_kubernetes closed
}

test_the_network_policy_of_the_documents_is_the_charts() {
	awk '/^```yaml/ { inside = 1; block = ""; next } /^```/ { if (inside && block ~ /kind: NetworkPolicy/) printf "%s", block; inside = 0 }
		inside { block = block $0 "\n" }' "$top/docs/kubernetes.md" >"$workspace/documented.yaml"
	objects "$workspace/documented.yaml" >"$workspace/documented"
	diff <(jq -S '.spec | del(.podSelector)' "$workspace/documented") \
		<(jq -S 'select(.kind == "NetworkPolicy").spec | del(.podSelector)' "$workspace/fenced")
	jq -se '(.[] | select(.kind == "DaemonSet").spec.template.metadata.labels) as $labels |
		.[] | select(.kind == "NetworkPolicy").spec.podSelector.matchLabels as $wanted | $labels | contains($wanted)' \
		"$workspace/plain" "$workspace/documented"
	need_modules
	known_to_kubernetes documented
}

test_constraints_admit_the_volumes_that_the_pods_have() {
	jq -se '(.[] | select(.kind == "SecurityContextConstraints").volumes) as $admitted |
		.[] | select(.kind == "DaemonSet").spec.template.spec.volumes |
		all(.[]; (keys - ["name"])[0] as $kind | $admitted | index($kind))' "$workspace/openshift"
}

# shellcheck disable=SC2016
runs_on_every_node() {
	local file=$workspace/$1 pod=.spec.template.spec
	holds "$file" DaemonSet "$pod.nodeSelector == { \"kubernetes.io/os\": \"linux\" }"
	holds "$file" DaemonSet "$pod.tolerations == [{ operator: \"Exists\" }]"
	holds "$file" DaemonSet "$pod.priorityClassName == \"system-node-critical\""
	holds "$file" DaemonSet '.spec.updateStrategy.rollingUpdate.maxUnavailable | endswith("%")'
	holds "$file" DaemonSet "$pod.containers[0].env == [{ name: \"NODE_NAME\", valueFrom: { fieldRef: { fieldPath: \"spec.nodeName\" } } }]"
	holds "$file" DaemonSet "$pod.serviceAccountName == \"capauditd\" and $pod.automountServiceAccountToken"
	holds "$file" DaemonSet "$pod.containers[0].resources | (.requests | keys) == [\"cpu\", \"memory\"] and (.limits | keys) == [\"cpu\", \"memory\"]"
	holds "$file" DaemonSet '.spec.selector.matchLabels as $wanted | .spec.template.metadata.labels | contains($wanted)'
}
test_it_runs_on_every_linux_node() {
	each_variant runs_on_every_node
}

# The policy of the ConfigMap is good, and holds a rule for the very DaemonSet that is beside it. The second
# argument: what it allows.
judges_itself() {
	local file=$workspace/$1 allowed='["BPF", "PERFMON"]'
	(($# > 1)) && allowed=$2
	jq -r 'select(.kind == "ConfigMap").data["policy.yaml"]' "$file" >"$workspace/policy.yaml"
	"$CAPAUDITD" check-config "$workspace/policy.yaml"
	"$render" -json "$workspace/policy.yaml" >"$workspace/policy.json"
	jq -e --slurpfile objects "$file" --argjson allowed "$allowed" '
		($objects[] | select(.kind == "DaemonSet")) as $set |
		.rules[0].match == { namespace: $set.metadata.namespace, owner: "DaemonSet/\($set.metadata.name)" } and
		(.profiles[.rules[0].profile] | .allow == $allowed and (has("extends") | not)) and
		.run.outputs == ["stdout"]' "$workspace/policy.json"
}
test_the_shipped_policy_is_good_and_allows_capauditd_itself_what_it_starts_with() {
	each_variant judges_itself
	rendered default -release prod -set namespace.name=audit >"$workspace/renamed"
	judges_itself renamed
	jq -e '.rules[0].match.owner == "DaemonSet/prod-capauditd"' "$workspace/policy.json"
}

# The DaemonSet's own pod, as an API server tells of it; its container is a cgroup of that name.
# shellcheck disable=SC2016
own_pod() {
	jq -s --arg uid "$1" --arg id "$2" '{ kind: "PodList", apiVersion: "v1", metadata: { resourceVersion: "1" }, items: [
		.[] | select(.kind == "DaemonSet") | {
			metadata: (.spec.template.metadata + { name: "\(.metadata.name)-x7k2p", namespace: .metadata.namespace,
				uid: $uid, ownerReferences: [{ apiVersion, kind, name: .metadata.name, uid: $uid, controller: true }] }),
			spec: (.spec.template.spec + { nodeName: "here" }),
			status: { phase: "Running", qosClass: "Burstable",
				containerStatuses: [{ name: "capauditd", containerID: "containerd://\($id)" }] } }] }' "$workspace/plain"
}
# A jq condition on a scan of that container alone.
of_own_pod() {
	"$CAPAUDITD" scan --policy "$workspace/policy.yaml" --kubeconfig "$workspace/api/kubeconfig" --node here \
		--container "$1" --format json >"$workspace/scan.json" || true
	jq -e "$2" "$workspace/scan.json" >/dev/null 2>&1
}
test_capauditd_is_compliant_under_the_policy_that_is_shipped() {
	local api=$built/tests/kubernetes/api_server uid id cgroup server 
	local granted=(setpriv '--bounding-set=-all,+bpf,+perfmon' --inh-caps=-all --no-new-privs)
	[[ $(id -u) == 0 ]] || skip "making a cgroup takes root"
	[[ -x $api ]] || skip "$api is not built"
	uid=$(random_uid)
	id=$(random_hex 64)
	cgroup=/kubepods/burstable/pod$uid/$id
	mkdir "$workspace/api"
	own_pod "$uid" "$id" >"$workspace/api/pods.json"
	jq -s '{ kind: "NamespaceList", apiVersion: "v1", metadata: { resourceVersion: "1" },
		items: map(select(.kind == "Namespace")) }' "$workspace/plain" >"$workspace/api/namespaces.json"
	"$api" "$workspace/api" >"$workspace/api/log" 2>&1 &
	server=$!
	at_exit "kill '$server'"
	wait_until 20 grep -q '^ready' "$workspace/api/log"
	if "$CAPAUDITD" scan --kubeconfig "$workspace/api/kubeconfig" 2>&1 | grep 'this build has no Kubernetes'; then
		skip "this build has no Kubernetes API source"
	fi

	at_exit "for h in \$(hierarchies); do (cd \$h && rmdir -p kubepods/burstable/pod$uid); done"
	at_exit "remove_cgroup '$cgroup'"
	jq -r 'select(.kind == "ConfigMap").data["policy.yaml"]' "$workspace/plain" >"$workspace/policy.yaml"
	(
		enter_cgroup "$cgroup"
		exec "${granted[@]}" "$CAPAUDITD" run --policy "$workspace/policy.yaml" --kubernetes off
	) >"$workspace/daemon" 2>&1 &
	wait_until 30 of_own_pod "$id" '.containers | length == 1 and .[0].verdict == "compliant"
		and .[0].pod.owner == "DaemonSet/capauditd" and .[0].container.name == "capauditd"
		and .[0].profile == { name: "capauditd", source: "rule" } and .[0].held == []
		and (.[0].bounding | sort) == ["BPF", "PERFMON"]' || {
		cat "$workspace/daemon" "$workspace/scan.json"
		fail "not compliant"
	}
	# The same container with the least capability is none of it.
	(
		enter_cgroup "$cgroup"
		exec setpriv --bounding-set=-all,+net_bind_service --inh-caps=-all sleep 600
	) &
	wait_until 30 of_own_pod "$id" '.containers[0].verdict == "violation"'
}

test_a_policy_of_ones_own_takes_the_place_of_the_shipped_one() {
	local file=$top/config/policies/cni-cilium.yaml
	rendered default -set-file policy="$file" >"$workspace/own"
	diff <(jq -r 'select(.kind == "ConfigMap").data["policy.yaml"]' "$workspace/own") <(cat "$file" && echo)
}

test_example_policies_are_good() {
	local file count=0
	for file in "$top"/config/policies/*.yaml "$top"/config/policy.yaml; do
		"$CAPAUDITD" check-config "$file"
		count=$((count + 1))
	done
	((count > 8))
}

test_example_policies_name_owners_and_never_a_whole_namespace() {
	local file
	for file in "$top"/config/policies/*.yaml; do
		"$render" -json "$file" | jq -e 'def list: if type == "array" then .[] else . end;
			all(.rules[]?; .match | has("namespace") and has("owner") and
				all(.owner | list; test("^(DaemonSet/[^*]|DaemonSet/\\*-[a-z]|Node/)")) and
				all(.namespace | list; contains("*") | not)) and
			all(.exceptions[]?; (.class // "posture") == "posture" and (.match | has("container") and has("image") and
				.containerType == "init" and (has("namespaceSelector") or has("podSelector"))))' ||
			fail "$file"
	done
}

test_the_notes_name_what_was_installed() {
	"$render" -notes -release prod -set namespace.name=audit "$chart" >"$workspace/notes"
	grep -q -- '-n audit .*daemonset/prod-capauditd' "$workspace/notes"
	grep -q -- '-n audit exec POD -- /usr/bin/capauditd status' "$workspace/notes"
	grep -q 'on port 9477 of each pod, for everybody who can reach it\.$' "$workspace/notes"
}

run_tests
