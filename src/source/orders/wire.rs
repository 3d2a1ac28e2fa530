//! Values on the wire: parameters in the types the server inferred, columns in the types the operator has.
//!
//! An operator's ids are text, numbers or UUIDs, his instants have a zone or not, his money is `numeric`:
//! each is read and written in PostgreSQL's binary form without a cast in his SQL. Formats:
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html> and the types' `send` functions.

use crate::model::{Stamp, Zone};
use chrono::NaiveDate;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgTypeKind};
use sqlx::{Encode, Postgres, Type, TypeInfo as _};
use std::borrow::Cow;
use std::sync::Arc;

/// Microseconds from 1970 to 2000, PostgreSQL's own epoch.
const EPOCH: i64 = 946_684_800_000_000;

/// What a type is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text of any kind, enums included.
    Text,
    /// `smallint`, `integer`, `bigint`: bytes.
    Int(usize),
    /// `numeric`.
    Numeric,
    /// `uuid`.
    Uuid,
    /// `timestamptz`.
    Instant,
    /// `timestamp`, which needs a zone.
    LocalTime,
    /// `boolean`.
    Flag,
    /// `date`.
    Day,
    /// Anything else.
    Other,
}

/// Tells a type's form.
pub fn form(info: &PgTypeInfo) -> Form {
    if let PgTypeKind::Enum(_) = info.kind() {
        return Form::Text;
    }
    match info.oid().map_or(0, |o| o.0) {
        19 | 25 | 1042 | 1043 => Form::Text,
        21 => Form::Int(2),
        23 => Form::Int(4),
        20 => Form::Int(8),
        1700 => Form::Numeric,
        2950 => Form::Uuid,
        1184 => Form::Instant,
        1114 => Form::LocalTime,
        16 => Form::Flag,
        1082 => Form::Day,
        _ if info.name().eq_ignore_ascii_case("citext") => Form::Text,
        _ => Form::Other,
    }
}

/// A column's identifier or word.
pub fn text(form: Form, bytes: &[u8]) -> Option<Arc<str>> {
    words(form, bytes).map(Into::into)
}

/// A column's identifier or word, lent where it came as text.
pub fn words(form: Form, bytes: &[u8]) -> Option<Cow<'_, str>> {
    match form {
        Form::Text => Some(String::from_utf8_lossy(bytes)),
        Form::Int(_) => Some(int(form, bytes)?.to_string().into()),
        Form::Numeric => Some(numeric(bytes)?.to_string().into()),
        Form::Uuid => Some(uuid_text(bytes)?.into()),
        Form::Flag => Some(if *bytes.first()? == 0 { "false" } else { "true" }.into()),
        _ => None,
    }
}

