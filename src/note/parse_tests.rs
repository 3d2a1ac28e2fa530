//! The shapes of notes that must be understood, and those that must not confuse.

use super::*;

fn texts(note: &Note) -> Vec<&str> {
    note.items.iter().map(|i| i.text.raw()).collect()
}

fn marks_stand_between_brackets(note: &Note, text: &str) {
    for item in &note.items {
        let bytes = text.as_bytes();
        assert_eq!((bytes[item.mark - 1], bytes[item.mark + 1]), (b'[', b']'), "{}", item.text.raw());
        assert_eq!(item.ticked, matches!(bytes[item.mark], b'x' | b'X'));
    }
}

const BUNDLED: &str = include_str!("../../assets/incident-note.md");

#[test]
fn the_bundled_note_has_every_part_of_an_incident_note() {
    let note = parse("note.md", BUNDLED);
    marks_stand_between_brackets(&note, BUNDLED);
    assert_eq!(note.items.len(), 66);
    assert_eq!((note.hypotheses.len(), note.phases.len(), note.areas.len(), note.others.len()), (5, 5, 5, 2));
    let priors: Vec<(u32, &str, f64)> = note.hypotheses.iter().map(|h| (h.number, h.priority.raw(), h.prior)).collect();
    assert_eq!(
        priors,
        [(1, "HIGH", 0.8), (2, "MEDIUM-HIGH", 0.6), (3, "MEDIUM", 0.4), (4, "MEDIUM", 0.4), (5, "LOW-MEDIUM", 0.2)]
    );
    assert!(note.hypotheses.iter().all(|h| h.items.len() == 3 && !h.reasoning.is_empty()));
    assert_eq!(note.phases.iter().map(|p| p.items.len()).collect::<Vec<_>>(), [5, 4, 4, 3, 5]);
    assert_eq!(note.areas.iter().map(|p| p.items.len()).collect::<Vec<_>>(), [5, 5, 4, 5, 3]);
    assert_eq!(note.others.iter().map(|p| p.items.len()).collect::<Vec<_>>(), [4, 4]);
    assert_eq!(note.questions.len(), 9);
    assert_eq!(note.status.as_ref().map(Untrusted::raw), Some("investigating"));
    assert_eq!(note.severity.as_ref().map(Untrusted::raw), Some("high"));
    assert_eq!(note.date.as_ref().map(Untrusted::raw), Some("2025-01-12"));
    let ids: BTreeSet<&ItemId> = note.items.iter().map(|i| &i.id).collect();
    assert_eq!(ids.len(), 66);
}

#[test]
fn every_checkbox_of_the_bundled_note_is_in_exactly_one_part() {
    let note = parse("note.md", BUNDLED);
    let sections = note.phases.iter().chain(&note.areas).chain(&note.others);
    let mut seen: Vec<usize> = note.hypotheses.iter().flat_map(|h| h.items.clone()).collect();
    seen.extend(sections.flat_map(|s| s.items.clone()));
    seen.sort_unstable();
    assert_eq!(seen, (0..66).collect::<Vec<_>>());
}

const SPANISH: &str = "\
---\nseverity: crítica\ndate: 2025-03-02\n---\n# Pagos duplicados\n\n## Hipótesis\n\n\
### 1. Bloqueos en la base (prioridad ALTA)\nRazón: la cola creció. Nada más.\n\n- [ ] Revisar bloqueos\n- [X] Revisar espera\n\n\
### 2. Reintentos sin idempotencia (prioridad MEDIA)\n\n* [ ] Contar reintentos\n\n\
## Plan\n\n### Fase 1: Recolectar (URGENTE)\n1. [ ] Exportar registros\n2. [ ] Exportar pagos\n\n### Fase 2: Analizar\n+ [ ] Cruzar datos\n\n\
## Áreas\n### Servicio A\n- [ ] uno\n### Servicio B\n- [ ] dos\n\n\
## Preguntas\n\n**Negocio**\n\n- ¿Hubo una campaña?\n- Sin pregunta.\n\n**Operaciones:**\n\n- ¿Sonó la alarma? ¿Quién respondió?\n";

