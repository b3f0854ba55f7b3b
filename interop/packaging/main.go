// Reads the files of packaging/ with the types of those who will read them: Compose files with the library of Docker Compose, manifests strictly
// with the types of the Kubernetes API, so that a field misspelt or in a wrong place is an error. Prints a line of JSON with the settings that
// each file gives pinflow: {"file", "name", "toml", "environment"}.
//
//	packaging compose FILE...
//	packaging kubernetes FILE...
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	yamls "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

type settings struct {
	File        string            `json:"file"`
	Name        string            `json:"name"`
	Toml        string            `json:"toml"`
	Environment map[string]string `json:"environment"`
}

func compose(file string, out *json.Encoder) error {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithResolvedPaths(true), cli.WithConsistency(true))
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	for name, service := range project.Services {
		if service.Image != "pinflow" {
			continue
		}
		told := settings{File: file, Name: name, Environment: map[string]string{}}
		for key, value := range service.Environment {
			if value != nil {
				told.Environment[key] = *value
			}
		}
		for _, config := range service.Configs {
			text, err := os.ReadFile(project.Configs[config.Source].File)
			if err != nil {
				return err
			}
			told.Toml = string(text)
		}
		if err := out.Encode(told); err != nil {
			return err
		}
	}
	return nil
}

// The pods of one file, with what they name, to hold one against the other.
type pods struct {
	maps    map[string]core.ConfigMap
	specs   map[string]core.PodTemplateSpec
	selects []meta.LabelSelector
	service []map[string]string
}

func (p *pods) take(document []byte) error {
	var kind meta.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return err
	}
	strict := func(into any) error { return yaml.UnmarshalStrict(document, into) }
	switch kind.APIVersion + " " + kind.Kind {
	case "v1 Namespace":
		return strict(&core.Namespace{})
	case "v1 ServiceAccount":
		return strict(&core.ServiceAccount{})
	case "v1 ConfigMap":
		var some core.ConfigMap
		err := strict(&some)
		p.maps[some.Name] = some
		return err
	case "v1 Service":
		var some core.Service
		err := strict(&some)
		p.service = append(p.service, some.Spec.Selector)
		return err
	case "policy/v1 PodDisruptionBudget":
		var some policy.PodDisruptionBudget
		err := strict(&some)
		p.selects = append(p.selects, *some.Spec.Selector)
		return err
	case "apps/v1 Deployment":
		var some apps.Deployment
		err := strict(&some)
		p.specs[some.Name], p.selects = some.Spec.Template, append(p.selects, *some.Spec.Selector)
		return err
	case "apps/v1 StatefulSet":
		var some apps.StatefulSet
		err := strict(&some)
		p.specs[some.Name], p.selects = some.Spec.Template, append(p.selects, *some.Spec.Selector)
		for _, claim := range some.Spec.VolumeClaimTemplates {
			template := p.specs[some.Name]
			template.Spec.Volumes = append(template.Spec.Volumes, core.Volume{Name: claim.Name})
			p.specs[some.Name] = template
		}
		return err
	}
	return fmt.Errorf("no type is known for %s %s", kind.APIVersion, kind.Kind)
}

func (p *pods) selected(selector map[string]string) bool {
	for _, template := range p.specs {
		all := true
		for key, value := range selector {
			all = all && template.Labels[key] == value
		}
		if all {
			return true
		}
	}
	return false
}

// What a strict reading does not see: a mount without its volume, a selector that selects nothing, a probe of a port that is not there.
func (p *pods) check(file string, out *json.Encoder) error {
	for _, selector := range p.selects {
		if !p.selected(selector.MatchLabels) {
			return fmt.Errorf("the selector %v selects no pod", selector.MatchLabels)
		}
	}
	for _, selector := range p.service {
		if !p.selected(selector) {
			return fmt.Errorf("the service's selector %v selects no pod", selector)
		}
	}
	for name, template := range p.specs {
		told := settings{File: file, Name: name, Environment: map[string]string{}}
		volumes := map[string]bool{}
		for _, volume := range template.Spec.Volumes {
			volumes[volume.Name] = true
			if volume.ConfigMap == nil {
				continue
			}
			if _, there := p.maps[volume.ConfigMap.Name]; !there {
				return fmt.Errorf("%s names the ConfigMap %s, which is not there", name, volume.ConfigMap.Name)
			}
			told.Toml = p.maps[volume.ConfigMap.Name].Data["pinflow.toml"]
		}
		for _, container := range append(template.Spec.InitContainers, template.Spec.Containers...) {
			for _, mount := range container.VolumeMounts {
				if !volumes[mount.Name] {
					return fmt.Errorf("%s mounts the volume %s, which is not there", name, mount.Name)
				}
			}
			ports := map[string]bool{}
			for _, port := range container.Ports {
				ports[port.Name] = true
			}
			for _, probe := range []*core.Probe{container.LivenessProbe, container.ReadinessProbe, container.StartupProbe} {
				if probe != nil && !ports[probe.HTTPGet.Port.String()] {
					return fmt.Errorf("%s is asked on the port %s, which is not there", name, probe.HTTPGet.Port.String())
				}
			}
			for _, variable := range container.Env {
				if variable.ValueFrom == nil {
					told.Environment[variable.Name] = variable.Value
				}
			}
		}
		if err := out.Encode(told); err != nil {
			return err
		}
	}
	return nil
}

func kubernetes(file string, out *json.Encoder) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	all := pods{maps: map[string]core.ConfigMap{}, specs: map[string]core.PodTemplateSpec{}}
	for reader := yamls.NewYAMLReader(bufio.NewReader(bytes.NewReader(text))); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = all.take(document)
		}
		if err != nil {
			first, _, _ := strings.Cut(strings.TrimSpace(string(document)), "\n")
			return fmt.Errorf("the document that begins with %q: %w", first, err)
		}
	}
	return all.check(file, out)
}

func main() {
	read := map[string]func(string, *json.Encoder) error{"compose": compose, "kubernetes": kubernetes}
	if len(os.Args) < 3 || read[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: packaging compose|kubernetes FILE...")
		os.Exit(2)
	}
	out := json.NewEncoder(os.Stdout)
	for _, file := range os.Args[2:] {
		if err := read[os.Args[1]](file, out); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(file), err)
			os.Exit(1)
		}
	}
}
