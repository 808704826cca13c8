"""The example `synthesize` against PyPI litellm's proxy, clean and behind faults, and through kill -9.

    pip install 'litellm[proxy]==1.108.7' aiohttp==3.14.5 pillow
    cargo build --release --no-default-features --features synth --example synthesize
    python tests/interop/check_synthesize.py target/release/tsumugi [litellm] [kill]

`litellm`: a proxy with `mock_response` answers; between it and the client a server of this script logs every request and, in the
second run, answers one in ten with 429 and a Retry-After (seconds, a fraction or a date) and one in ten with 500 itself. All items
must be there, each answered once, none asked again before its Retry-After, and the key in no file or output. `kill`: the client is killed with SIGKILL at 20
random moments; in the end every item must be there once, and no more may have been sent twice than were in flight.
"""

import asyncio
import collections
import email.utils
import hashlib
import io
import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time

import aiohttp
from aiohttp import web
from PIL import Image

ITEMS, CONCURRENCY, KILLS = 300, 16, 20
KEY = "sk-" + os.urandom(24).hex()
TURNS = [("何色が多いですか。", "青です。"), ("形はどうですか。", "四角い形です。")]
REPLY = json.dumps({"turns": [{"question": q, "answer": a} for q, a in TURNS]}, ensure_ascii=False)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Between:
    """The server that logs, fails, and passes on to `upstream` (or answers itself after 30 ms)."""

    def __init__(self, upstream: str | None, faults: bool):
        self.upstream, self.faults, self.log = upstream, faults, []
        self.random, self.port = random.Random(1), free_port()
        threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True).start()
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                time.sleep(0.02)

    async def serve(self) -> None:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/v1/chat/completions", self.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600))
        await asyncio.Event().wait()

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        item = hashlib.sha256(body).hexdigest()
        entry = {"item": item, "at": time.time(), "status": None, "until": 0.0}
        self.log.append(entry)
        draw = self.random.random() if self.faults else 1.0
        if draw < 0.1:
            wait, header = self.retry_after()
            entry.update(status=429, until=time.time() + wait)
            return web.Response(status=429, headers={"retry-after": header}, text='{"object":"error","message":"slow","code":429}')
        if draw < 0.2:
            entry["status"] = 500
            return web.Response(status=500, text="<html>oops</html>", content_type="text/html")
        if self.upstream is None:
            await asyncio.sleep(0.03)
            message = {"role": "assistant", "content": REPLY}
            entry["status"] = 200
            return web.json_response({"model": "m", "choices": [{"message": message, "finish_reason": "stop"}],
                                      "usage": {"prompt_tokens": 10, "completion_tokens": 5}})
        headers = {"content-type": "application/json", "authorization": request.headers.get("authorization", "")}
        async with self.session.post(self.upstream, data=body, headers=headers) as reply:
            text = await reply.text()
            entry["status"] = reply.status
            return web.Response(status=reply.status, text=text, content_type="application/json")

    def retry_after(self) -> tuple[float, str]:
        kind = self.random.randrange(3)
        if kind == 0:
            return 1.0, "1"
        if kind == 1:
            return 0.6, "0.6"
        date = email.utils.formatdate(time.time() + 2, usegmt=True)
        return email.utils.parsedate_to_datetime(date).timestamp() - time.time(), date


