import { choice, intOrString, list, object, openObject, text, time } from './fields.ts';

/** The status that all of Istio's kinds share (`istio.meta.v1alpha1.IstioStatus`). */
export function istioStatus() {
  return openObject('What the control plane made of the object.', {
    conditions: list(
      'Statements about the object, one of each type: Accepted, Programmed, NotYetSupported.',
      object('One statement.', {
        type: text('What the statement is about.'),
        status: text('True, False or Unknown.'),
        reason: text('One CamelCase word for programs.'),
        message: text('A sentence for people.'),
        lastProbeTime: time('When the statement was last checked.'),
        lastTransitionTime: time('When `status` last changed.'),
        observedGeneration: intOrString('The `metadata.generation` that the statement is about.'),
      }),
    ),
    observedGeneration: intOrString('The `metadata.generation` that the status is about.'),
    validationMessages: list(
      'Findings of an analyser of configurations.',
      object('One finding.', {
        type: object('The sort of finding.', {
          name: text('Its name for people.'),
          code: text('Its code: `IST` and four digits.'),
        }),
        level: choice('How bad it is.', ['UNKNOWN', 'ERROR', 'WARNING', 'INFO']),
        documentationUrl: text('Where the sort of finding is explained.'),
      }),
    ),
  });
}
