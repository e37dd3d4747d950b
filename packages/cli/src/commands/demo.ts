import { rmSync } from 'node:fs';
import { get } from 'node:http';
import { join, relative } from 'node:path';
import type { ControlPlaneFile } from '@weft/admin-api';
import { MeshError } from '@weft/base';
import { CliFailure, reportFrom } from '../cli-failure.ts';
import type { Context } from '../context.ts';
import { type DemoDefinition, readDemo, shopPortOf } from '../demo/definition.ts';
import { DemoMesh } from '../demo/demo-mesh.ts';
import { serviceTable } from '../demo/service-table.ts';
import { applyFieldManager } from '../manifest/apply-objects.ts';
import { readManifests } from '../manifest/read-manifests.ts';
import { type ControlPlaneFlags, createStateFolder, findRunning } from '../platform/control-plane-process.ts';
import { findFreePorts, requireFreePort } from '../platform/free-port.ts';
import { LiveArea } from '../terminal/live-area.ts';
import { Progress } from '../terminal/progress.ts';
import { writePrivate } from '../workload/bootstrap-file.ts';
import { demoFile } from './down.ts';
import { alreadyRunning } from './up.ts';

export interface DemoOptions extends ControlPlaneFlags {
  readonly envoy?: string;
  readonly engineMix?: string;
  readonly shopPort?: number;
}

const refreshMs = 2_000;
const plainRefreshMs = 60_000;
const windowSeconds = 10;
const firstPageTimeoutMs = 30_000;
const firstPagePollMs = 50;

/** `weft demo`: the control plane and the bookshop, until Ctrl-C. */
export async function demo(context: Context, options: DemoOptions): Promise<void> {
  const { terminal, state, paths } = context;
  const envoy = (options.envoy ?? '').split(',').filter((name) => name !== '');
  const wantedPort = options.shopPort === 0 ? (await findFreePorts(1))[0] : options.shopPort;
  const definition = readDemo(paths.demo, { envoy, mix: options.engineMix }, wantedPort);
  const running = await findRunning(state, terminal.env);
  if (running !== undefined) {
    throw alreadyRunning(running, state.path);
  }
  const shopPort = shopPortOf(definition);
  await requireShopPort(shopPort);
  try {
    createStateFolder(state);
  } catch (error) {
    throw new CliFailure(reportFrom(error, 'The demo did not start'), error);
  }

  const signalled = context.untilSignal();
  const progress = new Progress(terminal);
  const screen = new DemoScreen(context);
  const mesh = new DemoMesh(context, options, (line) => screen.say(line));
  writePrivate(demoFile(state), `${JSON.stringify({ processId: process.pid })}\n`);
  try {
    const outcome = await Promise.race([bringUp(context, mesh, definition, shopPort, progress, screen), signalled]);
    if (typeof outcome !== 'string') {
      screen.introduce(outcome, definition, shopPort);
      await screen.follow(mesh, signalled);
    }
    progress.stop();
  } catch (error) {
    progress.stop();
    throw new CliFailure(reportFrom(error, 'The demo did not start'), error);
  } finally {
    screen.end();
    progress.start('stopping');
    await mesh.stop((left) => progress.detail(left === 0 ? 'control plane' : `${left} workloads left`));
    rmSync(demoFile(state), { force: true });
    progress.done('everything is stopped');
  }
}

async function bringUp(
  context: Context,
  mesh: DemoMesh,
  definition: DemoDefinition,
  shopPort: number,
  progress: Progress,
  screen: DemoScreen,
): Promise<ControlPlaneFile> {
  const { clock } = context.terminal;
  const startedMs = clock.monotonicMs();
  progress.start('control plane');
  const file = await mesh.startControlPlane();
  for (const { object } of readManifests([definition.manifests], context.cwd)) {
    await mesh.api.resources.apply(object, { fieldManager: applyFieldManager, force: true });
  }
  progress.done(`control plane ${file.version}`);

  const { workloads, shop } = definition;
  const door = workloads.findIndex((workload) => workload.name === shop.workload);
  const visitor = workloads[door];
  if (visitor === undefined) {
    throw new MeshError('BAD_CONFIGURATION', `the demo has no workload ${shop.workload}`);
  }
  progress.start('bookshop: workloads and their sidecars');
  let up = 0;
  const started = (): void => {
    up += 1;
    progress.detail(`${up} of ${workloads.length}`);
  };
  // First what the shop's page needs, with the sidecar that it is entered by; the visitor's own calls begin when all is up.
  const [entrance] = await Promise.all([
    mesh.startSidecarOf(visitor),
    mesh.startWorkloads(workloads.slice(0, door), started),
  ]);
  const firstPageMs = (await waitForFirstPage(context, mesh, shopPort)) - startedMs;
  await mesh.startWorkloads(workloads.slice(door + 1), started);
  await mesh.startCommandOf(entrance);
  const services = new Set(workloads.flatMap(({ service }) => service ?? []));
  progress.done(`bookshop: ${workloads.length} workloads of ${services.size} services, each with its sidecar`);
  screen.say(`first page of the shop through the mesh after ${(firstPageMs / 1000).toFixed(1)} s`);
  return file;
}

