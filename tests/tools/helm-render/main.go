// SPDX-License-Identifier: LGPL-2.1-or-later

// Renders a Helm chart as `helm template` does, for tests on machines that have no helm: Debian has its
// libraries (sprig, sigs.k8s.io/yaml) and not the program. And reads manifests: with -json it turns the
// documents of YAML files into JSON, one a line, so that jq can look at them.
//
//	helm-render [-release NAME] [-namespace NAME] [-kube-version V] [-f FILE]... [-set KEY=VALUE]...
//	            [-set-file KEY=FILE]... [-notes] CHART
//	helm-render -json FILE...
//
// What it knows of helm: values and their order of precedence, null that takes a default away, .Values,
// .Release, .Chart, .Capabilities, .Template, .Files.Get, include, tpl, required, fail, lookup, toYaml and its
// kin, missing keys as nothing, partials, NOTES.txt, order of kinds. It has no subcharts, no hooks and does
// not look at values.schema.json.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"text/template"

	"github.com/Masterminds/semver"
	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type texts []string

func (t *texts) String() string     { return strings.Join(*t, ",") }
func (t *texts) Set(s string) error { *t = append(*t, s); return nil }

type metadata struct {
	Name, Version, AppVersion, Description, Type, KubeVersion, Home, Icon string
	APIVersion                                                            string
	Keywords                                                              []string
	Annotations                                                           map[string]string
	Deprecated                                                            bool
}

type kubeVersion struct{ Version, Major, Minor string }

func (k kubeVersion) String() string     { return k.Version }
func (k kubeVersion) GitVersion() string { return k.Version }

type apiVersions []string

func (a apiVersions) Has(version string) bool {
	for _, one := range a {
		if one == version {
			return true
		}
	}
	return false
}

type capabilities struct {
	KubeVersion kubeVersion
	APIVersions apiVersions
}

type files map[string][]byte

func (f files) Get(name string) string { return string(f[name]) }

type chart struct {
	metadata  metadata
	values    map[string]interface{}
	templates map[string]string // by "CHART/templates/NAME"
	files     files
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "helm-render: %v\n", err)
		os.Exit(1)
	}
}

func run(arguments []string, out io.Writer) error {
	var valueFiles, sets, setFiles texts
	flags := flag.NewFlagSet("helm-render", flag.ContinueOnError)
	release := flags.String("release", "capauditd", "the release's name")
	namespace := flags.String("namespace", "default", "the release's namespace")
	version := flags.String("kube-version", "v1.33.0", "the API server's version")
	notes := flags.Bool("notes", false, "print NOTES.txt instead")
	merged := flags.Bool("values", false, "print the merged values as JSON instead")
	asJSON := flags.Bool("json", false, "print the documents of YAML files as JSON, one a line")
	flags.Var(&valueFiles, "f", "a file of values")
	flags.Var(&sets, "set", "KEY=VALUE")
	flags.Var(&setFiles, "set-file", "KEY=FILE")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *asJSON {
		return printJSON(flags.Args(), out)
	}
	if flags.NArg() != 1 {
		return errors.New("one chart, please")
	}
	c, err := load(flags.Arg(0))
	if err != nil {
		return err
	}
	user, err := userValues(valueFiles, sets, setFiles)
	if err != nil {
		return err
	}
	values := coalesce(user, c.values)
	if *merged {
		return json.NewEncoder(out).Encode(values)
	}
	top, err := context(c, values, *release, *namespace, *version)
	if err != nil {
		return err
	}
	return render(c, top, *notes, out)
}

// Reading.

func printJSON(names []string, out io.Writer) error {
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, document := range split(string(text)) {
			line, err := yaml.YAMLToJSONStrict([]byte(document))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if string(line) != "null" {
				fmt.Fprintf(out, "%s\n", line)
			}
		}
	}
	return nil
}

var separator = regexp.MustCompile(`(?m)^---([ \t].*)?$`)

func split(text string) []string { return separator.Split(text, -1) }

func load(folder string) (*chart, error) {
	c := &chart{templates: map[string]string{}, files: files{}}
	text, err := os.ReadFile(filepath.Join(folder, "Chart.yaml"))
	if err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalStrict(text, &c.metadata); err != nil {
		return nil, fmt.Errorf("Chart.yaml: %w", err)
	}
	if c.values, err = readValues(filepath.Join(folder, "values.yaml")); err != nil {
		return nil, err
	}
	err = filepath.Walk(folder, func(name string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		if strings.HasPrefix(relative, "templates/") {
			c.templates[path.Join(c.metadata.Name, relative)] = string(text)
		} else {
			c.files[relative] = text
		}
		return nil
	})
	return c, err
}

func readValues(name string) (map[string]interface{}, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	values := map[string]interface{}{}
	// A key that is there twice is an error here; helm takes one of the two.
	if err := yaml.UnmarshalStrict(text, &values); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return values, nil
}

