export { Agent, type AgentOptions } from './agent.ts';
export { type EnvoyBootstrapOptions, envoyBootstrap } from './envoy-bootstrap.ts';
export { findEnvoy } from './envoy-process.ts';
