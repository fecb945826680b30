// A peer of the interop harness with go-zeromq/zmq4, which is written in Go throughout: see PROTOCOL.md, two folders up.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/go-zeromq/zmq4"
)

// An answer that is not ok: its code and a text.
type refusal struct{ code, text string }

// done refuses for what the library could not do.
func done(err error) {
	if err != nil {
		panic(refusal{"other", err.Error()})
	}
}

type peer struct{ slots map[string]*slot }

func main() {
	p := peer{map[string]*slot{}}
	input := bufio.NewReader(os.Stdin)
	for {
		line, err := input.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\n")
		fmt.Println(strings.ReplaceAll(p.answer(line), "\n", " "))
		if line == "quit" {
			return
		}
	}
}

func (p *peer) answer(line string) (answer string) {
	defer func() {
		switch fault := recover().(type) {
		case nil:
		case refusal:
			answer = "err " + fault.code + " " + fault.text
		default:
			answer = fmt.Sprint("err other ", fault)
		}
	}()
	words := strings.Split(line, " ")
	return strings.Join(append([]string{"ok"}, p.obey(words[0], words[1:])...), " ")
}

// The commands, with how many words follow at least.
var commands = map[string]int{
	"hello": 1, "quit": 0, "socket": 2, "close": 1, "set": 3, "bind": 2, "connect": 2, "unbind": 2, "disconnect": 2,
	"subscribe": 2, "unsubscribe": 2, "send": 3, "recv": 2, "burst": 3, "expect": 3, "take": 3, "drain": 2, "fill": 3,
	"request": 4, "echo": 3,
}

func (p *peer) obey(command string, words []string) []string {
	least, known := commands[command]
	if !known || len(words) < least {
		panic(refusal{"usage", "unknown command " + command + ", or not its words"})
	}
	switch command {
	case "hello":
		if words[0] != "1" {
			panic(refusal{"usage", "protocol 1 only"})
		}
		return []string{"1", "go-zeromq-" + version(), "tcp", "ipc"}
	case "quit":
		for name := range p.slots {
			p.close(name)
		}
		return nil
	case "socket":
		if types[words[1]] == nil {
			panic(refusal{"usage", "unknown socket type " + words[1]})
		}
		p.slots[words[0]] = &slot{kind: words[1]}
		return nil
	}
	s := p.slots[words[0]]
	if s == nil {
		panic(refusal{"usage", "no socket " + words[0]})
	}
	switch command {
	case "close":
		p.close(words[0])
		return nil
	case "set":
		s.set(words[1], words[2])
		return nil
	case "bind":
		return []string{s.bind(words[1])}
	case "connect":
		s.connect(words[1])
		return nil
	case "unbind", "disconnect":
		panic(refusal{"usage", "go-zeromq cannot " + command})
	case "subscribe":
		done(s.socket().SetOption(zmq4.OptionSubscribe, string(frame(words[1]))))
		return nil
	case "unsubscribe":
		done(s.socket().SetOption(zmq4.OptionUnsubscribe, string(frame(words[1]))))
		return nil
	}
	return talk(s, command, time.Duration(number(words[1]))*time.Millisecond, words[2:])
}

func (p *peer) close(name string) {
	if made := p.slots[name].made; made != nil {
		made.Close()
	}
	delete(p.slots, name)
}

// talk obeys the commands that send and receive.
func talk(s *slot, command string, limit time.Duration, words []string) []string {
	switch command {
	case "send":
		s.send(limit, frames(words))
		return nil
	case "recv":
		return toldAll(s.recv(limit))
	case "drain":
		return drain(s, limit, frames(words))
	}
	count := number(words[0])
	switch command {
	case "burst":
		for n, head := 0, frames(words[1:]); n < count; n++ {
			s.send(limit, numbered(head, n))
		}
	case "fill":
		return fillUp(s, limit, count, frames(words[1:]))
	case "expect":
		for n, head := 0, frames(words[1:]); n < count; n++ {
			check(n, s.recv(limit), head)
		}
	case "take":
		return take(s, limit, count, frames(words[1:]))
	case "request":
		window, head := number(words[1]), frames(words[2:])
		for n, sent := 0, 0; n < count; n++ {
			for ; sent < min(count, n+window); sent++ {
				s.send(limit, numbered(head, sent))
			}
			check(n, s.recv(limit), head)
		}
	case "echo":
		for n := 0; n < count; n++ {
			s.send(limit, s.recv(limit))
		}
	}
	return nil
}

// fillUp sends numbered messages until one waits. A Send that is not over in time cannot be taken back, and counts as sent.
func fillUp(s *slot, limit time.Duration, count int, head [][]byte) (answer []string) {
	n := 0
	defer func() {
		fault := recover()
		if refused, is := fault.(refusal); is && refused == waits {
			answer = []string{strconv.Itoa(n + 1)}
		} else if is && refused.code == "again" {
			answer = []string{strconv.Itoa(n)}
		} else if fault != nil {
			panic(fault)
		}
	}()
	for ; n < count; n++ {
		s.send(limit, numbered(head, n))
	}
	return []string{strconv.Itoa(count)}
}

// take receives count numbered messages: the numbers of the first and the last.
func take(s *slot, limit time.Duration, count int, head [][]byte) []string {
	first, last := "-", -1
	for n := 0; n < count; n++ {
		last = next(s.recv(limit), head, last)
		if n == 0 {
			first = strconv.Itoa(last)
		}
	}
	if count == 0 {
		return []string{first, "-"}
	}
	return []string{first, strconv.Itoa(last)}
}

// drain receives numbered messages until none comes: how many, the numbers of the first and the last.
func drain(s *slot, limit time.Duration, head [][]byte) (answer []string) {
	count, first, last := 0, "-", -1
	defer func() {
		fault := recover()
		if refused, is := fault.(refusal); !is || refused.code != "again" {
			panic(fault)
		}
		answer = []string{strconv.Itoa(count), first, "-"}
		if count > 0 {
			answer[2] = strconv.Itoa(last)
		}
	}()
	for {
		last = next(s.recv(limit), head, last)
		if count == 0 {
			first = strconv.Itoa(last)
		}
		count++
	}
}

// next is the number of a message, which must be greater than last.
func next(message, head [][]byte, last int) int {
	n := 0
	if len(message) > 0 && len(message[len(message)-1]) >= 4 {
		n = int(binary.BigEndian.Uint32(message[len(message)-1]))
	}
	check(n, message, head)
	if n <= last {
		panic(refusal{"order", fmt.Sprintf("message %d came after %d", n, last)})
	}
	return n
}

// version is that of the library, as the build noted it.
func version() string {
	if info, known := debug.ReadBuildInfo(); known {
		for _, module := range info.Deps {
			if module.Path == "github.com/go-zeromq/zmq4" {
				return strings.TrimPrefix(module.Version, "v")
			}
		}
	}
	return "unknown"
}
