//! Log lines by what they say, counted once for all rules. A line is judged by its template, and a template
//! once: a hundred thousand lines are a few hundred templates.

use crate::analysis::pattern::family;
use crate::model::log::Level;
use crate::model::{Lapse, Span, Stamp};
use crate::store::Store;
use crate::store::miner::ShapeId;
use crate::store::template::TemplateId;
use std::collections::{BTreeMap, HashMap};

/// What a line says, as bits: a line may say several things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Says(u32);

impl Says {
    /// No connection from a pool in time.
    pub const POOL: Self = Self(1);
    /// A deadline that is not a pool's.
    pub const DEADLINE: Self = Self(1 << 1);
    /// A circuit breaker refused.
    pub const BREAKER: Self = Self(1 << 2);
    /// A callback failed.
    pub const CALLBACK: Self = Self(1 << 3);
    /// A deadlock, or a transaction that could not be serialised.
    pub const DEADLOCK: Self = Self(1 << 4);
    /// The other side refused the connection.
    pub const REFUSED: Self = Self(1 << 5);
    /// The network failed.
    pub const NETWORK: Self = Self(1 << 6);
    /// A key or a sequence ran into itself.
    pub const DUPLICATE: Self = Self(1 << 7);
    /// A state machine met a state it did not expect.
    pub const STATE: Self = Self(1 << 8);
    /// The gateway was slow or failed.
    pub const GATEWAY: Self = Self(1 << 9);
    /// A sequence has no more numbers.
    pub const SEQUENCE: Self = Self(1 << 10);
    /// A program fell over its own code.
    pub const PANIC: Self = Self(1 << 11);
    /// Memory ran short: the collector at work, or the kernel.
    pub const MEMORY: Self = Self(1 << 12);
    /// How long the gateway took, with a number.
    const GATEWAY_TOOK: Self = Self(1 << 13);
    /// The four words people search for first.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("timeout", Self(1 << 16)),
        ("connection", Self(1 << 17)),
        ("circuit", Self(1 << 18)),
        ("payment", Self(1 << 19)),
    ];

    /// All the bits there are, for counting.
    const EACH: [Self; 17] = [
        Self::POOL,
        Self::DEADLINE,
        Self::BREAKER,
        Self::CALLBACK,
        Self::DEADLOCK,
        Self::REFUSED,
        Self::NETWORK,
        Self::DUPLICATE,
        Self::STATE,
        Self::GATEWAY,
        Self::SEQUENCE,
        Self::PANIC,
        Self::MEMORY,
        Self::WORDS[0].1,
        Self::WORDS[1].1,
        Self::WORDS[2].1,
        Self::WORDS[3].1,
    ];

    /// Whether it says any of `other`.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Judges the words of a message.
    pub fn of(message: &str) -> Self {
        let text = message.to_lowercase();
        let any = |words: &[&str]| words.iter().any(|w| text.contains(w));
        let late = any(&["timeout", "timed out", "time-out", "deadline", "exceeded"]);
        let pool =
            any(&["remaining connection slots", "too many clients", "too many connections", "no connection within"])
                || (any(&["acquire", "pool", "checkout"])
                    && (late || any(&["no connection", "no free", "no idle", "exhaust", "starv"])));
        let failed =
            late || any(&["fail", "error", "refus", "gave up", "giving up", "reject", "dead letter", "unavailable"]);
        let breaker = any(&["circuit", "breaker"]) && any(&["open", "tripped", "reject", "refus"]);
        let mut says = Self::default();
        let mut put = |holds: bool, bit: Self| says = if holds { says.and(bit) } else { says };
        put(pool, Self::POOL);
        put(
            !pool
                && !breaker
                && (any(&["deadline exceeded", "client.timeout", "i/o timeout", "request timeout", "timed out"])
                    || (late && any(&["timeout exceeded", "timeout awaiting", "timeout while"]))),
            Self::DEADLINE,
        );
        put(breaker, Self::BREAKER);
        put(failed && any(&["callback", "webhook", "notify ho", "notification to ho"]), Self::CALLBACK);
        put(any(&["deadlock", "could not serialize"]), Self::DEADLOCK);
        put(any(&["connection refused"]), Self::REFUSED);
        put(
            any(&[
                "dial tcp",
                "connection reset",
                "no such host",
                "broken pipe",
                "network is unreachable",
                "no route to host",
            ]),
            Self::NETWORK,
        );
        put(any(&["duplicate key", "nextval", "reached maximum value"]), Self::DUPLICATE);
        put(any(&["reached maximum value", "sequence exhausted", "out of sequence values"]), Self::SEQUENCE);
        put(any(&["panic", "nil pointer", "index out of range"]), Self::PANIC);
        put(text.starts_with("gc:") || any(&["out of memory", "oomkilled", "oom-killed", "gc overhead"]), Self::MEMORY);
        put(text.contains("gateway") && any(&["answered in", "took"]), Self::GATEWAY_TOOK);
        put(any(&["unexpected state", "illegal transition", "invalid transition", "invalid state"]), Self::STATE);
        put((late || any(&["fail", "error", "unavailable"])) && any(&["gateway", "acquirer"]), Self::GATEWAY);
        for (word, bit) in Self::WORDS {
            put(text.contains(word), bit);
        }
        says
    }
}

