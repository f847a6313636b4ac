// An archive of segments compressed with zstd, written and read by the user's own commands.
//
// Goal:   what archive_command compresses, restore_command gives back: recovery from the compressed files alone comes to its
//         target with every row, as it does from plain copies.
// Method: archive through zstd and commit on both sides of a target; lose the primary; see that the archive holds
//         compressed files and no others, and recover from it.
import { drillCompressedArchive } from './compressed-archive.ts'

drillCompressedArchive({ id: 'P13z', program: 'zstd', ending: 'zst', compress: 'zstd -qc', decompress: 'zstd -dqc' })
