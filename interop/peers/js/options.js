// Socket types and options by libzmq's names, without ZMQ_.

import * as zmq from "zeromq"

import { Refusal, frame, number } from "./words.js"

export const TYPES = {
  PAIR: zmq.Pair,
  PUB: zmq.Publisher,
  SUB: zmq.Subscriber,
  REQ: zmq.Request,
  REP: zmq.Reply,
  DEALER: zmq.Dealer,
  ROUTER: zmq.Router,
  PULL: zmq.Pull,
  PUSH: zmq.Push,
  XPUB: zmq.XPublisher,
  XSUB: zmq.XSubscriber,
}

// Their numbers in zmq.h: the library names only some of them on each class.
const INT = {
  SNDBUF: 11,
  RCVBUF: 12,
  LINGER: 17,
  RECONNECT_IVL: 18,
  BACKLOG: 19,
  RECONNECT_IVL_MAX: 21,
  SNDHWM: 23,
  RCVHWM: 24,
  ROUTER_MANDATORY: 33,
  TCP_KEEPALIVE: 34,
  IMMEDIATE: 39,
  XPUB_VERBOSE: 40,
  IPV6: 42,
  PLAIN_SERVER: 44,
  CURVE_SERVER: 47,
  PROBE_ROUTER: 51,
  REQ_CORRELATE: 52,
  REQ_RELAXED: 53,
  CONFLATE: 54,
  ROUTER_HANDOVER: 56,
  HANDSHAKE_IVL: 66,
  XPUB_NODROP: 69,
  INVERT_MATCHING: 74,
  HEARTBEAT_IVL: 75,
  HEARTBEAT_TTL: 76,
  HEARTBEAT_TIMEOUT: 77,
  XPUB_VERBOSER: 78,
}
const BYTES = {
  ROUTING_ID: 5,
  PLAIN_USERNAME: 45,
  PLAIN_PASSWORD: 46,
  CURVE_PUBLICKEY: 48,
  CURVE_SECRETKEY: 49,
  CURVE_SERVERKEY: 50,
  ZAP_DOMAIN: 55,
  CONNECT_ROUTING_ID: 61,
  XPUB_WELCOME_MSG: 72,
}

export function set(socket, option, value) {
  if (option in INT) socket.setInt32Option(INT[option], number(value))
  else if (option in BYTES) socket.setStringOption(BYTES[option], frame(value))
  else if (option === "MAXMSGSIZE") socket.maxMessageSize = number(value)
  else throw new Refusal("usage", `unknown option ${option}`)
}
