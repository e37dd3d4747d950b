export { type AgentBootstrap, type HostPort, parseAgentBootstrap } from './agent-bootstrap.ts';
export { CertificateKeeper } from './certificate-keeper.ts';
export { PrivateSocket } from './private-socket.ts';
export { type AgentParts, type AgentProgram, runAgentProgram } from './run-agent-program.ts';
