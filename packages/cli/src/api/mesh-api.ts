import { readFileSync } from 'node:fs';
import {
  adminPaths,
  type CheckList,
  type ConfigDump,
  type ControlPlaneFile,
  type EffectiveExplanation,
  type JoinTokenRequest,
  type JoinTokenResponse,
  type Overview,
  type PageLogin,
  type Preview,
  type ProxyDetail,
  type ProxyList,
  type RequestExplanation,
  type VersionInfo,
} from '@weft/admin-api';
import type { KubeObject } from '@weft/resources';
import type { StateFolder } from '../platform/state-folder.ts';
import { ApiClient } from './api-client.ts';
import { findKubeconfig, readKubeconfig } from './kubeconfig.ts';
import { ResourceApi } from './resource-api.ts';

/** Both APIs of one mesh: resources, and what `@weft/admin-api` declares. */
export class MeshApi {
  readonly client: ApiClient;
  readonly resources: ResourceApi;

  constructor(client: ApiClient) {
    this.client = client;
    this.resources = new ResourceApi(client);
  }

  /** Namespace of the kubeconfig's context. */
  get defaultNamespace(): string {
    return this.client.access.namespace;
  }

  version(timeoutMs?: number): Promise<VersionInfo> {
    return this.client.json({ path: adminPaths.version, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  }

  overview(windowSeconds: number): Promise<Overview> {
    return this.client.json({ path: `${adminPaths.overview}?window=${windowSeconds}` });
  }

  proxies(): Promise<ProxyList> {
    return this.client.json({ path: adminPaths.proxies });
  }

  proxy(namespace: string, name: string): Promise<ProxyDetail> {
    return this.client.json({ path: adminPaths.proxy(namespace, name) });
  }

  configDump(namespace: string, name: string, type?: string): Promise<ConfigDump> {
    const query = type === undefined ? '' : `?type=${encodeURIComponent(type)}`;
    return this.client.json({ path: `${adminPaths.configDump(namespace, name)}${query}` });
  }

  explain(namespace: string, name: string, query: URLSearchParams): Promise<RequestExplanation> {
    return this.client.json({ path: `${adminPaths.explain(namespace, name)}?${query}` });
  }

  explainName(query: URLSearchParams): Promise<EffectiveExplanation> {
    return this.client.json({ path: `${adminPaths.explainName}?${query}` });
  }

  preview(objects: readonly KubeObject[]): Promise<Preview> {
    return this.client.json({ method: 'POST', path: adminPaths.preview, body: { objects } });
  }

  checks(): Promise<CheckList> {
    return this.client.json({ path: adminPaths.checks });
  }

  joinToken(namespace: string, request: JoinTokenRequest): Promise<JoinTokenResponse> {
    return this.client.json({ method: 'POST', path: adminPaths.joinTokens(namespace), body: request });
  }

  /** A new link to the first page, good for one login. */
  pageLogin(): Promise<PageLogin> {
    return this.client.json({ method: 'POST', path: adminPaths.pageLogin });
  }

  close(): void {
    this.client.close();
  }
}

/** Opens the API that the flags and the environment name. Nothing is sent yet. */
export function openMeshApi(
  options: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined },
  env: Readonly<Record<string, string | undefined>>,
  state: StateFolder,
): MeshApi {
  return new MeshApi(new ApiClient(readKubeconfig(findKubeconfig(options, env, state), options.context)));
}

/** What the control plane of this state folder said about itself when it started; undefined when there is none. */
export function readControlPlaneFile(state: StateFolder): ControlPlaneFile | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(state.controlPlaneFile, 'utf8'));
    return isControlPlaneFile(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isControlPlaneFile(value: unknown): value is ControlPlaneFile {
  return (
    typeof value === 'object' &&
    value !== null &&
    'processId' in value &&
    typeof value.processId === 'number' &&
    'endpoints' in value &&
    typeof value.endpoints === 'object'
  );
}
