package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/plain"
)

// How long Dial waits between two attempts.
const retry = 50 * time.Millisecond

// A Send that was not over in time.
var waits = refusal{"again", "Send still goes on"}

// How long a Send that was refused at once waits before it is tried again.
const pause = 5 * time.Millisecond

var types = map[string]func(context.Context, ...zmq4.Option) zmq4.Socket{
	"PAIR": zmq4.NewPair, "PUB": zmq4.NewPub, "SUB": zmq4.NewSub, "REQ": zmq4.NewReq, "REP": zmq4.NewRep,
	"DEALER": zmq4.NewDealer, "ROUTER": zmq4.NewRouter, "PULL": zmq4.NewPull, "PUSH": zmq4.NewPush,
	"XPUB": zmq4.NewXPub, "XSUB": zmq4.NewXSub,
}

// A socket is made when it is first used: its options are read then.
type slot struct {
	kind    string
	options []zmq4.Option
	hwm     *int
	user    string
	made    zmq4.Socket
	// The outcomes of a Recv and a Send that were not there in time: the library's have no time limits, and go on.
	receiving chan received
	sending   chan error
}

// role is the part in a mechanism that was asked for; by itself the library makes whoever is bound the server.
type role struct {
	zmq4.Security
	server bool
}

func (r role) Handshake(conn *zmq4.Conn, _ bool) error { return r.Security.Handshake(conn, r.server) }

type received struct {
	message zmq4.Msg
	err     error
}

func (s *slot) socket() zmq4.Socket {
	if s.made == nil {
		defaults := []zmq4.Option{
			zmq4.WithDialerRetry(retry),
			zmq4.WithDialerMaxRetries(-1),
			zmq4.WithAutomaticReconnect(true),
			zmq4.WithLogger(log.New(io.Discard, "", 0)),
		}
		s.made = types[s.kind](context.Background(), append(defaults, s.options...)...)
		if s.hwm != nil {
			done(s.made.SetOption(zmq4.OptionHWM, *s.hwm))
		}
	}
	return s.made
}

func (s *slot) set(option, value string) {
	switch option {
	case "ROUTING_ID":
		s.options = append(s.options, zmq4.WithID(zmq4.SocketIdentity(frame(value))))
	case "RECONNECT_IVL":
		s.options = append(s.options, zmq4.WithDialerRetry(time.Duration(number(value))*time.Millisecond))
	case "PLAIN_USERNAME":
		s.user = string(frame(value))
	case "PLAIN_PASSWORD":
		s.options = append(s.options, zmq4.WithSecurity(role{plain.Security(s.user, string(frame(value))), false}))
	case "PLAIN_SERVER":
		s.options = append(s.options, zmq4.WithSecurity(role{plain.Security("", ""), true}))
	case "SNDHWM":
		// Only publishers have one.
		if s.kind != "PUB" {
			panic(refusal{"usage", "go-zeromq has no SNDHWM for " + s.kind})
		}
		hwm := number(value)
		s.hwm = &hwm
	case "LINGER":
		if value != "0" {
			panic(refusal{"usage", "go-zeromq never lingers"})
		}
	default:
		panic(refusal{"usage", "go-zeromq has no option " + option})
	}
}

func (s *slot) bind(endpoint string) string {
	done(s.socket().Listen(strings.Replace(endpoint, ":*", ":0", 1)))
	if transport, _, _ := strings.Cut(endpoint, "://"); transport == "tcp" {
		return "tcp://" + s.made.Addr().String()
	}
	return endpoint
}

// connect dials in the background, as others do; Dial itself waits until it is connected.
func (s *slot) connect(endpoint string) {
	socket := s.socket()
	go socket.Dial(endpoint)
}

func (s *slot) send(limit time.Duration, message [][]byte) {
	late := time.After(limit)
	if s.sending != nil {
		select {
		case <-s.sending:
		case <-late:
			panic(refusal{"again", "the last Send still goes on"})
		}
	}
	socket := s.socket()
	for {
		s.sending = make(chan error, 1)
		go func(outcome chan error) { outcome <- socket.SendMulti(zmq4.NewMsgFrom(message...)) }(s.sending)
		select {
		case err := <-s.sending:
			s.sending = nil
			// A REQ refuses at once while it has no peer; others wait.
			if err == nil || !isOfConnections(err) {
				done(err)
				return
			}
		case <-late:
			panic(waits)
		}
		select {
		case <-time.After(pause):
		case <-late:
			panic(refusal{"again", "no connection in time"})
		}
	}
}

// isOfConnections says whether an error tells of connections that ended, or that there are none: not of the message.
func isOfConnections(err error) bool {
	for _, text := range []string{"no connections available", "broken pipe", "connection reset", "closed connection"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// recv receives a message. The error of a connection that ended, which Recv reports, is no message.
func (s *slot) recv(limit time.Duration) [][]byte {
	late := time.After(limit)
	socket := s.socket()
	for {
		if s.receiving == nil {
			s.receiving = make(chan received, 1)
			go func(outcome chan received) {
				message, err := socket.Recv()
				outcome <- received{message, err}
			}(s.receiving)
		}
		select {
		case got := <-s.receiving:
			s.receiving = nil
			if got.err == nil {
				return got.message.Frames
			}
			if strings.Contains(got.err.Error(), "can't recv") {
				panic(refusal{"usage", got.err.Error()})
			}
			if errors.Is(got.err, context.Canceled) || s.kind == "REQ" {
				panic(refusal{"again", got.err.Error()})
			}
		case <-late:
			panic(refusal{"again", fmt.Sprint("no message in ", limit)})
		}
	}
}
