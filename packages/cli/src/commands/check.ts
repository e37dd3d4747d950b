import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckResult, ProxySummary } from '@weft/admin-api';
import { MeshError } from '@weft/base';
import { kinds } from '@weft/resources';
import { type MeshApi, openMeshApi, readControlPlaneFile } from '../api/mesh-api.ts';
import type { ApiFlags, Context } from '../context.ts';
import { exitCode } from '../exit-code.ts';
import { certificateOf } from '../platform/certificate-life.ts';
import { isAlive } from '../platform/control-plane-process.ts';
import { envoyFix, findEnvoy } from '../platform/find-envoy.ts';
import { requireFreePort } from '../platform/free-port.ts';
import { parseOutputFormat, printValue } from '../terminal/output.ts';

export interface CheckOptions extends ApiFlags {
  readonly output?: string;
}

const minFreeBytes = 200 * 1024 * 1024;
const minNodeMajor = 24;
const maxClockSkewMs = 30_000;
const defaultPorts: readonly (readonly [number, string])[] = [
  [7443, 'the API'],
  [7012, 'xDS'],
  [7011, 'joining'],
  [7080, 'the first page'],
];

/** `weft check`: everything that can be wrong with an installation, each with its fix. Ends with 1 when something is. */
export async function check(context: Context, options: CheckOptions): Promise<void> {
  const { terminal } = context;
  const format = parseOutputFormat(options.output, ['table', 'json', 'yaml']);
  const results = [...(await localChecks(context)), ...(await meshChecks(context, options))];
  const failed = results.some((result) => result.outcome === 'failed');
  context.exitCode = failed ? exitCode.failure : exitCode.ok;
  if (format === 'json' || format === 'yaml') {
    printValue(terminal, { ok: !failed, checks: results }, format);
    return;
  }
  const { good, warn, bad, faint, strong } = terminal.style;
  for (const result of results) {
    const mark = result.outcome === 'ok' ? good('✓') : result.outcome === 'warning' ? warn('!') : bad('✗');
    const plain = result.title.replace(/\.$/, '');
    const title = result.outcome === 'ok' ? plain : strong(plain);
    terminal.out(`${mark} ${title}${result.message === '' ? '' : `: ${result.message}`}\n`);
    if (result.outcome !== 'ok' && result.fix !== undefined) {
      terminal.out(`    ${faint('fix:')} ${result.fix}\n`);
    }
  }
  const count = (outcome: string): number => results.filter((result) => result.outcome === outcome).length;
  terminal.out(`\n${count('ok')} ok, ${count('warning')} warnings, ${count('failed')} failed\n`);
}

async function localChecks(context: Context): Promise<CheckResult[]> {
  const { state, paths } = context;
  const results: CheckResult[] = [];
  const major = Number(process.versions.node.split('.')[0]);
  results.push(
    major >= minNodeMajor
      ? ok('node', 'Node.js', `${process.version}`)
      : failed(
          'node',
          'Node.js',
          `${process.version} is too old`,
          `Run it with Node ${minNodeMajor} or newer; \`npm start\` brings its own.`,
        ),
  );
  for (const [name, file] of Object.entries({ 'control plane': paths.controlPlane, proxy: paths.proxy })) {
    if (!existsSync(file)) {
      results.push(failed('programs', `program of the ${name}`, `${file} is missing`, 'Build with `npm run build`.'));
    }
  }
  results.push(envoyCheck(context));
  if (!existsSync(state.path)) {
    results.push(
      warning(
        'state-folder',
        'state folder',
        `${state.path} does not exist yet`,
        'It is made by `weft up` or `npm start`; WEFT_HOME names another one.',
      ),
    );
    return [...results, ...(await portChecks())];
  }
  results.push(...rightsChecks(state.path), diskCheck(state.path));
  const file = readControlPlaneFile(state);
  if (file === undefined || !isAlive(file.processId)) {
    results.push(...(await portChecks()));
  }
  return results;
}

