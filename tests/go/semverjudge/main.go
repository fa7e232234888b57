// Says what Masterminds/semver, which Helm uses, makes of versions and ranges: one JSON request a line.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"github.com/Masterminds/semver/v3"
)

type request struct {
	Constraint string   `json:"constraint"`
	Versions   []string `json:"versions"`
}

type answer struct {
	Valid    bool   `json:"valid"`
	Versions []bool `json:"versions"` // whether each is a version
	Strict   []bool `json:"strict"`   // whether each is one of SemVer 2
	Matches  []bool `json:"matches"`
	Order    []int  `json:"order"` // each compared with the one after it; 0 where one is none
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var asked request
		if err := json.Unmarshal(in.Bytes(), &asked); err != nil {
			os.Exit(1)
		}
		if err := out.Encode(judge(asked)); err != nil {
			os.Exit(1)
		}
	}
}

func judge(asked request) answer {
	constraint, err := semver.NewConstraint(asked.Constraint)
	said := answer{Valid: err == nil}
	var before *semver.Version
	for index, text := range asked.Versions {
		version, err := semver.NewVersion(text)
		_, strict := semver.StrictNewVersion(text)
		said.Versions = append(said.Versions, err == nil)
		said.Strict = append(said.Strict, strict == nil)
		said.Matches = append(said.Matches, err == nil && said.Valid && constraint.Check(version))
		if index > 0 {
			order := 0
			if before != nil && err == nil {
				order = before.Compare(version)
			}
			said.Order = append(said.Order, order)
		}
		if err != nil {
			version = nil
		}
		before = version
	}
	return said
}
