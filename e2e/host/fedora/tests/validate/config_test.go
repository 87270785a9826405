// Package validate asks kubeadm, the kubelet and kube-proxy of the release that e2e/host/kubeadm installs what they make of the
// configuration that it writes.
package validate

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/component-base/featuregate"
	"k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm"
	"k8s.io/kubernetes/cmd/kubeadm/app/componentconfigs"
	"k8s.io/kubernetes/cmd/kubeadm/app/util/config"
	kubeletscheme "k8s.io/kubernetes/pkg/kubelet/apis/config/scheme"
	kubeletvalidation "k8s.io/kubernetes/pkg/kubelet/apis/config/validation"
	"k8s.io/kubernetes/pkg/kubelet/kubeletconfig/util/codec"
	proxyconfig "k8s.io/kubernetes/pkg/proxy/apis/config"
	proxyscheme "k8s.io/kubernetes/pkg/proxy/apis/config/scheme"
	proxyvalidation "k8s.io/kubernetes/pkg/proxy/apis/config/validation"

	"k8s.io/apimachinery/pkg/runtime"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
)

// A host's values, as e2e/host/kubeadm finds them out.
var values = []string{"ADDRESS=192.0.2.7", "VERSION=v1.36.3", "POD_CIDR=10.244.0.0/16", "SERVICE_CIDR=10.96.0.0/12"}

// rendered is what the script's own function makes of a template.
func rendered(t *testing.T, template string, values []string) []byte {
	t.Helper()
	const script = `set -euo pipefail; STATE=/nowhere; die() { echo "$*" >&2; exit 1; }; source ../../settings.sh; render "$@"`
	command := exec.Command("bash", append([]string{"-c", script, "render", template}, values...)...)
	var complaint strings.Builder
	command.Stderr = &complaint
	text, err := command.Output()
	if err != nil {
		t.Fatalf("rendering %s: %v: %s", template, err, complaint.String())
	}
	return text
}

func ours(t *testing.T) []byte {
	t.Helper()
	return rendered(t, "../../kubeadm.yaml", values)
}

// load is what kubeadm init does with its --config; that also knows what is to be where it is not told.
func load(t *testing.T, text []byte) *kubeadm.InitConfiguration {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeadm.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := config.LoadInitConfigurationFromFile(file, config.LoadOrDefaultConfigurationOptions{SkipCRIDetect: true})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func TestKubeadmAcceptsIt(t *testing.T) {
	// As kubeadm config validate does, which unlike init refuses what it doesn't know and what is deprecated.
	if err := config.ValidateConfig(ours(t), false, false); err != nil {
		t.Fatal(err)
	}
}

func TestKubeadmReadsWhatIsMeant(t *testing.T) {
	loaded := load(t, ours(t))
	if address := loaded.LocalAPIEndpoint.AdvertiseAddress; address != "192.0.2.7" {
		t.Errorf("the API server is advertised at %s", address)
	}
	if len(loaded.NodeRegistration.Taints) != 0 {
		t.Errorf("pods are kept away by %v", loaded.NodeRegistration.Taints)
	}
	for _, name := range []string{"127.0.0.1", "localhost"} {
		if !slices.Contains(loaded.APIServer.CertSANs, name) {
			t.Errorf("the API server's certificate isn't for %s", name)
		}
	}
	if loaded.KubernetesVersion != "v1.36.3" {
		t.Errorf("it would make a cluster of %s", loaded.KubernetesVersion)
	}
}

// The kubelet reads a file that kubeadm writes, and stops at what it can't be.
func TestTheKubeletAcceptsItsPart(t *testing.T) {
	kubelet := component(t, load(t, ours(t)), componentconfigs.KubeletGroup)
	_, codecs, err := kubeletscheme.NewSchemeAndCodecs()
	if err != nil {
		t.Fatal(err)
	}
	read, err := codec.DecodeKubeletConfiguration(context.Background(), codecs, kubelet)
	if err != nil {
		t.Fatal(err)
	}
	// It looks at the cgroups of the machine that it runs on, and hosts have v2 (e2e/lib/preflight.sh).
	read.FailCgroupV1 = false
	if err := kubeletvalidation.ValidateKubeletConfiguration(read, gates()); err != nil {
		t.Fatal(err)
	}
	if read.FailSwapOn || read.MemorySwap.SwapBehavior != "NoSwap" {
		t.Errorf("swap: failSwapOn %v, %s", read.FailSwapOn, read.MemorySwap.SwapBehavior)
	}
	if read.CgroupDriver != "systemd" {
		t.Errorf("cgroup driver %s, and CRI-O has systemd", read.CgroupDriver)
	}
}

func TestKubeProxyAcceptsItsPart(t *testing.T) {
	text := component(t, load(t, ours(t)), componentconfigs.KubeProxyGroup)
	read, err := runtime.Decode(proxyscheme.Codecs.UniversalDecoder(), text)
	if err != nil {
		t.Fatal(err)
	}
	proxy := read.(*proxyconfig.KubeProxyConfiguration)
	if errors := proxyvalidation.Validate(proxy); len(errors) > 0 {
		t.Fatal(errors.ToAggregate())
	}
	if proxy.Mode != proxyconfig.ProxyModeNFTables {
		t.Errorf("mode %q, and e2e/host/kubeadm removes the tables of nftables", proxy.Mode)
	}
}

// component is what kubeadm passes on of a component's configuration.
func component(t *testing.T, loaded *kubeadm.InitConfiguration, group string) []byte {
	t.Helper()
	part, there := loaded.ComponentConfigs[group]
	if !there || !part.IsUserSupplied() {
		t.Fatalf("kubeadm found nothing of %s in the file", group)
	}
	text, err := part.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func gates() featuregate.FeatureGate { return utilfeature.DefaultFeatureGate }

func TestWhatIsWrongIsRefused(t *testing.T) {
	for name, wrong := range map[string]struct{ was, is, said string }{
		"a field that there isn't": {"bindPort: 6443", "bindHarbour: 6443", "bindHarbour"},
		"one of the kubelet's":     {"maxPods: 200", "maxPots: 200", "maxPots"},
		"one of kube-proxy's":      {"mode: nftables", "mood: nftables", "mood"},
		"a network that is none":   {"podSubnet: 10.244.0.0/16", "podSubnet: 10.244.0.0/33", "podSubnet"},
		"an address that is none":  {"advertiseAddress: 192.0.2.7", "advertiseAddress: 192.0.2.700", "192.0.2.700"},
		"a name that no node has":  {"name: copr-operator-host", "name: Copr_Operator", "nodeRegistration.name"},
		"a release that has gone":  {"kubeadm.k8s.io/v1beta4", "kubeadm.k8s.io/v1beta1", "v1beta1"},
	} {
		t.Run(name, func(t *testing.T) {
			text := string(ours(t))
			if !strings.Contains(text, wrong.was) {
				t.Fatalf("%q isn't there to be spoilt", wrong.was)
			}
			err := config.ValidateConfig([]byte(strings.ReplaceAll(text, wrong.was, wrong.is)), false, false)
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), wrong.said) {
				t.Fatalf("refused for another reason: %v", err)
			}
		})
	}
}

func TestWhatHasNoValueIsNotWritten(t *testing.T) {
	const script = `STATE=/nowhere; die() { echo "$*"; exit 1; }; source ../../settings.sh; render ../../kubeadm.yaml ADDRESS=192.0.2.7`
	said, err := exec.Command("bash", "-c", script).Output()
	if err == nil || !strings.Contains(string(said), "@VERSION@") {
		t.Fatalf("%v: %s", err, said)
	}
}
