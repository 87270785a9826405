// Says what operator-framework's own validators find in a bundle. A warning fails, too, but for one that is a guess.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/operator-framework/api/pkg/manifests"
	"github.com/operator-framework/api/pkg/validation"
	"github.com/operator-framework/api/pkg/validation/errors"
	validator "github.com/operator-framework/api/pkg/validation/interfaces"
)

// What operator-sdk's `bundle validate --select-optional suite=operatorframework` asks.
var validators = validator.Validators{
	validation.BundleValidator,
	validation.ClusterServiceVersionValidator,
	validation.CustomResourceDefinitionValidator,
	validation.GoodPracticesValidator,
	validation.ObjectValidator,
	validation.OperatorHubV2Validator,
	validation.StandardCapabilitiesValidator,
	validation.StandardCategoriesValidator,
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: bundle-verify FOLDER")
		os.Exit(2)
	}
	bundle, err := manifests.GetBundleFromDir(os.Args[1])
	if err != nil {
		fmt.Fprintf(os.Stderr, "bundle-verify: %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
	results := validators.Validate(bundle.ObjectsToValidate()...)
	found := 0
	for _, result := range results {
		for _, problem := range append(result.Errors, result.Warnings...) {
			if isGuess(problem) {
				continue
			}
			fmt.Fprintf(os.Stderr, "bundle-verify: %s: %v\n", result.Name, problem)
			found++
		}
	}
	if found > 0 {
		os.Exit(1)
	}
	fmt.Printf("%s: %d objects, %d results, nothing found\n", bundle.Name, len(bundle.Objects), len(results))
}

// A permission names no version, so the validator warns of every resource that had an old version which is gone, such as events.
// Objects and webhooks of such a version are errors.
func isGuess(problem errors.Error) bool {
	return problem.Level == errors.LevelWarn &&
		strings.Contains(problem.Detail, "deprecated and removed") &&
		strings.Contains(problem.Detail, "StrategySpec.ClusterPermissions[")
}
