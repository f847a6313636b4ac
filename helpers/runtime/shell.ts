/** As one word of a POSIX shell, whatever stands in it. */
export function quoteForShell(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
