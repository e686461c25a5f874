// Command masterminds says what Masterminds/semver makes of ranges and versions: for each line
// "range<TAB>version" on standard input, one verdict on standard output.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/Masterminds/semver/v3"
)

func verdict(line string) string {
	text, tag, found := strings.Cut(line, "\t")
	if !found {
		return "no-pair"
	}
	constraints, err := semver.NewConstraint(text)
	if err != nil {
		return "invalid-range"
	}
	// The reading that Flux, Helm and Argo CD apply to tags.
	version, err := semver.NewVersion(tag)
	if err != nil {
		return "invalid-version"
	}
	if constraints.Check(version) {
		return "yes"
	}
	return "no"
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 0, 1<<20), 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for lines.Scan() {
		fmt.Fprintln(out, verdict(lines.Text()))
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := out.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
