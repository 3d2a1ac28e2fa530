//! The stages between sources and the screen, as tasks: what comes out of the recorder or a replay becomes
//! messages on one bounded channel. A full channel slows whoever fills it.

use crate::app::Message;
use crate::model::{Batch, Lapse, Stamp};
use crate::recording::{Recorded, Recorder};
use crate::source::replay::Played;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::mpsc;

/// Messages on their way to the loop.
pub const ROOM: usize = 256;

/// Puts the recorder between sources and the loop. The thread ends, with everything on the disk, when the
/// last sender of `from` is gone.
pub fn recorded(
    recorder: Recorder,
    from: mpsc::Receiver<Batch>,
    to: mpsc::Sender<Message>,
) -> Result<JoinHandle<()>, String> {
    let (out, mut done) = mpsc::channel(ROOM);
    let thread = recorder.spawn(from, out).map_err(|e| format!("the recorder's thread could not be started ({e})"))?;
    tokio::spawn(async move {
        while let Some(what) = done.recv().await {
            let message = match what {
                Recorded::Batch(batch) => Message::Batch(batch),
                Recorded::State(state) => Message::Recorder(state),
            };
            if to.send(message).await.is_err() {
                return;
            }
        }
    });
    Ok(thread)
}

/// Without a recording: straight to the loop.
pub fn unrecorded(mut from: mpsc::Receiver<Batch>, to: mpsc::Sender<Message>) {
    tokio::spawn(async move {
        while let Some(batch) = from.recv().await {
            if to.send(Message::Batch(Arc::new(batch))).await.is_err() {
                return;
            }
        }
    });
}

/// What a replay plays; `reached` hears where the head is.
pub fn played(mut from: mpsc::Receiver<Played>, to: mpsc::Sender<Message>, reached: impl Fn(Stamp) + Send + 'static) {
    tokio::spawn(async move {
        while let Some(what) = from.recv().await {
            let message = match what {
                Played::Batch(batch) => Message::Batch(batch),
                Played::Progress { at, ended } => {
                    reached(at);
                    Message::Played { at, ended }
                }
            };
            if to.send(message).await.is_err() {
                return;
            }
        }
    });
}

/// How long the recorder is waited for on the way out.
pub const LAST_FLUSH: Lapse = Lapse::seconds(3);
