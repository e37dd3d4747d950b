import type { Mirror } from '@weft/ir';
import type { DestinationSpec, HttpRouteSpec } from '../kinds.ts';
import type { Target } from './destination.ts';
import { shareOf } from './fault.ts';

/** A copy that a rule asks for, of the newer list or of the older single field. */
export interface MirrorSpec {
  readonly destination: DestinationSpec;
  readonly share: number;
  /** `mirrors[1]`, `mirror` */
  readonly field: string;
}

export function mirrorSpecs(rule: HttpRouteSpec): readonly MirrorSpec[] {
  const percent = rule.mirrorPercent ?? rule.mirror_percent;
  const older: readonly MirrorSpec[] =
    rule.mirror === undefined
      ? []
      : [
          {
            destination: rule.mirror,
            share: shareOf(rule.mirrorPercentage ?? (percent === undefined ? undefined : { value: percent })),
            field: 'mirror',
          },
        ];
  const newer = (rule.mirrors ?? []).map(({ destination, percentage }, index) => ({
    destination,
    share: shareOf(percentage),
    field: `mirrors[${index}]`,
  }));
  return (newer.length > 0 ? newer : older).filter(({ share }) => share > 0);
}

/** @param targets of `specs`, in the same order. */
export function mirrorsOf(specs: readonly MirrorSpec[], targets: readonly Target[]): readonly Mirror[] {
  return specs.flatMap(({ share }, index) => {
    const target = targets[index];
    return target === undefined ? [] : [{ cluster: target.clusterName, resolved: target.cluster !== undefined, share }];
  });
}
