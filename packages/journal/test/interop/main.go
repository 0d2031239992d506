// Checks our checkpoints and proofs with Go's own transparency log, golang.org/x/mod/sumdb.
// Reads cases as JSON from standard input and prints true or false for each.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type Case struct {
	Kind     string
	Note     string
	Vkey     string
	Record   []byte
	Index    int64
	OldNote  string
	Path     [][]byte
}

// opened gives size and root of a note that the key signed.
func opened(text, vkey string) (int64, tlog.Hash, error) {
	var root tlog.Hash
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return 0, root, err
	}
	signed, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return 0, root, err
	}
	lines := strings.Split(signed.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return 0, root, err
	}
	root, err = tlog.ParseHash(lines[2])
	return size, root, err
}

func check(c Case) error {
	size, root, err := opened(c.Note, c.Vkey)
	if err != nil {
		return err
	}
	path := []tlog.Hash{}
	for _, bytes := range c.Path {
		var hash tlog.Hash
		copy(hash[:], bytes)
		path = append(path, hash)
	}
	if c.Kind == "inclusion" {
		return tlog.CheckRecord(path, size, root, c.Index, tlog.RecordHash(c.Record))
	}
	oldSize, oldRoot, err := opened(c.OldNote, c.Vkey)
	if err != nil {
		return err
	}
	return tlog.CheckTree(path, size, root, oldSize, oldRoot)
}

func main() {
	var cases []Case
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	for _, c := range cases {
		fmt.Println(check(c) == nil)
	}
}
