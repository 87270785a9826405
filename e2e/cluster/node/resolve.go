package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"
)

func newResolveCommand() *cobra.Command {
	var server string
	command := &cobra.Command{
		Use:          "resolve NAME",
		Short:        "look a name up in the cluster's DNS",
		Args:         cobra.ExactArgs(1),
		SilenceUsage: true,
		RunE: func(command *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, server)
			}}
			addresses, err := resolver.LookupHost(ctx, args[0])
			if err != nil {
				return err
			}
			for _, address := range addresses {
				fmt.Println(address)
			}
			return nil
		},
	}
	command.Flags().StringVar(&server, "server", "", "the name server, as HOST:PORT")
	return command
}
