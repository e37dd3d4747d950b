import { readFileSync } from 'node:fs';

export interface Facts {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const facts: Facts = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Facts;

/** Prints the resident memory when the program has been idle for a while, and ends. */
export function reportWhenIdle(isReady: () => boolean = () => true): void {
  setTimeout(() => {
    process.stdout.write(isReady() ? (process.memoryUsage.rss() / 1024 ** 2).toFixed(1) : 'NaN');
    process.exit(isReady() ? 0 : 1);
  }, 2_500);
}
