//! The cards of the classes: their words, and which of the table's groups each belongs to.

use crate::analysis::reconcile::{Class, ClassCard};

const fn card(class: Class, name: &'static str, meaning: &'static str, action: &'static str) -> ClassCard {
    ClassCard { class, name, meaning, action, points_to: "", stuck: false, not_at_ho: false, fine: false }
}

/// Cards of all classes, in the order of the table: the stuck ones first, faults without a stuck order
/// next, what is no fault last. A test keeps the list complete.
pub const CLASSES: &[ClassCard] = &[
    ClassCard {
        points_to: "H1 H4",
        stuck: true,
        not_at_ho: true,
        ..card(
            Class::PaidStuckNeverSent,
            "paid, stuck, never sent to HO",
            "charged; nobody tried to tell HO",
            "resume the saga at RECORD",
        )
    },
    ClassCard {
        points_to: "H2",
        stuck: true,
        not_at_ho: true,
        ..card(
            Class::PaidStuckCallbackFailed,
            "paid, stuck, callback failed",
            "charged; no callback was accepted by HO",
            "send the callback again",
        )
    },
    ClassCard {
        points_to: "H1 H2 H4",
        stuck: true,
        not_at_ho: true,
        ..card(
            Class::PaidStuckNotRecorded,
            "paid, stuck, not at HO",
            "charged; callbacks unknown, no such query",
            "find out if a callback was sent",
        )
    },
    ClassCard {
        points_to: "H5",
        stuck: true,
        ..card(
            Class::PaidStuckRecorded,
            "paid, stuck, recorded at HO",
            "UPG and HO agree; the order's state lags",
            "complete it through the service",
        )
    },
    ClassCard {
        points_to: "vendor",
        stuck: true,
        ..card(Class::PaymentPendingStuck, "payment pending, stuck", "the gateway owes an answer", "ask the gateway")
    },
    ClassCard {
        points_to: "H1 H3",
        stuck: true,
        ..card(Class::UnpaidStuck, "unpaid, stuck", "no payment took money", "expire it and tell the customer")
    },
    ClassCard {
        points_to: "H5",
        not_at_ho: true,
        ..card(
            Class::AcknowledgedNotRecorded,
            "acknowledged, not recorded",
            "HO said 2xx and has no record",
            "HO searches; send again only after",
        )
    },
    ClassCard {
        points_to: "H2",
        not_at_ho: true,
        ..card(
            Class::ChargedNotRecorded,
            "complete, not at HO",
            "charged and delivered; HO has no record",
            "send the callback again",
        )
    },
    ClassCard {
        points_to: "H4",
        not_at_ho: true,
        ..card(
            Class::FailedButCharged,
            "failed, but charged",
            "the order had ended; the money was taken",
            "refund, or open it again",
        )
    },
    ClassCard {
        points_to: "H4",
        not_at_ho: true,
        ..card(
            Class::ChargedTwice,
            "charged more than once",
            "a retry took the money again",
            "refund one; never send again",
        )
    },
    ClassCard {
        points_to: "H5",
        ..card(
            Class::RecordedTwice,
            "recorded more than once",
            "HO has more records than payments",
            "HO removes the copy",
        )
    },
    ClassCard {
        points_to: "H5",
        ..card(
            Class::RecordedNotCharged,
            "recorded, not charged",
            "HO has a record; UPG took no money",
            "finance holds it",
        )
    },
    card(Class::AmountUpgHo, "amounts differ, UPG and HO", "UPG and HO name different sums", "finance compares"),
    ClassCard {
        points_to: "H5",
        ..card(
            Class::AmountOrderUpg,
            "amounts differ, order and UPG",
            "the price changed while it was paid",
            "finance compares",
        )
    },
    ClassCard {
        points_to: "H5",
        ..card(Class::CompleteNotCharged, "complete, not charged", "delivered; no payment took money", "finance looks")
    },
    ClassCard {
        points_to: "H5",
        ..card(
            Class::PaymentWithoutOrder,
            "payment without order",
            "the order it names does not exist",
            "find it by its trace; hold the money",
        )
    },
    card(
        Class::UnmappedStatus,
        "order status nobody mapped",
        "a word that map.status does not know",
        "map the word in the configuration",
    ),
    card(
        Class::UnmappedPayment,
        "payment status nobody mapped",
        "the payment may have taken money",
        "map the word in the configuration",
    ),
    card(Class::UpgUnknown, "unknown: UPG silent", "UPG has not answered since", "see Sources; ask UPG's people"),
    card(Class::HoUnknown, "unknown: HO silent", "HO has not answered since", "see Sources; ask HO's people"),
    card(
        Class::NotAsked,
        "not asked yet",
        "UPG or HO has not been asked about it",
        "wait for the answer, or see Sources",
    ),
    ClassCard { fine: true, ..card(Class::Settling, "settling", "too fresh to call missing", "wait") },
    ClassCard { fine: true, ..card(Class::InFlight, "in flight", "ACTIVE, not for long", "wait") },
    ClassCard { fine: true, ..card(Class::Ok, "ok", "order, UPG and HO agree", "") },
];
