#!/usr/bin/env python3
"""Charset, all text and all pictures of an archive's pages with fastwarc and selectolax (lexbor).

    python3 benches/peers/pages_lexbor.py ARCHIVE            counts
    python3 benches/peers/pages_lexbor.py ARCHIVE --images   the `src` of each picture, a line each
"""

import json
import sys

from fastwarc.warc import ArchiveIterator, WarcRecordType
from resiliparse.parse.encoding import bytes_to_str, detect_encoding
from selectolax.lexbor import LexborHTMLParser


def decode(body: bytes) -> str:
    """The cheapest way that gets lying pages right: UTF-8 if the bytes are, else a detector."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return bytes_to_str(body, detect_encoding(body))


def main() -> None:
    listing = "--images" in sys.argv
    pages = characters = images = 0
    with open(sys.argv[1], "rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
            if "html" not in (record.http_content_type or ""):
                continue
            tree = LexborHTMLParser(decode(record.reader.read()))
            text = tree.body.text(separator="\n") if tree.body else ""
            found = [(node.attributes.get("src"), node.attributes.get("alt")) for node in tree.css("img")]
            if listing:
                for src, _ in found:
                    print(record.headers["WARC-Target-URI"], "".join((src or "").split()), sep="\t")
            pages += 1
            characters += len(text)
            images += len(found)
    print(json.dumps({"pages": pages, "characters": characters, "images": images}))


main()
