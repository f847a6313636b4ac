// npm run evidence:keygen -- FOLDER: makes the pair of keys that evidence is signed and verified with.
// Exit status: 0 made; 2 not made, with one sentence that says why.
import { exitWith } from '../../helpers/exit-with.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { generateKeys } from '../integrity/keygen.ts'

await exitWith(async () => {
  const [folder, ...more] = process.argv.slice(2)
  if (folder === undefined || more.length > 0 || folder.startsWith('-'))
    throw new CannotRun(
      'name one folder for the keys, outside of the checkout, which is made where there is none: npm run evidence:keygen -- FOLDER',
    )
  const { privateKeyFile, publicKeyFile, keyId } = generateKeys(folder)
  console.log(`${privateKeyFile}  the private key: keep it secret, and set DRILL_SIGNING_KEY to its path, or to its text in CI
${publicKeyFile}  the public key ${keyId}: publish it where nobody who can change the evidence can change it
Whoever has it verifies a run by: npm run evidence:verify -- reports/out/latest --key ${publicKeyFile}`)
  return 0
})
