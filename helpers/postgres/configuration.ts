/** A setting as it stands in a configuration file. */
export interface ConfigurationLine {
  /** Relative to the data directory. */
  file: string
  line: number
  /** In lower case: PostgreSQL does not tell them apart. */
  name: string
  value: string
}
