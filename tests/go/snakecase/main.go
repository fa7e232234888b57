// The judge of mop.engines.snakecase: reads JSON strings, one a line, and prints ToSnakeCase of each as JSON.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"

	"github.com/huandu/xstrings"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for in.Scan() {
		var text string
		if err := json.Unmarshal(in.Bytes(), &text); err != nil {
			log.Fatal(err)
		}
		if err := encoder.Encode(xstrings.ToSnakeCase(text)); err != nil {
			log.Fatal(err)
		}
		if err := out.Flush(); err != nil {
			log.Fatal(err)
		}
	}
	if err := in.Err(); err != nil {
		log.Fatal(err)
	}
}
