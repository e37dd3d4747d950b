"""Python's grpcio as a peer: `serve PORT` is the echo service of real-clients-grpc.ts, `call TARGET` calls it and prints what came, as JSON."""

import json
import queue
import sys
import threading
from concurrent import futures

import grpc

TRAILERS = (("x-tail", "end"), ("x-tail-bin", b"\x00\x01\xff"))
OPTIONS = (("grpc.enable_http_proxy", 0),)


def unary(request, context):
    context.set_trailing_metadata(TRAILERS)
    if request == b"fail":
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no, ü")
    if request == b"stay":
        gone = threading.Event()
        context.add_callback(gone.set)
        gone.wait(30)
        print("cancelled", flush=True)
    return request


def collect(requests, _context):
    return str(sum(len(message) for message in requests)).encode()


def expand(request, _context):
    for size in request.split(b","):
        yield b"e" * int(size)


def chat(requests, _context):
    for message in requests:
        yield b"re:" + message


METHODS = {
    "/test.Echo/Unary": grpc.unary_unary_rpc_method_handler(unary),
    "/test.Echo/Collect": grpc.stream_unary_rpc_method_handler(collect),
    "/test.Echo/Expand": grpc.unary_stream_rpc_method_handler(expand),
    "/test.Echo/Chat": grpc.stream_stream_rpc_method_handler(chat),
}


class Service(grpc.GenericRpcHandler):
    def service(self, handler_call_details):
        return METHODS.get(handler_call_details.method)


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64))
    server.add_generic_rpc_handlers((Service(),))
    if server.add_insecure_port("127.0.0.1:" + port) == 0:
        sys.exit("the port is taken")
    server.start()
    print("listening", flush=True)
    server.wait_for_termination()


def status_of(call, timeout):
    try:
        call(timeout)
        return None
    except grpc.RpcError as error:
        return [error.code().value[0], error.details()]


def turns(channel):
    words = queue.Queue()
    answers = channel.stream_stream("/test.Echo/Chat")(iter(words.get, None), timeout=30)
    heard = []
    for turn in range(10):
        words.put(b"word %d" % turn)
        heard.append(next(answers).decode())
    words.put(None)
    return heard + [answer.decode() for answer in answers]


def call(target):
    with grpc.insecure_channel(target, options=OPTIONS) as channel:
        one = channel.unary_unary("/test.Echo/Unary")
        sizes = []
        for size in (0, 5, 271828, 3000000):
            value, outcome = one.with_call(b"a" * size, timeout=30)
            sizes.append(len(value))
        zipped = one(b"z" * 100000, timeout=30, compression=grpc.Compression.Gzip)
        tail = {key: value if isinstance(value, str) else value.hex() for key, value in outcome.trailing_metadata()}
        many = [one.future(b"call %d" % index, timeout=30) for index in range(50)]
        sent = (b"x" * size for size in (27182, 8, 1828, 45904, 0))
        result = {
            "unary": sizes,
            "gzip": len(zipped),
            "trailers": [tail.get("x-tail"), tail.get("x-tail-bin")],
            "many": [each.result().decode() for each in many],
            "collect": channel.stream_unary("/test.Echo/Collect")(sent, timeout=30).decode(),
            "expand": [len(m) for m in channel.unary_stream("/test.Echo/Expand")(b"31415,9,2653,58979,0,900000", timeout=30)],
            "chat": turns(channel),
            "failed": status_of(lambda timeout: one(b"fail", timeout=timeout), 30),
            "unknown": status_of(lambda timeout: channel.unary_unary("/test.Echo/None")(b"", timeout=timeout), 30)[0],
            "late": status_of(lambda timeout: one(b"stay", timeout=timeout), 0.3)[0],
        }
    print(json.dumps(result))


if __name__ == "__main__":
    {"serve": serve, "call": call}[sys.argv[1]](sys.argv[2])
