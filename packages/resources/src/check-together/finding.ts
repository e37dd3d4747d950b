import type { KubeObject } from '../object.ts';
import { Place } from '../place.ts';
import type { Violation } from '../violation.ts';

/** Something that is allowed in each object alone but hardly meant when they stand together. */
export interface Finding {
  readonly object: KubeObject;
  readonly violation: Violation;
}

/** What checks report to. */
export interface Findings {
  /** The root of one object: what is reported there, or further in, is a finding of the object. */
  of(object: KubeObject): Place;
}

/** Collects the findings of all objects, in the order in which objects were asked for. */
export class FindingList implements Findings {
  readonly #places = new Map<KubeObject, Place>();

  of(object: KubeObject): Place {
    const place = this.#places.get(object) ?? Place.root();
    this.#places.set(object, place);
    return place;
  }

  /** Adds what a check of the object alone found. */
  add(object: KubeObject, violation: Violation): void {
    this.of(object).violations.push(violation);
  }

  /** Whether something was found at this path of the object, or around it. */
  has(object: KubeObject, path: string): boolean {
    return (this.#places.get(object)?.violations ?? []).some(
      (found) => found.path === path || path.startsWith(`${found.path}.`) || path.startsWith(`${found.path}[`),
    );
  }

  list(objects: readonly KubeObject[]): readonly Finding[] {
    return objects.flatMap((object) =>
      (this.#places.get(object)?.violations ?? []).map((violation) => ({ object, violation })),
    );
  }
}
