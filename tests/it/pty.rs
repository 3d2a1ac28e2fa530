//! The real program in a real pseudo-terminal: start it, wait for what it shows, type, resize, signal,
//! hang up, and look at what is left of the terminal.

use portable_pty::{Child, CommandBuilder, MasterPty, PtyPair, PtySize, native_pty_system};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Nothing here takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_mins(2);

struct Seen {
    raw: Vec<u8>,
    screen: vt100::Parser,
    ended: bool,
}

type Shared = Arc<(Mutex<Seen>, Condvar)>;

/// How to start it.
pub struct Setup {
    command: CommandBuilder,
    size: (u16, u16),
    home: tempfile::TempDir,
}

/// The program, running.
pub struct Running {
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    slave: Option<Box<dyn portable_pty::SlavePty + Send>>,
    writer: Option<Box<dyn std::io::Write + Send>>,
    reader: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    seen: Shared,
    before: String,
    home: tempfile::TempDir,
}

/// `warroom` with these arguments, a home of its own, 120×35, 256 colours, UTF-8.
pub fn warroom(arguments: &[&str]) -> Setup {
    let home = tempfile::tempdir().unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_warroom"));
    command.args(arguments);
    command.env_clear();
    command.cwd(home.path());
    let setup = Setup { command, size: (120, 35), home };
    let home = setup.home.path().to_str().unwrap().to_owned();
    setup
        .env("HOME", &home)
        .env("PATH", "/usr/bin:/bin")
        .env("TERM", "xterm-256color")
        .env("LANG", "C.UTF-8")
        .env("TMPDIR", &home)
        .env("USER", "sari")
        .env("WARROOM_GENERATED", "1")
}

impl Setup {
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = (columns, rows);
        self
    }
    pub fn start(self) -> Running {
        let Self { command, size: (cols, rows), home } = self;
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let PtyPair { slave, master } = native_pty_system().openpty(size).unwrap();
        let before = modes(master.as_ref());
        let child = slave.spawn_command(command).unwrap();
        let seen: Shared = Arc::new((
            Mutex::new(Seen { raw: Vec::new(), screen: vt100::Parser::new(cells(rows), cells(cols), 0), ended: false }),
            Condvar::new(),
        ));
        let stop = Arc::new(AtomicBool::new(false));
        let reader = {
            let (seen, stop, mut from) = (seen.clone(), stop.clone(), master.try_clone_reader().unwrap());
            std::thread::spawn(move || {
                let mut chunk = [0; 4096];
                loop {
                    let n = from.read(&mut chunk).unwrap_or(0);
                    let mut now = seen.0.lock().unwrap();
                    now.raw.extend_from_slice(&chunk[..n]);
                    now.screen.process(&chunk[..n]);
                    now.ended |= n == 0;
                    seen.1.notify_all();
                    if n == 0 || stop.load(Ordering::SeqCst) {
                        return;
                    }
                }
            })
        };
        let writer = master.take_writer().unwrap();
        Running {
            child,
            master: Some(master),
            slave: Some(slave),
            writer: Some(writer),
            reader: Some(reader),
            stop,
            seen,
            before,
            home,
        }
    }
}

