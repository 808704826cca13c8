"""The chat client's throughput beside PyPI openai's AsyncOpenAI, on the same machine in the same run.

    pip install openai==3.57.0
    cargo build --release -p tsumugi-chat --example throughput
    python benches/peers/chat_throughput.py target/release/examples/throughput

A loopback server answers after 50 ms; each request carries a picture of 100 KB; 64 are in flight. The clients run in turn,
five times each. Prints one JSON line a client, with medians, and the ratio. Exits with 1 where ours is not three times as
fast, or takes over 2 ms of CPU a request.
"""

import asyncio
import base64
import json
import resource
import statistics
import subprocess
import sys
import time

from openai import AsyncOpenAI

COUNT, CONCURRENCY, RUNS = 2000, 64, 5


async def send(url: str, count: int) -> dict:
    client = AsyncOpenAI(base_url=url, api_key="none", max_retries=2)
    picture = bytes((at * 2654435761 % 2**32) >> 24 for at in range(100_000))
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(number: int) -> None:
        async with gate:
            data = base64.b64encode(picture).decode()
            parts = [
                {"type": "text", "text": f"{number}枚目"},
                {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}},
            ]
            await client.chat.completions.create(model="m", messages=[{"role": "user", "content": parts}])

    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.gather(*(one(number) for number in range(count)))
    seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"requests_per_second": round(count / seconds, 1), "cpu_ms_per_request": round(cpu * 1000 / count, 3)}


def median(runs: list[dict]) -> dict:
    return {name: statistics.median(run[name] for run in runs) for name in ("requests_per_second", "cpu_ms_per_request")}


def main() -> int:
    program = sys.argv[1]
    server = subprocess.Popen([program, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().strip()
        command = [program, "send", url, str(COUNT), str(CONCURRENCY)]
        runs = [
            (json.loads(subprocess.check_output(command, text=True)), asyncio.run(send(url, COUNT // 4)))
            for _ in range(RUNS)
        ]
    finally:
        server.kill()
    ours, theirs = (median([pair[side] for pair in runs]) for side in (0, 1))
    ratio = ours["requests_per_second"] / theirs["requests_per_second"]
    print(json.dumps({"client": "tsumugi-chat", **ours}))
    print(json.dumps({"client": "openai", **theirs}))
    print(json.dumps({"ratio": round(ratio, 2)}))
    return 0 if ratio >= 3 and ours["cpu_ms_per_request"] <= 2 else 1


if __name__ == "__main__":
    sys.exit(main())
