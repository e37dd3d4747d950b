/** What a change comes to, gathered while it is applied. */
export class PendingEffect {
  /** More than endpoints may differ. */
  config = false;
  /** Names of load assignments that may differ. */
  readonly endpointServices = new Set<string>();
  /** Object keys of services whose instances have to be collected again. */
  readonly services = new Set<string>();

  addEndpoints(names: readonly string[]): void {
    for (const name of names) {
      this.endpointServices.add(name);
    }
  }
}
