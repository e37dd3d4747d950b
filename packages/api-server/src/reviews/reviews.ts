import type { KubeObject } from '@weft/resources';
import type { Authenticator } from '../authn/authenticator.ts';
import { type ServiceAccountTokens, tokenLife } from '../authn/service-account-token.ts';
import type { AccessRule, Authorizer } from '../authz/authorizer.ts';
import type { AccessRequest, UserInfo } from '../options.ts';
import { badRequest, invalid } from '../registry/status-error.ts';

/** What answers to questions are made from. */
export interface ReviewContext {
  readonly authorizer: Authorizer;
  readonly authenticator: Authenticator;
  readonly user: UserInfo;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(text).filter((part) => part !== '') : []);

function specOf(body: unknown, kind: string): { readonly envelope: Fields; readonly spec: Fields } {
  if (!isFields(body)) {
    throw badRequest(`the body must be a ${kind} object`);
  }
  if (body['kind'] !== undefined && body['kind'] !== kind) {
    throw badRequest(`the body is a ${text(body['kind'])}, not a ${kind}`);
  }
  return { envelope: body, spec: isFields(body['spec']) ? body['spec'] : {} };
}

function accessOf(kind: string, spec: Fields, namespace: string | undefined): AccessRequest {
  const resource = spec['resourceAttributes'];
  const path = spec['nonResourceAttributes'];
  if (isFields(resource) === isFields(path)) {
    throw invalid({ group: 'authorization.k8s.io', plural: `${kind.toLowerCase()}s`, kind }, '', [
      {
        path: 'spec.resourceAttributes',
        code: 'FieldValueInvalid',
        message: 'exactly one of resourceAttributes and nonResourceAttributes must be given',
        fix: 'Ask about an object or about a path, not both.',
      },
    ]);
  }
  if (isFields(path)) {
    return { verb: text(path['verb']), path: text(path['path']) };
  }
  const attributes = resource as Fields;
  const wanted = namespace ?? text(attributes['namespace']);
  const name = text(attributes['name']);
  const subresource = text(attributes['subresource']);
  return {
    verb: text(attributes['verb']),
    group: text(attributes['group']),
    resource: text(attributes['resource']),
    ...(wanted === '' ? {} : { namespace: wanted }),
    ...(name === '' ? {} : { name }),
    ...(subresource === '' ? {} : { subresource }),
  };
}

/**
 * Answers one review.
 * @param kind of the review, as in discovery.
 * @returns the object with its `status`; undefined when there is no such review.
 */
export async function answerReview(
  kind: string,
  body: unknown,
  namespace: string | undefined,
  context: ReviewContext,
): Promise<unknown> {
  const { authorizer, authenticator, user } = context;
  const { envelope, spec } = specOf(body, kind);
  const answer = (group: string, status: unknown, rest: Fields = {}): unknown => ({
    metadata: {},
    ...envelope,
    ...rest,
    kind,
    apiVersion: `${group}/v1`,
    status,
  });
  const decide = (who: UserInfo): unknown => {
    const { allowed, reason } = authorizer.decide(who, accessOf(kind, spec, namespace));
    return answer('authorization.k8s.io', { allowed, reason });
  };
  switch (kind) {
    case 'SelfSubjectAccessReview':
      return decide(user);
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview':
      return decide({ username: text(spec['user']), groups: texts(spec['groups']) });
    case 'SelfSubjectRulesReview': {
      const rules = authorizer.rulesFor(user, text(spec['namespace']));
      return answer('authorization.k8s.io', {
        resourceRules: rules.filter((rule) => rule.resources.length > 0).map(resourceRule),
        nonResourceRules: rules
          .filter((rule) => rule.nonResourceURLs.length > 0)
          .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
        incomplete: false,
      });
    }
    case 'SelfSubjectReview':
      return answer('authentication.k8s.io', { userInfo: user });
    case 'TokenReview': {
      const audiences = texts(spec['audiences']);
      const found = await authenticator.verifyToken(text(spec['token']), audiences);
      // The token itself is not sent back.
      const { token: _, ...rest } = spec;
      const status =
        found === undefined
          ? { authenticated: false }
          : { authenticated: true, user: found, ...(audiences.length === 0 ? {} : { audiences }) };
      return answer('authentication.k8s.io', status, { spec: rest });
    }
    default:
      return undefined;
  }
}

function resourceRule({ verbs, apiGroups, resources, resourceNames }: AccessRule): unknown {
  return { verbs, apiGroups, resources, ...(resourceNames.length === 0 ? {} : { resourceNames }) };
}

/** `POST …/serviceaccounts/<name>/token`: a `TokenRequest` is answered with a token for the account. */
export function answerTokenRequest(body: unknown, account: KubeObject, tokens: ServiceAccountTokens): unknown {
  const { envelope, spec } = specOf(body, 'TokenRequest');
  const seconds = spec['expirationSeconds'] ?? tokenLife.defaultSeconds;
  const audiences = texts(spec['audiences']);
  const whole = typeof seconds === 'number' && Number.isInteger(seconds);
  if (!whole || seconds < tokenLife.minSeconds || seconds > 2 ** 32) {
    throw invalid(
      { group: 'authentication.k8s.io', plural: 'tokenrequests', kind: 'TokenRequest' },
      account.metadata.name,
      [
        {
          path: 'spec.expirationSeconds',
          code: 'FieldValueInvalid',
          message: `must be a whole number of at least ${tokenLife.minSeconds}`,
          fix: `Ask for ${tokenLife.minSeconds} to ${tokenLife.maxSeconds} seconds.`,
        },
      ],
    );
  }
  const expirationSeconds = Math.min(seconds, tokenLife.maxSeconds);
  const { name, namespace = '', uid = '' } = account.metadata;
  const { token, expiresAtMs } = tokens.issue({ namespace, name, uid, audiences, expirationSeconds });
  return {
    ...envelope,
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace },
    spec: { ...spec, audiences, expirationSeconds },
    status: { token, expirationTimestamp: new Date(expiresAtMs).toISOString().replace(/\.\d{3}Z$/, 'Z') },
  };
}