def make_input(folder: pathlib.Path) -> list[str]:
    """Pictures that differ, named by a file of captions."""
    images = folder / "images"
    images.mkdir()
    rows, captions = [], []
    for number in range(ITEMS):
        buffer = io.BytesIO()
        Image.new("RGB", (64, 48), (number % 256, number // 256, 99)).save(buffer, "PNG")
        (images / f"{number}.png").write_bytes(buffer.getvalue())
        rows.append({"id": number + 1, "file_name": f"{number}.png", "width": 64, "height": 48})
        captions.append({"image_id": number + 1, "id": number, "caption": f"a picture {number}"})
    (folder / "captions.json").write_text(json.dumps({"images": rows, "annotations": captions}))
    return ["--images", str(images), "--captions", str(folder / "captions.json"), "--task", "vqa", "--model", "m"]


def command(program: str, flags: list[str], between: Between, out: pathlib.Path) -> list[str]:
    url = f"http://127.0.0.1:{between.port}/v1"
    return [program, "synthesize", *flags, "--base-url", url, "--concurrency", str(CONCURRENCY), "--out", str(out)]


def check(between: Between, out: pathlib.Path, summary: dict, sent_again: int) -> dict:
    """Every item once in the result and in the ledger; every item answered once but for `sent_again`; every wait kept."""
    items = [json.loads(line)["item"] for path in out.glob("ledger/calls-*.jsonl") for line in path.read_text().splitlines()]
    assert summary["rows"]["conversations"] == ITEMS, summary
    assert len(items) == ITEMS and len(set(items)) == ITEMS, len(items)
    by_item = collections.defaultdict(list)
    for entry in between.log:
        by_item[entry["item"]].append(entry)
    assert len(by_item) == ITEMS, len(by_item)
    answered = sum(entry["status"] in (200, None) for entry in between.log)
    assert answered <= ITEMS + sent_again, answered
    early = 0.0
    for entries in by_item.values():
        for failed, after in zip(entries, entries[1:]):
            if failed["status"] == 429:
                early = max(early, failed["until"] - after["at"])
    assert early <= 0.0, f"{early} s too early"
    statuses = collections.Counter(entry["status"] for entry in between.log)
    return {"items": ITEMS, "requests": len(between.log), "answered": answered, "statuses": {str(k): v for k, v in statuses.items()}}


def run(program: str, flags: list[str], upstream: str | None, faults: bool, out: pathlib.Path) -> dict:
    between = Between(upstream, faults)
    started = time.time()
    environment = {**os.environ, "OPENAI_API_KEY": KEY}
    done = subprocess.run(command(program, flags, between, out), env=environment, capture_output=True, text=True, check=True)
    result = check(between, out, json.loads(done.stdout.splitlines()[-1]), 0)
    written = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    assert all(KEY.encode() not in text for text in [*written, done.stdout.encode(), done.stderr.encode()]), "the key was written"
    return {**result, "seconds": round(time.time() - started, 1)}


def start_litellm(folder: pathlib.Path) -> tuple[subprocess.Popen, str]:
    config = {"model_list": [{"model_name": "m", "litellm_params": {"model": "openai/m", "api_key": "none", "mock_response": REPLY}}]}
    path = folder / "litellm.yaml"
    path.write_text(json.dumps(config))  # JSON is YAML
    port = free_port()
    program = pathlib.Path(sys.executable).parent / "litellm"
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": KEY}
    log = folder / "litellm.log"
    with log.open("wb") as output:
        server = subprocess.Popen([program, "--config", path, "--host", "127.0.0.1", "--port", str(port)],
                                  env=environment, stdout=output, stderr=output)
    for _ in range(600):
        if server.poll() is not None:
            raise SystemExit(f"litellm ended: {log.read_text()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return server, f"http://127.0.0.1:{port}/v1/chat/completions"
        except OSError:
            time.sleep(0.5)
    server.kill()
    raise SystemExit("litellm did not start within five minutes")


def killed(program: str, flags: list[str], out: pathlib.Path) -> dict:
    between, kills, chance = Between(None, False), 0, random.Random(7)
    for _ in range(KILLS):
        child = subprocess.Popen(command(program, flags, between, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before, more = len(between.log), chance.randrange(ITEMS // KILLS)
        while len(between.log) < before + more and child.poll() is None:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.05)
        if child.poll() is None:
            child.kill()
            kills += 1
        child.wait()
    summary = json.loads(subprocess.check_output(command(program, flags, between, out), text=True).splitlines()[-1])
    result = check(between, out, summary, kills * CONCURRENCY)
    return {**result, "kills": kills, "sent_again": len(between.log) - ITEMS, "allowed": kills * CONCURRENCY}


def main() -> int:
    program, what = sys.argv[1], sys.argv[2:] or ["litellm", "kill"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        flags = make_input(folder)
        if "litellm" in what:
            server, upstream = start_litellm(folder)
            try:
                for faults in (False, True):
                    out = folder / f"out-{faults}"
                    print(json.dumps({"litellm": "with faults" if faults else "clean", **run(program, flags, upstream, faults, out)}), flush=True)
            finally:
                server.kill()
        if "kill" in what:
            print(json.dumps({"killed": True, **killed(program, flags, folder / "killed")}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
