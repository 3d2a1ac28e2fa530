//! The words of headings: a number in front (`3.`, `Phase 3:`, `フェーズ３：`), a priority in brackets
//! (`(HIGH Priority)`, `（高）`), in the languages people write incident notes in.
//!
//! May not know: Markdown, files.

/// A heading that begins with a number, or with one word and a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// The word before the number in lower case (`phase`), empty when there is none.
    pub word: String,
    /// The number, below 1000.
    pub number: u32,
    /// What follows the separator.
    pub rest: String,
}

/// Reads the number in front of a heading.
pub fn numbered(heading: &str) -> Option<Numbered> {
    let heading = heading.trim();
    let word: String = heading.chars().take_while(|c| c.is_alphabetic()).collect();
    let after = heading.get(word.len()..)?.trim_start().trim_start_matches('#');
    let digits: Vec<u32> = after.chars().map_while(digit).collect();
    if digits.is_empty() || digits.len() > 3 {
        return None;
    }
    let number = digits.iter().fold(0, |n, d| n * 10 + d);
    let tail: String = after.chars().skip(digits.len()).collect();
    // `第1段階：` counts with a word behind the number.
    let tail = match (word.as_str(), tail.find([':', '：'])) {
        ("第", Some(i)) => tail.get(i..)?.to_owned(),
        _ => tail,
    };
    let rest = tail.trim_start().trim_start_matches(is_separator);
    let separated = rest.len() < tail.trim_start().len();
    // Without a word a number needs its dot, and `3.5 million` or `2025-01` are not headings' numbers.
    let decimal = rest.starts_with(|c| digit(c).is_some()) && separated && !tail.contains(' ');
    let ends_well = separated || (!word.is_empty() && (tail.is_empty() || tail.starts_with(char::is_whitespace)));
    let tight_number = word.is_empty() && tail.starts_with(char::is_whitespace) && !separated;
    if !ends_well || decimal || tight_number || is_decimal(&tail) {
        return None;
    }
    Some(Numbered { word: word.to_lowercase(), number, rest: rest.trim().to_owned() })
}

/// `.5`: the number goes on.
fn is_decimal(tail: &str) -> bool {
    let mut chars = tail.chars();
    matches!((chars.next(), chars.next().and_then(digit)), (Some('.' | ','), Some(_)))
}

fn digit(c: char) -> Option<u32> {
    match c {
        '０'..='９' => Some(c as u32 - '０' as u32),
        _ => c.to_digit(10),
    }
}

const fn is_separator(c: char) -> bool {
    matches!(c, '.' | ')' | ':' | '-' | '–' | '—' | '．' | '、' | '）' | '：' | '·' | '|')
}

/// Stems of "hypothesis"; a heading `Hipótesis 2: …` is one even without a priority.
const HYPOTHESIS: &[&str] =
    &["hypoth", "hypotes", "hipot", "hipót", "ipotes", "гипот", "仮説", "假设", "假設", "가설", "فرضية"];

/// Whether the word before a number means a hypothesis: `H2`, `Hypothese 2`, `仮説2`.
pub fn means_hypothesis(word: &str) -> bool {
    word.is_empty() || word == "h" || HYPOTHESIS.iter().any(|stem| word.starts_with(stem))
}

/// Whether the word alone says hypothesis, so that no priority is needed to know it.
pub fn says_hypothesis(word: &str) -> bool {
    !word.is_empty() && word != "h" && means_hypothesis(word)
}

/// A priority as written, as points, and the heading without it.
#[derive(Clone, Debug, PartialEq)]
pub struct Priority {
    /// `MEDIUM-HIGH`.
    pub written: String,
    /// From 0 to 1.
    pub prior: f64,
    /// The heading's words without the brackets the priority stood in.
    pub title: String,
}

/// Points of an unknown priority: as much as MEDIUM.
pub const UNKNOWN: f64 = 0.4;

