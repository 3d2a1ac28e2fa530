//! Tests of `analysis::suspect` on a small platform: MRG calls UPG, UPG calls the vendor and HO.

use super::*;

const MRG: usize = 0;
const UPG: usize = 1;
const VENDOR: usize = 2;
const HO: usize = 3;
const CALLS: [(usize, usize); 3] = [(MRG, UPG), (UPG, VENDOR), (UPG, HO)];

fn order(strengths: &[f64], alarm: Option<usize>) -> Vec<(usize, Standing)> {
    let strengths: Vec<Option<f64>> = strengths.iter().map(|s| (!s.is_nan()).then_some(*s)).collect();
    rank(&CALLS, &strengths, alarm).iter().map(|s| (s.service, s.standing)).collect()
}

#[test]
fn the_deepest_unwell_callee_comes_first_and_consequences_hang_under_it() {
    let strengths = [Some(9.0), Some(40.0), Some(12.0), Some(0.1)];
    let found = rank(&CALLS, &strengths, Some(MRG));
    let order: Vec<(usize, Standing)> = found.iter().map(|s| (s.service, s.standing)).collect();
    let expected =
        [(VENDOR, Standing::Cause), (UPG, Standing::Consequence), (MRG, Standing::Consequence), (HO, Standing::Well)];
    assert_eq!(order, expected);
    assert_eq!(found[0].explains, [MRG, UPG]);
    assert_eq!((&found[1].suffers_from[..], &found[2].suffers_from[..]), (&[VENDOR][..], &[UPG][..]));
}

#[test]
fn of_two_causes_the_one_that_explains_more_comes_first() {
    // 4 is as unwell as 5, and three services call it.
    let calls = [(0, 4), (1, 4), (2, 4), (0, 5)];
    let strengths = [9.0, 9.0, 9.0, 0.0, 20.0, 20.0].map(Some);
    assert_eq!(rank(&calls, &strengths, Some(0))[0].service, 4);
}

#[test]
fn an_answer_is_never_empty() {
    assert_eq!(order(&[0.1, 0.2, 0.3, 0.0], Some(MRG))[0], (MRG, Standing::Cause), "only the alarm itself");
    assert_eq!(order(&[0.1, 0.2, 0.3, 0.0], None)[0], (VENDOR, Standing::Well), "the least well");
    let silent = order(&[9.0, f64::NAN, f64::NAN, 0.0], Some(MRG));
    assert_eq!(silent.len(), 4);
    assert_eq!(silent[3].1, Standing::Unmeasured);
    assert_eq!(rank(&[], &[], None), []);
}

#[test]
fn services_that_call_each_other_in_a_circle_are_causes_when_nothing_deeper_is() {
    let calls = [(0, 1), (1, 2), (2, 1)];
    let found = rank(&calls, &[9.0, 20.0, 10.0].map(Some), Some(0));
    let order: Vec<(usize, Standing)> = found.iter().map(|s| (s.service, s.standing)).collect();
    assert_eq!(order, [(1, Standing::Cause), (2, Standing::Cause), (0, Standing::Consequence)]);
}

#[test]
fn what_the_alarm_cannot_reach_comes_after_what_it_can() {
    let found = rank(&[(0, 1)], &[9.0, 10.0, 500.0].map(Some), Some(0));
    let order: Vec<usize> = found.iter().map(|s| s.service).collect();
    assert_eq!(order, [1, 2, 0]);
}

#[test]
fn calls_to_services_that_do_not_exist_and_to_oneself_are_ignored() {
    let found = rank(&[(0, 7), (9, 0), (0, 0)], &[Some(9.0)], Some(0));
    assert_eq!((found.len(), found[0].standing), (1, Standing::Cause));
}

fn with(alarm: &[f64], service: &[f64], bad: Bad) -> Option<f64> {
    let rows = |v: &[f64]| v.iter().map(|v| (!v.is_nan()).then_some(*v)).collect::<Vec<_>>();
    let normal = Normal { level: 0.0, stray: 1.0 };
    let (alarm, service) = (rows(alarm), rows(service));
    with_alarm(Measured { rows: &alarm, normal, bad: Bad::High }, Measured { rows: &service, normal, bad })
}

#[test]
fn what_has_been_odd_all_along_is_not_what_rings_with_the_alarm() {
    let alarm = [0.0, 0.5, 10.0, 8.0, 0.0];
    assert_eq!(with(&alarm, &[17.0; 5], Bad::High), Some(0.0));
    assert_eq!(with(&alarm, &[0.0, 0.0, 30.0, 20.0, 0.0], Bad::High), Some(25.0));
    assert_eq!(with(&alarm, &[0.0, 0.0, -30.0, -20.0, 0.0], Bad::Low), Some(25.0));
    assert_eq!(with(&[9.0; 3], &[6.0; 3], Bad::High), Some(6.0), "it rang all the time: nothing is taken off");
    assert_eq!(with(&alarm, &[0.0, 1.0, f64::NAN, f64::NAN, 1.0], Bad::High), None);
}