/** The moment when the shop's page comes through the mesh. */
async function waitForFirstPage(context: Context, mesh: DemoMesh, port: number): Promise<number> {
  const { clock } = context.terminal;
  const deadline = clock.monotonicMs() + firstPageTimeoutMs;
  let status = 0;
  while (clock.monotonicMs() < deadline) {
    status = await statusOf(port);
    if (status === 200) {
      return clock.monotonicMs();
    }
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, firstPagePollMs));
    mesh.requireRunning();
  }
  throw new MeshError(
    'TIMEOUT',
    `the shop did not show its page within ${firstPageTimeoutMs / 1000} s (${status === 0 ? 'no answer' : `status ${status}`})`,
    {
      details: { where: context.state.logs },
      hint: 'The logs of the services are in this folder, those of the sidecars beside it in run/.',
    },
  );
}

function statusOf(port: number): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = get({ host: '127.0.0.1', port, path: '/', timeout: 3_000, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
    });
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', () => resolve(0));
  });
}

async function requireShopPort(port: number): Promise<void> {
  try {
    await requireFreePort(port, 'the shop');
  } catch (error) {
    const cause = MeshError.from(error);
    throw new MeshError(cause.code, cause.message, {
      cause: error,
      details: cause.details,
      hint: `${cause.hint} For the shop: --shop-port 8090.`,
    });
  }
}

/** What the person sees while the demo runs. */
class DemoScreen {
  readonly #context: Context;
  readonly #area: LiveArea | undefined;

  constructor(context: Context) {
    this.#context = context;
    this.#area = context.terminal.isOutTty ? new LiveArea(context.terminal) : undefined;
  }

  /** A line that stays. */
  say(line: string): void {
    const { terminal } = this.#context;
    if (this.#area === undefined) {
      terminal.err(`${line}\n`);
    } else {
      this.#area.print(`${terminal.style.faint('·')} ${line}`);
    }
  }

  introduce(file: ControlPlaneFile, definition: DemoDefinition, shopPort: number): void {
    const { terminal, paths, cwd } = this.#context;
    const { strong, faint } = terminal.style;
    const weft = terminal.env['npm_lifecycle_event'] === undefined ? 'weft' : 'npm run -s weft --';
    const shown = (path: string): string => {
      const near = relative(cwd, path);
      return near.startsWith('..') ? path : near;
    };
    const tryFile = (name: string): string => shown(join(paths.demo, 'try', name));
    const page = file.pageLogin ?? file.endpoints.page;
    const places: readonly (readonly [string, string])[] = [
      ['shop', `http://127.0.0.1:${shopPort}/`],
      ...(page === undefined ? [] : [['first page', page] as const]),
      ['API', `${file.endpoints.api}  (kubeconfig ${shown(file.kubeconfig)})`],
    ];
    terminal.out('\n');
    for (const [title, place] of places) {
      terminal.out(`  ${faint(title.padEnd(11))} ${strong(place)}\n`);
    }
    terminal.out(`\n${strong('Try next')}, in another terminal\n`);
    terminal.out(
      `  ${weft} apply -f ${tryFile('reviews-90-10.yaml')}   ${faint('# nine of ten readers see version 1')}\n`,
    );
    terminal.out(`  ${weft} status   ${faint('# every sidecar, its identity, whether it has its configuration')}\n`);
    terminal.out(
      `  kubectl --kubeconfig ${shown(file.kubeconfig)} get virtualservices,proxies -n ${definition.namespace}\n\n`,
    );
  }

  /** Shows the services until the signal comes. */
  async follow(mesh: DemoMesh, signalled: Promise<NodeJS.Signals>): Promise<void> {
    const { terminal } = this.#context;
    let over = false;
    void signalled.then(() => {
      over = true;
    });
    const started = terminal.clock.monotonicMs();
    while (!over) {
      await this.#refresh(mesh, started, () => over);
      const wait =
        this.#area === undefined && terminal.clock.monotonicMs() - started > 3 * refreshMs ? plainRefreshMs : refreshMs;
      await Promise.race([
        signalled,
        new Promise<void>((resolve) => void terminal.clock.setTimeout(resolve, wait, { unref: true })),
      ]);
    }
  }

  async #refresh(mesh: DemoMesh, startedMs: number, isOver: () => boolean): Promise<void> {
    const { terminal } = this.#context;
    let text: string;
    try {
      const overview = await mesh.api.overview(windowSeconds);
      const { proxies } = overview;
      text = `${serviceTable(overview, terminal.style)}\n${terminal.style.faint(
        `${proxies.synced} of ${proxies.total} sidecars in sync · rates over ${windowSeconds} s · Ctrl-C stops everything`,
      )}`;
    } catch (error) {
      text = terminal.style.faint(`the control plane does not answer: ${MeshError.from(error).message}`);
    }
    if (isOver()) {
      return;
    }
    if (this.#area !== undefined) {
      this.#area.update(text);
    } else if (terminal.clock.monotonicMs() - startedMs > 2 * refreshMs) {
      terminal.out(`${text}\n\n`);
    }
  }

  /** Leaves the last table where it is. */
  end(): void {
    if (this.#area !== undefined) {
      this.#context.terminal.out('\n');
    }
  }
}