function envoyCheck({ terminal, paths }: Context): CheckResult {
  const title = 'Envoy (only for --engine envoy)';
  const found = findEnvoy(terminal.env, paths);
  return found === undefined ? warning('envoy', title, 'not found', envoyFix) : ok('envoy', title, found);
}

/** Rights of the folder and of what holds keys. */
export function rightsChecks(home: string): CheckResult[] {
  const open: string[] = [];
  const look = (path: string, depth: number): void => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) {
      return;
    }
    if ((stat.mode & 0o077) !== 0) {
      open.push(path);
    }
    if (stat.isDirectory() && depth > 0) {
      for (const name of readdirSync(path)) {
        look(join(path, name), depth - 1);
      }
    }
  };
  look(home, 4);
  return open.length === 0
    ? [ok('rights', 'state folder', `${home} is private to its owner`)]
    : [
        failed(
          'rights',
          'state folder',
          `others may read ${open.slice(0, 3).join(', ')}${open.length > 3 ? ` and ${open.length - 3} more` : ''}`,
          `chmod -R go-rwx ${home}`,
        ),
      ];
}

function diskCheck(home: string): CheckResult {
  const stat = statfsSync(home);
  const free = stat.bavail * stat.bsize;
  const text = `${Math.round(free / 1_048_576)} MiB free`;
  return free >= minFreeBytes
    ? ok('disk', 'disk space', text)
    : failed(
        'disk',
        'disk space',
        `only ${text} on the disk of ${home}`,
        'Free some space or move the state folder with WEFT_HOME.',
      );
}

async function portChecks(): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const [port, purpose] of defaultPorts) {
    try {
      await requireFreePort(port, purpose);
    } catch (error) {
      const cause = MeshError.from(error);
      results.push(
        failed(
          'ports',
          `port ${port} for ${purpose}`,
          cause.message,
          `${cause.hint} Ports are set with flags of \`weft up\`.`,
        ),
      );
    }
  }
  return results.length > 0
    ? results
    : [ok('ports', 'ports', `${defaultPorts.map(([port]) => port).join(', ')} are free`)];
}

async function meshChecks(context: Context, options: ApiFlags): Promise<CheckResult[]> {
  const { state, terminal } = context;
  let api: MeshApi;
  try {
    api = openMeshApi(options, terminal.env, state);
  } catch (error) {
    const cause = MeshError.from(error);
    return [failed('control-plane', 'control plane', cause.message, cause.hint)];
  }
  try {
    const version = await api.version(5_000);
    const results: CheckResult[] = [
      ok('control-plane', 'control plane', `${version.version} answers at ${version.endpoints.api}`),
      version.version === context.version
        ? ok('versions', 'versions', 'CLI and control plane are the same')
        : warning(
            'versions',
            'versions',
            `the CLI is ${context.version}, the control plane ${version.version}`,
            'Restart the control plane: weft down, weft up.',
          ),
      ...certificateChecks(context, api),
    ];
    const { proxies } = await api.proxies();
    results.push(...proxyChecks(proxies, terminal.clock.now()), ...(await resourceChecks(api)));
    const seen = new Set(results.map((result) => result.id));
    return [...results, ...(await api.checks()).checks.filter((result) => !seen.has(result.id))];
  } catch (error) {
    const cause = MeshError.from(error);
    return [failed('control-plane', 'control plane', cause.message, cause.hint)];
  } finally {
    api.close();
  }
}

/** The administrator's certificate: its end, and whether the clock stands before its beginning. */
function certificateChecks({ terminal }: Context, api: MeshApi): CheckResult[] {
  const { certificatePem } = api.client.access;
  if (certificatePem === undefined) {
    return [];
  }
  const life = certificateOf(certificatePem);
  const now = terminal.clock.now();
  if (life === undefined) {
    return [
      failed(
        'certificate',
        'your certificate',
        'is not readable',
        'Restart the control plane: it writes a new kubeconfig.',
      ),
    ];
  }
  if (now < life.notBefore - maxClockSkewMs) {
    return [
      failed(
        'clock',
        'clock',
        `your certificate begins at ${new Date(life.notBefore).toISOString()}, which is in the future`,
        'Set the clock of this machine.',
      ),
    ];
  }
  const left = life.notAfter - now;
  const third = (life.notAfter - life.notBefore) / 3;
  const until = new Date(life.notAfter).toISOString();
  return left > third
    ? [ok('certificate', 'your certificate', `valid until ${until}`)]
    : [
        warning(
          'certificate',
          'your certificate',
          left <= 0 ? `ended at ${until}` : `ends at ${until}`,
          'Restart the control plane: it writes a new kubeconfig.',
        ),
      ];
}

