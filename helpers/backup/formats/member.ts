import { Failure } from '../../failure.ts'

/** A file or folder of a backup, wherever it lies. Nothing else is taken in. */
export interface Member {
  /** Relative to its part of the backup, with `/`, without `.` or `..` in it. */
  path: string
  kind: 'file' | 'folder'
  sizeBytes: number
  /** Of a file, once, and before the next member is asked for; unread, it is passed over. Chunks may be reused: copy what is kept. */
  content(): AsyncIterable<Buffer>
}

/** All of a member's content. For small files. */
export async function contentOf(member: Member): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of member.content()) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

/** @param where in the backup, and why: goes on after "the backup was refused: ". */
export function unsafe(why: string, member: string): Failure {
  return new Failure('backup-unsafe', `the backup was refused: ${why}`, { member })
}

/** The file is `where`, and `why` says what is wrong with it. */
export function truncated(where: string, why: string, options?: ErrorOptions): Failure {
  return new Failure(
    'backup-truncated',
    `${where} is damaged: ${why}. Take another copy of the backup`,
    { where },
    options,
  )
}
