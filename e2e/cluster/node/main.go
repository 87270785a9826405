// Command node is every long-running part of the test cluster in one file:
// the Kubernetes components, etcd, and the few helpers that a host without
// systemd, Docker or a cloud provider needs. The first argument chooses.
//
// One binary rather than ten, because the components share most of their code:
// it is linked once, and takes a tenth of the room in the build cache.
package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// parts maps a first argument to the command that it runs. Commands are made
// on demand: several components register global metrics and feature gates when
// their command is constructed.
var parts = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllers.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubelet":                 newKubeletCommand,
	"kubectl":                 newKubectlCommand,
	"etcd":                    newEtcdCommand,
	"supervise":               newSuperviseCommand,
	"forward":                 newForwardCommand,
	"ingress":                 newIngressCommand,
	"provision":               newProvisionCommand,
	"pki":                     newPKICommand,
	"remove-pods":             newRemovePodsCommand,
	"resolve":                 newResolveCommand,
}

func main() {
	os.Exit(run(os.Args))
}

func run(args []string) int {
	name, rest := choose(args)
	construct, known := parts[name]
	if !known {
		fmt.Fprintf(os.Stderr, "usage: %s PART [ARGUMENT]...\nparts: %s\n", args[0], strings.Join(names(), " "))
		return 2
	}
	os.Args = append([]string{name}, rest...)
	command := construct()
	if name == "kubectl" {
		return runKubectl(command)
	}
	return cli.Run(command)
}

// choose finds the part's name: the name that the program was called by, so
// that a symbolic link called kubectl is kubectl, or else the first argument.
func choose(args []string) (string, []string) {
	called := args[0][strings.LastIndexByte(args[0], '/')+1:]
	if _, known := parts[called]; known {
		return called, args[1:]
	}
	if len(args) < 2 {
		return "", nil
	}
	return args[1], args[2:]
}

func names() []string {
	all := make([]string, 0, len(parts))
	for name := range parts {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
