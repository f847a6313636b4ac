import type { Readable } from 'node:stream'
import { Header } from 'tar'
import { describe, expect, test } from 'vitest'
import type { Volume } from '../runtime/volume.ts'
import { BackupReceiver } from './backup-receiver.ts'

const announce = (name: string, location = '') => Buffer.from(`n${name}\0${location}\0`)
const data = (bytes: Buffer) => Buffer.concat([Buffer.from('d'), bytes])
const end = data(Buffer.alloc(1024))

function header(path: string): Buffer {
  const block = Buffer.alloc(512)
  new Header({ path, type: 'File', size: 0, mode: 0o600, mtime: new Date(0) }).encode(block)
  return block
}

/** Keeps what each folder was given. */
class MemoryVolume {
  readonly folders = new Map<string, Buffer>()

  async unpack(tar: Readable, folder: string): Promise<void> {
    this.folders.set(folder, Buffer.alloc(0))
    for await (const chunk of tar)
      this.folders.set(folder, Buffer.concat([this.folders.get(folder) ?? Buffer.alloc(0), chunk]))
  }
}

async function receive(...messages: Buffer[]): Promise<MemoryVolume> {
  const store = new MemoryVolume()
  const receiver = new BackupReceiver(store as unknown as Volume, 'b1')
  try {
    for (const message of messages) await receiver.take(message)
  } finally {
    await receiver.abort()
  }
  return store
}

describe('what the server sends', () => {
  test('goes into a folder for each tablespace and one for the data directory', async () => {
    const store = await receive(
      announce('16384.tar', '/fast'),
      data(header('PG_18/1')),
      end,
      announce('base.tar'),
      data(header('PG_VERSION')),
      end,
      Buffer.from('m'),
    )
    expect([...store.folders.keys()]).toEqual(['b1/tablespaces/16384', 'b1/base'])
    expect(store.folders.get('b1/base')).toEqual(Buffer.concat([header('PG_VERSION'), Buffer.alloc(1024)]))
  })

  test('never reaches the store when a member would leave its folder', async () => {
    const store = new MemoryVolume()
    const receiver = new BackupReceiver(store as unknown as Volume, 'b1')
    await receiver.take(announce('base.tar'))
    await receiver.take(data(header('PG_VERSION')))
    await expect(receiver.take(data(header('../../etc/passwd')))).rejects.toMatchObject({ kind: 'backup-unsafe' })
    await receiver.abort()
    expect(store.folders.get('b1/base')?.length ?? 0).toBeLessThanOrEqual(512)
  })

  test.each(['../x.tar', '/etc/x.tar', '16384.tar/../../x', ''])('does not name its folder itself (%j)', async name => {
    await expect(receive(announce(name))).rejects.toMatchObject({ kind: 'backup-unsafe' })
  })

  test('is not taken for whole when a tar ends in the middle', async () => {
    await expect(receive(announce('16384.tar'), data(header('a')), announce('base.tar'))).rejects.toMatchObject({
      kind: 'backup-interrupted',
    })
    await expect(receive(announce('base.tar'), data(header('a')), Buffer.from('m'))).rejects.toMatchObject({
      kind: 'backup-interrupted',
    })
  })

  test('is refused when it is of a type that nobody knows', async () => {
    await expect(receive(Buffer.from('z'))).rejects.toMatchObject({ kind: 'backup-interrupted' })
  })

  test('is a damaged manifest when there is none', async () => {
    await expect(new BackupReceiver(new MemoryVolume() as unknown as Volume, 'b1').finish()).rejects.toMatchObject({
      kind: 'manifest-damaged',
    })
  })
})
