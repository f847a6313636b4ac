import path from 'node:path'
import type { Config } from '../../helpers/config.ts'
import { type Control, loadControls } from '../controls/controls.ts'
import { prepareHistory, readHistory } from '../history/history.ts'
import { loadSigningKey, type SigningKey } from '../integrity/keys.ts'

/** Of what a bundle is made besides its evidence. */
export interface BundleSettings {
  /** The folder of `history.jsonl`. */
  historyFolder: string
  controls: readonly Control[]
  key?: SigningKey
}

/** `reports` of the checkout: its runs follow one another there, unless the user names another folder. */
const OWN_HISTORY = path.resolve(import.meta.dirname, '..')

/**
 * To be called before a drill starts: a run whose bundle cannot be made should not be run.
 * @throws {CannotRun} for a key, a mapping of controls or a history that cannot be used, or not be written to.
 */
export function loadBundleSettings(config: Pick<Config, 'history' | 'controls' | 'signingKey'>): BundleSettings {
  const settings = readBundleSettings(config)
  prepareHistory(settings.historyFolder)
  return settings
}

/**
 * Of reports that are built anew, and of no run.
 * @throws {CannotRun} for a key, a mapping of controls or a history that cannot be used.
 */
export function readBundleSettings({
  history = OWN_HISTORY,
  controls,
  signingKey,
}: Pick<Config, 'history' | 'controls' | 'signingKey'>): BundleSettings {
  const settings = {
    historyFolder: history,
    controls: loadControls(controls),
    ...(signingKey === undefined ? {} : { key: loadSigningKey(signingKey) }),
  }
  readHistory(history)
  return settings
}
