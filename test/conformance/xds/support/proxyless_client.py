"""Calls /test.Echo/Say on xds:///<target> for every line of standard input and prints the answer or the error, one a line."""

import sys

import grpc

channel = grpc.insecure_channel("xds:///" + sys.argv[1])
say = channel.unary_unary("/test.Echo/Say")
for line in sys.stdin:
    try:
        print(say(line.strip().encode(), timeout=10, wait_for_ready=True).decode(), flush=True)
    except grpc.RpcError as error:
        print("error", error.code(), error.details(), flush=True)
