//! Rows of a look as the server gives them, and what becomes of them.

use super::*;

fn raw() -> Raw {
    Raw {
        max_connections: 200,
        reserved: 3,
        sees_all: true,
        counts: [197, 101, 20, 71, 5],
        at: 1_000_000_000,
        applications: Some(br#"[{"name":"mrg-api","state":"active","sessions":197,"since":5}]"#.to_vec()),
        ..Raw::default()
    }
}

fn lock(json: &str) -> String {
    let full = format!(
        r#"[{{"pid":1,"granted":true,"mode":"ExclusiveLock","relation":null,"page":null,"tuple":null,"vxid":null,"xid":null,"classid":null,"objid":null,"objsubid":null,"since":null,{json}}}]"#
    );
    // A later key wins, as it does not in JSON of a server; the template only fills what is not named.
    let mut value: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&full).unwrap();
    let row: RawLock = serde_json::from_value(serde_json::Value::Object(value.remove(0))).unwrap();
    target(&row).raw().to_owned()
}

#[test]
fn states_add_up_to_the_connections_used() {
    let s = sample(&raw(), 150_018, "warroom").unwrap();
    assert_eq!(s.states.used(), 197);
    assert_eq!(s.limited, []);
    let hidden = Raw { counts: [50, 1, 0, 0, 0], hidden: 49, sees_all: false, applications: None, ..raw() };
    let s = sample(&hidden, 150_018, "warroom").unwrap();
    assert_eq!((s.states.used(), s.states.other), (50, 49));
    assert!(s.limited.iter().any(|l| l.remedy == "GRANT pg_monitor TO warroom;"), "{:?}", s.limited);
}

#[test]
fn what_was_cut_is_said_with_its_number() {
    let many = Raw { waiters: 257, ..raw() };
    let s = sample(&many, 150_018, "warroom").unwrap();
    assert!(s.limited.iter().any(|l| l.what.starts_with("257 more sessions wait")), "{:?}", s.limited);
    let wide = Raw { counts: [250, 101, 20, 71, 58], ..raw() };
    let s = sample(&wide, 150_018, "warroom").unwrap();
    assert!(s.limited.iter().any(|l| l.what.starts_with("53 sessions belong to applications")), "{:?}", s.limited);
}

#[test]
fn locks_are_named_as_people_name_them() {
    assert_eq!(lock(r#""kind":"transactionid","xid":"91822407""#), "xid 91822407");
    assert_eq!(lock(r#""kind":"tuple","relation":"orders","page":12,"tuple":4"#), "row of orders (12,4)");
    assert_eq!(lock(r#""kind":"relation","relation":"orders""#), "orders");
    assert_eq!(lock(r#""kind":"advisory","classid":0,"objid":4711,"objsubid":1"#), "advisory 4711");
    assert_eq!(lock(r#""kind":"advisory","classid":4294967295,"objid":4294967295,"objsubid":1"#), "advisory -1");
    assert_eq!(lock(r#""kind":"advisory","classid":7,"objid":4294967294,"objsubid":2"#), "advisory 7,-2");
    assert_eq!(lock(r#""kind":"virtualxid","vxid":"3/17""#), "virtual xid 3/17");
}

#[test]
fn a_prepared_transaction_that_blocks_is_a_session_without_a_process() {
    let with = Raw {
        prepared: Some(br#"[{"gid":"ho-batch-7","owner":"ho","prepared":42}]"#.to_vec()),
        locks: Some(br#"[{"pid":0,"granted":true,"kind":"transactionid","mode":"ExclusiveLock","xid":"9"}]"#.to_vec()),
        ..raw()
    };
    let s = sample(&with, 150_018, "warroom").unwrap();
    assert_eq!((s.sessions[0].pid, s.sessions[0].holds[0].target.raw()), (0, "xid 9"));
    assert_eq!(s.sessions[0].query.raw(), "PREPARE TRANSACTION ho-batch-7");
}

#[test]
fn bytes_that_are_not_utf8_do_not_cost_the_look() {
    let with =
        Raw { applications: Some(b"[{\"name\":\"caf\xe9\",\"state\":\"idle\",\"sessions\":197}]".to_vec()), ..raw() };
    assert_eq!(sample(&with, 150_018, "w").unwrap().applications[0].name.raw(), "caf\\xE9");
}
