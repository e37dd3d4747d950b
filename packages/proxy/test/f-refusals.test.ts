import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Any, BinaryWriter, type MessageCodec, packAny, typeUrls } from '@weft/xds-types';
import { Cluster } from '@weft/xds-types/envoy/config/cluster/v3/cluster.ts';
import { OutlierDetection } from '@weft/xds-types/envoy/config/cluster/v3/outlier_detection.ts';
import { HealthCheck } from '@weft/xds-types/envoy/config/core/v3/health_check.ts';
import { ClusterLoadAssignment } from '@weft/xds-types/envoy/config/endpoint/v3/endpoint.ts';
import { Listener } from '@weft/xds-types/envoy/config/listener/v3/listener.ts';
import { RouteConfiguration } from '@weft/xds-types/envoy/config/route/v3/route.ts';
import { HttpConnectionManager } from '@weft/xds-types/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { resourceTypes } from '../src/runtime-config/from-xds/resource-types.ts';
import * as accessLogSchemas from '../src/runtime-config/wire/access-log-schema.ts';
import * as clusterSchemas from '../src/runtime-config/wire/cluster-schema.ts';
import * as coreSchemas from '../src/runtime-config/wire/core-schema.ts';
import { decodeMessage, MAX_MESSAGE_DEPTH } from '../src/runtime-config/wire/decode.ts';
import * as endpointSchemas from '../src/runtime-config/wire/endpoint-schema.ts';
import * as managerSchemas from '../src/runtime-config/wire/http-connection-manager-schema.ts';
import * as listenerSchemas from '../src/runtime-config/wire/listener-schema.ts';
import * as matchPredicateSchemas from '../src/runtime-config/wire/match-predicate-schema.ts';
import * as matcherSchemas from '../src/runtime-config/wire/matcher-schema.ts';
import { parseJsonMessage } from '../src/runtime-config/wire/parse-json.ts';
import { MAX_PROBLEMS_LISTED, Problems } from '../src/runtime-config/wire/problems.ts';
import * as routeSchemas from '../src/runtime-config/wire/route-schema.ts';
import { type AnyMessage, message, nested, string } from '../src/runtime-config/wire/schema.ts';
import * as tlsSchemas from '../src/runtime-config/wire/tls-schema.ts';

const schemas: AnyMessage[] = [
  accessLogSchemas,
  clusterSchemas,
  coreSchemas,
  endpointSchemas,
  managerSchemas,
  listenerSchemas,
  matcherSchemas,
  matchPredicateSchemas,
  routeSchemas,
  tlsSchemas,
].flatMap((module) => Object.values(module));

function refusals(typeUrl: string, name: string, bytes: Uint8Array): readonly string[] {
  const result = resourceTypes.find((type) => type.typeUrl === typeUrl)?.decode(name, bytes);
  assert.ok(result !== undefined);
  return 'error' in result ? result.error : [];
}

function blank<T extends object>(codec: MessageCodec<T>, fields: Partial<T>): T {
  return { ...codec.decode(new Uint8Array()), ...fields };
}

const ads = {
  authorities: [],
  configSourceSpecifier: { $case: 'ads' as const, value: {} },
  initialFetchTimeout: undefined,
  resourceApiVersion: 2 as const,
};

