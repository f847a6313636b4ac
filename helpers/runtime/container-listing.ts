import { quoteForShell } from './shell.ts'
import type { VolumeEntry } from './volume.ts'

/** As `sysexits.h` has them: EX_NOINPUT, EX_NOPERM. */
export const NO_FOLDER_STATUS = 66
export const UNREADABLE_STATUS = 77

/**
 * A line for all that lies right in a folder: its mode in hexadecimal, or `link`, its size, what changes with its content, and its
 * name as `./name`. With what
 * coreutils and busybox have in common.
 */
export function listingScript(folder: string): string {
  return `folder=${quoteForShell(folder)}
    [ -d "$folder" ] || exit ${NO_FOLDER_STATUS}
    [ -r "$folder" ] && cd -P "$folder" || exit ${UNREADABLE_STATUS}
    find . ! -name . -prune ! -type l -exec stat -c '${FORMAT}' {} + || failed=yes
    find . ! -name . -prune -type l -exec sh -c '
      folder=$1; shift
      for link; do
        case $(readlink -f "$link") in
          "$folder"/*) if [ -e "$link" ]; then stat -L -c "${FORMAT}" "$link"; else echo "link 0 - $link"; fi ;;
          *) echo "link 0 - $link" ;;
        esac
      done' sh "$PWD" {} + || failed=yes
    [ -z "$failed" ]`
}

/** The inode: what is renamed keeps its times. Of these no fractions are to be had everywhere. */
const FORMAT = '%f %s %i.%Y.%Z %n'

/** By the bits of `st_mode` that say what a file is. @see inode(7) */
const FILE_TYPE_MASK = 0xf000
const KINDS: Readonly<Record<number, VolumeEntry['kind']>> = { 32768: 'file', 16384: 'folder' }

/** Of a line of that script; undefined for any other, as of a name with a line break: no name has the `/` that a faked line would need. */
export function parseListed(line: string): VolumeEntry | undefined {
  const [, mode = '', sizeBytes, version = '', path] = /^([0-9a-f]+|link) (\d+) ([0-9.]+|-) \.\/(.*)$/.exec(line) ?? []
  if (path === undefined) return undefined
  const kind = mode === 'link' ? mode : (KINDS[Number.parseInt(mode, 16) & FILE_TYPE_MASK] ?? 'special')
  return kind === 'file'
    ? { path, sizeBytes: Number(sizeBytes), kind, version }
    : { path, sizeBytes: 0, kind, version: '' }
}
