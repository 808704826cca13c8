#!/usr/bin/env python3
"""Reads archives through s3:// from a server of another make (moto), and over connections that are cut.

    python3 tests/interop/check_s3.py target/debug/tsumugi [ARCHIVE.warc.gz]

An archive (the named one, or one that is made here) is put into a bucket; `list_records` must give the same lines for
it as for the local file: signed with keys, through a proxy that cuts each connection after some 200 kB, and by a signed
URL over HTTP. `extract_documents` must write the same documents. Exit code 0 when all is well.
"""

import gzip
import json
import logging
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

BUCKET, KEY, REGION = "crawl", "crawl-data/a b.warc.gz", "ap-northeast-1"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-real-key"}


def make_archive(path):
    """Pages of random hexadecimal digits: large enough to be cut several times."""
    dice = random.Random(7)
    with open(path, "wb") as out:
        for number in range(40):
            text = dice.randbytes(20_000).hex()
            page = f"<title>ページ{number}</title><p>これは日本語の文章です。番号は{number}です。</p><!-- {text} -->".encode()
            http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page
            head = (
                "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-%012d>\r\n"
                "WARC-Date: 2026-01-31T12:00:00Z\r\nWARC-Target-URI: http://example.test/%d\r\n"
                "Content-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n"
            ) % (number, number, len(http))
            out.write(gzip.compress(head.encode() + http + b"\r\n\r\n", mtime=0))


class CuttingProxy:
    """Passes bytes on to a port of this machine, and cuts each connection after so many bytes of the answer."""

    def __init__(self, port, limit):
        self.port, self.limit, self.cuts = port, limit, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.port))
            threading.Thread(target=self.pump, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, self.limit), daemon=True).start()

    def pump(self, source, sink, limit):
        try:
            while data := source.recv(65536):
                if limit is not None:
                    data, limit = data[:limit], limit - len(data[:limit])
                sink.sendall(data)
                if limit == 0:
                    self.cuts += 1
                    break
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def run(program, *arguments, endpoint=None):
    """Standard output of an example, which must succeed and must not show a key."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    if endpoint:
        environment.update(KEYS, AWS_ENDPOINT_URL=endpoint, AWS_REGION=REGION)
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True)
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in done.stdout + done.stderr, "a key is shown"
    assert done.returncode == 0, f"{program} {arguments}: {done.stderr}"
    return done.stdout


def documents(folder):
    return sorted((file.name, file.read_bytes()) for file in Path(folder).rglob("*.parquet"))


def main():
    list_records, extract = ((str(Path(sys.argv[1]).resolve()), step) for step in ("list_records", "extract_documents"))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name=REGION,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"], aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "a b.warc.gz"
        if len(sys.argv) > 2:
            archive.write_bytes(Path(sys.argv[2]).read_bytes())
        else:
            make_archive(archive)
        client.upload_file(str(archive), BUCKET, KEY)
        expected = run(*list_records, str(archive))
        records = json.loads(expected.splitlines()[-1])["records"]
        assert records >= 40, expected
        url = f"s3://{BUCKET}/{KEY}"
        assert run(*list_records, url, endpoint=endpoint) == expected, "through s3:// other records come out"
        # So that a large archive is not cut too often for a test.
        proxy = CuttingProxy(port, max(200_000, archive.stat().st_size // 20))
        assert run(*list_records, url, endpoint=proxy.address) == expected, "over cut connections other records come out"
        assert proxy.cuts >= 3, f"only {proxy.cuts} connections were cut"
        signed = client.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": KEY})
        assert urllib.request.urlopen(signed).status == 200
        assert run(*list_records, signed) == expected, "by a signed URL other records come out"
        outs = []
        for number, (source, where) in enumerate([(str(archive), None), (url, endpoint), (f"s3://{BUCKET}/crawl-data/", endpoint)]):
            out = Path(folder) / f"out{number}"
            run(*extract, "--warc", source, "--out", str(out), endpoint=where)
            outs.append(documents(out))
        assert outs[0] and outs[0] == outs[1] == outs[2], "other documents come out"
    server.stop()
    print(f"moto: {records} records the same by file, s3://, {proxy.cuts} cut connections and a signed URL; documents too")


if __name__ == "__main__":
    main()
