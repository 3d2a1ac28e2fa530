//! A scene as posts: which session of which application does what.
//!
//! Owns the arithmetic: who stands at the head, who waits behind whom, who is left to be busy or idle, and
//! how a scene is made smaller for a server with fewer seats. May not know: connections.

use crate::simulator::scene::{Crew, Root, Scene};

/// What one session does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Post {
    /// Holds the rows that others want, without a statement.
    RootIdle,
    /// Holds them, at work.
    RootRunning,
    /// Holds the advisory lock, at work.
    Batch,
    /// The n-th of the chain, from 1: holds row n and wants row n − 1.
    Chain(u32),
    /// Wants the row that the root holds and all of the fan want.
    Fan,
    /// Wants the advisory lock.
    Advisory,
    /// In a transaction, without a statement.
    InTransaction,
    /// At work.
    Running,
    /// Without a transaction.
    Idle,
}

impl Post {
    /// Whether its statement ends only when somebody else lets go, or when it is cancelled.
    pub const fn waits(self) -> bool {
        matches!(self, Self::Chain(_) | Self::Fan | Self::Advisory)
    }
}

/// A session of a plan.
pub type Place = (String, Post);

/// A chain may be this long.
const LONGEST: u32 = 6;

/// The scene's sessions, those first that matter most where seats are few.
pub fn places(scene: &Scene) -> Vec<Place> {
    let mut crews = scene.crews.clone();
    let waiting = scene.waiting();
    let chain = scene.chain.min(LONGEST).min(waiting);
    let advisory = scene.advisory.min(waiting - chain);
    // Whoever waits for nothing in particular waits for the root.
    let fan = waiting - chain - advisory;
    let mut out = Vec::new();
    if let Some(root) = root(scene, chain + fan) {
        let post = if root.idle { Post::RootIdle } else { Post::RootRunning };
        take(&mut crews, |c| c.application == root.application, post);
        out.push((root.application, post));
    }
    if advisory > 0 {
        let application = batch(&crews);
        take(&mut crews, |c| c.application == application, Post::Batch);
        out.push((application, Post::Batch));
    }
    let posts =
        (1..=chain).map(Post::Chain).chain((0..advisory).map(|_| Post::Advisory)).chain((0..fan).map(|_| Post::Fan));
    out.extend(round(&crews).into_iter().zip(posts));
    for post in [Post::InTransaction, Post::Running, Post::Idle] {
        for crew in &crews {
            let n = match post {
                Post::InTransaction => crew.idle_in_transaction,
                Post::Running => crew.running,
                _ => crew.idle,
            };
            out.extend((0..n).map(|_| (crew.application.clone(), post)));
        }
    }
    out
}

/// The head of the tree: what the scene says; where somebody waits and it says nothing, somebody at work.
fn root(scene: &Scene, behind: u32) -> Option<Root> {
    scene.root.clone().or_else(|| {
        let crew = scene.crews.iter().find(|c| c.running > 0).or(scene.crews.first())?;
        let application = crew.application.clone();
        (behind > 0).then_some(Root { application, idle: false, open_for: crate::model::Lapse::ZERO })
    })
}

/// Who holds the advisory lock: a batch job at work, by its name; else whoever is at work last in the list.
fn batch(crews: &[Crew]) -> String {
    let busy = || crews.iter().filter(|c| c.running > 0);
    let job = |c: &&Crew| ["batch", "cron", "job", "settle", "schedul"].iter().any(|w| c.application.contains(w));
    busy().find(job).or_else(|| busy().next_back()).map_or_else(|| "batch".to_owned(), |c| c.application.clone())
}

/// Takes one session for `post` out of a crew, from those that do the same without others waiting for them.
fn take(crews: &mut [Crew], of: impl Fn(&Crew) -> bool, post: Post) {
    if let Some(crew) = crews.iter_mut().find(|c| of(c)) {
        let from = if post == Post::RootIdle { &mut crew.idle_in_transaction } else { &mut crew.running };
        *from = from.saturating_sub(1);
    }
}

