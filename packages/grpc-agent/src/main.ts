import { runAgentProgram } from '@weft/agent';
import { GrpcAgent } from './grpc-agent.ts';

/** Started by `weft run --engine grpc` as `grpc-agent --bootstrap FILE`. */
process.exit(await runAgentProgram('grpc-agent', (parts) => new GrpcAgent(parts)));
