import type { z } from 'zod';
import type { Place } from '../../place.ts';
import { list, object } from '../../schema/fields.ts';
import { gatewayConditions } from './conditions-schema.ts';
import { controllerName, groupName, kindName, objectName } from './names-schema.ts';
import { parentReference } from './references-schema.ts';
import { atomic } from './route-parts-schema.ts';

/** What policies of any kind have in common: the objects of their namespace that they attach to, and their status. */

interface TargetWords<S extends z.ZodType> {
  /** What a target is called, such as `backend`. */
  readonly thing: string;
  readonly all: string;
  /** Part of the target that is meant. */
  readonly sectionName: S;
}

export function targetReferences<S extends z.ZodType>({ thing, all, sectionName }: TargetWords<S>) {
  return list(
    all,
    object(
      `One ${thing}.`,
      {
        group: groupName(`API group of the ${thing}; an empty text is the core group.`),
        kind: kindName(`Kind of the ${thing}.`),
        name: objectName(`Name of the ${thing}.`),
        sectionName,
      },
      ['group', 'kind', 'name'],
    ),
    { min: 1, max: 16 },
    atomic,
  );
}

interface StatusWords {
  readonly description: string;
  /** What one statement is about, such as `Gateway`. */
  readonly ancestor: string;
  readonly conditions: string;
}

export function policyStatus({ description, ancestor, conditions }: StatusWords) {
  return object(
    description,
    {
      ancestors: list(
        `One statement for each ${ancestor} and controller.`,
        object(
          `The policy at one ${ancestor}.`,
          {
            ancestorRef: parentReference(`The ${ancestor}.`),
            controllerName: controllerName('The controller that says so.'),
            conditions: gatewayConditions(conditions, { min: 1 }),
          },
          ['ancestorRef', 'conditions', 'controllerName'],
        ),
        { max: 16 },
        atomic,
      ),
    },
    ['ancestors'],
  );
}

interface PolicyTarget {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly sectionName?: string | undefined;
}

/** Each target once, and as a whole or by its sections. @param section what a section is called, such as `port`. */
export function checkTargets(place: Place, targets: readonly PolicyTarget[], thing: string, section: string): void {
  const firsts = new Map<string, boolean>();
  const seen = new Set<string>();
  for (const [index, { group, kind, name, sectionName = '' }] of targets.entries()) {
    const here = place.at(index);
    const target = JSON.stringify([group, kind, name]);
    const whole = JSON.stringify([target, sectionName]);
    const first = firsts.get(target);
    if (seen.has(whole)) {
      here.duplicate(name, `Name each ${thing}, or each ${section} of it, once.`);
    } else if (first !== undefined && first !== (sectionName !== '')) {
      here.conflict(
        `${name} is meant as a whole and by its ${section}s`,
        'Set sectionName in all references to it, or keep one reference without.',
      );
    }
    firsts.set(target, first ?? sectionName !== '');
    seen.add(whole);
  }
}
