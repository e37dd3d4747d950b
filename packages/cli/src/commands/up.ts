import type { ControlPlaneFile } from '@weft/admin-api';
import { MeshError } from '@weft/base';
import { openMeshApi } from '../api/mesh-api.ts';
import { CliFailure, reportFrom } from '../cli-failure.ts';
import type { Context } from '../context.ts';
import {
  type ControlPlaneFlags,
  controlPlaneLog,
  findRunning,
  startControlPlane,
} from '../platform/control-plane-process.ts';
import { OrphanGuard } from '../platform/orphan-guard.ts';
import { parseOutputFormat, printValue } from '../terminal/output.ts';
import { Progress } from '../terminal/progress.ts';

export interface UpOptions extends ControlPlaneFlags {
  readonly foreground?: boolean;
  readonly output?: string;
}

/** `weft up`: the control plane in the background, or in the foreground until a signal comes. */
export async function up(context: Context, options: UpOptions): Promise<void> {
  const { terminal, state, paths } = context;
  const format = parseOutputFormat(options.output, ['table', 'json', 'yaml']);
  const running = await findRunning(state, terminal.env);
  if (running !== undefined) {
    if (options.foreground === true) {
      throw alreadyRunning(running, state.path);
    }
    refuseOtherSettings(running, options);
    terminal.err('the control plane runs already\n');
    printPlaces(context, { ...running, ...(await freshLogin(context, running)) }, format);
    return;
  }
  const progress = new Progress(terminal);
  progress.start('starting the control plane');
  const guard = options.foreground === true ? new OrphanGuard() : undefined;
  try {
    const stopped = options.foreground === true ? context.untilSignal() : undefined;
    const { child, file } = await startControlPlane({
      paths,
      state,
      flags: options,
      env: terminal.env,
      clock: terminal.clock,
      ...(guard === undefined ? {} : { guard }),
    });
    progress.done(`control plane ${file.version} runs (process ${file.processId})`);
    printPlaces(context, file, format);
    if (stopped === undefined) {
      child.unref();
      return;
    }
    terminal.err('Ctrl-C stops it\n');
    const end = await Promise.race([stopped.then(() => undefined), child.ended]);
    if (end !== undefined) {
      throw new MeshError('CHILD_FAILED', `the control plane ended (${end.signal ?? `code ${end.code}`})`, {
        details: { where: controlPlaneLog(state) },
      });
    }
    await child.stop(terminal.clock, 15_000);
    terminal.err('stopped\n');
  } catch (error) {
    progress.stop();
    throw new CliFailure(reportFrom(error, 'The control plane did not start'), error);
  } finally {
    guard?.close();
  }
}

/** Says that there is one, and what to do about it. */
export function alreadyRunning(running: ControlPlaneFile, home: string): CliFailure {
  return new CliFailure({
    what: 'A mesh runs here already',
    where: `${home} (process ${running.processId}, API ${running.endpoints.api})`,
    fix: 'Use the running one, stop it with `weft down`, or start a second one with another WEFT_HOME and other ports.',
    code: 'ALREADY_RUNNING',
    exitCode: 1,
  });
}

/** All workloads would get other timeouts, or other paths, at once: that takes a start. */
function refuseOtherSettings(running: ControlPlaneFile, asked: UpOptions): void {
  const refuse = (what: string, flag: string): CliFailure =>
    new CliFailure({
      what,
      where: `process ${running.processId}, API ${running.endpoints.api}`,
      fix: `weft down, then weft up ${flag}: workloads go on meanwhile, and get their new configuration when it is there.`,
      code: 'ALREADY_RUNNING',
      exitCode: 1,
    });
  const { defaults = running.defaults, pathNormalization = running.pathNormalization } = asked;
  if (defaults !== running.defaults) {
    throw refuse(
      `The mesh that runs has the defaults of ${running.defaults}, not of ${defaults}`,
      `--defaults ${defaults}`,
    );
  }
  if (pathNormalization !== running.pathNormalization) {
    throw refuse(
      `The mesh that runs normalises paths by ${running.pathNormalization}, not by ${pathNormalization}`,
      `--path-normalization ${pathNormalization}`,
    );
  }
}

/** The link that was printed at the start has been used by now, most likely. */
async function freshLogin(context: Context, running: ControlPlaneFile): Promise<{ readonly pageLogin?: string }> {
  const api = openMeshApi({ kubeconfig: running.kubeconfig }, context.terminal.env, context.state);
  try {
    return { pageLogin: (await api.pageLogin()).url };
  } catch {
    return {};
  } finally {
    api.close();
  }
}

function printPlaces(context: Context, file: ControlPlaneFile, format: string): void {
  const { terminal, state } = context;
  if (format === 'json' || format === 'yaml') {
    const { pageLogin: _, ...places } = file;
    printValue(terminal, places, format);
    return;
  }
  const { strong, faint } = terminal.style;
  const page = file.pageLogin ?? file.endpoints.page;
  const rows: readonly (readonly [string, string])[] = [
    ...(page === undefined ? [] : [['first page', page] as const]),
    ['API', file.endpoints.api],
    ['kubeconfig', file.kubeconfig],
    ['state', state.path],
    ['log', controlPlaneLog(state)],
  ];
  for (const [title, place] of rows) {
    terminal.out(`  ${faint(title.padEnd(11))} ${place}\n`);
  }
  terminal.out(`\n${strong('Try next')}\n`);
  terminal.out('  weft run --service hello --port 8000 -- python3 -m http.server 8000 --bind 127.0.0.1\n');
  terminal.out(`  export KUBECONFIG=${file.kubeconfig}\n`);
  terminal.out('  kubectl get services,proxies\n');
}
