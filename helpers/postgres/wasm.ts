/**
 * What a WebAssembly module is written in here: one function over 32-bit integers and a memory that is given to it. Only the
 * instructions that are needed; each is the bytes that stand for it.
 * @see WebAssembly specification, "Binary Format"
 */
type Code = readonly number[]

const I32 = 0x7f
const NO_RESULT = 0x40

const end: Code = [0x0b]
export const add: Code = [0x6a]
export const and: Code = [0x71]
export const xor: Code = [0x73]
export const shiftLeft: Code = [0x74]
export const shiftRight: Code = [0x76]
export const isAbove: Code = [0x4b]
export const isAtOrAbove: Code = [0x4f]

export const constant = (value: number): Code => [0x41, ...signed(value)]
export const get = (local: number): Code => [0x20, ...unsigned(local)]
export const set = (local: number): Code => [0x21, ...unsigned(local)]
/** Of the address on the stack, plus `offset`. */
export const loadByte = (offset = 0): Code => [0x2d, 0, ...unsigned(offset)]
export const loadWord = (offset = 0): Code => [0x28, 0, ...unsigned(offset)]

/** Again and again, until `isOver` leaves something else than 0 on the stack. */
export function repeatUntil(isOver: Code, body: Code): Code {
  const [block, loop, branch, branchIf] = [0x02, 0x03, 0x0c, 0x0d]
  return [block, NO_RESULT, loop, NO_RESULT, ...isOver, branchIf, 1, ...body, branch, 0, ...end, ...end]
}

/**
 * A module that takes a memory as `host.memory` and gives `run`.
 * @param parameters how many it takes, which are its first locals.
 * @param locals how many it has besides.
 * @param body leaves its result on the stack.
 */
export function moduleOf(parameters: number, locals: number, body: Code): Uint8Array<ArrayBuffer> {
  const section = (id: number, content: Code) => [id, ...unsigned(content.length), ...content]
  const code = [1, ...unsigned(locals), I32, ...body, ...end]
  return new Uint8Array([
    ...[0, ...text('asm'), 1, 0, 0, 0],
    ...section(1, [1, 0x60, parameters, ...Array<number>(parameters).fill(I32), 1, I32]),
    ...section(2, [1, ...named('host'), ...named('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...named('run'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ])
}

function text(characters: string): number[] {
  return [...Buffer.from(characters)]
}

function named(name: string): number[] {
  return [name.length, ...text(name)]
}

/** LEB128, as all numbers of a module are. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

function signed(value: number): number[] {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)]
}
