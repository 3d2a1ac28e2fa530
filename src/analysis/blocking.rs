//! The blocking tree, exactly as `pg_blocking_pids` has it: roots first, waiters in queue order, equal
//! waiters foldable.
//!
//! A waiter may be blocked by several sessions, a tree has room for one: it stands below the first blocker,
//! in the order `pg_blocking_pids` gives them, that does not itself wait behind it. Every session appears
//! once; where waiting goes in a circle it is cut and said so. May not know: screens.

mod forest;
mod sentence;

use crate::model::database::{DbSample, Pid};
use forest::{Forest, Node};
pub use sentence::sentence;

/// Equal waiters are folded from this many on.
const FOLD_FROM: usize = 3;

/// The tree as rows ready to list, roots first, depth first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// Rows in drawing order.
    pub rows: Vec<Row>,
    /// Sessions that wait for another session.
    pub waiting: usize,
    /// Sessions that block and wait for nobody.
    pub roots: usize,
    /// Whether a cycle was cut (a deadlock about to be broken by the server).
    pub cycle: bool,
}

/// One line of the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// 0 for a root.
    pub depth: usize,
    /// For each level above, whether a sibling follows further down (draws `│` or blank); the last entry
    /// is this row's own (`├` or `└`).
    pub guides: Vec<bool>,
    /// Index into `DbSample::sessions`; for a fold, of its first session. [`Row::UNSEEN`] for a blocker
    /// that is not among the sessions.
    pub session: usize,
    /// Process id, 0 for a prepared transaction.
    pub pid: Pid,
    /// How many sessions wait behind it, directly or not.
    pub blocks: usize,
    /// How long it has waited; for a fold, the longest.
    pub waits: Option<crate::model::Lapse>,
    /// Sessions folded into this row, its first one included: equal waiters of the same blocker without
    /// waiters of their own. Empty when nothing is folded.
    pub folded: Vec<usize>,
}

impl Row {
    /// The session of a blocker that no look shows: a prepared transaction, or one we may not see.
    pub const UNSEEN: usize = usize::MAX;
}

/// Builds the tree of a look. `unfolded` names the first pid of each fold that is shown open.
pub fn tree(sample: &DbSample, unfolded: &[Pid]) -> Tree {
    let forest = Forest::grow(sample);
    let mut out = Tree {
        rows: Vec::new(),
        waiting: forest.nodes.iter().filter(|n| n.waits).count(),
        roots: forest.roots.iter().filter(|r| !forest.nodes[**r].waits).count(),
        cycle: forest.cycle,
    };
    let mut draw = Drawing { sample, forest: &forest, unfolded, rows: &mut out.rows };
    for root in &forest.roots {
        draw.one(*root, &[]);
    }
    out
}

struct Drawing<'a> {
    sample: &'a DbSample,
    forest: &'a Forest,
    unfolded: &'a [Pid],
    rows: &'a mut Vec<Row>,
}

impl Drawing<'_> {
    /// A node and all that waits behind it. Depth is bounded by the number of sessions, which a server
    /// bounds by `max_connections`; an explicit stack keeps that from being ours.
    fn one(&mut self, node: usize, guides: &[bool]) {
        let mut stack: Vec<(Vec<usize>, Vec<bool>)> = vec![(vec![node], guides.to_vec())];
        while let Some((group, guides)) = stack.pop() {
            let Some(&first) = group.first() else { continue };
            self.rows.push(self.row(&group, &guides));
            if group.len() > 1 {
                continue;
            }
            let groups = self.groups(&self.forest.nodes[first]);
            let last = groups.len().saturating_sub(1);
            for (i, below) in groups.into_iter().enumerate().rev() {
                let mut guides = guides.clone();
                guides.push(i < last);
                stack.push((below, guides));
            }
        }
    }

    /// The children of a node in queue order, equal leaves put together where the first of them stands.
    fn groups(&self, node: &Node) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for &child in &node.children {
            let alike = groups.iter().position(|g| g.first().is_some_and(|first| self.alike(*first, child)));
            match alike {
                Some(i) => groups[i].push(child),
                None => groups.push(vec![child]),
            }
        }
        let open = |g: &Vec<usize>| {
            g.len() < FOLD_FROM || g.first().is_some_and(|n| self.unfolded.contains(&self.forest.nodes[*n].pid))
        };
        if groups.iter().any(|g| g.len() > 1 && open(g)) {
            // Queue order is lost inside a fold only: what is open stands where it waits.
            let folded: Vec<Vec<usize>> = groups.iter().filter(|g| !open(g)).cloned().collect();
            let mut ordered: Vec<Vec<usize>> = Vec::new();
            for &child in &node.children {
                match folded.iter().find(|g| g.contains(&child)) {
                    Some(g) if g.first() == Some(&child) => ordered.push(g.clone()),
                    Some(_) => {}
                    None => ordered.push(vec![child]),
                }
            }
            return ordered;
        }
        groups
    }

    /// Whether two leaves wait for the same lock and come from replicas of the same application.
    fn alike(&self, a: usize, b: usize) -> bool {
        let [a, b] = [a, b].map(|n| &self.forest.nodes[n]);
        if !a.children.is_empty() || !b.children.is_empty() {
            return false;
        }
        let [Some(a), Some(b)] = [a, b].map(|n| self.sample.sessions.get(n.session)) else { return false };
        a.wants.is_some() && a.wants == b.wants && family(a.application.raw()) == family(b.application.raw())
    }

    fn row(&self, group: &[usize], guides: &[bool]) -> Row {
        let node = group.first().map(|n| &self.forest.nodes[*n]);
        let sessions = || group.iter().map(|n| self.forest.nodes[*n].session);
        let since = sessions().filter_map(|s| self.sample.sessions.get(s)?.waiting).min();
        Row {
            depth: guides.len(),
            guides: guides.to_vec(),
            session: node.map_or(Row::UNSEEN, |n| n.session),
            pid: node.map_or(0, |n| n.pid),
            blocks: node.map_or(0, |n| n.blocks),
            waits: since.filter(|_| node.is_some_and(|n| n.waits)).map(|t| self.sample.at.since(t)),
            folded: if group.len() > 1 { sessions().collect() } else { Vec::new() },
        }
    }
}

/// An application's name without the number of its replica: `mrg-api` of `mrg-api-3`.
fn family(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['-', '_', '.', ' ', '#'])
}

#[cfg(test)]
mod tests;
