//! The project of a region, read from IAM's list.
//!
//! Pure. May not know: how the list was asked for, nor who keeps what was found.

use serde_json::Value;

/// Path of the list; it is asked by `name`, signed without a project.
pub const PATH: &str = "/v3/projects";

/// Why there is not exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The answer is no list of projects.
    NoList,
    /// A sentence with the remedy.
    Says(String),
}

/// The id of the only project of this name. A region's main project has the region's name; others
/// (`ap-southeast-4_shop`) begin with it and are not meant.
pub fn only(body: &[u8], region: &str) -> Result<String, Why> {
    let value: Value = serde_json::from_slice(body).map_err(|_| Why::NoList)?;
    let list = value.get("projects").and_then(Value::as_array).ok_or(Why::NoList)?;
    let named = |p: &&Value| p.get("name").and_then(Value::as_str).is_none_or(|n| n == region);
    let ids: Vec<&str> =
        list.iter().filter(named).filter_map(|p| p.get("id")?.as_str()).filter(|id| is_id(id)).collect();
    match ids.as_slice() {
        [id] => Ok((*id).to_owned()),
        [] => Err(Why::Says(format!(
            "this account has no project named {region}: it never used that region, or region in [huawei] is wrong"
        ))),
        several => Err(Why::Says(format!(
            "this account has {} projects named {region}: set project_id in [huawei] to one of {}",
            several.len(),
            several.join(", ")
        ))),
    }
}

/// It becomes part of a path and of a header.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGION: &str = "ap-southeast-4";

    #[test]
    fn exactly_one_project_of_the_region_is_it() {
        let body = br#"{"projects":[{"id":"0605f4a8","name":"ap-southeast-4","enabled":true},
            {"id":"77","name":"ap-southeast-4_shop"}],"links":{}}"#;
        assert_eq!(only(body, REGION), Ok("0605f4a8".to_owned()));
    }

    #[test]
    fn none_and_several_say_what_to_set() {
        let Err(Why::Says(none)) = only(br#"{"projects":[]}"#, REGION) else { panic!("there is none") };
        assert_eq!(
            none,
            "this account has no project named ap-southeast-4: it never used that region, or region in [huawei] is wrong"
        );
        let two = br#"{"projects":[{"id":"a1","name":"ap-southeast-4"},{"id":"b2","name":"ap-southeast-4"}]}"#;
        let Err(Why::Says(several)) = only(two, REGION) else { panic!("there are two") };
        assert_eq!(
            several,
            "this account has 2 projects named ap-southeast-4: set project_id in [huawei] to one of a1, b2"
        );
    }

    #[test]
    fn what_is_no_list_is_no_project() {
        for body in [&b""[..], b"[]", b"{\"projects\":{}}", b"{\"projects\":7}", b"<html>"] {
            assert_eq!(only(body, REGION), Err(Why::NoList));
        }
        let odd = br#"{"projects":[{"id":"../x","name":"ap-southeast-4"},{"id":7},{"name":"ap-southeast-4"},null]}"#;
        assert!(matches!(only(odd, REGION), Err(Why::Says(_))));
    }
}
