//! Reader and writer of web archives (WARC, ARC) and their HTTP payloads.
