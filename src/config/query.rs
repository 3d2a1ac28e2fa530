//! `[[query]]`: where the rows of a role come from, a database or files.
//!
//! May not know: what the SQL means; that is read when it is asked.

use crate::config::section::Section;
use crate::config::{DatabaseConfig, QueryConfig, QueryMode};
use crate::model::Lapse;
use crate::model::order::{OrderStatus, PaymentStatus, ROLES, Role};

/// Rows of a table that may be read from end to end when nothing else is said.
pub const LARGEST_SCAN: u32 = 100_000;

/// One query; `None` when it cannot be used, with the problems noted.
pub fn query(s: &Section<'_>, databases: &[DatabaseConfig]) -> Option<QueryConfig> {
    let words: Vec<(&str, Role)> = ROLES.iter().map(|r| (r.name(), *r)).collect();
    let role = s.choice("role", &words);
    if role.is_none() && s.text("role").is_none() {
        let names: Vec<&str> = words.iter().map(|(n, _)| *n).collect();
        s.problem("role", format!("is missing: one of {}", names.join(", ")));
    }
    let file = s.path("file");
    let (db, sql) = match &file {
        Some(file) => (from_file(s, file), Some(String::new())),
        None => asked(s, databases),
    };
    let modes = [("window", QueryMode::Window), ("ids", QueryMode::Ids), ("watermark", QueryMode::Watermark)];
    let mode = s.choice("mode", &modes).unwrap_or(QueryMode::Window);
    if let (Some(sql), Some(role), None) = (&sql, role, &file) {
        parameters(s, role, mode, sql);
    }
    let watermark = s.text("watermark");
    match (mode, &watermark) {
        (QueryMode::Watermark, None) => {
            s.problem("watermark", "is missing: the column that says when a row changed last, like \"updated_at\"");
        }
        (QueryMode::Window | QueryMode::Ids, Some(_)) => {
            s.problem("watermark", "counts only with mode = \"watermark\"");
        }
        _ => {}
    }
    let columns = s.texts("columns").unwrap_or_default();
    if !columns.is_empty() && role.is_some_and(|r| r != Role::Orders) {
        s.problem("columns", "further columns belong to orders: name them in the [[query]] with role = \"orders\"");
    }
    let out = QueryConfig {
        role: role.unwrap_or(Role::Orders),
        db: db.clone().unwrap_or_default(),
        sql: sql.clone().unwrap_or_default(),
        mode,
        interval: s.lapse("interval", Lapse::minutes(1), Lapse::seconds(5)),
        limit: s.whole("limit", 500, 1..=5000),
        zone: s.zone("zone"),
        order_status: s.words("order_status", order_status).into_iter().collect(),
        payment_status: s.words("payment_status", payment_status).into_iter().collect(),
        columns,
        mask: s.texts("mask").unwrap_or_default(),
        watermark,
        allow_seqscan: s.switch("allow_seqscan", false),
        largest_scan: s.whole("largest_scan", LARGEST_SCAN, 0..=u32::MAX),
        file,
        map: s.words("map", |name| Ok(name.to_owned())).into_iter().collect(),
    };
    s.finish();
    role?;
    db.and(sql).map(|_| out)
}

/// Rows of files have no database: they are called after the files.
fn from_file(s: &Section<'_>, file: &std::path::Path) -> Option<String> {
    for key in ["db", "sql", "mode", "watermark"] {
        if s.has(key) {
            s.problem(key, "does not go with file: rows come from a database or from files");
        }
    }
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned());
    if name.is_none() {
        s.problem("file", "names no file: write it like \"/srv/export/ho-*.csv\"");
    }
    name
}

fn asked(s: &Section<'_>, databases: &[DatabaseConfig]) -> (Option<String>, Option<String>) {
    let db = s.needed("db", "the name of the [[db]] it runs on, or file for rows that are exported");
    if let Some(db) = db.as_ref().filter(|db| databases.iter().all(|d| d.name != **db)) {
        let names: Vec<&str> = databases.iter().map(|d| d.name.as_str()).collect();
        s.problem("db", format!("no [[db]] is named \"{db}\"; there are: {}", names.join(", ")));
    }
    if s.has("map") {
        s.problem("map", "is for files; in SQL a column is named by SELECT … AS name");
    }
    (db, s.needed("sql", "one SELECT, with :from and :to or with :ids"))
}

/// A role's mode says which parameters its SQL cannot do without.
fn parameters(s: &Section<'_>, role: Role, mode: QueryMode, sql: &str) {
    let needed: &[&str] = match (role, mode) {
        (Role::CallbackQueue, _) => &[],
        (_, QueryMode::Window | QueryMode::Watermark) => &[":from", ":to"],
        (_, QueryMode::Ids) => &[":ids"],
    };
    // UPG references are another way to say which orders are meant, for books that know no order.
    let by_reference = mode == QueryMode::Ids && sql.contains(":refs");
    for parameter in needed.iter().filter(|p| !sql.contains(**p) && !by_reference) {
        s.problem("sql", format!("has no {parameter}: in this mode that is how warroom says what it asks for"));
    }
}

fn order_status(text: &str) -> Result<OrderStatus, String> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "created" => OrderStatus::Created,
        "active" => OrderStatus::Active,
        "complete" => OrderStatus::Complete,
        "failed" => OrderStatus::Failed,
        "cancelled" => OrderStatus::Cancelled,
        "expired" => OrderStatus::Expired,
        _ => return Err(format!("\"{text}\" is not one of created, active, complete, failed, cancelled, expired")),
    })
}

fn payment_status(text: &str) -> Result<PaymentStatus, String> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "initiated" => PaymentStatus::Initiated,
        "pending" => PaymentStatus::Pending,
        "authorized" => PaymentStatus::Authorized,
        "paid" => PaymentStatus::Paid,
        "refunded" => PaymentStatus::Refunded,
        "failed" => PaymentStatus::Failed,
        _ => return Err(format!("\"{text}\" is not one of initiated, pending, authorized, paid, refunded, failed")),
    })
}
