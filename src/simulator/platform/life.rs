//! What the platform remembers of a day: orders, payments, attempts to tell Head Office, its records, and what
//! was said of them in logs. Compact, because there are 400,000 of them.
//!
//! May not know: how any of it is written into a table or a file.

use super::agenda::{Ms, OrderNo, PaymentNo};
use super::pool::Use;

/// No payment.
pub const NO_PAYMENT: PaymentNo = PaymentNo::MAX;

/// Payment methods, and how many of 100 orders choose each. The first two need a number that the Orchestrator
/// hands to the user; of the others UPG fetches the money itself.
pub const METHODS: [(&str, u32); 5] = [("VA BCA", 34), ("VA BRI", 7), ("QRIS", 26), ("CARD", 19), ("EWALLET", 14)];
/// Regions.
pub const REGIONS: [(&str, u32); 6] = [("JKT", 38), ("BDG", 17), ("SBY", 16), ("MDN", 11), ("DPS", 9), ("SMG", 9)];
/// Service types. A delivery reserves twice: the goods and the courier.
pub const SERVICES: [(&str, u32); 3] = [("DELIVERY", 43), ("DINE-IN", 32), ("PICKUP", 25)];

/// An order's status, as MRG's table has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// Refused before there was a row.
    #[default]
    Refused,
    /// Under way.
    Active,
    /// Done.
    Complete,
    /// The bank said no.
    Failed,
    /// Nobody paid.
    Expired,
}

/// Steps of the saga, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The row is written.
    #[default]
    Create,
    /// Goods and courier are held.
    Reserve,
    /// UPG is asked.
    Pay,
    /// Head Office is told.
    Record,
    /// The row says so.
    Complete,
}

impl Step {
    /// As the tables have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Reserve => "RESERVE",
            Self::Pay => "PAY",
            Self::Record => "RECORD",
            Self::Complete => "COMPLETE",
        }
    }
}

/// Where an order stands inside the saga.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Wants a connection to write its row, or has one.
    #[default]
    Create,
    /// The same, to reserve.
    Reserve,
    /// The same, to note that UPG is asked.
    Pay,
    /// UPG is asked.
    Calling,
    /// UPG has answered while the transaction stayed open.
    Answered,
    /// Waits for the user to pay.
    Await,
    /// Wants a connection to note the payment, or has one.
    Record,
    /// Head Office is being told.
    Telling,
    /// Wants a connection to be completed, or has one.
    Complete,
    /// The same, to be failed.
    Decline,
    /// Nothing happens any more.
    Done,
}

/// Why a saga ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// No connection was to be had.
    NoConnection,
    /// A row was waited for too long.
    RowLocked,
    /// UPG did not answer in time.
    UpgTimeout,
    /// The breaker refused.
    BreakerOpen,
    /// A number was not to be had.
    NoIds,
    /// It panicked.
    Panic,
    /// The Orchestrator died with it, or was not there.
    NoOrchestrator,
    /// Head Office never said yes.
    Dead,
    /// The poller wrote over it.
    Overwritten,
}

/// One order.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// When it was placed.
    pub placed: Ms,
    /// When its row was committed; 0 before.
    pub born: Ms,
    /// Its number, given with the row.
    pub number: u32,
    /// Index into [`METHODS`].
    pub method: u8,
    /// Index into [`REGIONS`].
    pub region: u8,
    /// Index into [`SERVICES`].
    pub service: u8,
    /// Which pod took it, from 0.
    pub pod: u8,
    /// Which much-wanted row it needs; 0 is none.
    pub row: u8,
    /// In rupiah.
    pub amount: i32,
    /// Who placed it.
    pub user: u32,
    /// As the table has it.
    pub status: Status,
    /// When the status became final.
    pub ended: Ms,
    /// The row's version.
    pub version: u8,
    /// The last step that was done.
    pub step: Step,
    /// When each step was done, in milliseconds after the order was placed; 0 is never.
    pub steps: [u32; 5],
    /// The saga.
    pub stage: Stage,
    /// Counts the saga's moves: events meant for an earlier one are void.
    pub turn: u16,
    /// How often this stage tried.
    pub tries: u8,
    /// Whether the goods of a delivery are reserved, but not its courier.
    pub half: bool,
    /// Calls to UPG so far.
    pub calls: u8,
    /// What its connection does.
    pub connection: Use,
    /// Whether it has its row, or stands in its line.
    pub on_row: bool,
    /// Whether a saga works on it.
    pub alive: bool,
    /// At which step the saga ended before its time, and why.
    pub gave_up: Option<(Step, Why)>,
    /// When.
    pub gave_up_at: Ms,
    /// Its first payment.
    pub payment: PaymentNo,
}

