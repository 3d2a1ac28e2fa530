//! Stack traces of log lines, grouped by their innermost frames of our own packages: the same failure has the same
//! frames, whatever its arguments, line numbers and goroutines are.
//!
//! Go, Java, Python and Node are told apart line by line. May not know: how a trace is drawn.

use crate::analysis::pattern::{TREND, family, stretch_of, stuck_orders};
use crate::model::log::Level;
use crate::model::{Span, Stamp, Untrusted};
use crate::store::Store;
use crate::store::lines::Kept;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Frames that tell failures apart.
const TOP: usize = 3;
/// What stands between frames, the innermost first.
const BETWEEN: &str = " ← ";

/// Where the code of others lies.
const FOREIGN_PLACES: [&str; 10] = [
    "/usr/local/go/src/",
    "/pkg/mod/",
    "/vendor/",
    "site-packages/",
    "dist-packages/",
    "/lib/python",
    "<frozen",
    "node_modules/",
    "node:",
    "(internal/",
];
/// What the packages of others are called.
const FOREIGN_NAMES: [&str; 29] = [
    "runtime.",
    "runtime/",
    "net/",
    "net.",
    "database/sql",
    "context.",
    "sync.",
    "testing.",
    "reflect.",
    "github.com/",
    "google.golang.org/",
    "golang.org/",
    "java.",
    "javax.",
    "jakarta.",
    "jdk.",
    "sun.",
    "com.sun.",
    "kotlin.",
    "scala.",
    "org.springframework.",
    "org.apache.",
    "org.hibernate.",
    "io.netty.",
    "com.zaxxer.",
    "org.postgresql.",
    "com.fasterxml.",
    "okhttp3.",
    "reactor.",
];

/// Traces that are the same failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Its frames, innermost first, with arrows between: what it is called.
    pub name: Untrusted,
    /// Whether they are of our own packages; else nothing of the trace is.
    pub own: bool,
    /// Worst level of its lines.
    pub level: Level,
    /// Services without their replicas.
    pub services: Vec<Arc<str>>,
    /// Lines with it in the window.
    pub lines: u64,
    /// Lines with it in a stretch of the same length of the baseline; none when no line is known of it.
    pub normal: Option<f64>,
    /// The first and the last of them.
    pub first: Stamp,
    /// See `first`.
    pub last: Stamp,
    /// Lines over the window in [`TREND`] equal stretches.
    pub trend: Vec<u32>,
    /// Orders that its lines name, and how many of these are stuck.
    pub orders: usize,
    /// See `orders`.
    pub stuck: usize,
    /// What the first of its lines says.
    pub says: Untrusted,
    /// Numbers of the lines, oldest first.
    pub members: Vec<u64>,
}

/// The traces of a window, those with the most lines first.
pub fn traces(store: &Store, window: Span, baseline: Option<Span>) -> Vec<Trace> {
    let stuck = stuck_orders(store, window);
    let mut groups: HashMap<String, Group<'_>> = HashMap::new();
    for kept in with_stack(store, window) {
        let (name, own) = name(&kept.line.stack);
        groups.entry(name).or_insert_with(|| Group::new(kept, own)).add(kept, window);
    }
    let usual = baseline.map(|span| counts(store, span));
    let scale = baseline.map_or(1.0, |b| window.length().as_secs_f64() / b.length().as_secs_f64().max(1.0));
    let made = groups.into_iter().map(|(name, group)| {
        let known = usual.as_ref().and_then(Option::as_ref);
        let normal = known.map(|u| u.get(&name).map_or(0.0, |n| *n as f64 * scale));
        group.into_trace(name, normal, &stuck)
    });
    let mut out: Vec<Trace> = made.collect();
    out.sort_by(|a, b| b.lines.cmp(&a.lines).then_with(|| a.name.cmp(&b.name)));
    out
}

/// What a trace is called, and whether that is by our own packages.
pub fn name(stack: &[Untrusted]) -> (String, bool) {
    let frames = frames(stack);
    let own: Vec<&Frame<'_>> = frames.iter().filter(|f| !f.foreign).take(TOP).collect();
    let is_own = !own.is_empty();
    let top: Vec<&str> = if is_own { own } else { frames.iter().take(TOP).collect() }.iter().map(|f| f.call).collect();
    if top.is_empty() {
        // No language that is known: the first line is all there is to go by.
        let first = stack.iter().map(|l| l.raw().trim()).find(|l| !l.is_empty());
        return (first.unwrap_or_default().to_owned(), false);
    }
    (top.join(BETWEEN), is_own)
}

