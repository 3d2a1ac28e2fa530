//! Tests of `analysis::cohort` on tables of counts.

use super::*;
use proptest::prelude::*;

/// Every combination of three attributes with 4, 3 and 2 values; 1 % is bad where `share` says nothing else.
fn table(share: impl Fn(&[u32]) -> Option<f64>) -> Vec<Cell> {
    let mut cells = Vec::new();
    for a in 0..4 {
        for b in 0..3 {
            for c in 0..2 {
                let values = vec![a, b, c];
                let total = f64::from(200 + 100 * a + 50 * b + 20 * c);
                let bad = (total * share(&values).unwrap_or(0.01)).round();
                cells.push(Cell { values, bad, total, before: (0.0, 0.0) });
            }
        }
    }
    cells
}

fn terms(of: &Explanation) -> Vec<Vec<(usize, u32)>> {
    of.parts.iter().map(|p| p.iter().map(|t| (t.attribute, t.value)).collect()).collect()
}

fn best(cells: &[Cell]) -> Vec<Vec<(usize, u32)>> {
    match explain(cells) {
        Shared::Explained(found) => terms(&found[0]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_value_two_values_and_three_are_each_named_exactly() {
    assert_eq!(best(&table(|v| (v[1] == 2).then_some(0.3))), [vec![(1, 2)]]);
    assert_eq!(best(&table(|v| (v[0] == 3 && v[2] == 1).then_some(0.3))), [vec![(0, 3), (2, 1)]]);
    assert_eq!(best(&table(|v| (v == [1, 0, 1]).then_some(0.4))), [vec![(0, 1), (1, 0), (2, 1)]]);
}

#[test]
fn a_part_that_is_only_a_little_bad_still_belongs_to_it() {
    // Half of the segment suffers ten times as much as the other half, and the other half suffers too.
    let found = best(&table(|v| (v[0] == 2).then_some(if v[2] == 0 { 0.5 } else { 0.06 })));
    assert_eq!(found, [vec![(0, 2)]]);
}

#[test]
fn two_segments_are_told_as_two() {
    let found = best(&table(|v| (v[0] == 1 || v[0] == 3).then_some(0.3)));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.contains(&vec![(0, 1)]) && found.contains(&vec![(0, 3)]), "{found:?}");
}

#[test]
fn counts_lift_and_chance_are_told() {
    let cells = table(|v| (v[1] == 2).then_some(0.3));
    let Shared::Explained(found) = explain(&cells) else { panic!() };
    let inside = cells.iter().filter(|c| c.values[1] == 2);
    let (bad, total) = inside.fold((0.0, 0.0), |(b, t), c| (b + c.bad, t + c.total));
    assert_eq!((found[0].bad, found[0].total), (bad, total));
    assert!((found[0].lift - 30.0).abs() < 3.0 && found[0].p < 1e-9, "{:?}", found[0]);
    assert!(found.iter().all(Explanation::stands_out));
}

#[test]
fn a_segment_that_has_always_been_so_is_no_news() {
    let mut cells = table(|v| (v[0] == 0).then_some(0.2));
    for cell in &mut cells {
        cell.before = (cell.bad * 10.0, cell.total * 10.0);
    }
    assert!(matches!(explain(&cells), Shared::NothingStandsOut(_)));
    for cell in cells.iter_mut().filter(|c| c.values[1] == 1) {
        cell.bad = (cell.total * 0.5).round();
    }
    assert_eq!(best(&cells), [vec![(1, 1)]]);
}

#[test]
fn where_all_are_equally_bad_no_segment_stands_out() {
    for share in [0.01, 0.2, 0.9] {
        let found = explain(&table(|_| Some(share)));
        assert!(matches!(found, Shared::NothingStandsOut(_)), "{share}: {found:?}");
    }
    assert_eq!(explain(&table(|_| Some(0.0))), Shared::NothingBad);
    assert_eq!(explain(&[]), Shared::NothingBad);
}

#[test]
fn three_of_three_thousand_are_no_pattern() {
    let mut cells = table(|_| Some(0.0));
    cells.iter_mut().filter(|c| c.values[0] == 2).take(3).for_each(|c| c.bad = 1.0);
    assert!(matches!(explain(&cells), Shared::NothingStandsOut(Some(_))));
}

#[test]
fn a_table_without_attributes_explains_nothing() {
    let cell = Cell { values: vec![], bad: 5.0, total: 9.0, before: (0.0, 0.0) };
    assert_eq!(explain(&[cell]), Shared::NothingStandsOut(None));
}

proptest! {
    #[test]
    fn the_order_of_the_rows_does_not_matter(turn in 0..24_usize) {
        let cells = table(|v| (v[0] == 3 && v[2] == 1).then_some(0.3));
        let mut turned = cells.clone();
        turned.rotate_left(turn);
        prop_assert_eq!(best(&cells), best(&turned));
    }

    #[test]
    fn chance_alone_is_rarely_called_a_pattern(seed in 0..400_u64) {
        // 1 % by chance in each cell: of so many tables hardly any may be explained.
        let mut state = seed.wrapping_mul(2_654_435_761) + 1;
        let mut cells = table(|_| None);
        for cell in &mut cells {
            cell.bad = 0.0;
            for _ in 0..cell.total as usize {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                cell.bad += f64::from(u8::from((state >> 33) % 100 == 0));
            }
        }
        if let Shared::Explained(found) = explain(&cells) {
            prop_assert!(found[0].p < CHANCE && found[0].lift >= LIFT && found[0].bad >= 5.0);
        }
    }
}