/// The applications of those who wait, one of each crew in turn, so that a chain runs through several.
fn round(crews: &[Crew]) -> Vec<String> {
    let most = crews.iter().map(|c| c.waiting).max().unwrap_or(0);
    (0..most).flat_map(|n| crews.iter().filter(move |c| c.waiting > n).map(|c| c.application.clone())).collect()
}

/// The same scene for a server where it may have `seats` instead of what its own has. Nothing that is there
/// vanishes, and nothing grows.
pub fn fitted(scene: &Scene, seats: u32) -> Scene {
    let own = scene.max_connections.max(1);
    if seats >= own {
        return scene.clone();
    }
    let less = |n: u32| (u64::from(n) * u64::from(seats) / u64::from(own)).max(u64::from(n > 0)) as u32;
    let crews = scene.crews.iter().map(|c| Crew {
        application: c.application.clone(),
        running: less(c.running),
        idle: less(c.idle),
        idle_in_transaction: less(c.idle_in_transaction),
        waiting: less(c.waiting),
    });
    let crews: Vec<Crew> = crews.collect();
    let (chain, advisory) = (less(scene.chain), less(scene.advisory));
    Scene { max_connections: seats, crews, chain, fan: less(scene.fan), advisory, ..scene.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Lapse;

    fn crew(application: &str, [running, idle, idle_in_transaction, waiting]: [u32; 4]) -> Crew {
        Crew { application: application.to_owned(), running, idle, idle_in_transaction, waiting }
    }

    fn scene() -> Scene {
        Scene {
            max_connections: 200,
            crews: vec![
                crew("mrg-api", [10, 60, 19, 15]),
                crew("orchestrator", [0, 0, 1, 2]),
                crew("cron-settle", [2, 0, 0, 0]),
            ],
            root: Some(Root { application: "orchestrator".to_owned(), idle: true, open_for: Lapse::minutes(3) }),
            chain: 4,
            fan: 8,
            advisory: 5,
            ..Scene::default()
        }
    }

    fn count(places: &[Place], of: impl Fn(&Place) -> bool) -> usize {
        places.iter().filter(|p| of(p)).count()
    }

    #[test]
    fn heads_come_out_of_their_crews_and_every_session_has_a_post() {
        let places = places(&scene());
        assert_eq!(places.len(), scene().sessions() as usize);
        assert_eq!(places[0], ("orchestrator".to_owned(), Post::RootIdle));
        assert_eq!(places[1], ("cron-settle".to_owned(), Post::Batch));
        assert_eq!(count(&places, |p| p.1 == Post::InTransaction), 19, "the root is the twentieth");
        assert_eq!(count(&places, |p| p.1 == Post::Running), 11, "the batch job is the twelfth");
        for (post, n) in [(Post::Chain(4), 1), (Post::Chain(5), 0), (Post::Fan, 8), (Post::Advisory, 5)] {
            assert_eq!(count(&places, |p| p.1 == post), n, "{post:?}");
        }
        assert_eq!(places[2..6].iter().map(|p| p.0.as_str()).collect::<std::collections::BTreeSet<_>>().len(), 2);
    }

    #[test]
    fn who_waits_has_somebody_to_wait_for() {
        let mut s = scene();
        (s.root, s.advisory) = (None, 0);
        let places = places(&s);
        assert_eq!(places[0], ("mrg-api".to_owned(), Post::RootRunning));
        assert_eq!(count(&places, |p| p.1 == Post::Fan), 13, "who waited for the batch waits for the root");
        s.crews.iter_mut().for_each(|c| c.waiting = 0);
        assert_eq!(count(&super::places(&s), |p| p.1 == Post::RootRunning), 0);
    }

    #[test]
    fn a_smaller_server_gets_a_smaller_scene_with_all_its_parts() {
        let small = fitted(&scene(), 50);
        assert_eq!(small.crews[0], crew("mrg-api", [2, 15, 4, 3]));
        assert_eq!(small.crews[1], crew("orchestrator", [0, 0, 1, 1]));
        assert_eq!((small.chain, small.fan, small.advisory), (1, 2, 1));
        assert_eq!(fitted(&scene(), 500), scene());
    }
}