/// What the lines of a stretch say.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// Lines read at all.
    pub total: usize,
    /// ERROR and FATAL.
    pub errors: usize,
    /// Minutes of the stretch.
    pub minutes: usize,
    /// Minutes with any line.
    pub covered: usize,
    /// Minutes with lines, by service without its replica number.
    pub services: BTreeMap<String, usize>,
    /// Lines with a stack trace.
    pub stacks: usize,
    /// ERROR lines by template.
    pub error_templates: HashMap<TemplateId, usize>,
    /// The newest line.
    pub newest: Option<Stamp>,
    by_word: Vec<ByWord>,
    /// Seconds the gateway took, as its lines say: the longest of each minute that has one.
    gateway: Vec<Option<f64>>,
}

/// Lines that say one thing.
#[derive(Clone, Debug, Default)]
struct ByWord {
    total: usize,
    with_order: usize,
    first: Option<Stamp>,
    last: Option<Stamp>,
    by_minute: Vec<u32>,
}

/// What an order's lines say together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// Everything its lines say.
    pub says: Says,
    /// Whether one of them is an error.
    pub error: bool,
}

impl Lines {
    /// Reads the lines of `span`; of orders in `wanted` it is kept what their lines say.
    pub fn read<'s>(store: &'s Store, span: Span, wanted: &mut HashMap<&'s str, Told>) -> Self {
        let minute = Lapse::minutes(1).0;
        let minutes = ((span.length().0 + minute - 1) / minute).clamp(1, 100_000) as usize;
        let by_word = vec![ByWord { by_minute: vec![0; minutes], ..ByWord::default() }; Says::EACH.len()];
        let mut out = Self { minutes, by_word, gateway: vec![None; minutes], ..Self::default() };
        // By shape: what its words say, and its ERROR lines.
        let mut judged: Vec<Option<Says>> = Vec::new();
        let mut errors: Vec<usize> = Vec::new();
        let mut any = vec![false; minutes];
        let mut services: HashMap<&str, (usize, Option<usize>)> = HashMap::new();
        // Lines come in runs of one service in one minute; those need no second look.
        let mut before: Option<(&str, usize)> = None;
        for kept in store.logs.within(span) {
            let line = &kept.line;
            let minute = (line.at.since(span.from).0 / Lapse::minutes(1).0) as usize;
            let shape = kept.shape as usize;
            if judged.len() <= shape {
                judged.resize(shape + 1, None);
                errors.resize(shape + 1, 0);
            }
            let says = *judged[shape].get_or_insert_with(|| Says::of(line.message.raw()));
            out.total += 1;
            out.newest = Some(line.at);
            out.stacks += usize::from(!line.stack.is_empty());
            if let Some(slot) = any.get_mut(minute) {
                *slot = true;
            }
            if before != Some((&line.service, minute)) {
                before = Some((&line.service, minute));
                let seen = services.entry(family(&line.service)).or_default();
                if seen.1 != Some(minute) {
                    *seen = (seen.0 + 1, Some(minute));
                }
            }
            if line.level >= Level::Error {
                out.errors += 1;
                errors[shape] += 1;
            }
            if says.has(Says::GATEWAY_TOOK)
                && let (Some(ms), Some(slot)) = (milliseconds(line.message.raw()), out.gateway.get_mut(minute))
            {
                *slot = Some(slot.unwrap_or(0.0).max(ms / 1_000.0));
            }
            if says != Says::default() {
                out.add(says, line.at, minute, line.order.is_some());
            }
            if let Some(told) = line.order.as_deref().and_then(|o| wanted.get_mut(o)) {
                // The highest bit says only that there was a line at all.
                told.says = told.says.and(says).and(Self::ANY);
                told.error |= line.level >= Level::Error;
            }
        }
        let named = errors.into_iter().enumerate().filter(|(_, n)| *n > 0);
        for (shape, n) in named {
            *out.error_templates.entry(store.logs.template_of_shape(shape as ShapeId)).or_default() += n;
        }
        out.covered = any.iter().filter(|m| **m).count();
        out.services = services.into_iter().map(|(name, (n, _))| (name.to_owned(), n)).collect();
        out
    }

    /// Set for an order that has any line.
    pub const ANY: Says = Says(1 << 31);

    fn add(&mut self, says: Says, at: Stamp, minute: usize, ordered: bool) {
        for (bit, word) in Says::EACH.iter().zip(&mut self.by_word) {
            if says.has(*bit) {
                word.total += 1;
                word.with_order += usize::from(ordered);
                word.first.get_or_insert(at);
                word.last = Some(at);
                if let Some(slot) = word.by_minute.get_mut(minute) {
                    *slot += 1;
                }
            }
        }
    }

    fn word(&self, says: Says) -> Option<&ByWord> {
        Says::EACH.iter().position(|s| *s == says).and_then(|i| self.by_word.get(i))
    }
    /// Lines that say it.
    pub fn count(&self, says: Says) -> usize {
        self.word(says).map_or(0, |w| w.total)
    }
    /// Lines that say it and name an order.
    pub fn with_order(&self, says: Says) -> usize {
        self.word(says).map_or(0, |w| w.with_order)
    }
    /// The first line that says it.
    pub fn first(&self, says: Says) -> Option<Stamp> {
        self.word(says).and_then(|w| w.first)
    }
    /// The last line that says it.
    pub fn last(&self, says: Says) -> Option<Stamp> {
        self.word(says).and_then(|w| w.last)
    }
    /// Minutes with a line that says it, and the most lines in one minute.
    pub fn minutes_of(&self, says: Says) -> (usize, u32) {
        let by_minute = self.word(says).map_or(&[][..], |w| &w.by_minute);
        (by_minute.iter().filter(|n| **n > 0).count(), by_minute.iter().copied().max().unwrap_or(0))
    }
    /// Seconds the gateway took, as its own lines say: the longest of each minute.
    pub fn gateway(&self) -> &[Option<f64>] {
        &self.gateway
    }
    /// Lines that say it in a stretch of minutes of the one that was read.
    pub fn in_minutes(&self, says: Says, minutes: std::ops::Range<usize>) -> usize {
        let by_minute = self.word(says).map_or(&[][..], |w| &w.by_minute);
        let of = by_minute.iter().take(minutes.end).skip(minutes.start);
        of.map(|n| *n as usize).sum()
    }
    /// Percent of the stretch's minutes that have any line.
    pub fn coverage(&self) -> f64 {
        100.0 * self.covered as f64 / self.minutes.max(1) as f64
    }
}

