#!/usr/bin/env python3
"""Charset, main text and all pictures of an archive's pages with fastwarc and resiliparse.

    python3 benches/peers/pages_resiliparse.py ARCHIVE
"""

import json
import sys

from fastwarc.warc import ArchiveIterator, WarcRecordType
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import detect_encoding
from resiliparse.parse.html import HTMLTree


def main() -> None:
    pages = characters = images = 0
    with open(sys.argv[1], "rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response, parse_http=True):
            if "html" not in (record.http_content_type or ""):
                continue
            body = record.reader.read()
            tree = HTMLTree.parse_from_bytes(body, detect_encoding(body))
            text = extract_plain_text(tree, main_content=True, alt_texts=False)
            found = [(node.getattr("src"), node.getattr("alt")) for node in tree.document.query_selector_all("img")]
            pages += 1
            characters += len(text)
            images += len(found)
    print(json.dumps({"pages": pages, "characters": characters, "images": images}))


main()
