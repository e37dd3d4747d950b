import { type KindDeclaration, type KubeObject, openApiSchema } from '@weft/resources';
import { type Structure, structureOf } from '../schema/structure.ts';
import type { ResourceName } from './status-error.ts';

/** A kind as the server serves it, with what is derived from its declaration. */
export class ServedResource implements ResourceName {
  readonly declaration: KindDeclaration;
  /** `<plural>.<group>`, or `<plural>` in the core group: the name in storage. */
  readonly key: string;
  #structure: Structure | undefined;

  constructor(declaration: KindDeclaration) {
    this.declaration = declaration;
    this.key = declaration.group === '' ? declaration.plural : `${declaration.plural}.${declaration.group}`;
  }

  get group(): string {
    return this.declaration.group;
  }

  get plural(): string {
    return this.declaration.plural;
  }

  get kind(): string {
    return this.declaration.kind;
  }

  get namespaced(): boolean {
    return this.declaration.namespaced;
  }

  /** How patches and field ownership see the object; made when first needed. */
  get structure(): Structure {
    this.#structure ??= structureOf(openApiSchema(this.declaration));
    return this.#structure;
  }

  /** `apiVersion` of the stored form. */
  get storedApiVersion(): string {
    return this.apiVersion(this.declaration.versions[0] ?? 'v1');
  }

  apiVersion(version: string): string {
    return this.group === '' ? version : `${this.group}/${version}`;
  }

  /** The stored object in another served version: all versions share one schema. */
  inVersion(object: KubeObject, version: string): KubeObject {
    const apiVersion = this.apiVersion(version);
    return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
  }
}