/// The number that stands before `ms`.
fn milliseconds(text: &str) -> Option<f64> {
    let digits = |end: usize| text.get(..end)?.rsplit(|c: char| !c.is_ascii_digit()).next();
    text.match_indices("ms").find_map(|(i, _)| digits(i)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pools_deadline_is_told_apart_from_a_callees() {
        for (message, says) in [
            ("pool mrg: no connection within 5000ms (in_use=20 max=20)", Says::POOL),
            ("acquire timeout after 5000ms", Says::POOL),
            ("acquire connection: context deadline exceeded", Says::POOL),
            ("FATAL: remaining connection slots are reserved", Says::POOL),
            ("set state of ORD-1: context deadline exceeded", Says::DEADLINE),
            ("gateway call: Client.Timeout exceeded while awaiting headers", Says::DEADLINE),
            ("read tcp 10.0.0.1: i/o timeout", Says::DEADLINE),
            ("circuit breaker upg-payment is open, request refused", Says::BREAKER),
            ("callback to HO attempt 2 failed: 503", Says::CALLBACK),
            ("ERROR: deadlock detected", Says::DEADLOCK),
            ("dial tcp 10.0.0.2:80: connect: connection refused", Says::REFUSED),
        ] {
            let got = Says::of(message);
            assert!(got.has(says), "{message}");
            assert!(!(got.has(Says::POOL) && got.has(Says::DEADLINE)), "{message}");
        }
        for message in ["callback to HO accepted", "circuit breaker closed", "order ORD-1 created", "pool warmed up"] {
            let own = Says(Says::of(message).0 & 0xffff);
            assert_eq!(own, Says::default(), "{message}");
        }
    }
}
