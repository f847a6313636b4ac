#!/bin/sh
# Verifies one bundle without this suite: sh verify-by-hand.sh FOLDER PUBLIC-KEY-FILE. Needs sha256sum, openssl 3 and node (for
# JSON and base64 alone). Sees neither files that were added nor the runs before it: npm run evidence:verify does.
set -eu
key=$(realpath "$2")
cd "$1"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# What was signed ("DSSEv1", the lengths of type and payload, and both of them), and the signature.
node -e '
  const { payload, payloadType, signatures } = JSON.parse(fs.readFileSync("attestation.dsse.json", "utf8"))
  const body = Buffer.from(payload, "base64")
  const head = `DSSEv1 ${payloadType.length} ${payloadType} ${body.length} `
  fs.writeFileSync(process.argv[1] + "/signed", Buffer.concat([Buffer.from(head), body]))
  fs.writeFileSync(process.argv[1] + "/signature", Buffer.from(signatures[0].sig, "base64"))
  const sums = JSON.parse(body).subject.map(({ name, digest }) => `${digest.sha256}  ${name}\n`)
  fs.writeFileSync(process.argv[1] + "/subjects", sums.join(""))
' "$scratch"
openssl pkeyutl -verify -rawin -pubin -inkey "$key" -in "$scratch/signed" -sigfile "$scratch/signature"
sha256sum --check --strict "$scratch/subjects"
sha256sum --check --strict --quiet SHA256SUMS
