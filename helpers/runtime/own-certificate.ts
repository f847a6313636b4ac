import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** Both in PEM. */
export interface Certificate {
  cert: string
  key: string
}

const SEQUENCE = 0x30
const SET = 0x31
const INTEGER = 0x02
const BIT_STRING = 0x03
const UTF8_STRING = 0x0c
const GENERALIZED_TIME = 0x18

/** In DER: 2.5.4.3. */
const COMMON_NAME = Buffer.from('0603550403', 'hex')
/** In DER: 1.2.840.10045.4.3.2. */
const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex')

/**
 * A certificate of nobody but its own key, for server and client alike: who knows that one certificate and nothing else trusts
 * only who has the key. For a day.
 * @see RFC 5280, "Basic Certificate Fields"
 */
export function makeCertificate(commonName: string): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = der(SEQUENCE, ECDSA_WITH_SHA256)
  const name = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, Buffer.from(commonName)))))
  const now = Date.now()
  const day = 24 * 60 * 60 * 1000
  // A clock elsewhere may be behind.
  const validity = der(SEQUENCE, time(now - day), time(now + day))
  // Its first bit unset: a number that is not negative. Of the first version, which has no extensions, and so no number of its own.
  const serial = der(INTEGER, Buffer.concat([Buffer.of(1), randomBytes(15)]))
  const subject = publicKey.export({ type: 'spki', format: 'der' })
  const content = der(SEQUENCE, serial, algorithm, name, validity, name, subject)
  const signature = der(BIT_STRING, Buffer.of(0), sign('sha256', content, privateKey))
  return {
    cert: pem('CERTIFICATE', der(SEQUENCE, content, algorithm, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** A tag, the length of what follows, and that. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content])
  const length = Buffer.from(content.length.toString(16).padStart(4, '0'), 'hex')
  return Buffer.concat([Buffer.of(tag, 0x80 + length.length), length, content])
}

function time(ms: number): Buffer {
  return der(GENERALIZED_TIME, Buffer.from(`${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '')}Z`))
}

function pem(what: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${what}-----`, ...lines, `-----END ${what}-----`, ''].join('\n')
}
