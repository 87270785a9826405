package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strings"

	"github.com/spf13/cobra"
)

func newForwardCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "forward LISTEN=TARGET...",
		Short: "pass TCP connections on",
		Long: "Passes TCP connections on. The API server and the registry can listen on one address " +
			"only; it is the bridge's, so that pods reach them, and this adds the loopback address.",
		Args:         cobra.MinimumNArgs(1),
		SilenceUsage: true,
		RunE: func(command *cobra.Command, args []string) error {
			failures := make(chan error)
			for _, pair := range args {
				listen, target, found := strings.Cut(pair, "=")
				if !found {
					return fmt.Errorf("%q is not LISTEN=TARGET", pair)
				}
				listener, err := net.Listen("tcp", listen)
				if err != nil {
					return err
				}
				go func() { failures <- forward(listener, target) }()
			}
			return <-failures
		},
	}
}

func forward(listener net.Listener, target string) error {
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			if err := join(client, target); err != nil {
				log.Printf("%s: %v", target, err)
			}
		}()
	}
}

// join copies both ways until both sides have said all they had to say.
func join(client net.Conn, target string) (err error) {
	defer func() { err = errors.Join(err, client.Close()) }()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()

	answered := make(chan error, 1)
	go func() { answered <- pass(client, server) }()
	return errors.Join(pass(server, client), <-answered)
}

func pass(to, from net.Conn) error {
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	return to.(*net.TCPConn).CloseWrite()
}
