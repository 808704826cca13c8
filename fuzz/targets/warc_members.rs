//! Archives of any kind: members, frames, and the search for the next valid one.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((piece, archive)) = data.split_first() else { return };
    tsumugi_fuzz::compare(archive, usize::from(*piece) + 1);
});
