"""The client of client.ts with Python's grpcio. Argument: the port."""

import json
import socketserver
import sys

import grpc
import grpc.experimental

channels = {}


def channel_of(target, secure):
    key = (target, secure)
    if key not in channels:
        name = "xds:///" + target
        if secure:
            insecure = grpc.experimental.insecure_channel_credentials()
            channels[key] = grpc.secure_channel(name, grpc.xds_channel_credentials(insecure))
        else:
            channels[key] = grpc.insecure_channel(name)
    return channels[key]


def make(call):
    say = channel_of(call["target"], call["secure"]).unary_unary("/test.Echo/Say")
    try:
        text = say(call["message"].encode(), timeout=10, metadata=tuple(call["headers"].items()))
        return {"text": text.decode()}
    except grpc.RpcError as error:
        return {"code": error.code().value[0], "details": error.details()}


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write((json.dumps(make(json.loads(line))) + "\n").encode())


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
