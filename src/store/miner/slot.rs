//! Slots: what stands where a template varies, its type and its most frequent values, bounded.

/// Values remembered for each slot.
const MOST: usize = 6;
/// Longer values are cut.
const LONGEST: usize = 48;

/// What the values of a slot look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Nothing: `()`.
    Empty,
    /// `17`, `-3.5`, `0x1f`.
    Number,
    /// `17ms`, `3 sec`, `00:17`.
    Duration,
    /// `18 KB`, `403 bytes`.
    Size,
    /// `10.0.4.31:5432`.
    Address,
    /// A date, a time of day.
    Time,
    /// `/var/log/x`, `https://host/x`.
    Path,
    /// Letters and digits: `ORD-7712`, `6f1c0a2e-77aa`.
    Id,
    /// A word.
    Text,
    /// Several of these.
    Mixed,
}

impl Kind {
    /// As it stands in a template.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "<nothing>",
            Self::Number => "<n>",
            Self::Duration => "<duration>",
            Self::Size => "<size>",
            Self::Address => "<ip>",
            Self::Time => "<time>",
            Self::Path => "<path>",
            Self::Id => "<id>",
            Self::Text => "<text>",
            Self::Mixed => "<value>",
        }
    }

    /// What a value looks like.
    pub fn of(value: &[u8]) -> Self {
        let value = value.strip_prefix(b"<").or_else(|| value.strip_prefix(b">")).unwrap_or(value);
        if value.is_empty() {
            return Self::Empty;
        }
        let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
        if value.contains(&b'/') && !(digits > 0 && value.iter().all(|b| b.is_ascii_digit() || b" /.-:,".contains(b))) {
            return Self::Path;
        }
        if digits == 0 {
            return Self::Text;
        }
        let body = value.strip_prefix(b"-").or_else(|| value.strip_prefix(b"+")).unwrap_or(value);
        let number = body.iter().position(|b| !(b.is_ascii_digit() || *b == b'.')).unwrap_or(body.len());
        let (dots, rest) = (memchr::memchr_iter(b'.', &body[..number]).count(), &body[number..]);
        if number > 0 {
            if dots == 3 && (rest.is_empty() || rest.starts_with(b":") || rest.starts_with(b"/")) {
                return Self::Address;
            }
            if dots <= 1 {
                match rest.strip_prefix(b" ").unwrap_or(rest) {
                    b"" | b"%" => return Self::Number,
                    b"B" | b"KB" | b"kB" | b"MB" | b"GB" | b"KiB" | b"MiB" | b"GiB" | b"byte" | b"bytes" => {
                        return Self::Size;
                    }
                    b"ns" | b"us" | b"ms" | b"s" | b"sec" | b"secs" | b"m" | b"min" | b"h" | b"second" | b"seconds"
                    | b"minute" | b"minutes" | b"hour" | b"hours" | b"day" | b"days" => return Self::Duration,
                    x if x.first() == Some(&b'x') && body[0] == b'0' => return Self::Number,
                    x if x.contains(&b'(') && x.starts_with(b"bytes") => return Self::Size,
                    _ => {}
                }
            }
        }
        let clock = value.windows(5).any(|w| {
            w[0].is_ascii_digit()
                && w[1].is_ascii_digit()
                && w[2] == b':'
                && w[3].is_ascii_digit()
                && w[4].is_ascii_digit()
        });
        // More colons than a time with its zone has: a hardware address.
        let clock = clock && memchr::memchr_iter(b':', value).count() <= 3;
        match (clock, value.len()) {
            (true, ..=5) => Self::Duration,
            (true, _) if digits * 3 >= value.len() => Self::Time,
            _ => Self::Id,
        }
    }
}

/// The values of one place of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    kind: Option<Kind>,
    top: Vec<(Box<str>, u64)>,
    seen: u64,
    more: bool,
}

impl Slot {
    /// What its values look like.
    pub fn kind(&self) -> Kind {
        self.kind.unwrap_or(Kind::Mixed)
    }

    /// The most frequent values that were looked at, with how often, most frequent first.
    pub fn top(&self) -> &[(Box<str>, u64)] {
        &self.top
    }

    /// Lines whose value was looked at.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Whether there were more different values than are kept; counts are lower bounds then.
    pub fn more(&self) -> bool {
        self.more
    }

    pub(super) fn take(&mut self, value: &[u8]) {
        self.see(Kind::of(value));
        self.seen += 1;
        let mut cut = &value[..value.len().min(LONGEST)];
        // A cut character is no character.
        while cut.len() < value.len() && !cut.is_empty() && value[cut.len()] & 0xC0 == 0x80 {
            cut = &cut[..cut.len() - 1];
        }
        match std::str::from_utf8(cut) {
            Ok(text) => self.count(text, 1),
            Err(_) => self.count(&String::from_utf8_lossy(cut), 1),
        }
    }

    pub(super) fn take_word(&mut self, word: &str, lines: u64) {
        self.see(Kind::Text);
        self.seen += lines;
        self.count(word, lines);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if let Some(kind) = other.kind {
            self.see(kind);
        }
        self.seen += other.seen;
        self.more |= other.more;
        for (value, lines) in &other.top {
            self.count(value, *lines);
        }
    }

    fn see(&mut self, kind: Kind) {
        self.kind = Some(match self.kind {
            None | Some(Kind::Empty) => kind,
            Some(known) if known == kind || kind == Kind::Empty => known,
            Some(_) => Kind::Mixed,
        });
    }

    /// Frequent values push rare ones out, and give up a count whenever there is no room (Misra and Gries).
    fn count(&mut self, value: &str, lines: u64) {
        if let Some(at) = self.top.iter().position(|(v, _)| v.as_ref() == value) {
            self.top[at].1 += lines;
            let n = self.top[at].1;
            let to = self.top[..at].partition_point(|(_, m)| *m >= n);
            self.top[to..=at].rotate_right(1);
        } else if self.top.len() < MOST {
            let to = self.top.partition_point(|(_, m)| *m >= lines);
            self.top.insert(to, (value.into(), lines));
        } else {
            self.more = true;
            let least = self.top.last().map_or(0, |(_, n)| *n);
            let give = least.min(lines);
            for (_, n) in &mut self.top {
                *n -= give;
            }
            self.top.retain(|(_, n)| *n > 0);
            if lines > give {
                let left = lines - give;
                let to = self.top.partition_point(|(_, m)| *m >= left);
                self.top.insert(to, (value.into(), left));
            }
        }
    }
}
