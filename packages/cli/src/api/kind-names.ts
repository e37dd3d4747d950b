import { type KindDeclaration, kinds } from '@weft/resources';
import { usageFailure } from '../cli-failure.ts';

/**
 * The kind that a user means by `virtualservice`, `vs`, `VirtualServices` or `virtualservices.networking.istio.io`.
 * @throws CliFailure (a usage mistake) with the names that exist.
 */
export function kindByName(name: string): KindDeclaration {
  const wanted = name.toLowerCase();
  const found = kinds.find((kind) => namesOf(kind).has(wanted));
  if (found === undefined) {
    throw usageFailure(
      `there is no kind ${JSON.stringify(name)}`,
      `use one of: ${[...kinds]
        .map((kind) => kind.plural)
        .sort()
        .join(', ')}`,
    );
  }
  return found;
}

/** Every name that {@link kindByName} takes, for shell completion. */
export function allKindNames(): string[] {
  return [...new Set(kinds.map((kind) => kind.plural))].sort();
}

function namesOf(kind: KindDeclaration): ReadonlySet<string> {
  const names = [kind.plural, kind.singular, kind.kind.toLowerCase(), ...kind.shortNames];
  return new Set(names.flatMap((name) => (kind.group === '' ? [name] : [name, `${name}.${kind.group}`])));
}
