import { CannotRun } from '../failure.ts'
import { ComposeServer } from '../live/compose-server.ts'
import type { LiveConfig } from '../live/live-config.ts'
import { openLive } from '../live/live-server.ts'
import { EmbeddedVolume } from '../runtime/embedded-volume.ts'
import { CommandArchive } from './command-archive.ts'
import { FolderArchive } from './folder-archive.ts'
import type { ArchiveConfig } from './preflight-config.ts'
import type { ArchiveAccess, Surroundings } from './preflight-facts.ts'
import { type InService, ServiceArchive, serviceSpace } from './service-folder.ts'
import { localSpace, localWalSpace } from './space.ts'

/** @throws {CannotRun} as `openLive`. */
export async function openSurroundings(
  live: LiveConfig,
  { archive }: { archive: ArchiveConfig | undefined },
): Promise<Surroundings> {
  const server = await openLive(live)
  // Asked for while others are at work.
  const shortcut = server instanceof ComposeServer ? server.shortcut() : undefined
  const inService: InService | undefined = shortcut && (async command => (await shortcut)(command))
  return {
    where: server.where,
    warnings: server.warnings,
    session: () => server.session(),
    archive: segmentSizeBytes => archive && accessTo(archive, segmentSizeBytes, inService),
    walSpace: async (dataDirectory, systemIdentifier) =>
      inService
        ? await serviceSpace(`${dataDirectory}/pg_wal`, inService)
        : localWalSpace(dataDirectory, systemIdentifier),
  }
}

function accessTo(config: ArchiveConfig, segmentSizeBytes: number, inService: InService | undefined): ArchiveAccess {
  if (config.kind === 'folder') {
    const folder = new EmbeddedVolume('the archive', config.folder, undefined)
    return { archive: new FolderArchive(folder, segmentSizeBytes), space: async () => localSpace(config.folder) }
  }
  if (config.kind === 'command')
    return {
      archive: new CommandArchive(config, segmentSizeBytes),
      space: async () => ({ unknown: 'where the archive lies is known to its commands alone' }),
    }
  if (!inService)
    throw new CannotRun('PREFLIGHT_ARCHIVE_IN_SERVICE is set without a service: set PREFLIGHT_COMPOSE_FILE')
  return {
    archive: new ServiceArchive(config.folder, inService, segmentSizeBytes),
    space: () => serviceSpace(config.folder, inService),
  }
}