describe('fields that are not supported', () => {
  let looked = 0;
  for (const schema of schemas.filter(({ unsupported }) => unsupported.size > 0)) {
    it(`of ${schema.name} are refused by name, each of them, whatever their type`, () => {
      for (const [number, name] of schema.unsupported) {
        looked += 1;
        for (const bytes of [
          new BinaryWriter()
            .uint32((number << 3) | 0)
            .uint32(1)
            .finish(),
          new BinaryWriter()
            .uint32((number << 3) | 2)
            .bytes(new Uint8Array())
            .finish(),
          new BinaryWriter()
            .uint32((number << 3) | 1)
            .fixed64(1)
            .finish(),
          new BinaryWriter()
            .uint32((number << 3) | 5)
            .fixed32(1)
            .finish(),
        ]) {
          const problems = new Problems();
          decodeMessage(schema, bytes, problems);
          assert.deepEqual(problems.lines(), [`${name}: not supported by this proxy`]);
        }
        const zero = new Problems();
        decodeMessage(
          schema,
          new BinaryWriter()
            .uint32((number << 3) | 0)
            .uint32(0)
            .finish(),
          zero,
        );
        assert.ok(zero.empty, 'the zero value of a scalar says nothing');
        const json = new Problems();
        parseJsonMessage(schema, { [name]: {} }, json);
        assert.ok(json.lines().includes(`${name}: not supported by this proxy`));
      }
    });
  }

  it('were looked at', () => assert.ok(looked > 120, String(looked)));

  it('with numbers that no version of the proto has are refused too', () => {
    for (const schema of schemas) {
      const problems = new Problems();
      decodeMessage(
        schema,
        new BinaryWriter()
          .uint32((777 << 3) | 2)
          .bytes(new Uint8Array([1]))
          .finish(),
        problems,
      );
      assert.deepEqual(problems.lines(), [`field number 777 of ${schema.name} is not known to this proxy`]);
    }
  });
});

describe('a listener is refused', () => {
  const manager = (fields: Partial<HttpConnectionManager>): Any =>
    packAny(
      'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
      HttpConnectionManager,
      blank(HttpConnectionManager, {
        statPrefix: 'x',
        routeSpecifier: { $case: 'rds', value: { configSource: ads, routeConfigName: 'r' } },
        httpFilters: [
          {
            name: 'envoy.filters.http.router',
            configType: {
              $case: 'typedConfig',
              value: {
                typeUrl: 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
                value: new Uint8Array(),
              },
            },
            isOptional: false,
            disabled: false,
          },
        ],
        ...fields,
      }),
    );
  const listener = (filter: Any): Uint8Array =>
    Listener.encode(
      blank(Listener, {
        name: 'l',
        address: {
          address: {
            $case: 'socketAddress',
            value: {
              protocol: 0,
              address: '127.0.0.1',
              portSpecifier: { $case: 'portValue', value: 80 },
              resolverName: '',
              ipv4Compat: false,
            },
          },
        },
        filterChains: [
          {
            filterChainMatch: undefined,
            filters: [{ name: 'f', configType: { $case: 'typedConfig', value: filter } }],
            useProxyProto: undefined,
            metadata: undefined,
            transportSocket: undefined,
            transportSocketConnectTimeout: undefined,
            name: 'c',
            onDemandConfiguration: undefined,
          },
        ],
      }),
    ).finish();
  const at = 'filter_chains[0].filters[0].typed_config';

  it('not as it is here', () => {
    assert.deepEqual(refusals(typeUrls.listener, 'l', listener(manager({}))), []);
  });

  it('for an unsupported field deep inside an extension, with the whole path', () => {
    const bytes = listener(manager({ schemeHeaderTransformation: { transformation: undefined, matchUpstream: true } }));
    assert.deepEqual(refusals(typeUrls.listener, 'l', bytes), [
      `${at}.scheme_header_transformation.match_upstream: only false is supported, not true`,
    ]);
  });

  it('for a network filter that is not known', () => {
    const bytes = listener({
      typeUrl: 'type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC',
      value: new Uint8Array(),
    });
    assert.deepEqual(refusals(typeUrls.listener, 'l', bytes), [
      `${at}: the type "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC" is not supported here`,
    ]);
  });

  it('for an HTTP filter that is not known, even an optional one', () => {
    const filter = {
      name: 'envoy.filters.http.jwt_authn',
      configType: {
        $case: 'typedConfig' as const,
        value: {
          typeUrl: 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
          value: new Uint8Array(),
        },
      },
      isOptional: true,
      disabled: false,
    };
    const found = refusals(typeUrls.listener, 'l', listener(manager({ httpFilters: [filter] })));
    assert.match(
      found.join('\n'),
      /http_filters\[0\]\.typed_config: the type .*JwtAuthentication" is not supported here/,
    );
    assert.match(found.join('\n'), /http_filters\[0\]\.is_optional: only false is supported, not true/);
  });

  it('for a codec, an enum value and an access-log command that are not known', () => {
    assert.deepEqual(refusals(typeUrls.listener, 'l', listener(manager({ codecType: 3 }))), [
      `${at}.codec_type: HTTP3 is not supported by this proxy`,
    ]);
    assert.deepEqual(refusals(typeUrls.listener, 'l', listener(manager({ codecType: 99 as 0 }))), [
      `${at}.codec_type: the value 99 is not supported`,
    ]);
    const log: Any = {
      typeUrl: 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
      // path = "/x", format = "%FILTER_STATE(x)%"
      value: new BinaryWriter().uint32(10).string('/x').uint32(18).string('%FILTER_STATE(x)%').finish(),
    };
    const found = refusals(
      typeUrls.listener,
      'l',
      listener(
        manager({ accessLog: [{ name: '', filter: undefined, configType: { $case: 'typedConfig', value: log } }] }),
      ),
    );
    assert.deepEqual(found, [`${at}.access_log[0].typed_config.format: %FILTER_STATE%: not supported by this proxy`]);
  });

  it('when it was sent under another name', () => {
    assert.match(refusals(typeUrls.listener, 'other', listener(manager({}))).join(), /name: is "l" but .* as "other"/);
  });

  it('for bytes that are no message, without throwing', () => {
    for (const bytes of [new Uint8Array([0xff]), new Uint8Array([0x0a, 0xff, 0x01]), new Uint8Array([0x07, 0x01])]) {
      assert.ok(refusals(typeUrls.listener, 'l', bytes).length > 0);
    }
    const good = listener(manager({}));
    for (let length = 1; length < good.length; length += 1) {
      // A prefix is either refused or happens to be a shorter message without the required fields, which is refused as well.
      assert.ok(refusals(typeUrls.listener, 'l', good.subarray(0, length)).length > 0, String(length));
    }
  });
});

