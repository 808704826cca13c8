//! What `Lookup` finds over files is what maps in memory find.
#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used, reason = "a test that cannot make its files fails")]

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeBinaryArray, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use tsumugi_tables::{Lookup, Memory};

fn key(number: u8) -> [u8; 16] {
    let mut key = [number / 2; 16];
    key[15] = number;
    key
}

fn keys(numbers: &[u8]) -> ArrayRef {
    let keys = numbers.iter().map(|number| Some(key(*number)));
    Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(keys, 16).unwrap())
}

fn write(folder: &Path, name: &str, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
    let path = folder.join(name);
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

/// Files of keys, links and contents.
type World = (Vec<Vec<u8>>, Vec<Vec<(u8, u8)>>, Vec<Vec<(u8, i64)>>);

fn world() -> impl Strategy<Value = World> {
    let files = |most| proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..most), 0..4);
    (files(30), files(30), files(20)).prop_map(|(wanted, links, contents)| {
        let of = |number: u8| number % 23;
        let wanted = wanted.into_iter().map(|keys| keys.into_iter().map(of).collect()).collect();
        let links = links
            .into_iter()
            .map(|keys| keys.into_iter().map(|number| (of(number), number / 23)).collect())
            .collect();
        let contents = contents
            .into_iter()
            .map(|keys| keys.into_iter().map(|number| (number % 11, i64::from(number) - 99)).collect())
            .collect();
        (wanted, links, contents)
    })
}

proptest! {
    #[test]
    fn files_give_what_maps_give(
        (wanted, links, contents) in world(),
        bytes in prop_oneof![Just(1_u64 << 30), 0..500_u64],
    ) {
        let folder = tempfile::tempdir().unwrap();
        let place = |kind: &str, number: usize| format!("{kind}-{number}.parquet");
        let wanted_files: Vec<PathBuf> = wanted.iter().enumerate().map(|(number, rows)| {
            write(folder.path(), &place("wanted", number), vec![("address", keys(rows))])
        }).collect();
        let link_files: Vec<PathBuf> = links.iter().enumerate().map(|(number, rows)| {
            let (from, to): (Vec<u8>, Vec<u8>) = rows.iter().copied().unzip();
            write(folder.path(), &place("links", number), vec![("address", keys(&from)), ("image", keys(&to))])
        }).collect();
        let content_files: Vec<PathBuf> = contents.iter().enumerate().map(|(number, rows)| {
            let ints = |of: &dyn Fn(i64) -> i64| -> ArrayRef {
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| of(row.1))))
            };
            let ids: Vec<u8> = rows.iter().map(|row| row.0).collect();
            let columns =
                vec![("image", keys(&ids)), ("place", ints(&|n| n)), ("size", ints(&|n| -n)), ("phash", ints(&|n| n * n))];
            write(folder.path(), &place("contents", number), columns)
        }).collect();

        let mut by_image = HashMap::new();
        for (image, value) in contents.iter().flatten() {
            by_image.entry(*image).and_modify(|have: &mut i64| *have = (*have).min(*value)).or_insert(*value);
        }
        let mut by_address = HashMap::new();
        for (address, image) in links.iter().flatten() {
            if let Some(value) = by_image.get(image) {
                by_address.entry(*address).or_insert(*value);
            }
        }
        let mut expected = BTreeSet::new();
        for (file, addresses) in wanted.iter().enumerate() {
            for address in addresses {
                if let Some(&value) = by_address.get(address) {
                    expected.insert((file, key(*address), [value, -value, value * value]));
                }
            }
        }

        let lookup = Lookup {
            wanted: &wanted_files,
            key: "address",
            links: &link_files,
            target: "image",
            contents: &content_files,
            values: ["place", "size", "phash"],
        };
        let memory = Memory { bytes, scratch: folder.path().to_owned() };
        let found: Vec<_> = lookup
            .run(&memory)
            .unwrap()
            .map(|found| found.map(|found| (found.file, found.key, found.values)).unwrap())
            .collect();
        prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
    }
}
