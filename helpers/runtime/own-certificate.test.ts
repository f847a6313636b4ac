import { X509Certificate } from 'node:crypto'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { makeCertificate } from './own-certificate.ts'

describe('a certificate of our own', () => {
  test('is signed by its own key, for its name', () => {
    const { cert } = makeCertificate('drill')
    const read = new X509Certificate(cert)
    expect(read.subject).toBe('CN=drill')
    expect(read.verify(read.publicKey)).toBe(true)
    expect(new Date(read.validTo).getTime()).toBeGreaterThan(Date.now())
    expect(new Date(read.validFrom).getTime()).toBeLessThan(Date.now())
  })

  test.each(['its own', "another's"])('lets in who has %s', async whose => {
    const own = makeCertificate('drill')
    const client = whose === 'its own' ? own : makeCertificate('drill')
    const server = createServer({ ...own, ca: own.cert, requestCert: true, rejectUnauthorized: true }, socket =>
      socket.end('in'),
    )
    try {
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as { port: number }
      const said = await new Promise<string>(resolve => {
        const socket: TLSSocket = connect({
          port,
          host: '127.0.0.1',
          ...client,
          ca: own.cert,
          checkServerIdentity: () => undefined,
        })
        let text = ''
        socket.on('data', chunk => {
          text += String(chunk)
        })
        socket.on('error', error => resolve(error.message))
        socket.on('end', () => resolve(text))
      })
      if (whose === 'its own') expect(said).toBe('in')
      else expect(said).not.toBe('in')
    } finally {
      server.close()
    }
  })
})
