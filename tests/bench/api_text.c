/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The objects are made after those of Kubernetes 1.33: a Deployment's pod with projected token,
 * probes, environment, conditions, statuses and the managedFields that come with all of that.
 */
#include "api_text.h"

#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>

#define TIME "\"2026-11-23T23:16:20Z\""

static FILE *begin(char **text, size_t *length)
{
	FILE *f = open_memstream(text, length);

	if (!f)
		abort();
	return f;
}

static void end(FILE *f)
{
	if (fclose(f) != 0)
		abort();
}

static void put_managed(FILE *f, unsigned containers)
{
	static const char *const conditions[] = { "ContainersReady", "Initialized",
		"PodReadyToStartContainers", "Ready" };

	(void)fputs("\"managedFields\":[{\"manager\":\"kube-controller-manager\",\"operation\":"
		    "\"Update\",\"apiVersion\":\"v1\",\"time\":" TIME
		    ",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":{\"f:generateName\":"
		    "{},\"f:labels\":{\".\":{},\"f:app\":{},\"f:pod-template-hash\":{}},"
		    "\"f:ownerReferences\":{\".\":{},\"k:{\\\"uid\\\":\\\"f8dc0aa0-4ca8-42a8-9fa3-"
		    "83f5fe61450e\\\"}\":{}}},\"f:spec\":{\"f:containers\":{",
		f);
	for (unsigned i = 0; i < containers; i++)
		(void)fprintf(f,
			"%s\"k:{\\\"name\\\":\\\"" CROWD_CONTAINER
			"\\\"}\":{\".\":{},\"f:command\":{},\"f:image\":{},\"f:imagePullPolicy\":"
			"{},\"f:name\":{},\"f:resources\":{\".\":{},\"f:requests\":{\".\":{},"
			"\"f:cpu\":{},\"f:memory\":{}}},\"f:securityContext\":{\".\":{},"
			"\"f:capabilities\":{\".\":{},\"f:add\":{}}},\"f:terminationMessagePath\":"
			"{},\"f:terminationMessagePolicy\":{}}",
			i ? "," : "", i);
	(void)fputs("},\"f:dnsPolicy\":{},\"f:enableServiceLinks\":{},\"f:restartPolicy\":{},"
		    "\"f:schedulerName\":{},\"f:securityContext\":{},"
		    "\"f:terminationGracePeriodSeconds\":{}}}},{\"manager\":\"kubelet\","
		    "\"operation\":\"Update\",\"apiVersion\":\"v1\",\"time\":" TIME
		    ",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:status\":{\"f:conditions\":{",
		f);
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		(void)fprintf(f,
			"%s\"k:{\\\"type\\\":\\\"%s\\\"}\":{\".\":{},\"f:lastProbeTime\":{},"
			"\"f:lastTransitionTime\":{},\"f:status\":{},\"f:type\":{}}",
			i ? "," : "", conditions[i]);
	(void)fputs("},\"f:containerStatuses\":{},\"f:hostIP\":{},\"f:hostIPs\":{},\"f:phase\":{},"
		    "\"f:podIP\":{},\"f:podIPs\":{\".\":{},\"k:{\\\"ip\\\":\\\"10.244.0.15\\\"}\":"
		    "{\".\":{},\"f:ip\":{}}},\"f:startTime\":{}}},\"subresource\":\"status\"}]",
		f);
}

static void put_spec(FILE *f, unsigned pod, unsigned containers)
{
	(void)fprintf(f,
		"\"spec\":{\"volumes\":[{\"name\":\"kube-api-access-%05x\",\"projected\":"
		"{\"sources\":[{\"serviceAccountToken\":{\"expirationSeconds\":3607,\"path\":"
		"\"token\"}},{\"configMap\":{\"name\":\"kube-root-ca.crt\",\"items\":[{\"key\":"
		"\"ca.crt\",\"path\":\"ca.crt\"}]}},{\"downwardAPI\":{\"items\":[{\"path\":"
		"\"namespace\",\"fieldRef\":{\"apiVersion\":\"v1\",\"fieldPath\":"
		"\"metadata.namespace\"}}]}}],\"defaultMode\":420}}],\"containers\":[",
		pod);
	for (unsigned i = 0; i < containers; i++)
		(void)fprintf(f,
			"%s{\"name\":\"" CROWD_CONTAINER
			"\",\"image\":\"registry.example/crowd/service-%u:1.35\",\"command\":"
			"[\"/bin/service\",\"--listen=:8080\"],\"resources\":{\"requests\":"
			"{\"cpu\":\"10m\",\"memory\":\"32Mi\"}},\"volumeMounts\":[{\"name\":"
			"\"kube-api-access-%05x\",\"readOnly\":true,\"mountPath\":"
			"\"/var/run/secrets/kubernetes.io/serviceaccount\"}],"
			"\"terminationMessagePath\":\"/dev/termination-log\","
			"\"terminationMessagePolicy\":\"File\",\"imagePullPolicy\":"
			"\"IfNotPresent\",\"securityContext\":{\"capabilities\":{\"add\":"
			"[\"NET_BIND_SERVICE\"]}}}",
			i ? "," : "", i, pod, pod);
	(void)fputs("],\"restartPolicy\":\"Always\",\"terminationGracePeriodSeconds\":30,"
		    "\"dnsPolicy\":\"ClusterFirst\",\"serviceAccountName\":\"default\","
		    "\"serviceAccount\":\"default\",\"nodeName\":\"n1\",\"securityContext\":{},"
		    "\"schedulerName\":\"default-scheduler\",\"tolerations\":[{\"key\":"
		    "\"node.kubernetes.io/not-ready\",\"operator\":\"Exists\",\"effect\":"
		    "\"NoExecute\",\"tolerationSeconds\":300},{\"key\":"
		    "\"node.kubernetes.io/unreachable\",\"operator\":\"Exists\",\"effect\":"
		    "\"NoExecute\",\"tolerationSeconds\":300}],\"priority\":0,"
		    "\"enableServiceLinks\":true,\"preemptionPolicy\":\"PreemptLowerPriority\"}",
		f);
}

static void put_status(FILE *f, const struct api_crowd *crowd, unsigned pod)
{
	static const char *const conditions[] = { "PodReadyToStartContainers", "Initialized",
		"Ready", "ContainersReady", "PodScheduled" };
	char id[CROWD_ID_SIZE];

	(void)fputs("\"status\":{\"phase\":\"Running\",\"conditions\":[", f);
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		(void)fprintf(f,
			"%s{\"type\":\"%s\",\"status\":\"True\",\"lastProbeTime\":null,"
			"\"lastTransitionTime\":" TIME "}",
			i ? "," : "", conditions[i]);
	(void)fprintf(f,
		"],\"hostIP\":\"192.0.2.2\",\"hostIPs\":[{\"ip\":\"192.0.2.2\"}],\"podIP\":"
		"\"10.244.0.%u\",\"podIPs\":[{\"ip\":\"10.244.0.%u\"}],\"startTime\":" TIME
		",\"containerStatuses\":[",
		pod % 250 + 2, pod % 250 + 2);
	for (unsigned i = 0; i < crowd->containers; i++) {
		crowd_container_id(id, crowd->token, pod * crowd->containers + i);
		(void)fprintf(f,
			"%s{\"name\":\"" CROWD_CONTAINER
			"\",\"state\":{\"running\":{\"startedAt\":" TIME
			"}},\"lastState\":{},\"ready\":true,\"restartCount\":0,\"image\":"
			"\"registry.example/crowd/service-%u:1.35\",\"imageID\":\"sha256:"
			"f43a719cb372e4c087fc654a75ec93bddcd89e8cc652b1f20e4f28dac7e04b12\","
			"\"containerID\":\"containerd://%s\",\"started\":true}",
			i ? "," : "", i, pod, id);
	}
	(void)fputs("],\"qosClass\":\"Burstable\"}", f);
}

char *api_pod_list(const struct api_crowd *crowd, unsigned version, unsigned every,
	unsigned generation, size_t *length)
{
	char *text, uid[CROWD_UID_SIZE];
	FILE *f = begin(&text, length);

	(void)fprintf(f,
		"{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":"
		"\"%u\"},\"items\":[",
		version);
	for (unsigned pod = 0; pod < crowd->pods; pod++) {
		crowd_pod_uid(uid, crowd->token, pod);
		(void)fprintf(f,
			"%s{\"metadata\":{\"name\":\"" CROWD_POD
			"\",\"generateName\":\"crowd-6c4566dfff-\",\"namespace\":\"" CROWD_NAMESPACE
			"\",\"uid\":\"%s\",\"resourceVersion\":\"%u\",\"generation\":1,"
			"\"creationTimestamp\":" TIME
			",\"labels\":{\"app\":\"crowd\",\"app.kubernetes.io/name\":\"crowd\","
			"\"generation\":\"%u\",\"pod-template-hash\":\"6c4566dfff\"},"
			"\"annotations\":{\"prometheus.io/scrape\":\"true\"},\"ownerReferences\":"
			"[{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":"
			"\"crowd-6c4566dfff\",\"uid\":\"f8dc0aa0-4ca8-42a8-9fa3-83f5fe61450e\","
			"\"controller\":true,\"blockOwnerDeletion\":true}],",
			pod ? "," : "", pod, pod % crowd->namespaces, uid, version,
			every && pod % every == 0 ? generation : 0);
		put_managed(f, crowd->containers);
		(void)fputs("},", f);
		put_spec(f, pod, crowd->containers);
		(void)fputs(",", f);
		put_status(f, crowd, pod);
		(void)fputs("}", f);
	}
	(void)fputs("]}", f);
	end(f);
	return text;
}

static void put_namespace(FILE *f, unsigned number, unsigned version, const char *level)
{
	(void)fprintf(f,
		"\"metadata\":{\"name\":\"" CROWD_NAMESPACE
		"\",\"uid\":\"7c13129d-8d5c-4957-a6a2-%012x\",\"resourceVersion\":\"%u\","
		"\"creationTimestamp\":" TIME ",\"labels\":{\"kubernetes.io/metadata.name\":"
		"\"" CROWD_NAMESPACE "\",\"pod-security.kubernetes.io/enforce\":\"%s\"},"
		"\"managedFields\":[{\"manager\":\"kubectl\",\"operation\":\"Update\","
		"\"apiVersion\":\"v1\",\"time\":" TIME
		",\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":{\"f:labels\":{\".\":{},"
		"\"f:kubernetes.io/metadata.name\":{},\"f:pod-security.kubernetes.io/enforce\":{}}}"
		"}}]}",
		number, number, version, number, level);
}

char *api_namespace_list(
	const struct api_crowd *crowd, unsigned version, const char *level, size_t *length)
{
	char *text;
	FILE *f = begin(&text, length);

	(void)fprintf(f,
		"{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/v1\","
		"\"metadata\":{\"resourceVersion\":\"%u\"},\"items\":[",
		version);
	for (unsigned i = 0; i < crowd->namespaces + crowd->other_namespaces; i++) {
		(void)fprintf(f,
			"%s{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":"
			"\"meta.k8s.io/v1\",",
			i ? "," : "");
		put_namespace(f, i, version, level);
		(void)fputs("}", f);
	}
	(void)fputs("]}", f);
	end(f);
	return text;
}

char *api_namespace_event(unsigned number, unsigned version, const char *level, size_t *length)
{
	char *text;
	FILE *f = begin(&text, length);

	(void)fputs("{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"PartialObjectMetadata\","
		    "\"apiVersion\":\"meta.k8s.io/v1\",",
		f);
	put_namespace(f, number, version, level);
	(void)fputs("}}\n", f);
	end(f);
	return text;
}

char *api_expired_event(size_t *length)
{
	char *text;
	FILE *f = begin(&text, length);

	(void)fputs("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\","
		    "\"metadata\":{},\"status\":\"Failure\",\"message\":\"too old resource "
		    "version\",\"reason\":\"Expired\",\"code\":410}}\n",
		f);
	end(f);
	return text;
}