/// Words of each rank, lower case. Tenths, so that two words can be averaged without rounding surprises.
const RANKS: &[(u32, &[&str])] = &[
    (
        9,
        &[
            "urgent",
            "urgente",
            "mendesak",
            "critical",
            "kritis",
            "crítica",
            "crítico",
            "critica",
            "critico",
            "critique",
            "kritisch",
            "dringend",
            "blocker",
            "緊急",
            "紧急",
            "최우선",
            "критический",
            "срочно",
            "p0",
            "sev0",
        ],
    ),
    (
        8,
        &[
            "high",
            "tinggi",
            "alta",
            "alto",
            "haute",
            "haut",
            "élevée",
            "élevé",
            "hoch",
            "hohe",
            "hoher",
            "hoog",
            "wysoki",
            "wysoka",
            "yüksek",
            "cao",
            "высокий",
            "высокая",
            "高",
            "높음",
            "p1",
            "sev1",
        ],
    ),
    (6, &["p2", "sev2"]),
    (
        4,
        &[
            "medium",
            "med",
            "sedang",
            "menengah",
            "media",
            "medio",
            "média",
            "médio",
            "moyenne",
            "moyen",
            "mittel",
            "mittlere",
            "mittlerer",
            "middel",
            "gemiddeld",
            "średni",
            "orta",
            "средний",
            "средняя",
            "normal",
            "moderate",
            "中",
            "보통",
            "p3",
            "sev3",
        ],
    ),
    (
        1,
        &[
            "low",
            "rendah",
            "baja",
            "bajo",
            "baixa",
            "baixo",
            "bassa",
            "basso",
            "basse",
            "faible",
            "niedrig",
            "niedrige",
            "gering",
            "laag",
            "niski",
            "düşük",
            "thấp",
            "низкий",
            "низкая",
            "低",
            "낮음",
            "p4",
            "sev4",
        ],
    ),
];

fn rank(word: &str) -> Option<u32> {
    let word = word.to_lowercase();
    let word = ["優先度", "优先级", "優先", "우선순위"].iter().fold(word.as_str(), |w, p| w.trim_start_matches(p));
    RANKS.iter().find(|(_, words)| words.contains(&word)).map(|(points, _)| *points)
}

/// Finds the priority of a heading: in brackets, or behind the last dash or colon.
pub fn priority(heading: &str) -> Option<Priority> {
    for (open, close) in [('(', ')'), ('（', '）'), ('[', ']'), ('【', '】')] {
        let Some(end) = heading.rfind(close) else { continue };
        let Some(start) = heading.get(..end).and_then(|h| h.rfind(open)) else { continue };
        let inner = heading.get(start + open.len_utf8()..end).unwrap_or_default();
        if let Some((written, prior)) = weigh(inner) {
            let before = heading.get(..start).unwrap_or_default().trim_end();
            let after = heading.get(end + close.len_utf8()..).unwrap_or_default().trim();
            let title =
                if after.is_empty() { before.to_owned() } else { format!("{before} {after}").trim().to_owned() };
            return Some(Priority { written, prior, title });
        }
    }
    let at = heading.rfind([':', '—', '–', '：']).or_else(|| heading.rfind(" - ").map(|i| i + 1))?;
    let tail = heading.get(at..)?.trim_start_matches(is_separator);
    let all_ranked = tail.split_whitespace().all(|w| w.split(['-', '/']).any(|p| rank(p).is_some()));
    let (written, prior) = weigh(tail).filter(|_| all_ranked)?;
    Some(Priority { written, prior, title: heading.get(..at)?.trim().to_owned() })
}