// Values.

func userValues(valueFiles, sets, setFiles []string) (map[string]interface{}, error) {
	user := map[string]interface{}{}
	for _, name := range valueFiles {
		values, err := readValues(name)
		if err != nil {
			return nil, err
		}
		user = overlay(user, values)
	}
	for _, one := range sets {
		for _, assignment := range splitUnescaped(one, ',') {
			key, text, found := strings.Cut(assignment, "=")
			if !found {
				return nil, fmt.Errorf("-set %s: no value", one)
			}
			if err := assign(user, key, typed(text)); err != nil {
				return nil, err
			}
		}
	}
	for _, one := range setFiles {
		key, name, _ := strings.Cut(one, "=")
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if err := assign(user, key, string(text)); err != nil {
			return nil, err
		}
	}
	return user, nil
}

// What stands over another file's value takes its place; maps are joined, and null stays.
func overlay(under, over map[string]interface{}) map[string]interface{} {
	for key, value := range over {
		if below, ok := under[key].(map[string]interface{}); ok {
			if above, ok := value.(map[string]interface{}); ok {
				under[key] = overlay(below, above)
				continue
			}
		}
		under[key] = value
	}
	return under
}

// The chart's defaults below the user's values, where null means that there is none.
func coalesce(user, defaults map[string]interface{}) map[string]interface{} {
	joined := map[string]interface{}{}
	for key, value := range defaults {
		joined[key] = value
	}
	for key, value := range user {
		below, isMap := joined[key].(map[string]interface{})
		above, isAlso := value.(map[string]interface{})
		switch {
		case value == nil:
			delete(joined, key)
		case isMap && isAlso:
			joined[key] = coalesce(above, below)
		default:
			joined[key] = value
		}
	}
	return joined
}

// Splits at a character that has no backslash before it and stands in no braces.
func splitUnescaped(text string, at rune) []string {
	var parts []string
	var part strings.Builder
	escaped, depth := false, 0
	for _, c := range text {
		switch {
		case escaped:
			if c != at {
				part.WriteRune('\\')
			}
			part.WriteRune(c)
			escaped = false
			continue
		case c == '\\':
			escaped = true
			continue
		case c == '{':
			depth++
		case c == '}':
			depth--
		}
		if c == at && depth == 0 {
			parts = append(parts, part.String())
			part.Reset()
			continue
		}
		part.WriteRune(c)
	}
	return append(parts, part.String())
}

func typed(text string) interface{} {
	if strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") {
		list := []interface{}{}
		if inner := text[1 : len(text)-1]; inner != "" {
			for _, one := range splitUnescaped(inner, ',') {
				list = append(list, typed(one))
			}
		}
		return list
	}
	switch text {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	case "0":
		return int64(0)
	}
	if number, err := strconv.ParseInt(text, 10, 64); err == nil && !strings.HasPrefix(text, "0") {
		return number
	}
	return text
}

var indexed = regexp.MustCompile(`^(.*)\[([0-9]+)\]$`)

func assign(values map[string]interface{}, key string, value interface{}) error {
	parts := splitUnescaped(key, '.')
	for i, part := range parts {
		last := i == len(parts)-1
		if match := indexed.FindStringSubmatch(part); match != nil {
			at, err := strconv.Atoi(match[2])
			if err != nil || at > 1024 || !last {
				return fmt.Errorf("%s: only a last part may have a (small) index here", key)
			}
			list, _ := values[match[1]].([]interface{})
			for len(list) <= at {
				list = append(list, nil)
			}
			list[at] = value
			values[match[1]] = list
			return nil
		}
		if last {
			values[part] = value
			return nil
		}
		next, ok := values[part].(map[string]interface{})
		if !ok {
			next = map[string]interface{}{}
			values[part] = next
		}
		values = next
	}
	return nil
}

// Rendering.

func context(c *chart, values map[string]interface{}, release, namespace, version string) (map[string]interface{}, error) {
	parsed, err := semver.NewVersion(version)
	if err != nil {
		return nil, fmt.Errorf("-kube-version %s: %w", version, err)
	}
	if c.metadata.KubeVersion != "" {
		constraint, err := semver.NewConstraint(c.metadata.KubeVersion)
		if err != nil {
			return nil, fmt.Errorf("Chart.yaml: kubeVersion: %w", err)
		}
		if !constraint.Check(parsed) {
			return nil, fmt.Errorf("the chart wants Kubernetes %s, not %s", c.metadata.KubeVersion, version)
		}
	}
	return map[string]interface{}{
		"Values": values,
		"Chart":  c.metadata,
		"Files":  c.files,
		"Release": map[string]interface{}{
			"Name": release, "Namespace": namespace, "Service": "Helm",
			"IsInstall": true, "IsUpgrade": false, "Revision": 1,
		},
		"Capabilities": capabilities{
			KubeVersion: kubeVersion{version, strconv.FormatUint(parsed.Major(), 10), strconv.FormatUint(parsed.Minor(), 10)},
			APIVersions: apiVersions{"v1", "apps/v1", "rbac.authorization.k8s.io/v1"},
		},
		"Subcharts": map[string]interface{}{},
	}, nil
}