/** Proxies that are away, refuse something, or are behind. */
export function proxyChecks(proxies: readonly ProxySummary[], nowMs: number): CheckResult[] {
  if (proxies.length === 0) {
    return [ok('proxies-connected', 'proxies', 'there are none yet')];
  }
  const results: CheckResult[] = [];
  for (const proxy of proxies) {
    const name = `${proxy.namespace}/${proxy.name}`;
    if (!proxy.connected) {
      const since =
        proxy.lastSeen === undefined
          ? 'was never connected'
          : `was last seen ${Math.round((nowMs - Date.parse(proxy.lastSeen)) / 1000)} s ago`;
      results.push(
        failed(
          'proxies-connected',
          `proxy ${name}`,
          since,
          `Start its \`weft run\` again, or forget it: weft delete proxy,workloadentry ${proxy.name} -n ${proxy.namespace}`,
        ),
      );
    } else if (proxy.state === 'NACKED') {
      const nack = proxy.lastNack;
      results.push(
        failed(
          'proxies-nacked',
          `proxy ${name}`,
          nack === undefined
            ? 'refuses a part of its configuration'
            : `refuses ${nack.type} ${nack.resources.join(', ')}: ${nack.message}`,
          `Mend the resource that this comes from; \`weft config dump ${name}\` shows what it was given.`,
        ),
      );
    } else if (proxy.state === 'STALE') {
      results.push(
        warning(
          'proxies-stale',
          `proxy ${name}`,
          'has not acknowledged its newest configuration yet',
          'If it lasts, look at its log in the run folder.',
        ),
      );
    }
  }
  return results.length > 0
    ? results
    : [ok('proxies-connected', 'proxies', `all ${proxies.length} are connected and have their configuration`)];
}

interface WithConditions {
  readonly metadata: { readonly namespace?: string; readonly name: string };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

/** Resources whose own status says that something is not right. */
async function resourceChecks(api: MeshApi): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  let looked = 0;
  for (const kind of kinds.filter((candidate) => candidate.hasStatus && candidate.kind !== 'Proxy')) {
    const objects = (await api.resources.list(kind, undefined)) as readonly (WithConditions & {
      readonly apiVersion: string;
    })[];
    looked += objects.length;
    for (const object of objects) {
      const name = `${kind.singular} ${object.metadata.namespace === undefined ? '' : `${object.metadata.namespace}/`}${object.metadata.name}`;
      for (const condition of object.status?.conditions ?? []) {
        const text = condition.message ?? condition.reason ?? '';
        if (condition.type === 'Accepted' && condition.status === 'False') {
          results.push(
            failed('resources-accepted', name, text, 'Mend the object; `weft validate` names the place in its file.'),
          );
        } else if (condition.type === 'Programmed' && condition.status === 'False') {
          results.push(
            warning('resources-programmed', name, text, 'It is on its way, or a proxy refuses it: see `weft status`.'),
          );
        } else if (condition.type === 'NotYetSupported' && condition.status === 'True') {
          results.push(warning('resources-supported', name, text, 'This version does not act on these fields.'));
        }
      }
    }
  }
  return results.length > 0 ? results : [ok('resources-accepted', 'resources', `${looked} looked at, none is refused`)];
}

function ok(id: string, title: string, message: string): CheckResult {
  return { id, title, outcome: 'ok', message };
}

function warning(id: string, title: string, message: string, fix: string): CheckResult {
  return { id, title, outcome: 'warning', message, fix };
}

function failed(id: string, title: string, message: string, fix: string): CheckResult {
  return { id, title, outcome: 'failed', message, fix };
}
