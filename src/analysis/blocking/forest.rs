//! Who waits behind whom, with one parent for each session.

use crate::analysis::blocking::Row;
use crate::model::Stamp;
use crate::model::database::{DbSample, Pid};
use std::collections::HashMap;

/// A session that waits or blocks.
#[derive(Clone, Debug)]
pub struct Node {
    /// Process id; 0 for prepared transactions.
    pub pid: Pid,
    /// Index into the look's sessions, or [`Row::UNSEEN`].
    pub session: usize,
    /// Whether it waits for another.
    pub waits: bool,
    /// Those below it, in queue order.
    pub children: Vec<usize>,
    /// How many wait behind it, directly or not.
    pub blocks: usize,
    parent: Option<usize>,
}

/// All trees of a look.
#[derive(Clone, Debug, Default)]
pub struct Forest {
    /// Sessions that wait or block.
    pub nodes: Vec<Node>,
    /// Those without a parent, most blocked first.
    pub roots: Vec<usize>,
    /// Whether waiting goes in a circle somewhere.
    pub cycle: bool,
}

impl Forest {
    /// Grows the trees.
    pub fn grow(sample: &DbSample) -> Self {
        let mut forest = Self::default();
        let mut by_pid: HashMap<Pid, usize> = HashMap::new();
        let blockers = |i: usize| {
            let session = &sample.sessions[i];
            session.blocked_by.iter().copied().filter(|pid| *pid != session.pid)
        };
        let mut seen: HashMap<Pid, usize> = HashMap::new();
        for (i, session) in sample.sessions.iter().enumerate() {
            seen.entry(session.pid).or_insert(i);
        }
        let waiters: Vec<usize> = (0..sample.sessions.len())
            .filter(|i| seen.get(&sample.sessions[*i].pid) == Some(i) && blockers(*i).next().is_some())
            .collect();
        for &i in &waiters {
            let pid = sample.sessions[i].pid;
            for pid in std::iter::once(pid).chain(blockers(i)) {
                by_pid.entry(pid).or_insert_with(|| {
                    let session = seen.get(&pid).copied().unwrap_or(Row::UNSEEN);
                    forest.nodes.push(Node {
                        pid,
                        session,
                        waits: false,
                        children: Vec::new(),
                        blocks: 0,
                        parent: None,
                    });
                    forest.nodes.len() - 1
                });
            }
        }
        for &i in &waiters {
            let Some(&node) = by_pid.get(&sample.sessions[i].pid) else { continue };
            forest.nodes[node].waits = true;
            forest.adopt(node, blockers(i).filter_map(|pid| by_pid.get(&pid).copied()));
        }
        forest.order(sample);
        forest
    }

    /// Puts a waiter below the first blocker that does not wait behind it.
    fn adopt(&mut self, node: usize, blockers: impl Iterator<Item = usize>) {
        for blocker in blockers {
            if self.is_behind(blocker, node) {
                self.cycle = true;
            } else {
                self.nodes[node].parent = Some(blocker);
                return;
            }
        }
    }

    fn is_behind(&self, node: usize, of: usize) -> bool {
        let mut at = Some(node);
        while let Some(n) = at {
            if n == of {
                return true;
            }
            at = self.nodes[n].parent;
        }
        false
    }

    /// Children into their parents in queue order, descendants counted, roots by how many they hold up.
    fn order(&mut self, sample: &DbSample) {
        for node in 0..self.nodes.len() {
            if let Some(parent) = self.nodes[node].parent {
                self.nodes[parent].children.push(node);
            }
            let mut above = self.nodes[node].parent;
            while let Some(n) = above {
                self.nodes[n].blocks += 1;
                above = self.nodes[n].parent;
            }
        }
        let places: Vec<(usize, Stamp, Pid)> = (0..self.nodes.len()).map(|n| self.place(n, sample)).collect();
        for node in &mut self.nodes {
            node.children.sort_by_key(|n| places[*n]);
        }
        let since = |n: usize| {
            let session = sample.sessions.get(self.nodes[n].session);
            session.and_then(|s| s.in_transaction).unwrap_or(Stamp(i64::MAX))
        };
        let mut roots: Vec<usize> = (0..self.nodes.len()).filter(|n| self.nodes[*n].parent.is_none()).collect();
        roots.sort_by_key(|n| (std::cmp::Reverse(self.nodes[*n].blocks), since(*n), self.nodes[*n].pid));
        self.roots = roots;
    }

    /// A session's place in the queue of its parent: how many of those that wait there stand before it,
    /// which `pg_blocking_pids` counts as its blockers too; then since when it waits.
    fn place(&self, node: usize, sample: &DbSample) -> (usize, Stamp, Pid) {
        let n = &self.nodes[node];
        let Some(session) = sample.sessions.get(n.session) else { return (0, Stamp(i64::MAX), n.pid) };
        let siblings = n.parent.map(|p| &self.nodes[p].children);
        let ahead = siblings.map_or(0, |siblings| {
            siblings.iter().filter(|s| **s != node && session.blocked_by.contains(&self.nodes[**s].pid)).count()
        });
        (ahead, session.waiting.unwrap_or(Stamp(i64::MAX)), n.pid)
    }
}
