// Command kstatus says of each object that it reads how kstatus takes its status: the library by which Flux, kpt and others decide
// whether what they have applied is there.
//
// It reads YAML or JSON, one document an object, from standard input, and writes a line for each: kind and name, status, message.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "kstatus:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(in))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading objects: %w", err)
		}
		object, err := parse(document)
		if err != nil {
			return err
		}
		if object == nil {
			continue
		}
		result, err := status.Compute(object)
		if err != nil {
			return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
		message := strings.Join(strings.Fields(result.Message), " ")
		if _, err := fmt.Fprintf(out, "%s/%s\t%s\t%s\n", object.GetKind(), object.GetName(), result.Status, message); err != nil {
			return err
		}
	}
}

// parse returns nothing for a document without content.
func parse(document []byte) (*unstructured.Unstructured, error) {
	json, err := yaml.YAMLToJSON(document)
	if err != nil {
		return nil, fmt.Errorf("reading an object: %w", err)
	}
	if string(json) == "null" {
		return nil, nil
	}
	object := &unstructured.Unstructured{}
	// As a client reads it: numbers that are whole are int64.
	if err := object.UnmarshalJSON(json); err != nil {
		return nil, fmt.Errorf("reading an object: %w", err)
	}
	return object, nil
}
