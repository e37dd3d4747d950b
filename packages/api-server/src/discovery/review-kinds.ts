/** Resources that are questions, not objects: they are created and answered, never stored. */
export const reviews: readonly {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}[] = [
  { group: 'authentication.k8s.io', plural: 'tokenreviews', kind: 'TokenReview', namespaced: false },
  { group: 'authentication.k8s.io', plural: 'selfsubjectreviews', kind: 'SelfSubjectReview', namespaced: false },
  { group: 'authorization.k8s.io', plural: 'subjectaccessreviews', kind: 'SubjectAccessReview', namespaced: false },
  {
    group: 'authorization.k8s.io',
    plural: 'localsubjectaccessreviews',
    kind: 'LocalSubjectAccessReview',
    namespaced: true,
  },
  {
    group: 'authorization.k8s.io',
    plural: 'selfsubjectaccessreviews',
    kind: 'SelfSubjectAccessReview',
    namespaced: false,
  },
  {
    group: 'authorization.k8s.io',
    plural: 'selfsubjectrulesreviews',
    kind: 'SelfSubjectRulesReview',
    namespaced: false,
  },
];

/** Group versions of {@link reviews}; all are v1. */
export const reviewGroups: readonly string[] = [...new Set(reviews.map(({ group }) => group))];

/** The kind of review that a path creates; undefined when it is none. */
export function reviewKind(group: string, version: string, plural: string): string | undefined {
  return version === 'v1'
    ? reviews.find((review) => review.group === group && review.plural === plural)?.kind
    : undefined;
}
