package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/wait"
	remote "k8s.io/cri-client/pkg"
)

func newRemovePodsCommand() *cobra.Command {
	var endpoint string
	command := &cobra.Command{
		Use:          "remove-pods",
		Short:        "stop and remove every pod that the container runtime knows",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(command *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			return removePods(ctx, endpoint)
		},
	}
	command.Flags().StringVar(&endpoint, "endpoint", "", "the container runtime, as unix://PATH")
	return command
}

func removePods(ctx context.Context, endpoint string) error {
	runtime, err := remote.NewRemoteRuntimeService(endpoint, 30*time.Second, nil, nil)
	if err != nil {
		return err
	}
	sandboxes, err := runtime.ListPodSandbox(ctx, nil)
	if err != nil {
		return err
	}
	failures := make([]error, len(sandboxes))
	var all wait.Group
	for i, sandbox := range sandboxes {
		all.Start(func() {
			failures[i] = runtime.StopPodSandbox(ctx, sandbox.Id)
			if failures[i] == nil {
				failures[i] = runtime.RemovePodSandbox(ctx, sandbox.Id)
			}
		})
	}
	all.Wait()
	return errors.Join(failures...)
}
