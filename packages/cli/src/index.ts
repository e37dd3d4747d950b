export { createContext } from './context.ts';
export { exitCode } from './exit-code.ts';
export { createProgram } from './program.ts';
