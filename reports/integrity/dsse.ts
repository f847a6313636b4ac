import { sign, verify } from 'node:crypto'
import { z } from 'zod'
import type { SigningKey, VerifyingKey } from './keys.ts'
import { quoted, Refusal } from './refusal.ts'
import { ATTESTATION_FILE } from './sums.ts'

/** Of an in-toto statement, whatever it states. */
const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

// Nothing in an envelope beside its payload and type is signed: a field more would be a place for claims that nobody made.
const envelopeSchema = z.strictObject({
  payload: z.string(),
  payloadType: z.string(),
  signatures: z.array(z.strictObject({ keyid: z.string().optional(), sig: z.string() })).max(64),
})
type Envelope = z.infer<typeof envelopeSchema>

/**
 * A DSSE envelope with one signature.
 * @see https://github.com/secure-systems-lab/dsse, protocol.md and envelope.md
 */
export function signedEnvelope(payload: Buffer, { privateKey, keyId }: SigningKey): string {
  const sig = sign(null, preAuthEncoding(PAYLOAD_TYPE, payload), privateKey)
  return textOf({
    payload: payload.toString('base64'),
    payloadType: PAYLOAD_TYPE,
    signatures: [{ keyid: keyId, sig: sig.toString('base64') }],
  })
}

function textOf(envelope: Envelope): string {
  return `${JSON.stringify(envelope, null, 2)}\n`
}

/**
 * As DSSE says: one signature of `key` is enough, those of other keys are passed over. A `keyid` is no proof, and narrows
 * what is tried.
 * @returns the payload.
 * @throws {Refusal} unless it is signed by `key`.
 */
export function openEnvelope(text: string, key: VerifyingKey): Buffer {
  const { payload, payloadType, signatures } = parseEnvelope(text)
  if (payloadType !== PAYLOAD_TYPE)
    throw new Refusal(`the payload type of ${ATTESTATION_FILE} is ${quoted(payloadType)}, not ${PAYLOAD_TYPE}`)
  const body = decoded(payload, 'payload')
  if (signatures.length === 0) throw new Refusal(`it is not signed: ${ATTESTATION_FILE} has no signature`)
  const candidates = signatures.filter(({ keyid }) => keyid === undefined || keyid === '' || keyid === key.keyId)
  if (candidates.length === 0)
    throw new Refusal(
      `it is signed by another key, ${signatures.map(({ keyid }) => quoted(keyid ?? '')).join(', ')}, and not by ${key.keyId}`,
    )
  const signed = preAuthEncoding(payloadType, body)
  if (!candidates.some(({ sig }) => verify(null, signed, key.publicKey, decoded(sig, 'signature'))))
    throw new Refusal(
      `the signature in ${ATTESTATION_FILE} is not one of the key ${key.keyId} over what it holds: one of the two was altered, or another key signed it`,
    )
  return body
}

/** In one spelling only: of what stands twice in a JSON text, another reader may take the other one. */
function parseEnvelope(text: string): Envelope {
  const { data } = envelopeSchema.safeParse(parsedJson(text))
  if (!data) throw new Refusal(`${ATTESTATION_FILE} is not a whole DSSE envelope: it was cut off or altered`)
  if (textOf(data) !== text)
    throw new Refusal(`${ATTESTATION_FILE} is not written as this suite writes it: something was added, or cut off`)
  return data
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function preAuthEncoding(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `), body])
}

/** Both alphabets of RFC 4648 are right, as DSSE demands; what decodes to the same bytes in another spelling is not. */
function decoded(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  const standard = bytes.toString('base64')
  if (text !== standard && text !== standard.replaceAll('+', '-').replaceAll('/', '_'))
    throw new Refusal(`the ${what} in ${ATTESTATION_FILE} is not base64 as RFC 4648 writes it`)
  return bytes
}
