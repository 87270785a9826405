package main

import (
	"os"
	"path/filepath"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"sigs.k8s.io/yaml"
)

const customizations = "../../ci/argocd/argocd-cm.yaml"

// healthOf is what Argo CD calls what kstatus says.
var healthOf = map[string]string{"Current": "Healthy", "InProgress": "Progressing", "Failed": "Degraded"}

// For Argo CD the health script is Lua, run by this library with these parts of Lua's own.
func health(t *testing.T, script string, object map[string]any) (string, string) {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			t.Fatal(err)
		}
	}
	state.SetGlobal("obj", value(state, object))
	if err := state.DoString(script); err != nil {
		t.Fatal(err)
	}
	result, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		t.Fatalf("the script returns %s", state.Get(-1))
	}
	return result.RawGetString("status").String(), result.RawGetString("message").String()
}

// value is what JSON holds, as Lua has it.
func value(state *lua.LState, from any) lua.LValue {
	switch from := from.(type) {
	case map[string]any:
		table := state.NewTable()
		for key, item := range from {
			table.RawSetString(key, value(state, item))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, item := range from {
			table.Append(value(state, item))
		}
		return table
	case string:
		return lua.LString(from)
	case bool:
		return lua.LBool(from)
	case float64:
		return lua.LNumber(from)
	default:
		return lua.LNil
	}
}

func scripts(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile(customizations)
	if err != nil {
		t.Fatal(err)
	}
	var object struct {
		Data map[string]string `json:"data"`
	}
	if err := yaml.Unmarshal(content, &object); err != nil {
		t.Fatal(err)
	}
	return object.Data
}

func scriptFor(t *testing.T, kind string) string {
	t.Helper()
	script := scripts(t)["resource.customizations.health.copr.fedorainfracloud.org_"+kind]
	if script == "" {
		t.Fatalf("no health script for %s", kind)
	}
	return script
}

func TestArgoCDAndKstatusAgree(t *testing.T) {
	files, err := filepath.Glob("testdata/*.snap")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("nothing is recorded")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			record := read(t, file)
			kind, _ := record.Object["kind"].(string)
			said, message := health(t, scriptFor(t, kind), record.Object)
			if said != healthOf[record.Expected] {
				t.Errorf("kstatus says %s, Argo CD %s: %s", record.Expected, said, message)
			}
			if message == "" || message == "nil" {
				t.Error("no message says why")
			}
		})
	}
}

func TestWhatIsPausedIsSuspended(t *testing.T) {
	record := read(t, "testdata/instance-paused.snap")
	record.Object["spec"] = map[string]any{"paused": true}
	if said, message := health(t, scriptFor(t, "CoprInstance"), record.Object); said != "Suspended" {
		t.Errorf("%s: %s", said, message)
	}
}

func TestWhatNobodyHasSeenIsProgressing(t *testing.T) {
	fresh := map[string]any{"metadata": map[string]any{"generation": float64(1)}, "spec": map[string]any{}}
	for _, kind := range []string{"CoprInstance", "CoprTestRun"} {
		if said, message := health(t, scriptFor(t, kind), fresh); said != "Progressing" {
			t.Errorf("%s: %s: %s", kind, said, message)
		}
	}
}
