// SPDX-License-Identifier: LGPL-2.1-or-later

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A chart of one template, and what comes of it.
func renderOne(t *testing.T, text string, arguments ...string) (string, error) {
	t.Helper()
	folder := t.TempDir()
	for name, content := range map[string]string{
		"Chart.yaml":             "apiVersion: v2\nname: c\nversion: 1.2.3\nappVersion: \"7\"\nkubeVersion: \">=1.25.0-0\"\n",
		"values.yaml":            "a: {b: 1, c: two}\nlist: [1, 2]\nnothing: ''\ntemplate: 'r={{ .Release.Name }}'\n",
		"templates/_helpers.tpl": "{{- define \"c.echo\" -}}<{{ . }}>{{- end -}}",
		"templates/x.yaml":       "apiVersion: v1\nkind: X\nvalue: " + text + "\n",
	} {
		name = filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i, argument := range arguments {
		if strings.HasPrefix(argument, "FILE:") {
			arguments[i] = filepath.Join(folder, "more.yaml")
			if err := os.WriteFile(arguments[i], []byte(strings.TrimPrefix(argument, "FILE:")), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	var out strings.Builder
	err := run(append(arguments, folder), &out)
	_, value, _ := strings.Cut(out.String(), "value: ")
	return strings.TrimSuffix(value, "\n"), err
}

func TestTemplatesAreRenderedAsHelmDoes(t *testing.T) {
	for _, row := range []struct {
		text      string
		arguments []string
		expected  string
	}{
		{"{{ .Values.a.b }}", nil, "1"},
		{"{{ .Values.a.none }}.", nil, "."},
		{"{{ .Values.a.none | default 5 }}", nil, "5"},
		{"{{ .Release.Name }}/{{ .Release.Namespace }}/{{ .Release.Service }}", nil, "capauditd/default/Helm"},
		{"{{ .Release.Name }}", []string{"-release", "r"}, "r"},
		{"{{ .Chart.Name }}-{{ .Chart.Version }}-{{ .Chart.AppVersion }}", nil, "c-1.2.3-7"},
		{"{{ include \"c.echo\" .Values.a.c | quote }}", nil, `"<two>"`},
		{"{{ tpl .Values.template . }}", nil, "r=capauditd"},
		{"{{ .Values.list | toYaml | nindent 2 }}", nil, "\n  - 1\n  - 2"},
		{"{{ required \"why\" .Values.a.c }}", nil, "two"},
		{"{{ semverCompare \">=1.30-0\" .Capabilities.KubeVersion.Version }}", []string{"-kube-version", "v1.30.2-gke.1"}, "true"},
		{"{{ .Capabilities.APIVersions.Has \"apps/v1\" }}", nil, "true"},
		{"{{ .Template.Name }}", nil, "c/templates/x.yaml"},
		{"{{ .Values.a.b }}{{ .Values.a.c }}", []string{"-f", "FILE:a: {b: 9}\n"}, "9two"},
		{"{{ .Values.a.b }}", []string{"-f", "FILE:a: {b: 9}\n", "-set", "a.b=3"}, "3"},
		{"{{ hasKey .Values.a \"b\" }}", []string{"-set", "a.b=null"}, "false"},
		{"{{ kindOf .Values.x }} {{ kindOf .Values.y }}", []string{"-set", "x=true,y=007"}, "bool string"},
		{"{{ join \"+\" .Values.list }}", []string{"-set", "list={x,y}"}, "x+y"},
		{"{{ join \"+\" .Values.new }}", []string{"-set", "new[1]=y,new[0]=x"}, "x+y"},
		{"{{ index .Values.a \"d.e\" }}", []string{"-set", `a.d\.e=1\,2`}, "1,2"},
	} {
		actual, err := renderOne(t, row.text, row.arguments...)
		if err != nil || actual != row.expected {
			t.Errorf("%s %q: %q, %v; expected %q", row.text, row.arguments, actual, err, row.expected)
		}
	}
}

func TestMistakesAreErrors(t *testing.T) {
	for _, row := range []struct {
		text      string
		arguments []string
		expected  string
	}{
		{"{{ required \"why not\" .Values.nothing }}", nil, "why not"},
		{"{{ fail \"for this\" }}", nil, "for this"},
		{"{{ include \"c.none\" . }}", nil, "c.none"},
		{"{{ .Values.a.b.c.d }}", nil, "can't evaluate"},
		{"{{ env \"HOME\" }}", nil, "not defined"},
		{"1", []string{"-kube-version", "v1.24.9"}, ">=1.25"},
		{"1\nkind: Y", nil, "already set"},
		{"[1", nil, "did not find"},
		{"1", []string{"-f", "FILE:a: 1\na: 2\n"}, "already set"},
	} {
		actual, err := renderOne(t, row.text, row.arguments...)
		if err == nil || !strings.Contains(err.Error(), row.expected) {
			t.Errorf("%s %q: %q, %v; expected an error with %q", row.text, row.arguments, actual, err, row.expected)
		}
	}
}

func TestDocumentsAreSplitAtLinesOfDashesAlone(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	text := "# nothing\n---\na: |\n  ---\n  b\n--- # c\n\nb: 2\n---\n"
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run([]string{"-json", name}, &out); err != nil {
		t.Fatal(err)
	}
	if expected := "{\"a\":\"---\\nb\\n\"}\n{\"b\":2}\n"; out.String() != expected {
		t.Errorf("%q; expected %q", out.String(), expected)
	}
}
