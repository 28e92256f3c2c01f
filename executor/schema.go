package executor

import (
	"encoding/json"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"

	"autotune/catalog"
	"autotune/controller"
)

// Schema returns the JSON Schema (2020-12) of a configuration file, indented: for
// editors that complete and check YAML. It is made from the catalog, and the same
// on every machine: a default that depends on the machine is in the description.
func Schema() ([]byte, error) {
	root := &jsonschema.Schema{
		Schema:               "https://json-schema.org/draft/2020-12/schema",
		Title:                "autotune configuration",
		Description:          "Optimizations of an executor. What is left out has its default.",
		Type:                 "object",
		Properties:           map[string]*jsonschema.Schema{},
		AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
	}
	for _, f := range catalog.Fields() {
		p, err := schemaOf(f)
		if err != nil {
			return nil, fmt.Errorf("schema of %s: %w", f.Name, err)
		}
		root.Properties[f.Name] = p
		root.PropertyOrder = append(root.PropertyOrder, f.Name)
	}
	return json.MarshalIndent(root, "", "  ")
}

func schemaOf(f catalog.Field) (*jsonschema.Schema, error) {
	p := &jsonschema.Schema{Description: f.Does}
	bounded := func(kind string) {
		p.Type, p.Minimum, p.Maximum = kind, &f.Min, &f.Max
	}
	var value any = f.Default
	switch f.Kind { //nolint:exhaustive // no field is an enum
	case controller.Switch:
		p.Type, value = "boolean", f.Default != 0
	case controller.Int:
		bounded("integer")
	case controller.Float:
		bounded("number")
	case controller.Duration:
		bounded("")
		p.Types, p.Pattern = []string{"number", "string"}, durationPattern
		p.Description += " Seconds, or a duration such as \"1m30s\"."
	}
	if f.DefaultRule != "" {
		p.Description += " Default: " + f.DefaultRule + "."
		return p, nil
	}
	var err error
	p.Default, err = json.Marshal(value)
	return p, err
}

// durationPattern is what time.ParseDuration reads, without a sign: no field may
// be negative.
const durationPattern = `^(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`