#[test]
fn a_spanish_note_is_understood() {
    let note = parse("x.md", SPANISH);
    marks_stand_between_brackets(&note, SPANISH);
    assert_eq!(
        note.hypotheses.iter().map(|h| (h.priority.raw(), h.prior)).collect::<Vec<_>>(),
        [("ALTA", 0.8), ("MEDIA", 0.4)]
    );
    assert_eq!(note.hypotheses[0].title.raw(), "Bloqueos en la base");
    assert_eq!(note.hypotheses[0].reasoning.raw(), "Razón: la cola creció.");
    assert_eq!(
        note.phases.iter().map(|p| (p.number, p.title.raw(), p.items.len())).collect::<Vec<_>>(),
        [(Some(1), "Recolectar", 2), (Some(2), "Analizar", 1)]
    );
    assert_eq!(note.areas.iter().map(|a| a.title.raw()).collect::<Vec<_>>(), ["Servicio A", "Servicio B"]);
    let questions: Vec<(&str, &str)> = note.questions.iter().map(|q| (q.group.raw(), q.text.raw())).collect();
    assert_eq!(
        questions,
        [("Negocio", "¿Hubo una campaña?"), ("Operaciones", "¿Sonó la alarma?"), ("Operaciones", "¿Quién respondió?")]
    );
}

#[test]
fn a_japanese_note_is_understood() {
    let text = "# 注文滞留\n\n## 仮説\n### 1. 接続プール枯渇（優先度：高）\n- [ ] プールの指標を確認\n### 2. コールバック失敗（優先度：中）\n- [x] 再送を確認\n\n## 手順\n### フェーズ１：収集（緊急）\n- [ ] ログ\n### フェーズ２：分析（低）\n- [ ] 相関\n\n## 関係者への質問\n- 変更はありましたか？\n";
    let note = parse("n.md", text);
    marks_stand_between_brackets(&note, text);
    assert_eq!(
        note.hypotheses.iter().map(|h| (h.number, h.title.raw(), h.prior)).collect::<Vec<_>>(),
        [(1, "接続プール枯渇", 0.8), (2, "コールバック失敗", 0.4)]
    );
    assert_eq!(
        note.phases.iter().map(|p| (p.number, p.priority.raw())).collect::<Vec<_>>(),
        [(Some(1), "緊急"), (Some(2), "低")]
    );
    assert_eq!(note.questions[0].group.raw(), "関係者への質問");
}

#[test]
fn a_german_note_without_a_title_and_with_underlined_headings_is_understood() {
    let text = "Ursachen\n========\n\nHypothese 1: Sperren (hoch)\n---\n\n- [ ] Sperren prüfen\n\nHypothese 2: Zeitüberschreitung\n---\n\n- [ ] Werte lesen\n\nPlan\n====\n\n## Schritt 1 – Sammeln\n- [ ] a\n## Schritt 2 – Auswerten (dringend)\n- [ ] b\n";
    let note = parse("n.md", text);
    assert_eq!(
        note.hypotheses.iter().map(|h| (h.number, h.title.raw(), h.priority.raw(), h.prior)).collect::<Vec<_>>(),
        [(1, "Sperren", "hoch", 0.8), (2, "Zeitüberschreitung", "", 0.4)]
    );
    assert_eq!(note.phases.iter().map(|p| p.title.raw()).collect::<Vec<_>>(), ["Sammeln", "Auswerten"]);
    assert_eq!(
        note.items[0].path.iter().map(Untrusted::raw).collect::<Vec<_>>(),
        ["Ursachen", "Hypothese 1: Sperren (hoch)"]
    );
}

#[test]
fn fences_code_html_and_other_brackets_are_no_checkboxes() {
    let text = "# T\n```\n- [ ] in a fence\n## 1. No heading (HIGH)\n```\n\n    - [ ] indented code\n\n<!--\n- [ ] commented out\n-->\n\n<div>\n- [ ] html\n</div>\n\n`- [ ] code`\n- [link](x)\n- [-] dropped\n- [] empty\n- [ ]no blank\n\\- [ ] escaped\n\n- [ ] real\n";
    let note = parse("n", text);
    assert_eq!(texts(&note), ["real"]);
    assert!(note.hypotheses.is_empty());
}

