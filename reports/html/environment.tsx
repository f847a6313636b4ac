import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { bytesText } from '../layout.ts'
import { Facts, Section, Table } from './parts.tsx'

/** What the run ran on and how it was set, secrets redacted. */
export function Environment({ evidence: { runtime, machine, suite, config } }: { evidence: Evidence }) {
  const settings = Object.entries(config)
  return (
    <Section id="environment" title="Environment">
      <Facts
        facts={[
          ['Runtime', `${runtime.name}: ${runtime.reason}`, 'long'],
          ['PostgreSQL', runtime.serverVersion],
          ['Image', runtime.image],
          ['Image digest', runtime.imageDigest && <code>{runtime.imageDigest}</code>],
          ['Capabilities', runtime.capabilities.join(', ') || 'none beyond the common ones'],
          [
            'Machine',
            `${machine.platform} ${machine.architecture}, ${machine.cores} cores, ${bytesText(machine.memoryBytes)} of memory`,
          ],
          ['Node.js', machine.node],
          ['Suite', `${suite.name} ${suite.version}`],
        ]}
      />
      {runtime.programs && (
        <Table caption="The server's programs" columns={['program', 'SHA-256']} isCaptionShown>
          {runtime.programs.map(({ name, sha256 }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <code>{sha256}</code>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {settings.length > 0 && (
        <Table caption="Settings, as given; secrets are left out" columns={['variable', 'value']} isCaptionShown>
          {settings.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">
                <code>{name}</code>
              </th>
              <td class="text">{value}</td>
            </tr>
          ))}
        </Table>
      )}
    </Section>
  )
}