describe('a route configuration is refused', () => {
  const table = (route: object): Uint8Array =>
    RouteConfiguration.encode(
      RouteConfiguration.decode(
        RouteConfiguration.encode(
          blank(RouteConfiguration, {
            name: 'r',
            virtualHosts: [
              {
                ...emptyVirtualHost(),
                name: 'v',
                domains: ['*'],
                routes: [route as never],
              },
            ],
          }),
        ).finish(),
      ),
    ).finish();

  function emptyVirtualHost() {
    const { virtualHosts } = RouteConfiguration.decode(new Uint8Array([0x12, 0x00]));
    return virtualHosts[0] as (typeof virtualHosts)[number];
  }

  function emptyRoute() {
    const host = RouteConfiguration.decode(new Uint8Array([0x12, 0x02, 0x1a, 0x00])).virtualHosts[0];
    return host?.routes[0] as NonNullable<typeof host>['routes'][number];
  }

  const prefixMatch = {
    pathSpecifier: { $case: 'prefix' as const, value: '/' },
    caseSensitive: undefined,
    runtimeFraction: undefined,
    headers: [],
    queryParameters: [],
    grpc: undefined,
    tlsContext: undefined,
    dynamicMetadata: [],
  };
  const direct = { $case: 'directResponse' as const, value: { status: 200, body: undefined } };

  it('for a regular expression that RE2 does not have, and one that is too large', () => {
    const regex = (source: string) => ({
      ...emptyRoute(),
      match: {
        ...prefixMatch,
        pathSpecifier: { $case: 'safeRegex' as const, value: { engineType: undefined, regex: source } },
      },
      action: direct,
    });
    const at = 'virtual_hosts[0].routes[0].match.safe_regex.regex';
    assert.deepEqual(refusals(typeUrls.routeConfiguration, 'r', table(regex('/a.*'))), []);
    assert.match(
      refusals(typeUrls.routeConfiguration, 'r', table(regex('(?=x)'))).join(),
      new RegExp(`^${at.replaceAll(/[.[\]]/g, '\\$&')}: not a valid RE2`),
    );
    assert.match(refusals(typeUrls.routeConfiguration, 'r', table(regex('(a'))).join(), /not a valid RE2/);
    assert.match(
      refusals(typeUrls.routeConfiguration, 'r', table(regex('(\\pL{9}){100}'))).join(),
      /instructions, more than/,
    );
    assert.match(refusals(typeUrls.routeConfiguration, 'r', table(regex('a'.repeat(2049)))).join(), /longer than 2048/);
  });

  it('for headers that cannot be edited', () => {
    const route = {
      ...emptyRoute(),
      match: prefixMatch,
      action: direct,
      requestHeadersToAdd: [
        {
          header: { key: ':path', value: 'x', rawValue: new Uint8Array() },
          append: undefined,
          appendAction: 0,
          keepEmptyValue: false,
        },
        {
          header: { key: 'a b', value: 'x\r\ny', rawValue: new Uint8Array() },
          append: undefined,
          appendAction: 0,
          keepEmptyValue: false,
        },
        {
          header: { key: 'ok', value: '%NOPE%', rawValue: new Uint8Array() },
          append: undefined,
          appendAction: 0,
          keepEmptyValue: false,
        },
      ],
      // What would desynchronise the connection: the request's body would be taken for the next request.
      requestHeadersToRemove: ['Content-Length'],
      responseHeadersToRemove: ['transfer-encoding'],
    };
    const found = refusals(typeUrls.routeConfiguration, 'r', table(route)).join('\n');
    assert.match(found, /\[0\]\.header\.key: :path cannot be edited/);
    assert.match(found, /\[1\]\.header\.key: "a b" is not a header name/);
    assert.match(found, /\[1\]\.header\.value: holds a line break/);
    assert.match(found, /\[2\]\.header\.value: %NOPE%: not supported/);
    assert.match(found, /request_headers_to_remove\[0\]: Content-Length frames the message/);
    assert.match(found, /response_headers_to_remove\[0\]: transfer-encoding frames the message/);
  });

  it('with all problems at once, up to a number', () => {
    const bytes = RouteConfiguration.encode(
      blank(RouteConfiguration, {
        name: 'r',
        virtualHosts: Array.from({ length: 30 }, () => emptyVirtualHost()),
      }),
    ).finish();
    const found = refusals(typeUrls.routeConfiguration, 'r', bytes);
    assert.equal(found.length, MAX_PROBLEMS_LISTED + 1);
    assert.equal(found.at(-1), 'and 50 more');
  });

  it('when a domain stands twice', () => {
    const host = { ...emptyVirtualHost(), name: 'v', domains: ['a'] };
    const bytes = RouteConfiguration.encode(
      blank(RouteConfiguration, { name: 'r', virtualHosts: [host, { ...host, domains: ['A'] }] }),
    ).finish();
    assert.match(refusals(typeUrls.routeConfiguration, 'r', bytes).join(), /the domain "a" is already that of "v"/);
  });
});