#[test]
fn nesting_quotes_tabs_and_every_bullet_keep_their_bytes() {
    let text = "- [ ] outer `code` *words*\n  goes on\n\t- [x] inner\n\n\t  second paragraph\n* [X] star\n1. [ ] one\n2) [ ] two\n> - [ ] quoted\n>   - [ ] deeper\n-\t[ ] tab\n- [ ] last";
    let note = parse("n", text);
    marks_stand_between_brackets(&note, text);
    assert_eq!(
        texts(&note),
        ["outer code words goes on", "inner", "star", "one", "two", "quoted", "deeper", "tab", "last"]
    );
    assert_eq!(note.items.iter().filter(|i| i.ticked).count(), 2);
    assert_eq!(note.items.iter().map(|i| i.line).collect::<Vec<_>>(), [1, 3, 6, 7, 8, 9, 10, 11, 12]);
    assert_eq!(note.others.len(), 1);
    assert_eq!(note.others[0].title.raw(), "n");
}

#[test]
fn line_ends_and_a_byte_order_mark_do_not_matter() {
    let text = "# T\n## A\n- [ ] one\n- [x] two\n";
    let plain = parse("n", text);
    for other in [text.replace('\n', "\r\n"), format!("\u{feff}{text}"), text.trim_end().to_owned()] {
        let note = parse("n", &other);
        marks_stand_between_brackets(&note, &other);
        assert_eq!(texts(&note), texts(&plain));
        assert_eq!(
            note.items.iter().map(|i| (&i.id, i.line)).collect::<Vec<_>>(),
            plain.items.iter().map(|i| (&i.id, i.line)).collect::<Vec<_>>()
        );
    }
}

#[test]
fn names_survive_edits_elsewhere_and_tell_equal_words_apart() {
    let before = parse("n", "# T\n## A\n- [ ] check\n- [ ] check\n## B\n- [ ] check\n");
    let after = parse(
        "n",
        "# T\nnew words\n## A\n- [ ] new\n- [x] check\n  - evidence\n- [ ] check\n## C\n## B\n- [ ] check\n",
    );
    let kept: Vec<&ItemId> = after.items.iter().filter(|i| i.text.raw() == "check").map(|i| &i.id).collect();
    assert_eq!(before.items.iter().map(|i| &i.id).collect::<Vec<_>>(), kept);
    assert_eq!(kept.iter().collect::<BTreeSet<_>>().len(), 3);
}

#[test]
fn questions_are_sentences_of_people_not_of_quotes_code_or_checkboxes() {
    let text = "# T\nWhat broke? We do not know. https://x.test/?a=b is a page.\n\n> Did you try turning it off?\n\n`why?`\n\n```\nwhy?\n```\n- [ ] Is this one?\n- ???\n- Ops:\n  - Who is on call?\n- evidence (warroom 2025): was it 5?\n";
    let note = parse("n", text);
    let questions: Vec<(&str, &str, usize)> =
        note.questions.iter().map(|q| (q.group.raw(), q.text.raw(), q.line)).collect();
    assert_eq!(questions[0], ("T", "What broke?", 2));
    assert!(questions.contains(&("Ops", "Who is on call?", 14)));
    assert!(!questions.iter().any(|q| q.1.contains("turning") || q.1.contains("this one") || q.1.contains("was it")));
}

#[test]
fn texts_without_structure_are_notes_without_items() {
    for text in ["", "\n", "just words", "---", "---\n---\n", "#", "- [ ]", "\u{feff}", "- [ ] ", "[ ] x"] {
        let note = parse("a.md", text);
        assert!(note.items.len() <= 1, "{text:?}");
        marks_stand_between_brackets(&note, text);
    }
    assert_eq!(parse("a.md", "").title.raw(), "a");
}

#[test]
fn a_huge_note_is_read_once_not_once_for_each_heading() {
    let mut text = String::from("# T\n");
    for i in 0..5_000 {
        write!(text, "## Area {i} about things\n- [ ] one\n- [ ] two\n").unwrap();
    }
    let note = parse("n", &text);
    assert_eq!(note.items.len(), 10_000);
    assert_eq!(note.items[9_999].line, 15_001);
}
