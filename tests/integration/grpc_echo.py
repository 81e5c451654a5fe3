"""gRPC without a schema, over TLS: unary and streaming calls of bytes.

    grpc_echo.py server PORT CERTIFICATE KEY
    grpc_echo.py client ADDRESS:PORT HOST AUTHORITY.pem

The client prints what went well, a line each.
"""
import concurrent.futures
import sys

import grpc

SERVICE = "test.Echo"


class Echo(grpc.GenericRpcHandler):
    def service(self, call):
        name = call.method.rsplit("/", 1)[1]
        handlers = {"Unary": grpc.unary_unary_rpc_method_handler(self.unary),
                    "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
                    "Down": grpc.unary_stream_rpc_method_handler(self.down),
                    "Up": grpc.stream_unary_rpc_method_handler(self.up),
                    "Both": grpc.stream_stream_rpc_method_handler(self.both)}
        return handlers.get(name)

    @staticmethod
    def unary(request, context):
        context.send_initial_metadata((("x-first", "1"),))
        context.set_trailing_metadata((("x-last", str(len(request))),))
        return request

    @staticmethod
    def fail(request, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not like this")

    @staticmethod
    def down(request, context):
        for n in range(int(request)):
            yield str(n).encode() * 1000

    @staticmethod
    def up(requests, context):
        return str(sum(len(request) for request in requests)).encode()

    @staticmethod
    def both(requests, context):
        yield from requests


def serve(port, certificate, key):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(16))
    server.add_generic_rpc_handlers((Echo(),))
    pair = (open(key, "rb").read(), open(certificate, "rb").read())
    assert server.add_secure_port(f"0.0.0.0:{port}", grpc.ssl_server_credentials([pair])) == int(port)
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()


def call(target, host, authority):
    credentials = grpc.ssl_channel_credentials(open(authority, "rb").read())
    options = (("grpc.ssl_target_name_override", host), ("grpc.default_authority", host))
    with grpc.secure_channel(target, credentials, options) as channel:
        big = bytes(range(256)) * 8000
        unary = channel.unary_unary(f"/{SERVICE}/Unary")
        for sent in (b"", b"hello", big):
            answer, done = unary.with_call(sent, timeout=20)
            assert answer == sent and dict(done.initial_metadata())["x-first"] == "1"
            assert dict(done.trailing_metadata())["x-last"] == str(len(sent))
        print("unary")
        try:
            channel.unary_unary(f"/{SERVICE}/Fail")(b"", timeout=20)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.FAILED_PRECONDITION and error.details() == "not like this"
            print("fail")
        try:
            channel.unary_unary(f"/{SERVICE}/Nothing")(b"", timeout=20)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNIMPLEMENTED
            print("unimplemented")
        down = list(channel.unary_stream(f"/{SERVICE}/Down")(b"200", timeout=20))
        assert down == [str(n).encode() * 1000 for n in range(200)]
        print("down")
        up = channel.stream_unary(f"/{SERVICE}/Up")
        assert up((big for _ in range(5)), timeout=20) == str(5 * len(big)).encode()
        print("up")
        # Each message is sent when the one before has come back.
        heard = []

        def talk():
            for n in range(20):
                while len(heard) < n:
                    pass
                yield str(n).encode()

        for message in channel.stream_stream(f"/{SERVICE}/Both")(talk(), timeout=20):
            heard.append(message)
        assert heard == [str(n).encode() for n in range(20)]
        print("both")
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda n: unary(str(n).encode(), timeout=20), range(200)))
        assert answers == [str(n).encode() for n in range(200)]
        print("many")


if __name__ == "__main__":
    {"server": serve, "client": call}[sys.argv[1]](*sys.argv[2:])
