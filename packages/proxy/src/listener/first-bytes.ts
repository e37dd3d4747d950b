import type { ProxiedConnection } from '../proxy-protocol/proxy-header.ts';
import { readProxyHeader } from '../proxy-protocol/read-header.ts';
import type { ProxyProtocolConfig } from '../runtime-config/config.ts';
import { inspectClientHello } from '../tls/client-hello.ts';
import { inspectHttp, type SniffedProtocol } from './http-inspection.ts';

/** What is to be found out about a connection before its filter chain is chosen. */
export interface InspectionPlan {
  readonly proxyProtocol: ProxyProtocolConfig | undefined;
  readonly tls: boolean;
  readonly http: boolean;
}

/** What the inspectors took a connection for: `plaintext` where only TLS was looked for, `tcp` where HTTP was as well. */
export type DetectedProtocol = 'tls' | SniffedProtocol | 'tcp' | 'plaintext';

export type Verdict = 'need-more' | 'done' | 'refused';

type Stage = 'proxy-protocol' | 'tls' | 'http' | 'done';

/**
 * What a client sent before its filter chain is known, and what that says. Nothing of it is lost or changed: `rest` is what the filter
 * is given, everything that came but the PROXY protocol header.
 */
export class FirstBytes {
  readonly #plan: InspectionPlan;
  #stage: Stage;
  /** Everything that came and is not a PROXY protocol header. */
  rest: Buffer = Buffer.alloc(0);
  proxied: ProxiedConnection | undefined = undefined;
  transportProtocol: 'tls' | 'raw_buffer' = 'raw_buffer';
  /** ALPN of the ClientHello, or what the HTTP inspector found. */
  applicationProtocols: readonly string[] = [];
  /** Server name of the ClientHello in lower case, empty when none. */
  serverName = '';
  /** Details of a refusal, empty when there is none. */
  fault = '';

  constructor(plan: InspectionPlan) {
    this.#plan = plan;
    this.#stage = plan.proxyProtocol === undefined ? this.#afterHeader() : 'proxy-protocol';
  }

  /** Whether the client has to speak before a chain can be chosen. */
  get waiting(): boolean {
    return this.#stage !== 'done';
  }

  /** undefined where nothing was looked for. */
  get detected(): DetectedProtocol | undefined {
    if (this.transportProtocol === 'tls') {
      return 'tls';
    }
    if (this.#plan.http) {
      return (this.applicationProtocols[0] as SniffedProtocol | undefined) ?? 'tcp';
    }
    return this.#plan.tls ? 'plaintext' : undefined;
  }

  add(chunk: Buffer): Verdict {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    for (;;) {
      const before = this.#stage;
      if (before === 'done') {
        return 'done';
      }
      const verdict = this.#step(before);
      if (verdict !== 'done') {
        return verdict;
      }
    }
  }

  /** No more bytes will be waited for: what is not known by now is opaque. */
  giveUp(): Verdict {
    if (this.#stage === 'proxy-protocol' && this.#plan.proxyProtocol?.allowWithoutHeader === false) {
      return this.#refuse('proxy_protocol_missing');
    }
    this.#stage = 'done';
    return 'done';
  }

  #step(stage: Exclude<Stage, 'done'>): Verdict {
    switch (stage) {
      case 'proxy-protocol':
        return this.#readProxyHeader();
      case 'tls':
        return this.#readClientHello();
      default:
        return this.#readHttp();
    }
  }

  #readProxyHeader(): Verdict {
    const { allowWithoutHeader = false, refusedVersions = [] } = this.#plan.proxyProtocol ?? {};
    const reading = readProxyHeader(this.rest);
    switch (reading.kind) {
      case 'need-more':
        return 'need-more';
      case 'invalid':
        return this.#refuse(reading.fault);
      case 'absent':
        if (!allowWithoutHeader) {
          return this.#refuse('proxy_protocol_missing');
        }
        this.#stage = this.#afterHeader();
        return 'done';
      default:
        if (refusedVersions.includes(reading.version)) {
          return this.#refuse('proxy_protocol_version');
        }
        this.proxied = reading.proxied;
        this.rest = this.rest.subarray(reading.length);
        this.#stage = this.#afterHeader();
        return 'done';
    }
  }

  #readClientHello(): Verdict {
    const result = inspectClientHello(this.rest);
    switch (result.kind) {
      case 'need-more':
        return 'need-more';
      case 'invalid':
        return this.#refuse('invalid_client_hello');
      case 'raw':
        this.#stage = this.#plan.http ? 'http' : 'done';
        return 'done';
      default:
        this.transportProtocol = 'tls';
        this.serverName = result.serverName;
        this.applicationProtocols = result.alpn;
        this.#stage = 'done';
        return 'done';
    }
  }

  #readHttp(): Verdict {
    const result = inspectHttp(this.rest);
    if (result === 'need-more') {
      return 'need-more';
    }
    this.applicationProtocols = result === 'other' ? [] : [result];
    this.#stage = 'done';
    return 'done';
  }

  #afterHeader(): Stage {
    return this.#plan.tls ? 'tls' : this.#plan.http ? 'http' : 'done';
  }

  #refuse(fault: string): Verdict {
    this.fault = fault;
    this.#stage = 'done';
    return 'refused';
  }
}
