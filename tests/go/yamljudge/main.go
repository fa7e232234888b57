// Command yamljudge says what Go makes of YAML, JSON and regular expressions: the judge of MOP's property tests.
// It answers one JSON request a line on standard input with one JSON reply a line on standard output.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	yamlv3 "gopkg.in/yaml.v3"
	sigs "sigs.k8s.io/yaml"
)

type request struct {
	Do   string   `json:"do"`
	Args []string `json:"args"`
}

type reply struct {
	Text  string `json:"text"`
	Error string `json:"error,omitempty"`
}

// readV3 reads a stream as Tanka's parseYaml does: one JSON value for each document.
func readV3(text string) (string, error) {
	docs := []json.RawMessage{}
	decoder := yamlv3.NewDecoder(strings.NewReader(text))
	for {
		var doc any
		if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return "", err
		}
		raw, err := json.Marshal(doc)
		if err != nil {
			return "", err
		}
		docs = append(docs, raw)
	}
	raw, err := json.Marshal(docs)
	return string(raw), err
}

// readSigs reads one document as kubectl and Helm do.
func readSigs(text string) (string, error) {
	raw, err := sigs.YAMLToJSON([]byte(text))
	return string(raw), err
}

// writeV3 writes JSON as Tanka's manifestYamlFromJson does.
func writeV3(text string) (string, error) {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return "", err
	}
	raw, err := yamlv3.Marshal(value)
	return string(raw), err
}

// writeSigs writes JSON as kubectl does.
func writeSigs(text string) (string, error) {
	raw, err := sigs.JSONToYAML([]byte(text))
	return string(raw), err
}

func indent(text string, by string) (string, error) {
	var out bytes.Buffer
	err := json.Indent(&out, bytes.TrimSpace([]byte(text)), "", by)
	return out.String() + "\n", err
}

func matches(pattern string, text string) (string, error) {
	found, err := regexp.MatchString(pattern, text)
	return fmt.Sprint(found), err
}

func substitute(pattern, text, replacement string) (string, error) {
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return "", err
	}
	return compiled.ReplaceAllString(text, replacement), nil
}

func answer(asked request) (text string, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("panic: %v", broken)
		}
	}()
	switch asked.Do {
	case "read v3":
		return readV3(asked.Args[0])
	case "read sigs":
		return readSigs(asked.Args[0])
	case "write v3":
		return writeV3(asked.Args[0])
	case "write sigs":
		return writeSigs(asked.Args[0])
	case "indent":
		return indent(asked.Args[0], asked.Args[1])
	case "match":
		return matches(asked.Args[0], asked.Args[1])
	case "substitute":
		return substitute(asked.Args[0], asked.Args[1], asked.Args[2])
	case "quote":
		return regexp.QuoteMeta(asked.Args[0]), nil
	}
	return "", fmt.Errorf("unknown request %q", asked.Do)
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		text, failed := answer(asked)
		given := reply{Text: text}
		if failed != nil {
			given = reply{Error: failed.Error()}
		}
		if err := out.Encode(given); err != nil {
			os.Exit(1)
		}
	}
}
