//! Plain archives that start with a record: headers, lengths, and the search for the next record.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((piece, rest)) = data.split_first() else { return };
    let start: &[u8] = if *piece < 128 { b"WARC/1.0\r\n" } else { b"filedesc:" };
    let archive = [start, rest].concat();
    tsumugi_fuzz::compare(&archive, usize::from(*piece % 128) + 1);
});
