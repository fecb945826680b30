// A peer of the interop harness with zeromq.js, which carries its own libzmq: see PROTOCOL.md, two folders up.

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { createInterface } from "node:readline"

import * as zmq from "zeromq"

import { TYPES, set } from "./options.js"
import { Refusal, check, frame, frames, next, number, numbered, told } from "./words.js"

const CODES = { EAGAIN: "again", EHOSTUNREACH: "unroutable", EFSM: "state" }

const sockets = new Map()

function socketOf(name) {
  const socket = sockets.get(name)
  if (socket === undefined) throw new Refusal("usage", `no socket ${name}`)
  return socket
}

const isAgain = (error) => error.code === "EAGAIN"

// Tries until it works or the time is up. The library's own limit alone does not do: when a peer goes away between its
// question whether the socket is ready and its attempt, it fails at once, as if the time were up (poller.h, Trigger).
async function within(socket, limit, option, attempt) {
  const end = performance.now() + limit
  for (let rest = limit; ; rest = Math.ceil(end - performance.now())) {
    socket[option] = Math.max(rest, 0)
    try {
      return await attempt()
    } catch (error) {
      if (!isAgain(error) || performance.now() >= end) throw error
    }
  }
}

function sender(name, limit) {
  const [socket, ms] = [socketOf(name), number(limit)]
  if (typeof socket.send !== "function") throw new Refusal("usage", "this type cannot send")
  return (message) => within(socket, ms, "sendTimeout", () => socket.send(message))
}

function receiver(name, limit) {
  const [socket, ms] = [socketOf(name), number(limit)]
  if (typeof socket.receive !== "function") throw new Refusal("usage", "this type cannot receive")
  return () => within(socket, ms, "receiveTimeout", () => socket.receive())
}

function subscriber(name) {
  const socket = socketOf(name)
  if (typeof socket.subscribe !== "function") throw new Refusal("usage", "only SUB can subscribe")
  return socket
}

// A ZAP handler (RFC 27): who comes with a mechanism that has a rule must show its credentials.
const rules = new Map()
let handler

async function decide() {
  for await (const [version, request, , , , mechanism, ...shown] of handler) {
    const due = rules.get(mechanism.toString())
    const isIn = due === undefined || (due.length === shown.length && due.every((one, n) => shown[n].equals(one)))
    await handler.send([version, request, isIn ? "200" : "400", "", "", ""])
  }
}

// The version of the package, which says nothing of itself.
function version() {
  const main = createRequire(import.meta.url).resolve("zeromq")
  return JSON.parse(readFileSync(main.replace(/lib[/\\][^/\\]*$/, "package.json"), "utf8")).version
}

const COMMANDS = {
  hello(protocol) {
    if (protocol !== "1") throw new Refusal("usage", "protocol 1 only")
    const transports = zmq.capability.ipc ? ["tcp", "ipc"] : ["tcp"]
    return ["1", `zeromq.js-${version()}/libzmq-${zmq.version}`, ...transports]
  },
  async zap(mechanism, ...words) {
    if (handler === undefined) {
      handler = new zmq.Reply({ linger: 0 })
      await handler.bind("inproc://zeromq.zap.01")
      decide()
    }
    rules.set(mechanism, frames(words))
  },
  socket(name, type) {
    if (!(type in TYPES)) throw new Refusal("usage", `unknown socket type ${type}`)
    sockets.set(name, new TYPES[type]({ linger: 0 }))
  },
  set: (name, option, value) => set(socketOf(name), option, value),
  async bind(name, endpoint) {
    await socketOf(name).bind(endpoint)
    return [socketOf(name).lastEndpoint]
  },
  connect: (name, endpoint) => socketOf(name).connect(endpoint),
  unbind: (name, endpoint) => socketOf(name).unbind(endpoint),
  disconnect: (name, endpoint) => socketOf(name).disconnect(endpoint),
  subscribe: (name, topic) => subscriber(name).subscribe(frame(topic)),
  unsubscribe: (name, topic) => subscriber(name).unsubscribe(frame(topic)),
  send: (name, limit, ...words) => sender(name, limit)(frames(words)),
  async recv(name, limit) {
    return (await receiver(name, limit)()).map(told)
  },
  async burst(name, limit, count, ...words) {
    const [send, head] = [sender(name, limit), frames(words)]
    for (let n = 0; n < number(count); n++) await send(numbered(head, n))
  },
  async expect(name, limit, count, ...words) {
    const [receive, head] = [receiver(name, limit), frames(words)]
    for (let n = 0; n < number(count); n++) check(n, await receive(), head)
  },
  async take(name, limit, count, ...words) {
    const [receive, head] = [receiver(name, limit), frames(words)]
    let [first, last] = ["-", -1]
    for (let n = 0; n < number(count); n++) {
      last = next(await receive(), head, last)
      if (n === 0) first = last
    }
    return [first, first === "-" ? "-" : last]
  },
  async drain(name, limit, ...words) {
    const [receive, head] = [receiver(name, limit), frames(words)]
    let [taken, first, last] = [0, "-", -1]
    try {
      for (; ; taken++) {
        last = next(await receive(), head, last)
        if (taken === 0) first = last
      }
    } catch (error) {
      if (!isAgain(error)) throw error
    }
    return [taken, first, taken === 0 ? "-" : last]
  },
  async fill(name, limit, count, ...words) {
    const [send, head] = [sender(name, limit), frames(words)]
    for (let n = 0; n < number(count); n++) {
      try {
        await send(numbered(head, n))
      } catch (error) {
        if (!isAgain(error)) throw error
        return [n]
      }
    }
    return [count]
  },
  async request(name, limit, count, window, ...words) {
    const [send, receive] = [sender(name, limit), receiver(name, limit)]
    const [head, all] = [frames(words), number(count)]
    for (let n = 0, sent = 0; n < all; n++) {
      for (; sent < Math.min(all, n + number(window)); sent++) await send(numbered(head, sent))
      check(n, await receive(), head)
    }
  },
  async echo(name, limit, count) {
    const [send, receive] = [sender(name, limit), receiver(name, limit)]
    for (let n = 0; n < number(count); n++) await send(await receive())
  },
  close(name) {
    socketOf(name).close()
    sockets.delete(name)
  },
  quit() {
    for (const name of [...sockets.keys()]) COMMANDS.close(name)
  },
}

async function answer(line) {
  const [command, ...words] = line.split(" ")
  try {
    if (!Object.hasOwn(COMMANDS, command)) throw new Refusal("usage", `unknown command ${command}`)
    return ["ok", ...((await COMMANDS[command](...words)) ?? [])].join(" ")
  } catch (error) {
    if (error instanceof Refusal) return `err ${error.code} ${error.message}`
    const code = error instanceof TypeError ? "usage" : (CODES[error.code] ?? "other")
    return `err ${code} ${error.message}`
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${(await answer(line)).replaceAll("\n", " ")}\n`)
  if (line === "quit") break
}
process.exit(0)
