package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"istio.io/istio/pkg/config/crd"
	"istio.io/istio/pkg/test/util/yml"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// runStrict reads manifests of Kubernetes' own kinds as the API server does with fieldValidation=Strict: a field that is unknown,
// there twice or of the wrong type is an error. It prints the kinds that are not Kubernetes' own, so that nothing is left out unseen.
func runStrict(args []string) error {
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	return eachDocument(args, func(text string) (bool, error) {
		_, _, err := decoder.Decode([]byte(text), nil, nil)
		if runtime.IsNotRegisteredError(err) {
			return false, nil
		}
		return true, err
	})
}

// runCustomResources checks custom resources as the API server does by their definitions: schema, unknown fields, CEL rules.
func runCustomResources(args []string) error {
	flags := flag.NewFlagSet("crds", flag.ContinueOnError)
	definitions := []string{}
	flags.Func("definitions", "file with CustomResourceDefinitions, any number of times", func(name string) error {
		definitions = append(definitions, name)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	validator, err := crd.NewValidatorFromFilesWithOptions(definitions, crd.WithoutCRDValidation())
	if err != nil {
		return err
	}
	return eachDocument(flags.Args(), func(text string) (bool, error) {
		object := &unstructured.Unstructured{}
		// Through JSON: CEL wants integers where YAML makes floats. Strictly: a key that is there twice is an error.
		json, err := yaml.YAMLToJSONStrict([]byte(text))
		if err != nil {
			return true, err
		}
		if err := object.UnmarshalJSON(json); err != nil {
			return true, err
		}
		err = validator.ValidateCustomResource(object)
		if err != nil && strings.HasPrefix(err.Error(), "failed to validate type ") {
			return false, nil
		}
		return true, err
	})
}

// eachDocument checks every document of the files; check returns false for one that it has no schema for.
func eachDocument(files []string, check func(text string) (bool, error)) error {
	valid, invalid := 0, 0
	others := map[string]int{}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, text := range yml.SplitString(string(content)) {
			kind := kindOf(text)
			if kind == "" {
				continue
			}
			known, err := check(text)
			switch {
			case err != nil:
				invalid++
				fmt.Printf("%s: %s: %v\n", name, kind, err)
			case known:
				valid++
			default:
				others[kind[:strings.LastIndex(kind, " ")]]++
			}
		}
	}
	fmt.Printf("%d valid, %d invalid\n", valid, invalid)
	kinds := []string{}
	for kind, count := range others {
		kinds = append(kinds, fmt.Sprintf("%d %s", count, kind))
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		fmt.Printf("no schema here: %s\n", kind)
	}
	if invalid > 0 {
		return fmt.Errorf("%d invalid", invalid)
	}
	return nil
}

// kindOf names a document: `apps/v1 Deployment document`.
func kindOf(text string) string {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Metadata   struct {
			Name string `json:"name"`
		} `json:"metadata"`
	}
	if err := yaml.Unmarshal([]byte(text), &head); err != nil {
		return "unreadable document"
	}
	if head.Kind == "" {
		return ""
	}
	return head.APIVersion + " " + head.Kind + " " + head.Metadata.Name
}
