//! Texts as endpoints write them, as the two formats allow them, and as nobody should.

use super::*;
use proptest::prelude::*;

type Seen = Vec<(String, Vec<(String, String)>, String, Option<i64>)>;

fn seen(text: &str, format: Format) -> (Seen, Report) {
    let mut out = Vec::new();
    let report = read(text, format, |s| {
        let labels = s.labels()?.into_iter().map(|(n, v)| (n.to_owned(), v.into_owned())).collect();
        out.push((s.name.to_owned(), labels, s.value.to_string(), s.at.map(|t| t.0)));
        Ok(())
    });
    (out, report)
}

fn label(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn samples_with_and_without_labels_and_timestamps() {
    let text = "# HELP requests All that came in.\n# TYPE requests counter\n\
                requests_total{code=\"200\",method=\"get\"} 1027 1395066363000\n\
                requests_total { code = \"400\" , } 3\r\n\
                \n  up 1\nratio 1.5e-3\nhot{} +Inf\ncold -Inf\nunknown NaN\n";
    let (seen, report) = seen(text, Format::Text);
    assert_eq!(report, Report { samples: 7, ..Report::default() });
    assert_eq!(seen[0].1, [label("code", "200"), label("method", "get")]);
    assert_eq!((seen[0].2.as_str(), seen[0].3), ("1027", Some(1_395_066_363_000_000)));
    assert_eq!(seen[1].1, [label("code", "400")]);
    let values: Vec<&str> = seen.iter().map(|s| s.2.as_str()).collect();
    assert_eq!(values, ["1027", "3", "1", "0.0015", "inf", "-inf", "NaN"]);
}

#[test]
fn escapes_braces_and_commas_inside_a_value_belong_to_it() {
    let text = r#"path{p="C:\\a\n{\"b\",c=}",q="\x"} 1"#;
    let (seen, report) = seen(text, Format::Text);
    assert_eq!(report.broken, 0);
    assert_eq!(seen[0].1, [label("p", "C:\\a\n{\"b\",c=}"), label("q", "\\x")]);
}

#[test]
fn openmetrics_has_seconds_exemplars_units_and_an_end() {
    let text = "# TYPE wait histogram\n# UNIT wait seconds\n\
                wait_bucket{le=\"0.1\"} 8 # {trace_id=\"abc} # 1\"} 0.067 1520879607.789\n\
                wait_bucket{le=\"+Inf\"} 9 1520879607.5 # {} 2\nwait_created 1520430000.123\n# EOF\n";
    let (seen, report) = seen(text, Format::OpenMetrics);
    assert_eq!(report, Report { samples: 3, ended: true, ..Report::default() });
    assert_eq!((seen[0].2.as_str(), seen[0].3), ("8", None));
    assert_eq!(seen[1].3, Some(1_520_879_607_500_000));
}

#[test]
fn a_name_in_quotes_is_a_name() {
    let (seen, report) = seen("{\"pgxpool.acquires\", pool=\"mrg\"} 5\n{\"alone\"} 6\n", Format::Text);
    assert_eq!(report.broken, 0);
    assert_eq!((seen[0].0.as_str(), seen[0].1.clone()), ("pgxpool.acquires", vec![label("pool", "mrg")]));
    assert_eq!(seen[1].0, "alone");
}

#[test]
fn every_broken_line_is_counted_and_the_first_is_named_with_its_number() {
    let broken = [
        ("good 1\nbad{a=\"b\" 1\ngood 2\n", 2, "its labels are not closed"),
        ("bad{a=b} 1\n", 1, "a label's value has no quotes"),
        ("bad{a=\"b\"c=\"d\"} 1\n", 1, "its labels are not separated"),
        ("bad{a} 1\n", 1, "a label has no value"),
        ("\n\nbad\n", 3, "it has no value"),
        ("bad one\n", 1, "its value is no number"),
        ("bad 1 soon\n", 1, "its timestamp is none"),
        ("bad 1 2 3\n", 1, "something stands behind its timestamp"),
        ("7up 1\n", 1, "its name is none"),
        ("{a=\"b\"} 1\n", 1, "it has no name"),
        ("# EOF\nmore 1\n", 2, "stands behind # EOF"),
        ("<html><body>Sign in</body></html>\n", 1, "its name is none"),
    ];
    for (text, line, why) in broken {
        let (_, report) = seen(text, Format::Text);
        assert_eq!((report.broken, report.first_broken), (1, Some((line, why))), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in "([a-z_{}\"\\\\=,# 0-9.\n-]|\\PC){0,200}") {
        for format in [Format::Text, Format::OpenMetrics] {
            let (out, report) = seen(&text, format);
            prop_assert_eq!(out.len(), report.samples);
        }
    }

    #[test]
    fn what_is_written_is_read(
        name in "[a-zA-Z_:][a-zA-Z0-9_:]{0,20}",
        labels in prop::collection::vec(("[a-z_][a-z0-9_]{0,8}", "\\PC{0,12}|[\"\\\\\n]{0,4}"), 0..4),
        value in any::<f64>(),
        ms in any::<i32>(),
    ) {
        let escape = |v: &str| v.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let inside: Vec<String> = labels.iter().map(|(n, v)| format!("{n}=\"{}\"", escape(v))).collect();
        let line = format!("{name}{{{}}} {value} {ms}\n", inside.join(","));
        let (out, report) = seen(&line, Format::Text);
        prop_assert_eq!(report.broken, 0, "{}", line);
        prop_assert_eq!(&out[0].0, &name);
        prop_assert_eq!(&out[0].1, &labels);
        prop_assert_eq!(&out[0].2, &value.to_string());
        prop_assert_eq!(out[0].3, Some(i64::from(ms) * 1000));
    }
}
