//! Archives that are cut, corrupt, or mixed with foreign bytes.

use crate::build::{Case, case, gz, lz4, record, summed, with, zst};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = cut();
    cases.extend(foreign());
    cases.extend(members());
    cases.extend(frames());
    cases.extend(lz4_frames());
    cases.extend(zstd_frames());
    cases
}

fn cut() -> Vec<Case> {
    let [a, b, c] = ["one", "two", "three"].map(record);
    let named = with("WARC-Type: resource\r\nWARC-Target-URI: http://a.test/", "two");
    let at = a.len();
    let before = |bytes: &[u8]| [&a[..], bytes].concat();
    let between = |bytes: &[u8]| [&a[..], bytes, &c].concat();
    let fault = |kind: &str| format!("!{kind} @{at}");
    let (header, body) = (fault("truncated_header"), fault("truncated_body"));
    vec![
        case("cut in the version", before(&b[..3]), &["resource - one", &header]),
        case("cut behind the version", before(&b[..10]), &["resource - one", &header]),
        case("cut in a header", before(&b[..20]), &["resource - one", &header]),
        case("cut behind a header", before(&b[..b.len() - 8]), &["resource - one", &header]),
        case(
            "cut behind a header that tells what it is of",
            before(&named[..named.len() - 9]),
            &["resource - one", "resource -  cut", &header],
        ),
        case("cut in the URI", before(&named[..50]), &["resource - one", &header]),
        case("cut in a body", before(&b[..b.len() - 6]), &["resource - one", "resource - t cut", &body]),
        case("cut before the blank lines", before(&b[..b.len() - 4]), &["resource - one", "resource - two"]),
        case(
            "a header cut at a line end, and the next record",
            between(&b[..31]),
            &["resource - one", &header, "resource - three"],
        ),
        case(
            "a header cut in a line, and the next record",
            between(&b[..25]),
            &["resource - one", &header, "resource - three"],
        ),
        case(
            "a body cut, and the next record",
            between(&b[..b.len() - 6]),
            &["resource - one", "resource - t", &fault("length_too_large"), "resource - three"],
        ),
        case(
            "a header cut in a member, and the next",
            [gz(&a), gz(&b[..25]), gz(&c)].concat(),
            &["resource - one", &format!("!truncated_header @{}", gz(&a).len()), "resource - three"],
        ),
        case(
            "a body cut in a member, and the next",
            [gz(&a), gz(&b[..b.len() - 6]), gz(&c)].concat(),
            &[
                "resource - one",
                "resource - t",
                &format!("!length_too_large @{}", gz(&a).len()),
                "resource - three",
            ],
        ),
    ]
}

