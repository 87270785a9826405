package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// provisionerName is what the StorageClass names.
const provisionerName = "copr-operator.invalid/local"

// provisioner makes volumes that are folders of this machine. They are local
// volumes rather than hostPath ones, because the kubelet applies a pod's
// fsGroup to the former only.
type provisioner struct {
	root string
}

func newProvisionCommand() *cobra.Command {
	var kubeconfig string
	var p provisioner
	command := &cobra.Command{
		Use:          "provision",
		Short:        "make and delete the folders behind persistent volumes",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(command *cobra.Command, args []string) error {
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return err
			}
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				return err
			}
			ctx := context.Background()
			controller.NewProvisionController(ctx, client, provisionerName, p,
				controller.LeaderElection(false)).Run(ctx)
			return nil
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "how to reach the API server")
	command.Flags().StringVar(&p.root, "root", "", "folder that holds the volumes")
	return command
}

// Provision makes a volume's folder, and describes it.
func (p provisioner) Provision(_ context.Context, options controller.ProvisionOptions) (*core.PersistentVolume, controller.ProvisioningState, error) {
	claim := options.PVC
	if claim.Spec.VolumeMode != nil && *claim.Spec.VolumeMode == core.PersistentVolumeBlock {
		return nil, controller.ProvisioningFinished, errors.New("block volumes are not supported")
	}
	path := p.path(options.PVName)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	// The umask took its share of MkdirAll's mode. Any user id may write, as
	// pods without an fsGroup that run as some other user expect of a volume.
	if err := os.Chmod(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: options.PVName},
		Spec: core.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   claim.Spec.AccessModes,
			MountOptions:                  options.StorageClass.MountOptions,
			Capacity:                      core.ResourceList{core.ResourceStorage: claim.Spec.Resources.Requests[core.ResourceStorage]},
			PersistentVolumeSource:        core.PersistentVolumeSource{Local: &core.LocalVolumeSource{Path: path}},
			NodeAffinity:                  only(options.SelectedNodeName),
		},
	}, controller.ProvisioningFinished, nil
}

// Delete removes a volume's folder with all that is in it.
func (p provisioner) Delete(_ context.Context, volume *core.PersistentVolume) error {
	path := p.path(volume.Name)
	if volume.Spec.Local == nil || volume.Spec.Local.Path != path {
		return fmt.Errorf("volume %s is not at %s", volume.Name, path)
	}
	return os.RemoveAll(path)
}

func (p provisioner) path(volume string) string {
	return filepath.Join(p.root, volume)
}

// only binds a volume to a node, whose host name is its name in this cluster.
func only(node string) *core.VolumeNodeAffinity {
	return &core.VolumeNodeAffinity{Required: &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{{
		MatchExpressions: []core.NodeSelectorRequirement{{
			Key:      core.LabelHostname,
			Operator: core.NodeSelectorOpIn,
			Values:   []string{node},
		}},
	}}}}
}