const deepest = 1000 // helm's own bound of include in include

func functions(all *template.Template) template.FuncMap {
	functions := sprig.TxtFuncMap()
	delete(functions, "env")
	delete(functions, "expandenv")
	depth := 0
	execute := func(t *template.Template, name string, data interface{}) (string, error) {
		var text strings.Builder
		if depth++; depth > deepest {
			return "", fmt.Errorf("%s: included too deep", name)
		}
		defer func() { depth-- }()
		err := t.ExecuteTemplate(&text, name, data)
		return text.String(), err
	}
	functions["include"] = func(name string, data interface{}) (string, error) {
		return execute(all, name, data)
	}
	functions["tpl"] = func(text string, data interface{}) (string, error) {
		t, err := all.Clone()
		if err != nil {
			return "", err
		}
		if _, err = t.New("tpl").Parse(text); err != nil {
			return "", err
		}
		result, err := execute(t, "tpl", data)
		return strings.ReplaceAll(result, "<no value>", ""), err
	}
	functions["required"] = func(message string, value interface{}) (interface{}, error) {
		if text, ok := value.(string); value == nil || (ok && text == "") {
			return nil, errors.New(message)
		}
		return value, nil
	}
	functions["fail"] = func(message string) (string, error) { return "", errors.New(message) }
	functions["lookup"] = func(...string) (map[string]interface{}, error) { return map[string]interface{}{}, nil }
	functions["toYaml"] = func(value interface{}) string {
		text, err := yaml.Marshal(value)
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(string(text), "\n")
	}
	functions["fromYaml"] = func(text string) map[string]interface{} {
		value := map[string]interface{}{}
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			value["Error"] = err.Error()
		}
		return value
	}
	functions["fromYamlArray"] = func(text string) []interface{} {
		value := []interface{}{}
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			value = []interface{}{err.Error()}
		}
		return value
	}
	return functions
}

// The order in which helm applies kinds; what it does not know comes last.
var kinds = map[string]int{
	"Namespace": 1, "ResourceQuota": 2, "ServiceAccount": 3, "Secret": 4, "ConfigMap": 5, "ClusterRole": 6,
	"ClusterRoleBinding": 7, "Role": 8, "RoleBinding": 9, "Service": 10, "DaemonSet": 11, "Deployment": 12,
}

type manifest struct {
	source, text string
	rank         int
}

func manifests(source, text string) ([]manifest, error) {
	var all []manifest
	for _, document := range split(text) {
		var head struct{ APIVersion, Kind string }
		// Helm reads leniently; what it sends then is refused by the API server.
		line, err := yaml.YAMLToJSONStrict([]byte(document))
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", source, err, document)
		}
		if string(line) == "null" {
			continue
		}
		if err := json.Unmarshal(line, &head); err != nil || head.Kind == "" || head.APIVersion == "" {
			return nil, fmt.Errorf("%s: a document is no object\n%s", source, document)
		}
		rank, known := kinds[head.Kind]
		if !known {
			rank = len(kinds) + 1
		}
		all = append(all, manifest{source, strings.Trim(document, "\n"), rank})
	}
	return all, nil
}

func render(c *chart, top map[string]interface{}, notes bool, out io.Writer) error {
	// missingkey=zero, and what text/template writes for it taken away: what helm does.
	all := template.New("chart").Option("missingkey=zero")
	all.Funcs(functions(all))
	var names []string
	for name, text := range c.templates {
		names = append(names, name)
		if _, err := all.New(name).Parse(text); err != nil {
			return err
		}
	}
	sort.Strings(names)
	var objects []manifest
	writer := bufio.NewWriter(out)
	for _, name := range names {
		base := path.Base(name)
		isNotes := base == "NOTES.txt"
		if strings.HasPrefix(base, "_") || notes != isNotes {
			continue
		}
		top["Template"] = map[string]interface{}{"Name": name, "BasePath": path.Join(c.metadata.Name, "templates")}
		var text bytes.Buffer
		if err := all.ExecuteTemplate(&text, name, top); err != nil {
			return err
		}
		rendered := strings.ReplaceAll(text.String(), "<no value>", "")
		if isNotes {
			fmt.Fprint(writer, rendered)
			continue
		}
		some, err := manifests(name, rendered)
		if err != nil {
			return err
		}
		objects = append(objects, some...)
	}
	sort.SliceStable(objects, func(i, j int) bool { return objects[i].rank < objects[j].rank })
	for _, object := range objects {
		fmt.Fprintf(writer, "---\n# Source: %s\n%s\n", object.source, object.text)
	}
	return writer.Flush()
}
