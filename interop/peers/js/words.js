// Frames as words of the line protocol, and numbered messages.

export class Refusal extends Error {
  constructor(code, text) {
    super(text)
    this.code = code
  }
}

const PERIOD = 251
const SHORT = 64

// Repeats of the period, to copy from.
const PATTERN = Buffer.alloc(PERIOD * 5000)
for (let i = 0; i < PATTERN.length; i++) PATTERN[i] = i % PERIOD

function fill(size, seed) {
  const start = seed % PERIOD
  if (start + size <= PATTERN.length) return PATTERN.subarray(start, start + size)
  const made = Buffer.allocUnsafe(size)
  for (let i = 0; i < size; i++) made[i] = (start + i) % PERIOD
  return made
}

export function number(word) {
  if (!/^-?\d+$/.test(word)) throw new Refusal("usage", `not a number: ${word}`)
  return Number(word)
}

export function frame(word) {
  if (word === "-") return Buffer.alloc(0)
  const rest = word.slice(2)
  if (word.startsWith("t:")) return Buffer.from(rest, "ascii")
  if (word.startsWith("h:") && /^([0-9a-f]{2})*$/.test(rest)) return Buffer.from(rest, "hex")
  const [, size, seed] = word.match(/^f:(\d+):(\d+)$/) ?? []
  if (size !== undefined) return fill(Number(size), Number(seed))
  throw new Refusal("usage", `no frame: ${word}`)
}

// Null stands for any frame.
export const frames = (words) => words.map((word) => (word === "*" ? null : frame(word)))

const CRC = new Uint32Array(256)
for (let n = 0; n < 256; n++) {
  let crc = n
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  CRC[n] = crc
}

function crc32(bytes) {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC[(crc ^ byte) & 0xff]
  return ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0")
}

export function told(bytes) {
  if (bytes.length === 0) return "-"
  return bytes.length <= SHORT ? `h:${bytes.toString("hex")}` : `d:${bytes.length}:${crc32(bytes)}`
}

export function numbered(head, n) {
  const last = Buffer.alloc(4 + (n % 301))
  last.writeUInt32BE(n)
  fill(n % 301, n).copy(last, 4)
  return [...head, last]
}

// Refuses unless the message is the numbered one.
export function check(n, message, head) {
  const due = numbered(head, n)
  if (message.length === due.length && due.every((want, i) => want === null || want.equals(message[i]))) return
  throw new Refusal("order", `message ${n} is ${message.map(told).join(" ")}`)
}

// The number of a message, which must be greater than `last`.
export function next(message, head, last) {
  const bytes = message[message.length - 1]
  const n = bytes.length < 4 ? 0 : bytes.readUInt32BE()
  check(n, message, head)
  if (n <= last) throw new Refusal("order", `message ${n} came after ${last}`)
  return n
}
