export { GrpcAgent } from './grpc-agent.ts';
export { grpcBootstrap } from './grpc-bootstrap.ts';
