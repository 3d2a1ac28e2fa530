//! What a look at a database weighs in memory, near enough to bound how many are kept.

use crate::model::database::{Application, DbSample, Limited, Session, Statement, Wait};

/// Bytes of a look.
pub fn look(look: &DbSample) -> usize {
    let statements = look.statements.iter().flatten();
    size_of::<DbSample>()
        + look.applications.iter().map(|a| size_of::<Application>() + 16 + a.name.len() + a.state.len()).sum::<usize>()
        + look.waits.iter().map(|w| size_of::<Wait>() + w.kind.len() + w.event.len()).sum::<usize>()
        + look.sessions.iter().map(session).sum::<usize>()
        + statements.map(|s| size_of::<Statement>() + 16 + s.query.len()).sum::<usize>()
        + look.limited.iter().map(|l| size_of::<Limited>() + l.what.len() + l.remedy.len()).sum::<usize>()
}

fn session(s: &Session) -> usize {
    // 64: the four texts' own headers.
    let texts = s.application.len() + s.user.len() + s.client.len() + s.query.len() + 64;
    let words = s.state.len() + s.wait_kind.len() + s.wait_event.len();
    let locks = s.holds.iter().chain(&s.wants).map(|l| 80 + l.kind.len() + l.mode.len() + l.target.len());
    size_of::<Session>() + texts + words + s.blocked_by.len() * 4 + locks.sum::<usize>()
}
