import { openMeshApi } from '../api/mesh-api.ts';
import type { ApiFlags, Context } from '../context.ts';
import { parseOutputFormat, printValue } from '../terminal/output.ts';

export interface VersionOptions extends ApiFlags {
  readonly output?: string;
}

/** `weft version`: of this program, and of the control plane where one answers. */
export async function version(context: Context, options: VersionOptions): Promise<void> {
  const { terminal } = context;
  const format = parseOutputFormat(options.output, ['table', 'json', 'yaml']);
  const controlPlane = await askControlPlane(context, options);
  if (format === 'json' || format === 'yaml') {
    printValue(
      terminal,
      { cli: { version: context.version, nodeVersion: process.version }, controlPlane: controlPlane ?? null },
      format,
    );
    return;
  }
  terminal.out(`weft           ${context.version} (Node ${process.version})\n`);
  terminal.out(
    controlPlane === undefined
      ? 'control plane  none is running\n'
      : `control plane  ${controlPlane.version} (Node ${controlPlane.nodeVersion}) at ${controlPlane.endpoints.api}\n`,
  );
}

async function askControlPlane(context: Context, options: VersionOptions) {
  try {
    const api = openMeshApi(options, context.terminal.env, context.state);
    try {
      return await api.version(3_000);
    } finally {
      api.close();
    }
  } catch {
    return undefined;
  }
}
