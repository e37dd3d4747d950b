/** What a kubeconfig needs; PEM texts. */
export interface KubeconfigInput {
  readonly server: string;
  readonly trustBundle: string;
  readonly user: string;
  readonly certificate: string;
  readonly key: string;
}

/** A kubeconfig with one cluster, one user and one context, all in the file itself. */
export function formatKubeconfig(input: KubeconfigInput): string {
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  const user = JSON.stringify(input.user);
  return `apiVersion: v1
kind: Config
clusters:
  - name: weft
    cluster:
      server: ${JSON.stringify(input.server)}
      certificate-authority-data: ${base64(input.trustBundle)}
users:
  - name: ${user}
    user:
      client-certificate-data: ${base64(input.certificate)}
      client-key-data: ${base64(input.key)}
contexts:
  - name: weft
    context:
      cluster: weft
      user: ${user}
      namespace: default
current-context: weft
`;
}
