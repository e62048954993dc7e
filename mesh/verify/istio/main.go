// Command verify is what mesh/verify needs of Istio and Kubernetes, as one program: istiod's own configuration generators over
// objects read from files, istioctl's analyzers over everything that is rendered, and the API server's strict reading of manifests
// and custom resources. It knows nothing of Docket.
package main

import (
	"fmt"
	"os"
	"slices"
)

var commands = map[string]func(args []string) error{
	"istiod":  runIstiod,
	"analyze": runAnalyze,
	"crds":    runCustomResources,
	"strict":  runStrict,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		names := []string{}
		for name := range commands {
			names = append(names, name)
		}
		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "usage: verify %v ...\n", names)
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
