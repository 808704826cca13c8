use proptest::prelude::*;

use super::*;

#[test]
fn frequent_keys_go_everywhere() {
    assert_eq!(drop_frequent(&[1, 2, 1, 3, 1, 2], 3), [false, true, false, true, false, true]);
    assert_eq!(drop_frequent::<u8>(&[], 1), [true; 0]);
}

#[test]
fn samples_are_counted_apart() {
    let draws: Vec<_> = (0..100).map(|row| draw(1, &format!("row-{row}"))).collect();
    let keys = vec![5_u8; 100];
    let years = vec![2020_u16; 100];
    let samples = |block, count| Samples { block, count };
    let kept = |s: Samples| {
        drop_frequent_in_samples(&keys, &years, &draws, &s).unwrap().iter().filter(|k| **k).count()
    };
    assert_eq!(kept(samples(100, 10)), 0);
    assert_eq!(kept(samples(9, 10)), 100);
    // Eight samples of 12 and a rest of four, which is below the count.
    assert_eq!(kept(samples(12, 10)), 4);
    assert!(matches!(
        drop_frequent_in_samples(&keys, &years, &draws, &samples(0, 1)),
        Err(Error::EmptyBlock)
    ));
    assert!(matches!(
        drop_frequent_in_samples(&keys, &years[1..], &draws, &samples(1, 1)),
        Err(Error::Length { name: "groups", expected: 100, found: 99 })
    ));
}

#[test]
fn rows_of_an_occurrence_are_counted_once() {
    // Two rows of one occurrence, and a second occurrence of the same key.
    let keep = drop_frequent_in_samples(&[7, 7, 7], &[0; 3], &[1, 1, 2], &Samples { block: 9, count: 3 });
    assert_eq!(keep.unwrap(), [true; 3]);
    let keep = drop_frequent_in_samples(&[7, 7, 7], &[0; 3], &[1, 1, 2], &Samples { block: 9, count: 2 });
    assert_eq!(keep.unwrap(), [false; 3]);
}

#[test]
fn groups_are_sampled_apart() {
    let draws = [0, 1, 2, 3];
    let samples = Samples { block: 9, count: 2 };
    let keep = drop_frequent_in_samples(&[1, 1, 1, 2], &[0, 0, 1, 1], &draws, &samples);
    assert_eq!(keep.unwrap(), [false, false, true, true]);
}

#[test]
fn the_smallest_order_stays() {
    assert_eq!(keep_first(&[1, 1, 2, 1], &[9, 3, 5, 3]).unwrap(), [false, true, true, false]);
}

#[test]
fn near_duplicates_follow_the_smaller_id() {
    let keep = near_duplicates(&["c", "a", "b", "d"], &[vec![1, 2], vec![7, 2], vec![3, 4], vec![]]).unwrap();
    assert_eq!(keep, [false, true, true, true]);
    // b resembles a, c resembles b only: both go, as the rule is not transitive.
    let chain = near_duplicates(&["a", "b", "c"], &[vec![1], vec![1, 2], vec![2]]).unwrap();
    assert_eq!(chain, [true, false, false]);
}

#[test]
fn quantiles_are_interpolated() {
    assert_eq!(quantile(&[4.0, 1.0, 3.0, 2.0], 0.5).unwrap(), Some(2.5));
    assert_eq!(quantile(&[4.0, 1.0, 3.0], 0.5).unwrap(), Some(3.0));
    assert_eq!(quantile(&[4.0, 1.0], 1.0).unwrap(), Some(4.0));
    assert_eq!(quantile(&[], 0.3).unwrap(), None);
    assert!(matches!(quantile(&[1.0], 1.5), Err(Error::Quantile { .. })));
    assert!(matches!(quantile(&[1.0, f64::NAN], 0.5), Err(Error::NotANumber { row: 1 })));
}

#[test]
fn joins_pair_equal_keys() {
    assert_eq!(join(&["b", "a", "x"], &["a", "b", "a"]), [(0, 1), (1, 0), (1, 2)]);
    assert_eq!(join_first(&["b", "a", "x"], &["a", "b", "a"]), [Some(1), Some(0), None]);
}

proptest! {
    #[test]
    fn one_thread_and_many_agree(keys in proptest::collection::vec(0_u8..20, 0..400), count in 1_usize..8) {
        let ids: Vec<String> = (0..keys.len()).map(|row| format!("{row:04}")).collect();
        let years: Vec<u8> = keys.iter().map(|key| key % 3).collect();
        let bands: Vec<Vec<i64>> = keys.iter().map(|&key| vec![i64::from(key), i64::from(key) * 31 % 7]).collect();
        let draws: Vec<_> = ids.iter().map(|id| draw(3, id)).collect();
        let run = || (
            drop_frequent(&keys, count),
            drop_frequent_in_samples(&keys, &years, &draws, &Samples { block: 17, count }).unwrap(),
            keep_first(&keys, &years).unwrap(),
            near_duplicates(&ids.iter().map(String::as_str).collect::<Vec<_>>(), &bands).unwrap(),
            join(&keys, &years),
        );
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        prop_assert_eq!(pool(1).install(run), pool(5).install(run));
    }

    #[test]
    fn quantile_agrees_with_sorting(values in proptest::collection::vec(-1e3_f64..1e3, 1..60), percent in 0_u8..=100) {
        let q = f64::from(percent) / 100.0;
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let place = q * (values.len() - 1) as f64;
        let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        let expected = low + (high - low) * (place - place.floor());
        prop_assert!((quantile(&values, q).unwrap().unwrap() - expected).abs() < 1e-9);
    }
}
