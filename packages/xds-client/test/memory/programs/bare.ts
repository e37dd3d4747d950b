import { reportWhenIdle } from './facts.ts';

reportWhenIdle();
