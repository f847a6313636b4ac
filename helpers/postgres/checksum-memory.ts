import { crcTables } from './crc32c.ts'
import {
  add,
  and,
  constant,
  get,
  isAbove,
  isAtOrAbove,
  loadByte,
  loadWord,
  moduleOf,
  repeatUntil,
  set,
  shiftLeft,
  shiftRight,
  xor,
} from './wasm.ts'

/** How many bytes a round takes, with a table each. With eight, as PostgreSQL has it, a quarter more time is needed; 32 gain nothing. */
const ROUND_BYTES = 16
const TABLE_BYTES = 256 * 4
const WASM_PAGE_BYTES = 64 * 1024

type Run = (before: number, start: number, end: number) => number

/** What is used of it: TypeScript has its types among those of browsers only. */
interface WasmGlobal {
  Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer }
  Module: new (bytes: Uint8Array<ArrayBuffer>) => WasmModule
  Instance: new (module: WasmModule, imports: object) => { readonly exports: Record<string, unknown> }
}
type WasmModule = object
const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: WasmGlobal }).WebAssembly

/**
 * Memory of which the CRC-32C is taken in WebAssembly, in half the time that `crc32c` needs for the same. A call costs no more
 * than one of JavaScript's, so that short pieces gain as well, which they do not by a library's native code; but what is not in
 * this memory has to be copied there first.
 */
export class ChecksumMemory {
  /** To be written to. */
  readonly bytes: Buffer
  /** The same, by four. */
  readonly words: Uint32Array
  readonly #run: Run

  constructor(sizeBytes: number) {
    const pages = Math.ceil((BYTES_AT + sizeBytes) / WASM_PAGE_BYTES)
    const memory = new Memory({ initial: pages, maximum: pages })
    new Int32Array(memory.buffer).set(crcTables(ROUND_BYTES))
    this.bytes = Buffer.from(memory.buffer, BYTES_AT, sizeBytes)
    this.words = new Uint32Array(memory.buffer, BYTES_AT, Math.floor(sizeBytes / 4))
    module ??= new Module(write())
    this.#run = new Instance(module, { host: { memory } }).exports.run as Run
  }

  /**
   * As `crc32c`, of `bytes` from `start` to `end`.
   * @throws {RangeError} for what lies outside of them.
   */
  crc32c(start: number, end: number, before = 0): number {
    if (start < 0 || end > this.bytes.length) throw new RangeError(`${start} to ${end} is outside of the memory`)
    return this.#run(before, BYTES_AT + start, BYTES_AT + end) >>> 0
  }
}

/** Behind the tables. */
const BYTES_AT = ROUND_BYTES * TABLE_BYTES

let module: WasmModule | undefined

/**
 * The same as `crc32c` of `crc32c.ts`: by sixteen bytes at a time, what is then left by four, and the rest one by one. Records are
 * short, so that what is left is a good part of them.
 */
function write(): Uint8Array<ArrayBuffer> {
  const [crc, at, end] = [0, 1, 2]
  const words = Array.from({ length: ROUND_BYTES / 4 }, (_, index) => 3 + index)
  const [first = 0] = words
  const not = [...get(crc), ...constant(-1), ...xor, ...set(crc)]
  const advance = (bytes: number) => [...get(at), ...constant(bytes), ...add, ...set(at)]
  /** The entry of a byte of a word, in the table for so many bytes after it. */
  const look = (word: number, byte: number, bytesAfter: number) => [
    ...get(word),
    ...(byte === 0 ? [...constant(2), ...shiftLeft] : [...constant(8 * byte - 2), ...shiftRight]),
    ...[...constant(0xff << 2), ...and, ...loadWord(bytesAfter * TABLE_BYTES)],
  ]
  const round = (bytes: number) => [
    ...words.slice(0, bytes / 4).flatMap((word, index) => [...get(at), ...loadWord(4 * index), ...set(word)]),
    ...[...get(first), ...get(crc), ...xor, ...set(first)],
    ...Array.from({ length: bytes }, (_, index) => [
      ...look(words[index >> 2] ?? 0, index % 4, bytes - 1 - index),
      ...(index === 0 ? [] : xor),
    ]).flat(),
    ...set(crc),
    ...advance(bytes),
  ]
  const single = [
    ...[...get(crc), ...get(at), ...loadByte(), ...xor, ...set(first)],
    ...[...look(first, 0, 0), ...get(crc), ...constant(8), ...shiftRight, ...xor, ...set(crc)],
    ...advance(1),
  ]
  const untilLess = (bytes: number) => [...get(at), ...constant(bytes), ...add, ...get(end), ...isAbove]
  return moduleOf(3, words.length, [
    ...not,
    ...repeatUntil(untilLess(ROUND_BYTES), round(ROUND_BYTES)),
    ...repeatUntil(untilLess(4), round(4)),
    ...repeatUntil([...get(at), ...get(end), ...isAtOrAbove], single),
    ...not,
    ...get(crc),
  ])
}
