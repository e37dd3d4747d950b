import { type MtlsState, outcomeOf, type ProxySummary, type ServicePort, type Traffic } from '@weft/admin-api';

/** How a cell is to be read; also the name of its style. */
export type Tone = 'good' | 'warn' | 'bad' | 'plain';

/** Text with its tone. */
export interface Toned {
  readonly text: string;
  readonly tone: Tone;
}

/** What came of the traffic. */
export function successText(traffic: Traffic): Toned {
  const { text, share } = outcomeOf(traffic, '–');
  return { text, tone: share === null ? 'plain' : share >= 0.999 ? 'good' : share >= 0.95 ? 'warn' : 'bad' };
}

/** `80/http`, and what was seen where nothing or something else is declared: `7000/auto (seen: tcp)`. */
export function portText({ port, protocol, advice, seen }: ServicePort): string {
  const text = `${port}/${protocol}`;
  return advice === undefined ? text : `${text} (seen: ${seen.map((one) => one.protocol).join(', ')})`;
}

export function mtlsText(mtls: MtlsState): Toned {
  if (mtls.instances === 0) {
    return { text: '–', tone: 'plain' };
  }
  if (mtls.mode === undefined || mtls.secured === 0) {
    return { text: 'none', tone: 'warn' };
  }
  const all = mtls.secured === mtls.instances;
  return {
    text: all ? mtls.mode : `${mtls.mode}, ${mtls.secured} of ${mtls.instances}`,
    tone: all && mtls.mode === 'strict' ? 'good' : 'warn',
  };
}

export function proxyState(proxy: ProxySummary, nowMs: number): Toned {
  if (!proxy.connected) {
    const since = proxy.lastSeen === undefined ? '' : ` for ${ageText(nowMs - Date.parse(proxy.lastSeen))}`;
    return { text: `away${since}`, tone: 'bad' };
  }
  switch (proxy.state) {
    case 'SYNCED':
      return { text: 'in sync', tone: 'good' };
    case 'NACKED':
      return { text: 'refuses a part', tone: 'bad' };
    case 'STALE':
      return { text: 'catching up', tone: 'warn' };
    case 'NOT_SENT':
      return { text: 'wants nothing', tone: 'plain' };
  }
}

export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 120
    ? `${seconds} s`
    : seconds < 7200
      ? `${Math.round(seconds / 60)} min`
      : `${Math.round(seconds / 3600)} h`;
}

export function memoryText(bytes: number | undefined): string {
  return bytes === undefined ? '' : `${Math.round(bytes / 1_048_576)} MB`;
}
