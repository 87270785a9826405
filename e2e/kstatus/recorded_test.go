package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// recorded is what a unit test of the operator writes: an object with the status that the operator gives it, and what kstatus is to
// make of it.
type recorded struct {
	Expected string         `json:"expected"`
	Object   map[string]any `json:"object"`
}

func TestTheOperatorsStatusesMeanWhatTheySay(t *testing.T) {
	files, err := filepath.Glob("testdata/*.snap")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			record := read(t, file)
			kind, _ := record.Object["kind"].(string)
			seen[kind+" "+record.Expected]++
			object, err := yaml.Marshal(record.Object)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := run(bytes.NewReader(object), &out); err != nil {
				t.Fatal(err)
			}
			fields := strings.Split(out.String(), "\t")
			if len(fields) != 3 || fields[1] != record.Expected {
				t.Errorf("expected %s, kstatus says: %s", record.Expected, out.String())
			}
		})
	}
	for _, kind := range []string{"CoprInstance", "CoprTestRun"} {
		for _, expected := range []string{"Current", "InProgress", "Failed"} {
			if seen[kind+" "+expected] == 0 {
				t.Errorf("no recorded %s is %s", kind, expected)
			}
		}
	}
}

// read strips the header that insta writes.
func read(t *testing.T, file string) recorded {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitN(string(content), "---\n", 3)
	if len(parts) != 3 {
		t.Fatalf("%s has no header of insta", file)
	}
	var record recorded
	if err := yaml.UnmarshalStrict([]byte(parts[2]), &record); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return record
}

func TestObjectsAreReadAsYAMLAndAsJSON(t *testing.T) {
	in := `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
---
# nothing
---
apiVersion: example.com/v1
kind: Thing
metadata: {name: b, generation: 2}
status: {observedGeneration: 1}
`
	var out bytes.Buffer
	if err := run(strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "ConfigMap/a\tCurrent\t") || !strings.HasPrefix(lines[1], "Thing/b\tInProgress\t") {
		t.Errorf("%q", out.String())
	}
	if err := run(strings.NewReader("kind: [\n"), &out); err == nil {
		t.Error("what isn't YAML is no error")
	}
}