/// Whether a line's trace is the one of that name.
pub fn is_of(stack: &[Untrusted], wanted: &str) -> bool {
    !stack.is_empty() && name(stack).0 == wanted
}

fn with_stack(store: &Store, span: Span) -> impl Iterator<Item = &Kept> {
    store.logs.within(span).iter().filter(|k| !k.line.stack.is_empty())
}

/// None when no line of that time is known at all.
fn counts(store: &Store, span: Span) -> Option<HashMap<String, u64>> {
    if store.logs.within(span).is_empty() {
        return None;
    }
    let mut out = HashMap::new();
    for kept in with_stack(store, span) {
        *out.entry(name(&kept.line.stack).0).or_default() += 1;
    }
    Some(out)
}

/// A call, and whether it is in the code of others.
struct Frame<'a> {
    call: &'a str,
    foreign: bool,
}

/// The calls of a trace, innermost first.
fn frames(stack: &[Untrusted]) -> Vec<Frame<'_>> {
    let mut out: Vec<Frame<'_>> = Vec::new();
    let mut backwards = false;
    let mut lines = stack.iter().map(|l| l.raw().trim()).peekable();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("at ") {
            let call = rest.split('(').next().unwrap_or(rest).trim_end();
            out.push(Frame { call, foreign: is_foreign(call, rest) });
        } else if let Some(rest) = line.strip_prefix("File \"") {
            // Python: the innermost call comes last.
            backwards = true;
            if let Some((place, call)) = rest.rsplit_once(", in ") {
                out.push(Frame { call, foreign: is_foreign("", place) });
            }
        } else if !out.is_empty() && ["Caused by", "created by", "goroutine "].iter().any(|p| line.starts_with(p)) {
            // What follows is another trace.
            break;
        } else if let Some(call) = go(line) {
            // Where it is stands on the line below.
            let place = lines.next_if(|l| l.starts_with('/')).unwrap_or_default();
            out.push(Frame { call, foreign: is_foreign(call, place) });
        }
    }
    if backwards {
        out.reverse();
    }
    out
}

fn is_foreign(call: &str, place: &str) -> bool {
    FOREIGN_PLACES.iter().any(|p| place.contains(p)) || FOREIGN_NAMES.iter().any(|n| call.starts_with(n))
}

/// `pool.(*Pool).Acquire(0xc0004a2000)` without its arguments.
fn go(line: &str) -> Option<&str> {
    let inside = line.strip_suffix(')')?;
    let mut depth = 1;
    let open = inside.char_indices().rev().find_map(|(i, c)| {
        depth += i32::from(c == ')') - i32::from(c == '(');
        (depth == 0).then_some(i)
    })?;
    let call = inside.get(..open)?;
    (call.contains('.') && !call.contains(char::is_whitespace)).then_some(call)
}

struct Group<'a> {
    own: bool,
    first: &'a Kept,
    last: Stamp,
    level: Level,
    services: BTreeSet<&'a str>,
    orders: HashSet<&'a Arc<str>>,
    trend: Vec<u32>,
    members: Vec<u64>,
}

impl<'a> Group<'a> {
    fn new(first: &'a Kept, own: bool) -> Self {
        Self {
            own,
            first,
            last: first.line.at,
            level: first.line.level,
            services: BTreeSet::new(),
            orders: HashSet::new(),
            trend: vec![0; TREND],
            members: Vec::new(),
        }
    }

    fn add(&mut self, kept: &'a Kept, window: Span) {
        let line = &kept.line;
        self.last = line.at;
        self.level = self.level.max(line.level);
        self.services.insert(family(&line.service));
        self.orders.extend(&line.order);
        if let Some(n) = self.trend.get_mut(stretch_of(line.at, window)) {
            *n += 1;
        }
        self.members.push(kept.number);
    }

