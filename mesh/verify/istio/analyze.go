package main

import (
	"fmt"
	"os"

	"istio.io/istio/pkg/config/analysis/analyzers"
	"istio.io/istio/pkg/config/analysis/diag"
	"istio.io/istio/pkg/config/analysis/local"
)

// runAnalyze runs istioctl's analyzers over files: the mesh config first, then everything else. The command itself leaves Services,
// Pods and Namespaces out when it reads files, and then says nothing of the analyzers that need them.
func runAnalyze(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: verify analyze MESH_CONFIG FILE...")
	}
	analyzer := local.NewIstiodAnalyzer(analyzers.AllCombined(), "", "istio-system", nil)
	if err := analyzer.AddFileKubeMeshConfig(args[0]); err != nil {
		return err
	}
	sources := []local.ReaderSource{}
	for _, name := range args[1:] {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		sources = append(sources, local.ReaderSource{Name: name, Reader: file})
	}
	if err := analyzer.AddTestReaderKubeSource(sources); err != nil {
		return err
	}
	result, err := analyzer.Analyze(make(chan struct{}))
	if err != nil {
		return err
	}
	warnings := 0
	for _, message := range result.Messages {
		fmt.Println(message.String())
		if message.Type.Level().IsWorseThanOrEqualTo(diag.Warning) {
			warnings++
		}
	}
	fmt.Printf("%d analyzers, %d skipped, %d messages, %d of them warnings or worse\n",
		len(result.ExecutedAnalyzers), len(result.SkippedAnalyzers), len(result.Messages), warnings)
	if warnings > 0 || len(result.SkippedAnalyzers) > 0 {
		return fmt.Errorf("warnings: %d, skipped analyzers: %v", warnings, result.SkippedAnalyzers)
	}
	return nil
}
