//! Reading TensorBoard's event files.

use std::path::Path;

/// Steps and tags of all numbers in the event files of a folder, sorted.
pub(crate) fn scalars(folder: &Path) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let data = std::fs::read(entry.unwrap().path()).unwrap();
        let mut rest = &data[..];
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            let event = message(&rest[12..12 + length]);
            let step = event.iter().find(|f| f.0 == 2).map_or(0, |f| f.1);
            for summary in event.iter().filter(|f| f.0 == 5) {
                for value in message(summary.2) {
                    let tag = message(value.2).into_iter().find(|f| f.0 == 1).unwrap().2;
                    found.push((step, String::from_utf8(tag.to_vec()).unwrap()));
                }
            }
            rest = &rest[16 + length..];
        }
    }
    found.sort();
    found
}

/// The fields of a protobuf message: number, integer, bytes.
fn message(mut data: &[u8]) -> Vec<(u64, u64, &[u8])> {
    let mut fields = Vec::new();
    while !data.is_empty() {
        let key = varint(&mut data);
        let (value, length) = match key & 7 {
            0 => (varint(&mut data), 0),
            1 => (0, 8),
            2 => (0, varint(&mut data) as usize),
            5 => (0, 4),
            other => panic!("wire type {other}"),
        };
        fields.push((key >> 3, value, &data[..length]));
        data = &data[length..];
    }
    fields
}

fn varint(data: &mut &[u8]) -> u64 {
    let end = data.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let value = data[..end].iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f));
    *data = &data[end..];
    value
}
