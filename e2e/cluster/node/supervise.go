package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/yaml"
)

const (
	// A component that ran this long had started properly, so its end is an
	// accident and it is started again at once.
	settled = 10 * time.Second
	// How long a component that keeps failing is left alone between two tries.
	shortestPause = 250 * time.Millisecond
	longestPause  = 4 * time.Second
	// How long what isn't there yet is left alone between two looks at it.
	shortestLook = 50 * time.Millisecond
	longestLook  = 5 * time.Second
	// How long a component may take to end when it is asked to. Nothing is lost
	// by killing one: all of them can be killed at any time.
	grace = 2 * time.Second
)

// component is one process that has to run as long as the cluster does.
type component struct {
	Name    string            `json:"name"`
	Command []string          `json:"command"`
	Env     map[string]string `json:"env,omitempty"`
	// After lists what must answer first: unix:PATH or tcp:HOST:PORT accept
	// connections, an https:// URL says that all is well. It only saves the
	// noise of failed attempts: every component copes with the others' absence,
	// if only by ending and being started again.
	After []string `json:"after,omitempty"`
}

type supervisor struct {
	logs string
	pids string
}

func newSuperviseCommand() *cobra.Command {
	var s supervisor
	command := &cobra.Command{
		Use:           "supervise COMPONENTS.yaml",
		Short:         "run the listed components, and start again those that end",
		Args:          cobra.ExactArgs(1),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(command *cobra.Command, args []string) error {
			components, err := readComponents(args[0])
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			s.run(ctx, components)
			return nil
		},
	}
	command.Flags().StringVar(&s.logs, "logs", "", "folder of the components' logs")
	command.Flags().StringVar(&s.pids, "pids", "", "folder of the components' process ids")
	return command
}

func readComponents(path string) ([]component, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var components []component
	if err := yaml.UnmarshalStrict(content, &components); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return components, nil
}

func (s supervisor) run(ctx context.Context, components []component) {
	var all wait.Group
	for _, c := range components {
		all.Start(func() { s.keep(ctx, c) })
	}
	all.Wait()
}

// keep runs one component until ctx ends.
func (s supervisor) keep(ctx context.Context, c component) {
	// Linux ties a parent-death signal to the thread that started the child:
	// with a thread of its own, the child dies when the supervisor does and
	// never just because Go retired a thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	pause := shortestPause
	for {
		if !waitForAll(ctx, c.After) {
			return
		}
		began := time.Now()
		err := s.runOnce(ctx, c)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > settled {
			pause = shortestPause
		}
		log.Printf("%s ended after %s (%v), starting it again in %s", c.Name, time.Since(began).Round(time.Millisecond), err, pause)
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, longestPause)
	}
}

func (s supervisor) runOnce(ctx context.Context, c component) (err error) {
	output, err := os.OpenFile(filepath.Join(s.logs, c.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, output.Close()) }()

	process := exec.CommandContext(ctx, c.Command[0], c.Command[1:]...)
	process.Stdout, process.Stderr = output, output
	process.Env = os.Environ()
	for name, value := range c.Env {
		process.Env = append(process.Env, name+"="+value)
	}
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	process.Cancel = func() error { return process.Process.Signal(syscall.SIGTERM) }
	process.WaitDelay = grace
	if err := process.Start(); err != nil {
		return err
	}
	pidFile := filepath.Join(s.pids, c.Name+".pid")
	if err := os.WriteFile(pidFile, []byte(strconv.Itoa(process.Process.Pid)+"\n"), 0o644); err != nil {
		log.Printf("%s: %v", c.Name, err)
	}
	err = process.Wait()
	return errors.Join(err, os.Remove(pidFile))
}

// waitForAll reports whether everything listed came to answer before ctx ended.
func waitForAll(ctx context.Context, addresses []string) bool {
	for _, address := range addresses {
		for began := time.Now(); !answers(ctx, address); {
			// In proportion to what it takes: on a slow machine the questions would keep it from coming up.
			if !sleep(ctx, min(max(shortestLook, time.Since(began)/10), longestLook)) {
				return false
			}
		}
	}
	return ctx.Err() == nil
}

func answers(ctx context.Context, address string) bool {
	if strings.HasPrefix(address, "https://") {
		return isWell(ctx, address)
	}
	network, rest, _ := strings.Cut(address, ":")
	dialer := net.Dialer{Timeout: time.Second}
	connection, err := dialer.DialContext(ctx, network, rest)
	if err != nil {
		return false
	}
	// Only whether it could be opened matters.
	_ = connection.Close()
	return true
}

// prober trusts anyone: it asks whether a component is up, and tells it nothing.
var prober = &http.Client{
	Timeout:   2 * time.Second,
	Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true},
}

func isWell(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := prober.Do(request)
	if err != nil {
		return false
	}
	// The status has said it all.
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func sleep(ctx context.Context, duration time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(duration):
		return true
	}
}
