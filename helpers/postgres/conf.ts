/** Settings of `postgresql.conf` and `postgresql.auto.conf`, by name. */
export type Settings = Readonly<Record<string, string | number | boolean>>

/**
 * As lines for a configuration file: `name = 'value'`, quotes doubled, backslashes doubled.
 * @throws {RangeError} for a name that is not a setting's name, or a value with a line break in it.
 * @see PostgreSQL documentation, "Parameter Interaction via the Configuration File"
 */
export function renderSettings(settings: Settings): string {
  return Object.entries(settings)
    .map(
      ([name, value]) =>
        `${settingName(name)} = ${quote(typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value))}\n`,
    )
    .join('')
}

function settingName(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$/.test(name))
    throw new RangeError(`'${name}' is not the name of a setting`)
  return name
}

function quote(value: string): string {
  if (/[\n\r\0]/.test(value)) throw new RangeError('a setting cannot hold a line break')
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

/**
 * A name as `pg_hba.conf` and `pg_ident.conf` take it: in quotes no word means more than itself.
 * @throws {RangeError} for a name with a line break in it.
 */
export function quoteForAccess(name: string): string {
  if (/[\n\r\0]/.test(name)) throw new RangeError(`${JSON.stringify(name)} cannot stand in pg_hba.conf`)
  return `"${name.replaceAll('"', '""')}"`
}