fn foreign() -> Vec<Case> {
    let [a, b, c] = ["one", "two", "three"].map(record);
    let fault = |at: usize| format!("!not_a_record @{at}");
    let between = |bytes: &[u8]| [&a[..], bytes, &b].concat();
    let two = |at| vec!["resource - one".to_owned(), fault(at), "resource - two".to_owned()];
    let rows = |name: &str, bytes: Vec<u8>, rows: Vec<String>| {
        case(name, bytes, &rows.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let compressed = |bytes: &[u8]| [gz(&a), gz(bytes), gz(&b)].concat();
    vec![
        rows("words between", between(b"What is this?\r\n\r\n"), two(a.len())),
        rows("words between, no line end", between(b"What is this?"), two(a.len())),
        rows(
            "binary between",
            between(&[0x80, 1, 2, 3, 255, 254, 10, 9, 8, 200, 201, 202, 203, 204, 205, 206, 207]),
            two(a.len()),
        ),
        rows(
            "something like a zstd frame between",
            between(b"\x28\xb5\x2f\xfd\x20\x05\x29\0\0"),
            two(a.len()),
        ),
        rows("a zstd frame of words between", between(&zst("What is this?")), two(a.len())),
        rows("words between, gzip", compressed(b"What is this?\r\n\r\n"), two(gz(&a).len())),
        rows("words in a member", gz(between(b"What is this?\r\n\r\n")), two(0)),
        case(
            "words behind",
            [&a[..], &b, b"The end.\n"].concat(),
            &["resource - one", "resource - two", &fault(118)],
        ),
        case(
            "words before",
            [b"Hello!\r\n", &a[..], &b].concat(),
            &[&fault(0), "resource - one", "resource - two"],
        ),
        case(
            "words before, no line end",
            [b"Hello!", &a[..], &b].concat(),
            &[&fault(0), "resource - one", "resource - two"],
        ),
        case(
            "words like a record between",
            [&a[..], b"see\nWARC/1.0 is a format\n\n", &c].concat(),
            &["resource - one", &fault(59), "resource - three"],
        ),
    ]
}

/// 6,000 letters that hardly repeat.
fn noise() -> String {
    (0_u32..6000).map(|i| char::from(b' ' + (i.wrapping_mul(2_654_435_761) >> 25) as u8 % 94)).collect()
}

fn members() -> Vec<Case> {
    let [a, b, c] = ["one", &noise(), "three"].map(record);
    let (first, damaged, last) = (gz(&a), gz(&b), gz(&c));
    let at = first.len();
    let three = |middle: &[u8]| [&first[..], middle, &last].concat();
    let wrong = |at: usize| {
        let mut wrong = damaged.clone();
        wrong[at] ^= 0xff;
        three(&wrong)
    };
    let len = damaged.len();
    let whole = "resource - 6000 bytes";
    let fault = |kind: &str| format!("!{kind} @{at}");
    let (checksum, garbage) = (fault("checksum"), fault("garbage"));
    let (truncated, corrupt) = (fault("truncated_member"), fault("corrupt_member"));
    let behind = at + last.len();
    let short = gz(record("two"));
    vec![
        case("gzip, wrong CRC", wrong(len - 7), &["resource - one", whole, &checksum, "resource - three"]),
        case("gzip, wrong size", wrong(len - 2), &["resource - one", whole, &checksum, "resource - three"]),
        case("gzip, wrong magic", wrong(0), &["resource - one", &garbage, "resource - three"]),
        case("gzip, wrong method", wrong(2), &["resource - one", &garbage, "resource - three"]),
        case("gzip, reserved flags", wrong(3), &["resource - one", &corrupt, "resource - three"]),
        case("gzip, wrong block type", wrong(10), &["resource - one", &corrupt, "resource - three"]),
        case("gzip, cut in a header", [&first[..], &damaged[..5]].concat(), &["resource - one", &truncated]),
        case("gzip, cut in the magic", [&first[..], &damaged[..1]].concat(), &["resource - one", &truncated]),
        case("gzip, cut in data", [&first[..], &short[..30]].concat(), &["resource - one", &truncated]),
        case(
            "gzip, cut in the trailer",
            [&first[..], &damaged[..len - 4]].concat(),
            &["resource - one", whole, &truncated],
        ),
        case(
            "gzip, cut before the trailer",
            [&first[..], &damaged[..len - 8]].concat(),
            &["resource - one", whole, &truncated],
        ),
        case(
            "gzip, words behind",
            [&first[..], &last, b"garbage"].concat(),
            &["resource - one", "resource - three", &format!("!garbage @{behind}")],
        ),
        case(
            "gzip, one byte behind",
            [&first[..], &last, b"x"].concat(),
            &["resource - one", "resource - three", &format!("!garbage @{behind}")],
        ),
        case("gzip, words between", three(b"garbage"), &["resource - one", &garbage, "resource - three"]),
        case(
            "gzip, words like magic between",
            three(b"\x1f\x8b\x08garbage"),
            &["resource - one", &corrupt, "resource - three"],
        ),
        case(
            "gzip, words before",
            [b"garbage", &first[..], &last].concat(),
            &["!garbage @0", "resource - one", "resource - three"],
        ),
        case(
            "gzip, zeros and words behind",
            [&first[..], &[0; 100], b"garbage"].concat(),
            &["resource - one", &format!("!garbage @{}", at + 100)],
        ),
        case(
            "gzip, an empty member is damaged",
            three(&[&gz("")[..12], &[9; 8]].concat()),
            &["resource - one", &checksum, "resource - three"],
        ),
    ]
}

/// One zstd frame whose checksum is wrong.
fn wrong_sum(bytes: &[u8]) -> Vec<u8> {
    let mut frame = summed(bytes);
    let last = frame.len() - 1;
    frame[last] ^= 1;
    frame
}

fn frames() -> Vec<Case> {
    let [a, b, c] = ["one", "two", "three"].map(record);
    let mut cases = Vec::new();
    for (name, compress) in [("zstd", zst as fn(Vec<u8>) -> Vec<u8>), ("lz4", lz4)] {
        let (first, middle, last) = (compress(a.clone()), compress(b.clone()), compress(c.clone()));
        let at = first.len();
        let fault = |kind: &str| format!("!{kind} @{at}");
        let three = |middle: &[u8]| [&first[..], middle, &last].concat();
        cases.extend([
            case(
                format!("{name}, words between"),
                three(b"garbage"),
                &["resource - one", &fault("garbage"), "resource - three"],
            ),
            case(
                format!("{name}, words behind"),
                [&first[..], b"garbage"].concat(),
                &["resource - one", &fault("garbage")],
            ),
            case(
                format!("{name}, cut in a frame's header"),
                [&first[..], &middle[..5]].concat(),
                &["resource - one", &fault("truncated_member")],
            ),
            case(
                format!("{name}, cut in the magic"),
                [&first[..], &middle[..2]].concat(),
                &["resource - one", &fault("truncated_member")],
            ),
        ]);
    }
    cases
}

fn lz4_frames() -> Vec<Case> {
    let [a, b, c] = ["one", "two", "three"].map(record);
    let (first, last) = (lz4(&a), lz4(&c));
    let fault = |kind: &str| format!("!{kind} @{}", first.len());
    let wrong = |from_end: usize| {
        let mut middle = lz4(&b);
        let at = middle.len() - from_end;
        middle[at] ^= 0xff;
        [&first[..], &middle, &last].concat()
    };
    let two = "resource - two";
    vec![
        case(
            "lz4, the first frame's magic is wrong",
            [
                &{
                    let mut m = lz4(&a);
                    m[0] ^= 0xff;
                    m
                }[..],
                &lz4(&b),
                &last,
            ]
            .concat(),
            &["!garbage @0", two, "resource - three"],
        ),
        case(
            "lz4, wrong content checksum",
            wrong(1),
            &["resource - one", two, &fault("checksum"), "resource - three"],
        ),
        case(
            "lz4, wrong block checksum",
            wrong(9),
            &["resource - one", two, &fault("checksum"), "resource - three"],
        ),
        case(
            "lz4, wrong header checksum",
            [
                &first[..],
                &{
                    let mut m = lz4(&b);
                    m[6] ^= 1;
                    m
                },
                &last,
            ]
            .concat(),
            &["resource - one", &fault("corrupt_member"), "resource - three"],
        ),
    ]
}

fn zstd_frames() -> Vec<Case> {
    let [a, b, c] = ["one", "two", "three"].map(record);
    let two = "resource - two";
    let mut dictionary =
        zstd::bulk::Compressor::with_dictionary(3, &[&b[..], &c].concat()).unwrap_or_default();
    let needs_it = dictionary.compress(&with("WARC-Type: resource", "two")).unwrap_or_default();
    vec![
        // The cut frame is complete with the bytes of the next one, and has no checksum that would tell.
        case(
            "zstd, cut in a stored frame, and the next",
            [&zst(&a)[..], &zst(&b)[..20], &zst(&c)].concat(),
            &[
                "resource - one",
                &format!("!truncated_header @{}", zst(&a).len()),
                &format!("!garbage @{}", zst(&a).len() + zst(&b).len()),
                "resource - three",
            ],
        ),
        case(
            "zstd, cut in a frame, and the next",
            [&zst(&a)[..], &zst(record(&noise()))[..400], &zst(&c)].concat(),
            &["resource - one", &format!("!truncated_member @{}", zst(&a).len()), "resource - three"],
        ),
        case(
            "zstd, wrong checksum",
            [&zst(&a)[..], &wrong_sum(&b), &summed(&c)].concat(),
            &["resource - one", two, &format!("!checksum @{}", zst(&a).len()), "resource - three"],
        ),
        case(
            "zstd, wrong checksum of a large frame",
            [&zst(&a)[..], &wrong_sum(&record(&noise().repeat(200))), &zst(&c)].concat(),
            &[
                "resource - one",
                "resource - 1200000 bytes",
                &format!("!checksum @{}", zst(&a).len()),
                "resource - three",
            ],
        ),
        case(
            "zstd, cut in the checksum",
            [&zst(&a)[..], &summed(&b)[..summed(&b).len() - 2]].concat(),
            &["resource - one", two, &format!("!truncated_member @{}", zst(&a).len())],
        ),
        case(
            "zstd, the dictionary is missing",
            [zst(&a), needs_it, zst(&c)].concat(),
            &["resource - one", &format!("!corrupt_member @{}", zst(&a).len()), "resource - three"],
        ),
    ]
}