/// The ranked words of `HIGH Priority` or `MEDIUM-HIGH`; two words are averaged down to a fifth, so that
/// LOW-MEDIUM is 0.2 and MEDIUM-HIGH 0.6.
fn weigh(inner: &str) -> Option<(String, f64)> {
    let mut written = Vec::new();
    let mut points = Vec::new();
    for token in inner.split(|c: char| c.is_whitespace() || matches!(c, ':' | '：' | ',' | '、')) {
        let ranks: Vec<u32> = token.split(['-', '/', '–', '〜', '~']).filter_map(rank).collect();
        if !ranks.is_empty() {
            written.push(token);
            points.extend(ranks);
        }
    }
    let prior = match points.as_slice() {
        [] => return None,
        [one] => f64::from(*one) / 10.0,
        many => f64::from(many.iter().sum::<u32>() / many.len() as u32 / 2 * 2) / 10.0,
    };
    Some((written.join("-"), prior))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(heading: &str) -> Option<(String, u32, String)> {
        numbered(heading).map(|n| (n.word, n.number, n.rest))
    }

    #[test]
    fn numbers_are_found_before_titles_of_many_languages() {
        let cases = [
            ("1. Pool Exhaustion (HIGH Priority)", "", 1, "Pool Exhaustion (HIGH Priority)"),
            ("2) Callback", "", 2, "Callback"),
            ("Phase 1: Data Collection (URGENT)", "phase", 1, "Data Collection (URGENT)"),
            ("Fase 2 Análisis", "fase", 2, "Análisis"),
            ("Étape 3 : Remédiation", "étape", 3, "Remédiation"),
            ("フェーズ１：データ収集（緊急）", "フェーズ", 1, "データ収集（緊急）"),
            ("第2段階：分析", "第", 2, "分析"),
            ("仮説3：タイムアウト", "仮説", 3, "タイムアウト"),
            ("H4 – Timeout", "h", 4, "Timeout"),
            ("Hypothese #5: Wettlauf", "hypothese", 5, "Wettlauf"),
        ];
        for (heading, word, n, rest) in cases {
            assert_eq!(number(heading), Some((word.to_owned(), n, rest.to_owned())), "{heading}");
        }
    }

    #[test]
    fn years_decimals_and_plain_words_are_no_numbers() {
        for heading in
            ["2025-01-12 Traffic", "3.5 million users", "77k users", "Next Steps", "12 January", "", "1.5x load"]
        {
            assert_eq!(number(heading), None, "{heading}");
        }
    }

    #[test]
    fn priorities_are_weighed_in_any_language() {
        let cases = [
            ("Pool (HIGH Priority)", "HIGH", 0.8, "Pool"),
            ("Callback (MEDIUM-HIGH Priority)", "MEDIUM-HIGH", 0.6, "Callback"),
            ("Breaker (MEDIUM Priority)", "MEDIUM", 0.4, "Breaker"),
            ("Race (LOW-MEDIUM Priority)", "LOW-MEDIUM", 0.2, "Race"),
            ("Pool (prioritas TINGGI)", "TINGGI", 0.8, "Pool"),
            ("Pool (RENDAH)", "RENDAH", 0.1, "Pool"),
            ("Agotamiento (prioridad alta)", "alta", 0.8, "Agotamiento"),
            ("接続プール枯渇（優先度：高）", "高", 0.8, "接続プール枯渇"),
            ("タイムアウト（優先度中）", "優先度中", 0.4, "タイムアウト"),
            ("Zeitüberschreitung [P2]", "P2", 0.6, "Zeitüberschreitung"),
            ("Collect — URGENT", "URGENT", 0.9, "Collect"),
        ];
        for (heading, written, prior, title) in cases {
            let p = priority(heading).unwrap_or_else(|| panic!("{heading}"));
            assert_eq!((p.written.as_str(), p.title.as_str()), (written, title), "{heading}");
            assert!((p.prior - prior).abs() < 1e-9, "{heading}: {}", p.prior);
        }
    }

    #[test]
    fn brackets_without_a_priority_are_part_of_the_title() {
        assert_eq!(priority("Lock contention (deadlocks)"), None);
        assert_eq!(priority("Database: high water mark of locks"), None);
        assert_eq!(priority("Next Steps"), None);
    }
}
