const LIMIT = 1n << 64n

/** A position in the write-ahead log, as PostgreSQL's `pg_lsn`. A value: parsed once at the edge, compared and printed everywhere else. */
export class Lsn {
  static readonly zero = new Lsn(0n)

  private constructor(
    /** Bytes since the beginning of the log. */
    readonly bytes: bigint,
  ) {}

  /**
   * From PostgreSQL's text form `X/X` (two hexadecimal halves of 32 bits each).
   * @throws {RangeError} for any other text.
   * @see PostgreSQL documentation, "pg_lsn Type"
   */
  static parse(text: string): Lsn {
    const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)
    if (!match)
      throw new RangeError(
        `'${text}' is not an LSN: two hexadecimal numbers with a slash between them, such as 0/3000060`,
      )
    return new Lsn((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`))
  }

  /** @throws {RangeError} outside 64 bits. */
  static fromBytes(bytes: bigint): Lsn {
    if (bytes < 0n || bytes >= LIMIT) throw new RangeError(`${bytes} is outside the 64 bits of an LSN`)
    return new Lsn(bytes)
  }

  plus(bytes: bigint): Lsn {
    return Lsn.fromBytes(this.bytes + bytes)
  }

  /** Bytes from `other` to this one: negative when `other` is later. As `pg_wal_lsn_diff(this, other)`. */
  minus(other: Lsn): bigint {
    return this.bytes - other.bytes
  }

  isBefore(other: Lsn): boolean {
    return this.bytes < other.bytes
  }

  isAtOrBefore(other: Lsn): boolean {
    return this.bytes <= other.bytes
  }

  equals(other: Lsn): boolean {
    return this.bytes === other.bytes
  }

  /** For `sort`: earlier first. */
  static compare(a: Lsn, b: Lsn): number {
    return a.bytes < b.bytes ? -1 : a.bytes > b.bytes ? 1 : 0
  }

  toString(): string {
    return `${(this.bytes >> 32n).toString(16)}/${(this.bytes & 0xffff_ffffn).toString(16)}`.toUpperCase()
  }

  toJSON(): string {
    return this.toString()
  }
}