/// Asks again and again, for things that the kernel tells nobody about.
pub fn patiently<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..PATIENCE.as_millis() / 10 {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

fn cells(n: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(n).unwrap()
}

/// The line discipline as text: what `stty` would show.
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

impl Running {
    pub fn home(&self) -> &Path {
        self.home.path()
    }
    /// Waits until the screen satisfies `is`; fails with the screen when it never does.
    pub fn until(&self, what: &str, is: impl Fn(&vt100::Screen) -> bool) {
        let (lock, changed) = &*self.seen;
        let (seen, waited) =
            changed.wait_timeout_while(lock.lock().unwrap(), PATIENCE, |s| !is(s.screen.screen())).unwrap();
        assert!(!waited.timed_out(), "{what} never came; the screen is:\n{}", seen.screen.screen().contents());
    }
    /// Waits for a text.
    pub fn shows(&self, text: &str) {
        self.until(&format!("{text:?}"), |s| s.contents().contains(text));
    }
    /// Waits until nothing has been written for a tenth of a second: a frame is whole.
    pub fn settles(&self) {
        let (lock, changed) = &*self.seen;
        let mut seen = lock.lock().unwrap();
        loop {
            let before = seen.raw.len();
            let quiet;
            (seen, quiet) = changed
                .wait_timeout_while(seen, Duration::from_millis(100), |s| s.raw.len() == before)
                .map(|(s, w)| (s, w.timed_out()))
                .unwrap();
            if quiet {
                return;
            }
        }
    }
    pub fn contents(&self) -> String {
        self.seen.0.lock().unwrap().screen.screen().contents()
    }
    /// The screen, and how many bytes it took: both of one moment.
    pub fn contents_and_bytes(&self) -> (String, usize) {
        let seen = self.seen.0.lock().unwrap();
        (seen.screen.screen().contents(), seen.raw.len())
    }
    /// Everything that was written so far.
    pub fn raw(&self) -> Vec<u8> {
        self.seen.0.lock().unwrap().raw.clone()
    }
    pub fn send(&mut self, keys: &str) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }
    /// As a terminal in bracketed paste mode sends it.
    pub fn paste(&mut self, text: &str) {
        self.send(&format!("\x1b[200~{text}\x1b[201~"));
    }
    pub fn resize(&self, columns: u16, rows: u16) {
        self.seen.0.lock().unwrap().screen.screen_mut().set_size(cells(rows), cells(columns));
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
    }
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).unwrap();
    }
    fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap()).unwrap()
    }
    /// Waits until the kernel says the process is stopped.
    pub fn stopped(&self) {
        let stat = format!("/proc/{}/stat", self.child.process_id().unwrap());
        let is =
            || std::fs::read_to_string(&stat).is_ok_and(|s| s.rsplit(") ").next().is_some_and(|s| s.starts_with('T')));
        let stopped = patiently(|| is().then_some(()));
        assert!(stopped.is_some(), "it never stopped; the screen is:\n{}", self.contents());
    }
    /// Closes the other side of the terminal, as a dying SSH server does.
    pub fn hang_up(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Something to read, so that the reader notices and lets go of its side.
        self.send("\x0c");
        self.reader.take().unwrap().join().unwrap();
        self.slave = None;
        self.writer = None;
        self.master = None;
    }
    /// Waits for the end and gives the exit code.
    pub fn exit_code(&mut self) -> u32 {
        let status = patiently(|| self.child.try_wait().unwrap());
        assert!(status.is_some(), "it never ended; the screen is:\n{}", self.contents());
        status.unwrap().exit_code()
    }
    /// Fails unless everything that was set on the terminal has been taken back.
    pub fn is_clean(&mut self) {
        // The last bytes may still be on their way: reading ends when the last slave is closed.
        let after = modes(self.master.as_ref().unwrap().as_ref());
        self.slave = None;
        let (lock, changed) = &*self.seen;
        let seen = changed.wait_timeout_while(lock.lock().unwrap(), PATIENCE, |s| !s.ended).unwrap().0;
        let screen = seen.screen.screen();
        assert_eq!(after, self.before, "the line discipline was left changed");
        assert!(!screen.alternate_screen(), "the alternate screen was left on");
        assert!(!screen.hide_cursor(), "the cursor was left hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste was left on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse was left captured");
        assert_eq!(screen.fgcolor(), vt100::Color::Default, "a colour was left on");
        assert!(!screen.bold() && !screen.inverse() && !screen.underline(), "an attribute was left on");
    }
    /// Line discipline now, and as it was before the start.
    pub fn disciplines(&self) -> (String, String) {
        (modes(self.master.as_ref().unwrap().as_ref()), self.before.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed must not leave a program behind; one that ended is no problem.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
