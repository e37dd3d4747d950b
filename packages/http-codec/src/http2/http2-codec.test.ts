import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange, linesOf, requestHead, responseHead, TestClient, TestServer } from '../../test/http2-peers.ts';
import { HeadFields } from '../head-fields.ts';

function trailerFields(...lines: readonly (readonly [string, string])[]): HeadFields {
  const fields = new HeadFields();
  for (const [name, value] of lines) {
    fields.add(name, value);
  }
  return fields;
}

test('a GET and its answer', () => {
  const server = new TestServer();
  const client = new TestClient();
  server.answer = ({ encoder }) => {
    encoder.encodeHead(responseHead(200, [['content-length', '5']]), false);
    encoder.encodeData(Buffer.from('hello'), 0, 5);
    encoder.encodeEnd(undefined);
  };
  const { response } = client.request(requestHead('GET', '/a?b=c', [['Accept', 'text/plain']]));
  exchange(client, server);
  const [request] = server.requests;
  assert.equal(request?.head.method, 'GET');
  assert.equal(request?.head.path, '/a?b=c');
  assert.equal(request?.head.authority, 'a.test');
  assert.equal(request?.head.targetScheme, 'http');
  assert.equal(request?.head.protocol, 'HTTP/2');
  assert.deepEqual(linesOf(request?.head ?? assert.fail()), ['host: a.test', 'accept: text/plain']);
  assert.equal(request?.endedWithHead, true);
  assert.equal(response.head?.status, 200);
  assert.deepEqual(linesOf(response.head ?? assert.fail()), ['content-length: 5']);
  assert.equal(response.body, 'hello');
  assert.equal(response.ended, true);
  assert.equal(server.codec.idle, true);
  assert.equal(client.codec.activeStreams, 0);
});

test('bodies and trailers both ways', () => {
  const server = new TestServer();
  const client = new TestClient();
  server.answer = (request) => {
    request.onEnd = () => {
      const body = Buffer.from(request.body.toUpperCase());
      request.encoder.encodeInformational(responseHead(103, [['link', '</x>']]));
      request.encoder.encodeHead(responseHead(201), false);
      request.encoder.encodeData(body, 0, body.length);
      request.encoder.encodeEnd(trailerFields(['Grpc-Status', '0']));
    };
  };
  const body = Buffer.alloc(100_000, 'abc');
  const { response } = client.request(requestHead('POST', '/'), body, trailerFields(['X-Sum', '1']));
  exchange(client, server);
  assert.equal(server.requests[0]?.body, body.toString());
  assert.deepEqual(server.requests[0]?.trailers, ['x-sum: 1']);
  assert.equal(server.requests[0]?.endedWithHead, false);
  assert.equal(server.requests[0]?.head.hasBody, true);
  assert.deepEqual(response.informational, [['103', 'link: </x>']]);
  assert.equal(response.body, body.toString().toUpperCase());
  assert.deepEqual(response.trailers, ['grpc-status: 0']);
  assert.equal(server.codec.idle, true);
});