/// A whole number.
pub fn int(form: Form, bytes: &[u8]) -> Option<i64> {
    match form {
        Form::Int(2) => Some(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        Form::Int(4) => Some(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        Form::Int(8) => Some(i64::from_be_bytes(bytes.try_into().ok()?)),
        Form::Numeric => numeric(bytes),
        _ => None,
    }
}

/// A `date`: days from 2000. Infinity is none.
pub fn day(bytes: &[u8]) -> Option<NaiveDate> {
    let days = i32::from_be_bytes(bytes.try_into().ok()?);
    NaiveDate::from_ymd_opt(2000, 1, 1)?.checked_add_signed(chrono::TimeDelta::try_days(days.into())?)
}

/// An instant; a local time is one in the zone given. Infinity is none.
pub fn stamp(form: Form, bytes: &[u8], zone: Option<&Zone>) -> Option<Stamp> {
    let micros = i64::from_be_bytes(bytes.try_into().ok()?);
    if micros == i64::MAX || micros == i64::MIN {
        return None;
    }
    let utc = Stamp(micros.checked_add(EPOCH)?);
    match form {
        Form::Instant => Some(utc),
        Form::LocalTime => Some(Stamp(utc.0 - i64::from(zone?.east) * 1_000_000)),
        _ => None,
    }
}

/// A `numeric` that is a whole number: base 10 000 digits, weight of the first, sign. `None` with a
/// fraction, out of range, or not a number.
pub fn numeric(bytes: &[u8]) -> Option<i64> {
    let half = |i: usize| Some(i16::from_be_bytes(bytes.get(i..i + 2)?.try_into().ok()?));
    let (digits, weight, sign) = (half(0)?, half(2)?, half(4)? as u16);
    let mut value: i128 = 0;
    for i in 0..i32::from(digits) {
        let digit = half(8 + 2 * i as usize)?;
        let power = i32::from(weight) - i;
        if power < 0 {
            if digit != 0 {
                return None;
            }
        } else {
            value = value.checked_add(i128::from(digit).checked_mul(10_000_i128.checked_pow(power as u32)?)?)?;
        }
    }
    match sign {
        0 => i64::try_from(value).ok(),
        0x4000 => i64::try_from(-value).ok(),
        _ => None,
    }
}

fn uuid_text(bytes: &[u8]) -> Option<String> {
    let hex: String = <[u8; 16]>::try_from(bytes).ok()?.iter().map(|b| format!("{b:02x}")).collect();
    Some([hex.get(..8)?, hex.get(8..12)?, hex.get(12..16)?, hex.get(16..20)?, hex.get(20..)?].join("-"))
}

/// An identifier in the form of a parameter; `None` when it is none of that form.
pub fn id_bytes(form: Form, id: &str) -> Option<Vec<u8>> {
    match form {
        Form::Text => Some(id.as_bytes().to_vec()),
        Form::Int(2) => Some(id.parse::<i16>().ok()?.to_be_bytes().to_vec()),
        Form::Int(4) => Some(id.parse::<i32>().ok()?.to_be_bytes().to_vec()),
        Form::Int(8) => Some(id.parse::<i64>().ok()?.to_be_bytes().to_vec()),
        Form::Uuid => {
            let hex: String = id.chars().filter(|c| *c != '-').collect();
            (hex.len() == 32).then_some(())?;
            u128::from_str_radix(&hex, 16).ok().map(|n| n.to_be_bytes().to_vec())
        }
        _ => None,
    }
}

/// What stands before every identifier of a form.
pub fn least_id(form: Form) -> Option<Vec<u8>> {
    match form {
        Form::Text => Some(Vec::new()),
        Form::Int(2) => Some(i16::MIN.to_be_bytes().to_vec()),
        Form::Int(4) => Some(i32::MIN.to_be_bytes().to_vec()),
        Form::Int(8) => Some(i64::MIN.to_be_bytes().to_vec()),
        Form::Uuid => Some(vec![0; 16]),
        _ => None,
    }
}

/// An instant in the form of a parameter.
pub fn stamp_bytes(form: Form, at: Stamp, zone: Option<&Zone>) -> Option<Vec<u8>> {
    let east = match form {
        Form::Instant => 0,
        Form::LocalTime => i64::from(zone?.east) * 1_000_000,
        _ => return None,
    };
    Some((at.0 - EPOCH + east).to_be_bytes().to_vec())
}

/// A one-dimensional array of identifiers. The ones that are none of that form are left out: no row can
/// have them.
pub fn array_bytes(element: &PgTypeInfo, ids: &[Arc<str>]) -> Option<Vec<u8>> {
    let (form, oid) = (form(element), element.oid()?);
    least_id(form)?;
    let values: Vec<Vec<u8>> = ids.iter().filter_map(|id| id_bytes(form, id)).collect();
    let mut out = Vec::with_capacity(20 + values.iter().map(|v| v.len() + 4).sum::<usize>());
    out.extend(i32::from(!values.is_empty()).to_be_bytes());
    out.extend(0_i32.to_be_bytes());
    out.extend(oid.0.to_be_bytes());
    if !values.is_empty() {
        out.extend((values.len() as i32).to_be_bytes());
        out.extend(1_i32.to_be_bytes());
    }
    for value in values {
        out.extend((value.len() as i32).to_be_bytes());
        out.extend(value);
    }
    Some(out)
}

/// A parameter's bytes with the type the server inferred for it.
#[derive(Clone, Debug)]
pub struct Wire {
    /// The type.
    pub info: PgTypeInfo,
    /// Its binary form.
    pub bytes: Vec<u8>,
}

impl Type<Postgres> for Wire {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(25))
    }
    fn compatible(_: &PgTypeInfo) -> bool {
        true
    }
}

impl Encode<'_, Postgres> for Wire {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buf.extend_from_slice(&self.bytes);
        Ok(IsNull::No)
    }
    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.info.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(weight: i16, sign: u16, digits: &[i16]) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend((digits.len() as i16).to_be_bytes());
        out.extend(weight.to_be_bytes());
        out.extend(sign.to_be_bytes());
        out.extend(2_i16.to_be_bytes());
        for d in digits {
            out.extend(d.to_be_bytes());
        }
        out
    }

    #[test]
    fn money_is_whole_or_refused() {
        assert_eq!(numeric(&parts(1, 0, &[41, 2500])), Some(412_500));
        assert_eq!(numeric(&parts(1, 0x4000, &[41, 2500])), Some(-412_500));
        assert_eq!(numeric(&parts(1, 0, &[41])), Some(410_000));
        assert_eq!(numeric(&parts(0, 0, &[])), Some(0));
        assert_eq!(numeric(&parts(0, 0, &[7, 0])), Some(7), "a fraction of nothing is none");
        assert_eq!(numeric(&parts(0, 0, &[7, 5000])), None);
        assert_eq!(numeric(&parts(0, 0xC000, &[])), None, "NaN");
        assert_eq!(numeric(&parts(9, 0, &[1])), None, "more than an i64 holds");
    }

    #[test]
    fn a_local_time_needs_its_zone() {
        let noon = Stamp::parse_rfc3339("2025-01-12T12:00:00+07:00").unwrap();
        let wib = Zone::wib();
        let bytes = stamp_bytes(Form::LocalTime, noon, Some(&wib)).unwrap();
        assert_eq!(stamp(Form::LocalTime, &bytes, Some(&wib)), Some(noon));
        assert_eq!(stamp(Form::LocalTime, &bytes, None), None);
        assert_eq!(stamp(Form::Instant, &i64::MAX.to_be_bytes(), None), None, "infinity is no instant");
    }

    #[test]
    fn ids_go_and_come_in_every_form() {
        for (form, id) in
            [(Form::Text, "ORD-1"), (Form::Int(8), "-42"), (Form::Uuid, "0f8fad5b-d9cb-469f-a165-70867728950e")]
        {
            assert_eq!(text(form, &id_bytes(form, id).unwrap()).as_deref(), Some(id));
        }
        assert_eq!(id_bytes(Form::Int(8), "ORD-1"), None);
    }
}