    fn into_trace(self, name: String, normal: Option<f64>, stuck: &HashSet<Arc<str>>) -> Trace {
        Trace {
            name: name.into(),
            own: self.own,
            level: self.level,
            services: self.services.into_iter().map(Arc::from).collect(),
            lines: self.members.len() as u64,
            normal,
            first: self.first.line.at,
            last: self.last,
            trend: self.trend,
            orders: self.orders.len(),
            stuck: self.orders.iter().filter(|o| stuck.contains(**o)).count(),
            says: self.first.line.message.clone(),
            members: self.members,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::LogLine;
    use crate::model::{Batch, Fact};

    fn stack(text: &str) -> Vec<Untrusted> {
        text.lines().map(Untrusted::from).collect()
    }

    const GO: &str = "goroutine 48121 [running]:\nruntime.gopanic({0x1, 0x2})\n\t/usr/local/go/src/runtime/panic.go:770 +0x132\npool.(*Pool).Acquire(0xc0004a2000)\n    /src/pool/pool.go:212\ngithub.com/jackc/pgx/v5.(*Conn).Query(...)\n    /root/go/pkg/mod/github.com/jackc/pgx/v5@v5.5.0/conn.go:700\nstore.(*Orders).SetState(0xc00012e0f0, {0x5, 0x6})\n    /src/store/orders.go:88\nmain.main()\n    /src/main.go:10\ncreated by net/http.(*Server).Serve\n    /usr/local/go/src/net/http/server.go:3";

    #[test]
    fn four_languages_have_their_own_innermost_calls_without_what_differs() {
        let java = "java.sql.SQLTransientConnectionException: pool-1\n\tat com.zaxxer.hikari.Pool.get(Pool.java:1)\n\tat org.springframework.tx.Tx.run(Tx.java:7)\n\tat id.pay.upg.Callback.send(Callback.java:41)\n\tat id.pay.upg.Retry.run(Retry.java:9)\nCaused by: java.net.SocketTimeoutException\n\tat id.pay.upg.Never.seen(Never.java:1)\n\t... 12 more";
        let python = "Traceback (most recent call last):\n  File \"/app/main.py\", line 9, in main\n    run()\n  File \"/app/saga.py\", line 70, in advance\n  File \"/usr/lib/python3/site-packages/requests/api.py\", line 1, in get";
        let node =
            "at Pool.acquire (/app/pool.js:12:9)\nat process.tick (node:internal/process:5:1)\nat /app/index.js:3:1";
        for (text, called) in [
            (GO, "pool.(*Pool).Acquire ← store.(*Orders).SetState ← main.main"),
            (java, "id.pay.upg.Callback.send ← id.pay.upg.Retry.run"),
            (python, "advance ← main"),
            (node, "Pool.acquire ← /app/index.js:3:1"),
        ] {
            assert_eq!(name(&stack(text)), (called.to_owned(), true));
        }
        let others = "runtime.gopanic(0x1)\n/usr/local/go/src/runtime/panic.go:7\nnet/http.serve(0x2)\n";
        assert_eq!(name(&stack(others)), ("runtime.gopanic ← net/http.serve".to_owned(), false));
        assert_eq!(name(&stack("\nwords alone\nmore")), ("words alone".to_owned(), false));
        assert_eq!(name(&[]), (String::new(), false));
    }

    #[test]
    fn the_same_failure_is_one_trace_whatever_its_arguments_and_the_baseline_tells_what_is_usual() {
        let line = |second: i64, service: &str, order: &str, text: &str| LogLine {
            at: Stamp::from_secs(second),
            service: service.into(),
            level: Level::Error,
            order: Some(order.into()),
            trace: None,
            message: format!("acquire timeout {second}").as_str().into(),
            stack: stack(text),
        };
        let other = GO.replace("0xc0004a2000", "0xc000999999").replace("48121", "7").replace(":212", ":213");
        let lines = vec![
            line(10, "orch-1", "A", GO),
            line(1_010, "orch-1", "A", GO),
            line(1_040, "mrg-api-2", "B", &other),
            line(1_050, "mrg-api-2", "B", "at a.b.C(D.java:1)"),
            line(1_060, "mrg-api-2", "C", ""),
        ];
        let mut store = Store::default();
        store.apply(&Batch { source: "logs".into(), seq: 1, seen: Stamp(0), facts: vec![Fact::Lines(lines)] });
        let span = |from, to| Span::new(Stamp::from_secs(from), Stamp::from_secs(to));
        let got = traces(&store, span(1_000, 1_100), Some(span(0, 100)));
        let short: Vec<_> = got.iter().map(|t| (t.lines, t.normal, t.orders, t.services.len())).collect();
        assert_eq!(short, [(2, Some(1.0), 2, 2), (1, Some(0.0), 1, 1)]);
        assert_eq!((got[0].first, got[0].last), (Stamp::from_secs(1_010), Stamp::from_secs(1_040)));
        assert_eq!((got[0].trend.iter().sum::<u32>(), got[0].says.raw()), (2, "acquire timeout 1010"));
        assert!(traces(&store, span(1_000, 1_100), None).iter().all(|t| t.normal.is_none()));
    }
}
