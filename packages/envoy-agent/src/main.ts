import { runAgentProgram } from '@weft/agent';
import { Agent } from './agent.ts';
import { findEnvoy } from './envoy-process.ts';

/** Started by `weft run --engine envoy` as `envoy-agent --bootstrap FILE`. */
process.exit(await runAgentProgram('envoy-agent', (parts) => new Agent({ ...parts, envoy: findEnvoy(process.env) })));
