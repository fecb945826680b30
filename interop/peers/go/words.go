package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

const (
	period = 251
	short  = 64
)

// Frames of the words of a command; nil stands for any frame.
func frames(words []string) [][]byte {
	made := make([][]byte, 0, len(words))
	for _, word := range words {
		if word == "*" {
			made = append(made, nil)
		} else {
			made = append(made, frame(word))
		}
	}
	return made
}

func frame(word string) []byte {
	kind, rest, _ := strings.Cut(word, ":")
	switch {
	case word == "-":
		return []byte{}
	case kind == "t":
		return []byte(rest)
	case kind == "h":
		if made, err := hex.DecodeString(rest); err == nil {
			return made
		}
	case kind == "f":
		size, seed, _ := strings.Cut(rest, ":")
		return fill(number(size), number(seed))
	}
	panic(refusal{"usage", "no frame: " + word})
}

func fill(size, seed int) []byte {
	made := make([]byte, size)
	for i := range made {
		made[i] = byte((seed + i) % period)
	}
	return made
}

func number(word string) int {
	n, err := strconv.Atoi(word)
	if err != nil {
		panic(refusal{"usage", "not a number: " + word})
	}
	return n
}

func told(frame []byte) string {
	switch {
	case len(frame) == 0:
		return "-"
	case len(frame) <= short:
		return "h:" + hex.EncodeToString(frame)
	default:
		return fmt.Sprintf("d:%d:%08x", len(frame), crc32.ChecksumIEEE(frame))
	}
}

func toldAll(message [][]byte) []string {
	words := make([]string, 0, len(message))
	for _, frame := range message {
		words = append(words, told(frame))
	}
	return words
}

// The numbered message n.
func numbered(head [][]byte, n int) [][]byte {
	last := binary.BigEndian.AppendUint32(nil, uint32(n))
	return append(append([][]byte{}, head...), append(last, fill(n%301, n)...))
}

// Refuses unless the message is the numbered one.
func check(n int, message, head [][]byte) {
	due := numbered(head, n)
	same := len(due) == len(message)
	for i := 0; same && i < len(due); i++ {
		same = due[i] == nil || bytes.Equal(due[i], message[i])
	}
	if !same {
		panic(refusal{"order", fmt.Sprintf("message %d is %s", n, strings.Join(toldAll(message), " "))})
	}
}