impl Life {
    /// ACTIVE, and nobody works on it any more.
    pub fn stuck(&self) -> bool {
        self.status == Status::Active
    }

    /// When a step was done.
    pub fn done_at(&self, step: Step) -> Option<Ms> {
        let after = self.steps[step as usize];
        (after > 0).then(|| self.placed + Ms::from(after))
    }

    /// Notes that a step is done.
    pub fn done(&mut self, step: Step, at: Ms) {
        self.step = step;
        self.steps[step as usize] = (at - self.placed).max(1) as u32;
    }

    /// Whether UPG fetches the money without the user's doing.
    pub fn fetched(&self) -> bool {
        self.method >= 2
    }
}

/// What UPG knows of a payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paid {
    /// Not yet.
    #[default]
    Pending,
    /// Money moved.
    Paid,
    /// The bank said no, or the time was up.
    Failed,
}

/// One payment.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and there are 400,000 of them")]
pub struct Payment {
    /// Whose.
    pub order: OrderNo,
    /// When it was begun.
    pub created: Ms,
    /// When it became what it is; 0 while it is pending.
    pub settled: Ms,
    /// What it is.
    pub paid: Paid,
    /// How long the gateway took; 0 until it answered.
    pub gateway: u32,
    /// Whether the gateway has answered.
    pub answered: bool,
    /// Whether something will come of it: the user has what it takes to pay, or the bank has declined.
    pub awaited: bool,
    /// Whether Head Office has it.
    pub booked: bool,
    /// Attempts to tell Head Office.
    pub told: u8,
    /// Whether Head Office said yes.
    pub acknowledged: bool,
}

/// One attempt to tell Head Office.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// Of what.
    pub payment: PaymentNo,
    /// From 1.
    pub attempt: u8,
    /// When.
    pub sent: Ms,
    /// What came back; 0 is nothing in time.
    pub http: u16,
    /// After how long.
    pub took: u32,
}

/// One record of Head Office.
#[derive(Clone, Copy, Debug)]
pub struct Booked {
    /// Of what.
    pub payment: PaymentNo,
    /// When.
    pub at: Ms,
}

/// A change of an order's status.
#[derive(Clone, Copy, Debug)]
pub struct Moved {
    /// Whose.
    pub order: OrderNo,
    /// When.
    pub at: Ms,
    /// From.
    pub from: Status,
    /// To.
    pub to: Status,
    /// By the poller, else by the Orchestrator.
    pub poller: bool,
    /// The version it wrote.
    pub version: u8,
}

/// A step of a saga that failed, or that the saga ended at.
#[derive(Clone, Copy, Debug)]
pub struct Failed {
    /// Whose.
    pub order: OrderNo,
    /// When.
    pub at: Ms,
    /// Which.
    pub step: Step,
    /// From 1.
    pub attempt: u8,
    /// Why.
    pub why: Why,
}

/// What a log line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Says {
    /// An order was placed.
    Created,
    /// A payment settled.
    Paid,
    /// An order was completed.
    Completed,
    /// The bank said no.
    Declined,
    /// No connection for the user's request: there is no order yet.
    CreateRefused,
    /// No connection for a step, at which attempt.
    NoConnection(Step, u8),
    /// A row was waited for too long.
    RowLocked(Step, u8),
    /// The saga stopped trying.
    GaveUp(Step, Why),
    /// UPG did not answer in time.
    UpgTimeout(u8),
    /// UPG was still at the first call when the second came.
    InProgress(u8),
    /// The breaker refused.
    BreakerOpen(u8),
    /// The breaker opened: no order.
    BreakerOpened,
    /// It closed.
    BreakerClosed,
    /// Head Office did not say 2xx: attempt and status.
    CallbackFailed(u8, u16),
    /// No more attempts.
    CallbackDead,
    /// A payment settled whose saga had ended.
    PaidTooLate,
    /// The Orchestrator could not be reached.
    NoOrchestrator,
    /// A number was not to be had.
    NoIds,
    /// A panic, with its stack.
    Panic,
    /// Two transactions wanted each other's rows.
    Deadlock,
    /// The kernel ended a pod: which.
    OutOfMemory(u8),
    /// The Orchestrator began.
    Began,
    /// A payment state was copied onto an order.
    Copied,
}

/// A log line.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// When.
    pub at: Ms,
    /// Of which order; [`OrderNo::MAX`] for none.
    pub order: OrderNo,
    /// What.
    pub says: Says,
}