describe('a cluster is refused', () => {
  const refusalsOf = (fields: Partial<Cluster>): string =>
    refusals(
      typeUrls.cluster,
      'c',
      Cluster.encode(
        blank(Cluster, {
          name: 'c',
          clusterDiscoveryType: { $case: 'type', value: 3 },
          edsClusterConfig: { edsConfig: ads, serviceName: '' },
          ...fields,
        }),
      ).finish(),
    ).join('\n');

  it('not as it is here', () => assert.equal(refusalsOf({}), ''));

  it('for discovery types, balancers and checks that the proxy has not', () => {
    assert.match(
      refusalsOf({ clusterDiscoveryType: { $case: 'type', value: 4 } }),
      /^original_dst_lb_config\.use_http_header: required: where a connection went/m,
    );
    const failing = { ...HealthCheck.decode(new Uint8Array()), eventLogPath: '/log', altPort: 1 };
    const problems = refusalsOf({ healthChecks: [failing, failing] });
    assert.match(problems, /^health_checks\[0\]\.event_log_path: not supported by this proxy/m);
    assert.match(problems, /^health_checks\[0\]\.alt_port: not supported by this proxy/m);
    const empty = refusalsOf({
      healthChecks: [HealthCheck.decode(new Uint8Array()), HealthCheck.decode(new Uint8Array())],
    });
    assert.match(empty, /^health_checks: one health check at most/m);
    assert.match(empty, /^health_checks\[0\]\.timeout: must be above 0/m);
    assert.match(
      empty,
      /^health_checks\[0\]: one of http_health_check, tcp_health_check, grpc_health_check is required/m,
    );
    assert.match(
      refusalsOf({ clusterDiscoveryType: { $case: 'type', value: 2 }, edsClusterConfig: undefined }),
      /^load_assignment: a cluster of type LOGICAL_DNS has one locality with one endpoint/m,
    );
    assert.match(refusalsOf({ lbPolicy: 6 }), /^lb_policy: goes together with the type ORIGINAL_DST/);
    const outlierDetection = { ...OutlierDetection.decode(new Uint8Array()), enforcingSuccessRate: 101 };
    assert.match(refusalsOf({ outlierDetection }), /^outlier_detection\.enforcing_success_rate: must be at most 100/);
    assert.match(
      refusalsOf({ dnsRefreshRate: { seconds: 0n, nanos: 0 }, clusterDiscoveryType: { $case: 'type', value: 2 } }),
      /^dns_refresh_rate: must be above 1 ms/m,
    );
    assert.match(
      refusalsOf({
        transportSocket: {
          name: 'x',
          configType: { $case: 'typedConfig', value: { typeUrl: 'a/b', value: new Uint8Array() } },
        },
      }),
      /^transport_socket\.typed_config: the type "a\/b" is not supported here/,
    );
  });

  it('for an endpoint whose address is a name, or whose port is none', () => {
    const bytes = (address: string, port: number): Uint8Array =>
      ClusterLoadAssignment.encode({
        ...ClusterLoadAssignment.decode(new Uint8Array()),
        clusterName: 'c',
        endpoints: [
          {
            locality: undefined,
            metadata: undefined,
            lbEndpoints: [
              {
                hostIdentifier: {
                  $case: 'endpoint',
                  value: {
                    address: {
                      address: {
                        $case: 'socketAddress',
                        value: {
                          protocol: 0,
                          address,
                          portSpecifier: { $case: 'portValue', value: port },
                          resolverName: '',
                          ipv4Compat: false,
                        },
                      },
                    },
                    healthCheckConfig: undefined,
                    hostname: '',
                    additionalAddresses: [],
                  },
                },
                healthStatus: 0,
                metadata: undefined,
                loadBalancingWeight: undefined,
              },
            ],
            lbConfig: undefined,
            loadBalancingWeight: undefined,
            priority: 0,
            proximity: undefined,
          },
        ],
      }).finish();
    assert.deepEqual(refusals(typeUrls.endpoint, 'c', bytes('127.0.0.1', 80)), []);
    assert.match(
      refusals(typeUrls.endpoint, 'c', bytes('example.com', 80)).join(),
      /"example\.com" is not an IP address/,
    );
    assert.match(refusals(typeUrls.endpoint, 'c', bytes('127.0.0.1', 70_000)).join(), /must be from 0 to 65535/);
    assert.match(refusals(typeUrls.endpoint, 'c', bytes('127.0.0.1', 0)).join(), /must not be 0/);
  });
});

describe('the decoder', () => {
  it('stops at a depth that configuration never has', () => {
    interface Recursive {
      fields: Record<string, unknown>;
    }
    const inner = message('test.Inner', { name: string(1) });
    const recursive = message('test.Recursive', { child: nested(1, inner) });
    (recursive.byNumber as Map<number, unknown>).set(1, { key: 'child', field: nested(1, recursive) });
    assert.ok((recursive as unknown as Recursive).fields);
    let bytes: Uint8Array = new Uint8Array();
    for (let level = 0; level < MAX_MESSAGE_DEPTH + 5; level += 1) {
      bytes = new BinaryWriter().uint32(10).bytes(bytes).finish();
    }
    const problems = new Problems();
    decodeMessage(recursive, bytes, problems);
    assert.match(problems.lines().join(), /nested more than 40 levels deep/);
  });
});
