//! The demo asks an emulated cloud for its metrics, over a real wire on loopback.

use crate::pty::warroom;

/// The value of a lane at the cursor, as it stands beside its name.
fn value(screen: &vt100::Screen, lane: &str) -> Option<String> {
    let contents = screen.contents();
    let row = contents.lines().find(|l| l.trim_start().starts_with(lane))?;
    row.trim_start().strip_prefix(lane)?.split_whitespace().next().map(str::to_owned)
}

#[test]
fn points_of_the_demo_come_from_an_emulated_cloud_and_nothing_is_left_behind() {
    let mut running = warroom(&["demo", "--pace", "240"]).size(200, 50).start();
    running.shows("DEMO");
    running.until("users of the evening", |s| value(s, "users").is_some_and(|v| v.ends_with('k')));
    running.until("a pool of the evening", |s| value(s, "pool in use").is_some_and(|v| v != "–"));
    running.send("6");
    running.shows("emulated cloud at 127.0.0.1:");
    running.send(":q\r");
    assert_eq!(running.exit_code(), 0);
    let left: Vec<_> = std::fs::read_dir(running.home()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|n| !n.to_string_lossy().starts_with("warroom-demo")), "{left:?}");
}
