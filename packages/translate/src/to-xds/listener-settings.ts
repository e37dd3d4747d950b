import type { WorkloadIr } from '@weft/ir';

/** What all listeners of a proxy have in common. */
export type ListenerSettings = Pick<WorkloadIr, 'accessLogPath' | 'pathNormalization'>;
