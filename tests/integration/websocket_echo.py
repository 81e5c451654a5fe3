"""A WebSocket server that says what it hears.

    websocket_echo.py PORT

Listens on every IPv4 address. It runs as a program of its own on a host of the lab.
"""
import asyncio
import sys

import websockets


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def main(port):
    async with websockets.serve(echo, "0.0.0.0", port, max_size=None):
        print("ready", flush=True)
        await asyncio.Future()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
