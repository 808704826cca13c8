"""CPU seconds of fetching pictures: `fetch_images --from http` beside PyPI img2dataset, from one server on this machine.

  python3 fetch.py --examples target/release/examples [--pictures 10000] [--rounds 3]

The server is this script in a process of its own; 50 hosts (127.0.0.1 to 127.0.0.50), a bitmap of 20 KB each. Both programs write every
picture to disk: ours decodes and hashes it too, img2dataset (`resize_mode no`, one process, 32 threads) writes files and does not.
User and system time of the whole program and its children. Needs img2dataset (1.47.0 on Python 3.11).
"""

import argparse
import http.server
import json
import multiprocessing
import resource
import shutil
import socketserver
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HOSTS, EXTRA = 50, 20_000


def picture(number):
    head = b"BM" + struct.pack("<13I", 54 + 48, 0, 54, 40, 4, 4, 1 | 24 << 16, 0, 0, 0, 0, 0, 0)
    return head + b"".join(bytes([number & 255, number >> 8 & 255, at]) for at in range(16)) + bytes(EXTRA)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.path.strip("/").removesuffix(".bmp")
        body = picture(int(name)) if name.isdigit() else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024


def serve(pipe):
    server = Server(("0.0.0.0", 0), Handler)
    pipe.send(server.server_address[1])
    server.serve_forever()


def seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def archive(path, urls):
    """A web archive of pages with a hundred pictures each."""
    with open(path, "wb") as out:
        for page, start in enumerate(range(0, len(urls), 100)):
            images = "".join(f'<p><img src="{url}" alt="picture"></p>' for url in urls[start : start + 100])
            html = f"<html lang=ja><meta charset=utf-8><body><p>これは{page}番目の頁です。</p>{images}</body></html>"
            body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html.encode()
            head = (
                "WARC/1.0\r\nWARC-Type: response\r\nWARC-Date: 2026-11-27T00:00:00Z\r\n"
                f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-{page:012}>\r\n"
                f"WARC-Target-URI: http://page{page}.test/\r\nContent-Type: application/http; msgtype=response\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            out.write(head.encode() + body + b"\r\n\r\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--examples", type=Path, required=True)
    arguments.add_argument("--pictures", type=int, default=10_000)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    ours, theirs = multiprocessing.Pipe()
    multiprocessing.Process(target=serve, args=(theirs,), daemon=True).start()
    port = ours.recv()
    urls = [f"http://127.0.0.{1 + n % HOSTS}:{port}/{n}.bmp" for n in range(given.pictures)]
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        archive(place / "pages.warc", urls)
        (place / "urls.txt").write_text("\n".join(urls) + "\n")
        extract = [given.examples / "extract_documents", "--warc", place / "pages.warc", "--out", place / "documents"]
        subprocess.run(extract, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        fetch = [given.examples / "fetch_images", "--documents", place / "documents", "--from", "http", "--allow-private"]
        peer = [Path(sys.executable).with_name("img2dataset"), "--url_list", place / "urls.txt", "--input_format", "txt"]
        peer += ["--processes_count", "1", "--thread_count", "32", "--resize_mode", "no", "--output_format", "files"]
        for round in range(given.rounds):
            out = [place / "ours", place / "theirs"]
            for folder in out:
                shutil.rmtree(folder, ignore_errors=True)
            mine = seconds(fetch + ["--per-host", "8", "--out", out[0]])
            images = json.loads((out[0] / "manifest.json").read_text())
            rows = sum(shard["rows"] for shard in images["shards"] if shard["kind"] == "images")
            other = seconds(peer + ["--output_folder", out[1]])
            files = len(list(out[1].rglob("*.jpg")))
            print(json.dumps(dict(round=round, ours_s=mine, ours=rows, img2dataset_s=other, img2dataset=files)))


if __name__ == "__main__":
    main()
