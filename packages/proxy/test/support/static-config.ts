import assert from 'node:assert/strict';
import type { StaticResources } from '../../src/bootstrap/bootstrap.ts';
import type { RuntimeConfig } from '../../src/runtime-config/config.ts';
import { runtimeConfigFromStatic } from '../../src/runtime-config/static-resources.ts';

const none: StaticResources = { listeners: [], clusters: [], routes: [], endpoints: [], secrets: [] };

/** What our proxy makes of resources as JSON, none of which it may refuse. */
export function staticConfig(resources: Partial<StaticResources>): RuntimeConfig {
  const config = runtimeConfigFromStatic({ ...none, ...resources });
  assert.ok('ok' in config, 'problems' in config ? config.problems.join('\n') : '');
  return config.ok;
}

/** What it refuses of them, a line for each problem; empty: nothing. */
export function refusalsOf(resources: Partial<StaticResources>): string {
  const config = runtimeConfigFromStatic({ ...none, ...resources });
  return 'problems' in config ? config.problems.join('\n') : '';
}
